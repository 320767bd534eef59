"""Bodies that are not what was announced: refused, the old object untouched, and no file left behind."""

from __future__ import annotations

import base64
import zlib

import pytest

from tests.hostile.street import (
    CLOSED,
    KIB,
    MIB,
    Chunks,
    Line,
    ask,
    blob_files,
    head,
    memory,
    sign,
    signed,
    until,
)

SIGNED_CHUNKS = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
SIGNED_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
DATA = bytes(range(256)) * 1024  # 256 KiB: it goes into a file
OLD = b"old"


@pytest.fixture
def path(server, path):
    """The path of an object that was there before."""
    assert ask(server, "PUT", path, body=OLD).status == 200
    return path


@pytest.fixture
def untouched(server, house, path):
    """Holds, behind the test, that the old object is as it was, and that no file is left."""
    before = blob_files(house.data)
    yield
    assert ask(server, "GET", path).body == OLD
    assert until(lambda: blob_files(house.data) == before)


@pytest.mark.parametrize("sent", [0, 1, 70_000, len(DATA) - 1])
@pytest.mark.parametrize("how", ["the sending ends", "the connection ends", "the connection is reset"])
def test_a_body_that_breaks_off_is_nothing(server, path, untouched, sent, how):
    with Line(server) as line:
        line.send(signed(server, "PUT", path, length=len(DATA)) + DATA[:sent])
        if how == "the sending ends":
            line.end()
            answer = line.answer()
            assert (answer.status, answer.code) in {(400, "IncompleteBody"), (CLOSED, "")}
        elif how == "the connection is reset":
            line.socket.setsockopt(1, 13, b"\1\0\0\0\0\0\0\0")  # SO_LINGER of no seconds


def test_what_is_sent_beyond_the_length_is_not_of_the_object(server, path):
    with Line(server) as line:
        line.send(signed(server, "PUT", path, length=3) + b"newgarbage\r\n\r\n")
        assert line.answer().status == 200
        assert line.answer().status in {400, CLOSED}

    assert ask(server, "GET", path).body == b"new"


def chunked_headers(server, path, kind, size, **more):
    headers = {"content-encoding": "aws-chunked", "x-amz-decoded-content-length": str(size), **more}
    if "TRAILER" in kind:
        headers["x-amz-trailer"] = "x-amz-checksum-crc32"
    return sign(server, "PUT", path, headers=headers, sha256=kind)


def pieces_of(server, headers, kind, *, piece=64 * KIB, crc=None):
    """The frames of a chunked body of `DATA`."""
    crc = crc or base64.b64encode(zlib.crc32(DATA).to_bytes(4)).decode()
    pieces = [DATA[at : at + piece] for at in range(0, len(DATA), piece)]
    if kind == UNSIGNED_TRAILER:
        return [b"%x\r\n%b\r\n" % (len(one), one) for one in pieces] + [
            b"0\r\n", f"x-amz-checksum-crc32:{crc}\r\n\r\n".encode()]
    chunks = Chunks(server, headers)
    frames = [chunks.chunk(one) for one in pieces] + [chunks.chunk(b"")]
    return [*frames, b"\r\n" if kind == SIGNED_CHUNKS else chunks.trailer("x-amz-checksum-crc32", crc)]


KINDS = [SIGNED_CHUNKS, SIGNED_TRAILER, UNSIGNED_TRAILER]


def put_chunked(server, path, headers, data):
    with Line(server) as line:
        line.send(head("PUT", path, {**headers, "content-length": str(len(data))}) + data)
        return line.answer()


@pytest.mark.parametrize("kind", KINDS)
def test_a_chunked_body_is_the_object(server, path, kind):
    headers = chunked_headers(server, path, kind, len(DATA))

    assert put_chunked(server, path, headers, b"".join(pieces_of(server, headers, kind))).status == 200
    assert ask(server, "GET", path).body == DATA


def changed(frame: bytes, at: int) -> bytes:
    """The frame with another hexadecimal digit at that place, where most are digits."""
    return frame[:at] + (b"1" if frame[at : at + 1] == b"0" else b"0") + frame[at + 1 :]


