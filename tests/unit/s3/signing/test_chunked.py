"""aws-chunked bodies: whole, byte by byte, cut short, spoilt, with too much at the end."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import itertools
from collections.abc import AsyncIterator, Iterable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.s3.signing.signing_client import ACCESS_KEY, SCOPE, key
from trivium.base.faults import Fault
from trivium.s3.signing.chunked import ChunkedSource, Decoder
from trivium.s3.signing.claim import ChunkSigning, Payload

MIDNIGHT = "20130524T000000Z"
EMPTY = hashlib.sha256(b"").hexdigest()
UNSIGNED = Payload(chunked=True, trailer=True)
BELIEVED = Payload(chunked=True)
SEED = "0" * 64


def signed(*, trailer: bool, seed: str = SEED) -> Payload:
    signing = ChunkSigning(key(), MIDNIGHT, SCOPE, seed, ACCESS_KEY)
    return Payload(chunked=True, signing=signing, trailer=trailer)


def sign(what: str, previous: str, *digests: str) -> str:
    text = "\n".join([f"AWS4-HMAC-SHA256-{what}", MIDNIGHT, SCOPE, previous, *digests])
    return hmac.new(key(), text.encode(), hashlib.sha256).hexdigest()


def framed(chunks: Iterable[bytes], trailer: str = "") -> bytes:
    """The chunks in unsigned framing; `trailer` is `name:value`."""
    parts = [b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks]
    return b"".join([*parts, b"0\r\n", f"{trailer}\r\n\r\n".encode() if trailer else b"\r\n"])


def signed_frames(chunks: Iterable[bytes], trailer: str = "", *, line_break: bytes = b"\r\n") -> bytes:
    """The chunks in signed framing, the last empty one among them."""
    previous, parts = SEED, []
    for chunk in [*chunks, b""]:
        previous = sign("PAYLOAD", previous, EMPTY, hashlib.sha256(chunk).hexdigest())
        parts.append(
            b"%x;chunk-signature=%s\r\n%s"
            % (len(chunk), previous.encode(), chunk + b"\r\n" if chunk else b"")
        )
    if not trailer:
        return b"".join(parts) + b"\r\n"
    last = sign("TRAILER", previous, hashlib.sha256(f"{trailer}\n".encode()).hexdigest())
    return (
        b"".join(parts) + trailer.encode() + line_break + f"x-amz-trailer-signature:{last}\r\n\r\n".encode()
    )


def decoded(
    payload: Payload, pieces: Iterable[bytes], size: int | None = None
) -> tuple[bytes, dict[str, str]]:
    decoder = Decoder(payload, size)
    found = [part for piece in pieces for part in decoder.feed(piece)]
    decoder.finish()
    return b"".join(found), decoder.trailers


def refusal(payload: Payload, pieces: Iterable[bytes], size: int | None = None) -> Fault:
    with pytest.raises(Fault) as raised:
        decoded(payload, pieces, size)
    return raised.value


def every_byte(data: bytes) -> Iterator[bytes]:
    return (data[at : at + 1] for at in range(len(data)))


BIG, SMALL = b"x" * 8192, b"the rest"
TRAILER = "x-amz-checksum-crc32c:sOO8/Q=="
FORMS = {
    "unsigned": (UNSIGNED, framed([BIG, SMALL]), {}),
    "unsigned, trailer": (UNSIGNED, framed([BIG, SMALL], TRAILER), {"x-amz-checksum-crc32c": "sOO8/Q=="}),
    "signed": (signed(trailer=False), signed_frames([BIG, SMALL]), {}),
    "signed, trailer": (
        signed(trailer=True),
        signed_frames([BIG, SMALL], TRAILER),
        {"x-amz-checksum-crc32c": "sOO8/Q=="},
    ),
    "signed, trailer of minio-go": (
        signed(trailer=True),
        signed_frames([BIG, SMALL], TRAILER, line_break=b"\n\r\n"),
        {"x-amz-checksum-crc32c": "sOO8/Q=="},
    ),
    "believed": (BELIEVED, signed_frames([BIG, SMALL], TRAILER), {"x-amz-checksum-crc32c": "sOO8/Q=="}),
}
SHORT = {
    "unsigned": (UNSIGNED, framed([SMALL], TRAILER)),
    "signed": (signed(trailer=False), signed_frames([SMALL])),
    "signed, trailer": (signed(trailer=True), signed_frames([SMALL], TRAILER)),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_decoded_whole_and_byte_by_byte(form: str) -> None:
    payload, data, trailers = FORMS[form]

    assert (BIG + SMALL, trailers) == decoded(payload, [data], len(BIG + SMALL))
    assert (BIG + SMALL, trailers) == decoded(payload, every_byte(data), len(BIG + SMALL))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(FORMS)), st.lists(st.integers(0, 8600), max_size=12))
def test_every_form_is_decoded_however_it_is_cut(form: str, cuts: list[int]) -> None:
    payload, data, trailers = FORMS[form]
    places = [0, *sorted(cuts), len(data)]
    pieces = [data[first:last] for first, last in itertools.pairwise(places)]

    assert (BIG + SMALL, trailers) == decoded(payload, pieces)


@pytest.mark.parametrize("form", SHORT)
def test_a_body_cut_short_anywhere_is_incomplete(form: str) -> None:
    payload, data = SHORT[form]

    assert {"IncompleteBody"} == {
        refusal(payload, [data[:at]], len(SMALL)).kind.code for at in range(len(data))
    }


@pytest.mark.parametrize("form", SHORT)
@pytest.mark.parametrize("more", [b"x", b"\r\n", b"0\r\n\r\n", b"GET / HTTP/1.1\r\n"])
def test_bytes_behind_the_end_are_refused(form: str, more: bytes) -> None:
    payload, data = SHORT[form]

    assert "IncompleteBody" == refusal(payload, [data + more], len(SMALL)).kind.code
    assert "IncompleteBody" == refusal(payload, [data, more], len(SMALL)).kind.code


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(["signed", "signed, trailer"]), st.integers(0, 600), st.integers(1, 255))
def test_no_byte_of_a_signed_body_can_be_changed(form: str, at: int, difference: int) -> None:
    payload, data = SHORT[form]
    spoilt = bytearray(data)
    spoilt[at % len(data)] ^= difference
    try:
        found, trailers = decoded(payload, [bytes(spoilt)], len(SMALL))
    except Fault:
        return

    assert SMALL == found, "only the spelling of a size or of a trailer's name may change, never what is said"
    assert trailers == decoded(payload, [data])[1]


# The examples of the Amazon S3 API Reference

AWS_CHUNKS = (
    ("10000", "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648", 65536),
    ("400", "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497", 1024),
    ("0", "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9", 0),
)
AWS_TRAILER_CHUNKS = (
    ("10000", "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2", 65536),
    ("400", "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7", 1024),
    ("0", "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992", 0),
)


def frames(chunks: tuple[tuple[str, str, int], ...]) -> str:
    return "".join(f"{size};chunk-signature={mark}\r\n{'a' * count}\r\n" for size, mark, count in chunks)


def test_the_chunked_example_of_the_manual_is_accepted() -> None:
    payload = signed(trailer=False, seed="4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9")

    assert (b"a" * 66560, {}) == decoded(payload, [frames(AWS_CHUNKS).encode()], 66560)


def test_the_trailer_example_of_the_manual_is_accepted() -> None:
    payload = signed(trailer=True, seed="106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e")
    mark = "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435"
    body = (
        frames(AWS_TRAILER_CHUNKS).removesuffix("\r\n")
        + f"{TRAILER}\r\nx-amz-trailer-signature:{mark}\r\n\r\n"
    )

    assert (b"a" * 66560, {"x-amz-checksum-crc32c": "sOO8/Q=="}) == decoded(payload, [body.encode()], 66560)


# What each flaw is called


def test_a_wrong_chunk_signature_shows_what_was_signed() -> None:
    spoilt = signed_frames([SMALL]).replace(SMALL, SMALL[::-1])
    fault = refusal(signed(trailer=False), [spoilt])

    assert "SignatureDoesNotMatch" == fault.kind.name
    assert ACCESS_KEY == fault.facts["AWSAccessKeyId"]
    assert str(fault.facts["StringToSign"]).startswith("AWS4-HMAC-SHA256-PAYLOAD\n")


def test_chunks_cannot_change_places() -> None:
    first, second = b"x" * 8192, b"y" * 8192
    right = signed_frames([first, second])
    length = right.index(b"2000;", 1)

    assert (
        "SignatureDoesNotMatch"
        == refusal(
            signed(trailer=False), [right[length : 2 * length] + right[:length] + right[2 * length :]]
        ).kind.name
    )


def test_a_signed_trailer_cannot_change() -> None:
    spoilt = signed_frames([SMALL], TRAILER).replace(b"sOO8", b"sOO9")

    assert "SignatureDoesNotMatch" == refusal(signed(trailer=True), [spoilt]).kind.name


@pytest.mark.parametrize(
    "body",
    [
        b"A\ndummy data\r\n0\r\n\r\n",
        b"A\r\ndummy data0\r\n\r\n",
        b"A\r\nXYZ\r\ndummy data\r\n0\r\n\r\n",
        b"B\r\ndummy data\r\n0\r\n\r\n",
        b"A\r\ndummy data\r\n0\r\n",
        b"A\r\n",
        b"A\r\nA\r\ndummy data\r\n0\r\n\r\n",
        b"invalid\r\ndummy data\r\n0\r\n\r\n",
        b"A\r\ndummy data\r\nJ\r\n\r\n",
        b"",
        b"-1\r\n\r\n",
        b"0x5\r\nhello\r\n0\r\n\r\n",
        b"1" * 2000,
        b"A;" + b"x" * 2000,
        b"ffffffffffffffff\r\n",
    ],
)
def test_broken_framing_is_an_incomplete_body(body: bytes) -> None:
    assert "IncompleteBody" == refusal(UNSIGNED, [body], 10).kind.code
    assert "IncompleteBody" == refusal(UNSIGNED, every_byte(body), 10).kind.code


@pytest.mark.parametrize("size", [0, 7, 9, 200])
def test_another_size_than_announced_is_an_incomplete_body(size: int) -> None:
    for payload, data in SHORT.values():
        assert "IncompleteBody" == refusal(payload, [data], size).kind.name


def test_a_chunk_that_announces_too_much_is_refused_before_its_bytes_arrive() -> None:
    assert "IncompleteBody" == refusal(UNSIGNED, [b"9\r\n"], 8).kind.name


@pytest.mark.parametrize(
    ("trailer", "name"),
    [
        ("no colon", "MalformedTrailerError"),
        (":value", "MalformedTrailerError"),
        ("é:value", "MalformedTrailerError"),
        (f"{TRAILER}\r\n{TRAILER}", "MalformedTrailerError"),
        ("\r\n".join(f"x-{number}:1" for number in range(17)), "MalformedTrailerError"),
        ("x:" + "1" * 2000, "IncompleteBodyBodyTerminatedUnexpectedly"),
    ],
)
def test_a_malformed_trailer_is_refused(trailer: str, name: str) -> None:
    assert name == refusal(UNSIGNED, [framed([SMALL], trailer)]).kind.name


def test_a_signed_trailer_needs_its_signature_once() -> None:
    right = signed_frames([SMALL], TRAILER)
    at = right.index(b"x-amz-trailer-signature")
    line = right[at:-2]

    assert "MalformedTrailerError" == refusal(signed(trailer=True), [right[:at] + b"\r\n"]).kind.name
    assert (
        "MalformedTrailerError" == refusal(signed(trailer=True), [right[:at] + line * 2 + b"\r\n"]).kind.name
    )
    assert (
        "MalformedTrailerError" == refusal(signed(trailer=True), [right[:-2] + b"x-more:1\r\n\r\n"]).kind.name
    )


def test_a_trailer_where_none_was_said_is_refused_when_chunks_are_signed() -> None:
    assert (
        "IncompleteBody"
        == refusal(
            signed(trailer=False), [signed_frames([SMALL])[:-2] + b"x-amz-checksum-crc32:AAAAAA==\r\n\r\n"]
        ).kind.code
    )


@pytest.mark.parametrize(
    ("sizes", "good"),
    [
        ((8192, 8192, 100), True),
        ((100,), True),
        ((10000, 9500, 20), True),
        ((), True),
        ((8192, 10), True),
        ((100, 8192, 100), False),
        ((8192, 10, 100), False),
        ((10, 10, 10), False),
        ((8191, 1), False),
    ],
)
def test_only_the_last_chunk_may_be_small(sizes: tuple[int, ...], good: bool) -> None:
    chunks = [b"x" * size for size in sizes]
    for payload, data in (UNSIGNED, framed(chunks)), (signed(trailer=False), signed_frames(chunks)):
        if good:
            assert sum(sizes) == len(decoded(payload, [data])[0])
        else:
            assert "InvalidChunkSizeError" == refusal(payload, [data]).kind.name
    assert sum(sizes) == len(decoded(BELIEVED, [framed(chunks)])[0])


def test_a_small_chunk_is_named() -> None:
    assert {"Chunk": 2, "BadChunkSize": 5} == refusal(UNSIGNED, [framed([b"hello", b"x"])]).facts


# The source


class Wire:
    """A source that hands out what it was given, and counts what is asked of it."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces, self.wholes, self.given = pieces, 0, 0

    async def whole(self) -> bytes:
        self.wholes += 1
        return b"".join(self.pieces)

    async def chunks(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            self.given += 1
            yield piece


async def collect(source: ChunkedSource) -> bytes:
    return b"".join([piece async for piece in source.chunks()])


def test_a_source_reads_whole_and_in_chunks() -> None:
    for payload, data, trailers in FORMS.values():
        size = len(BIG + SMALL)
        at_once = ChunkedSource(Wire(data), payload, size, wire_size=len(data))
        in_loop = ChunkedSource(Wire(data), payload, size)
        streamed = ChunkedSource(Wire(*every_byte(data)), payload, size)

        assert [BIG + SMALL] * 3 == [
            asyncio.run(at_once.whole()),
            asyncio.run(in_loop.whole()),
            asyncio.run(collect(streamed)),
        ]
        assert [trailers] * 3 == [at_once.trailers, in_loop.trailers, streamed.trailers]


def test_a_short_body_is_read_in_one_go() -> None:
    wire = Wire(framed([SMALL]))
    asyncio.run(ChunkedSource(wire, UNSIGNED, len(SMALL), wire_size=len(framed([SMALL]))).whole())

    assert (1, 0) == (wire.wholes, wire.given)


def test_endless_framing_is_not_read_into_memory() -> None:
    wire = Wire(*[b"1\r\nx\r\n"] * 1000)

    with pytest.raises(Fault):
        asyncio.run(ChunkedSource(wire, BELIEVED, 2, wire_size=10_000_000).whole())
    assert 3 == wire.given


def test_large_signed_pieces_are_checked_beside_the_loop() -> None:
    content = b"x" * (1 << 20)
    data = signed_frames([content[:500_000], content[500_000:]])
    pieces = [data[at : at + 400_000] for at in range(0, len(data), 400_000)]

    assert content == asyncio.run(collect(ChunkedSource(Wire(*pieces), signed(trailer=False), len(content))))
    with pytest.raises(Fault) as raised:
        asyncio.run(
            collect(ChunkedSource(Wire(data.replace(b"xx\r\n", b"xy\r\n")), signed(trailer=False), None))
        )
    assert "SignatureDoesNotMatch" == raised.value.kind.name


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([UNSIGNED, BELIEVED, signed(trailer=True), signed(trailer=False)]),
    st.lists(
        st.one_of(
            st.binary(max_size=12),
            st.sampled_from([b"0", b"5", b"\r\n", b"hello", b";chunk-signature=" + b"0" * 64, b"x:1"]),
        ),
        max_size=12,
    ),
)
def test_any_bytes_at_all_meet_content_or_a_fault(payload: Payload, pieces: list[bytes]) -> None:
    try:
        decoded(payload, pieces, 5)
    except Fault as fault:
        assert 400 <= fault.kind.status < 500