BREAKS = {
    "cut inside a chunk": lambda frames: [*frames[:2], frames[2][:1000]],
    "cut between chunks": lambda frames: frames[:2],
    "cut inside a chunk's head": lambda frames: [*frames[:2], frames[2][:2]],
    "without an end": lambda frames: frames[:-2],
    "cut inside the end": lambda frames: [*frames[:-1], frames[-1][:1]],
    "a chunk is missing": lambda frames: frames[:1] + frames[2:],
    "a chunk comes twice": lambda frames: frames[:2] + frames[1:],
    "a size that is none": lambda frames: [b"z" + frames[0], *frames[1:]],
    "a negative size": lambda frames: [b"-" + frames[0], *frames[1:]],
    "a huge size": lambda frames: [b"fffffffffffffff" + frames[0][5:], *frames[1:]],
    "a size beyond 64 bits": lambda frames: [b"f" * 40 + frames[0], *frames[1:]],
    "an endless head": lambda frames: [b"1" * (256 * KIB)],
    "nothing at all": lambda frames: [],
    "something behind the end": lambda frames: [*frames, b"more"],
    "no break behind a chunk": lambda frames: [frames[0][:-2], *frames[1:]],
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("what", BREAKS)
def test_broken_framing_is_refused(server, path, untouched, kind, what):
    headers = chunked_headers(server, path, kind, len(DATA))
    answer = put_chunked(server, path, headers, b"".join(BREAKS[what](pieces_of(server, headers, kind))))

    assert answer.status in {400, 403}
    assert answer.code in {"IncompleteBody", "SignatureDoesNotMatch", "InvalidChunkSizeError", "MalformedTrailerError"}


@pytest.mark.parametrize("kind", [SIGNED_CHUNKS, SIGNED_TRAILER])
def test_a_changed_byte_in_a_signed_chunk_is_noticed(server, path, untouched, kind):
    for which, at in [(0, 30), (0, 5000), (2, 3000), (4, 40)]:
        headers = chunked_headers(server, path, kind, len(DATA))
        frames = pieces_of(server, headers, kind)
        frames[which] = changed(frames[which], at)
        answer = put_chunked(server, path, headers, b"".join(frames))

        assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch")


@pytest.mark.parametrize("kind", [SIGNED_TRAILER, UNSIGNED_TRAILER])
def test_a_trailer_that_belies_the_content_is_refused(server, path, untouched, kind):
    headers = chunked_headers(server, path, kind, len(DATA))
    answer = put_chunked(server, path, headers, b"".join(pieces_of(server, headers, kind, crc="AAAAAA==")))

    assert (answer.status, answer.code) == (400, "BadDigest")


TRAILERS = {
    "of another name": b"x-amz-checksum-sha1:AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n",
    "without a colon": b"x-amz-checksum-crc32\r\n\r\n",
    "without a name": b":AAAAAA==\r\n\r\n",
    "no base64": b"x-amz-checksum-crc32:????\r\n\r\n",
    "of another length": b"x-amz-checksum-crc32:AAAA\r\n\r\n",
    "twice": b"x-amz-checksum-crc32:AAAAAA==\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n",
    "missing": b"\r\n",
    "no ASCII": b"x-amz-checksum-crc32:\xff\xfe\r\n\r\n",
    "endless": b"x-amz-checksum-crc32:" + b"A" * 100_000 + b"\r\n\r\n",
    "of a hundred lines": b"".join(b"x-%d:a\r\n" % number for number in range(100)) + b"\r\n",
}


@pytest.mark.parametrize("what", TRAILERS)
def test_a_wrong_trailer_is_refused(server, path, untouched, what):
    headers = chunked_headers(server, path, UNSIGNED_TRAILER, len(DATA))
    frames = [*pieces_of(server, headers, UNSIGNED_TRAILER)[:-1], TRAILERS[what]]
    answer = put_chunked(server, path, headers, b"".join(frames))

    assert answer.status == 400


@pytest.mark.parametrize("size", [0, 1, len(DATA) - 1, len(DATA) + 1, 10 ** 17, "-1", "x", "", "1e3", "\u00b2"])
@pytest.mark.parametrize("kind", KINDS)
def test_another_decoded_length_is_refused(server, path, untouched, kind, size):
    if size == "\u00b2":
        headers = chunked_headers(server, path, kind, 2)
        headers["x-amz-decoded-content-length"] = size
    else:
        headers = chunked_headers(server, path, kind, size)
    answer = put_chunked(server, path, headers, b"".join(pieces_of(server, headers, kind)))

    assert answer.status in {400, 403, 411, CLOSED}


def test_chunks_of_a_byte_do_not_gather_in_memory(server, path, untouched):
    """Framing may be many times larger than what it frames."""
    size = 300_000
    headers = chunked_headers(server, path, UNSIGNED_TRAILER, size)
    with memory(server) as grown, Line(server) as line:
        line.send(head("PUT", path, {**headers, "content-length": str(size * 6 + 10)}) + b"1\r\na\r\n" * size)
        answer = line.answer()

    assert (answer.status, answer.code) == (403, "InvalidChunkSizeError")
    assert grown[0] < 32 * MIB


def test_a_chunk_extension_does_not_gather_in_memory(server, path, untouched):
    headers = chunked_headers(server, path, UNSIGNED_TRAILER, 10)
    data = b"a;" + b"x" * (4 * MIB) + b"\r\n0123456789\r\n0\r\n\r\n"
    with memory(server) as grown:
        answer = put_chunked(server, path, headers, data)

    assert (answer.status, answer.code) in {(400, "IncompleteBody"), (CLOSED, "")}
    assert grown[0] < 32 * MIB


@pytest.mark.parametrize("length", [5 * (1 << 30) + 1, 1 << 62, (1 << 64) - 2])
def test_too_much_is_refused_before_it_comes(server, path, untouched, length):
    with Line(server) as line:
        line.send(signed(server, "PUT", path, headers={"expect": "100-continue"}, length=length))
        answer = line.answer()

    assert (answer.status, answer.code) in {(400, "EntityTooLarge"), (400, "InvalidArgument"), (431, "")}


def test_chunks_of_http_without_an_end_are_no_object(server, path, untouched):
    with Line(server) as line:
        line.send(head("PUT", path, {**sign(server, "PUT", path), "transfer-encoding": "chunked"}) + b"5\r\nhello\r\n")
        line.end()
        answer = line.answer()

    assert (answer.status, answer.code) in {(400, "IncompleteBody"), (411, "MissingContentLength"), (CLOSED, "")}


@pytest.mark.parametrize("frame", [b"zz\r\nhello\r\n", b"fffffffffffffffff\r\n", b"5\r\nhelloworld\r\n", b"5;" + b"a" * 100_000])
def test_broken_chunks_of_http_are_no_object(server, path, untouched, frame):
    with Line(server) as line:
        line.send(head("PUT", path, {**sign(server, "PUT", path), "transfer-encoding": "chunked"}) + frame)
        line.end()
        answer = line.answer()

    assert answer.status in {400, CLOSED}
