"""Uploads and documents: the right size, the right digests, or the right fault."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator, Callable, Mapping

import pytest
from botocore.httpchecksum import AwsChunkedWrapper, CrtCrc64NvmeChecksum

from tests.unit.s3.signing.signing_client import AWS
from trivium.base.digests import ALGORITHMS, Algorithm, encode
from trivium.base.faults import Fault
from trivium.base.incoming import Given, Incoming, Source
from trivium.s3.messages import Request
from trivium.s3.signing.claim import PLAIN, Claim, Payload
from trivium.s3.signing.content import document, incoming
from trivium.services.access.users import ANONYMOUS

DATA = b"some random data"
MD5 = encode(hashlib.md5(DATA).digest())
SHA256 = hashlib.sha256(DATA).hexdigest()
CHUNKED = Payload(chunked=True, trailer=True)
CRC32 = "x-amz-checksum-crc32"
EVERY = pytest.mark.parametrize("algorithm", ALGORITHMS.values(), ids=str)


def value(algorithm: Algorithm, data: bytes = DATA) -> str:
    hasher = algorithm.make()
    hasher.update(data)
    return encode(hasher.digest())


def framed(data: bytes = DATA, trailer: str = "") -> bytes:
    chunk = b"%x\r\n%s\r\n" % (len(data), data) if data else b""
    return chunk + b"0\r\n" + (f"{trailer}\r\n\r\n".encode() if trailer else b"\r\n")


def asked(
    headers: Mapping[str, str],
    body: bytes | Source,
    method: str = "PUT",
    query: str = "",
) -> Request:
    source = Given(body) if isinstance(body, bytes) else body
    return Request(method, "/b/k", query, {"host": "h", **headers}, AWS, at_ms=0, body=source)


def upload(headers: Mapping[str, str], payload: Payload = PLAIN, body: bytes = DATA) -> Incoming:
    """The incoming of a request whose length is right, unless the headers say another."""
    length = (
        {"x-amz-decoded-content-length": str(len(DATA))}
        if payload.chunked
        else {"content-length": str(len(body))}
    )
    return incoming(asked({**length, **headers}, body), Claim(ANONYMOUS, payload=payload))


def taken(headers: Mapping[str, str], payload: Payload = PLAIN, body: bytes = DATA) -> Incoming:
    """The incoming after all its bytes came in, in both ways."""
    by_chunks = upload(headers, payload, body)

    async def chunks() -> bytes:
        return b"".join([chunk async for chunk in by_chunks.chunks()])

    whole = upload(headers, payload, body)
    assert asyncio.run(whole.whole()) == asyncio.run(chunks())
    assert whole.receipt == by_chunks.receipt
    return whole


def refusal(headers: Mapping[str, str], payload: Payload = PLAIN, body: bytes = DATA) -> Fault:
    with pytest.raises(Fault) as raised:
        taken(headers, payload, body)
    return raised.value


# Sizes


def test_a_plain_upload_has_its_length_and_the_default_checksum() -> None:
    found = taken({})

    assert (len(DATA), "CRC64NVME") == (found.size, found.checksum)
    assert {"MD5", "CRC64NVME"} == set(found.receipt.digests)


def test_an_upload_needs_a_length() -> None:
    for payload in PLAIN, CHUNKED:
        with pytest.raises(Fault) as raised:
            incoming(asked({}, DATA), Claim(ANONYMOUS, payload=payload))
        assert ("MissingContentLength", 411) == (raised.value.kind.name, raised.value.kind.status)


@pytest.mark.parametrize("length", ["", "-1", "x", "+5", "1e3", "٥", "9" * 5000])
def test_a_length_that_is_none_is_refused(length: str) -> None:
    assert "InvalidHeaderValue" == refusal({"content-length": length}).kind.name
    assert (
        "MissingContentLength"
        == refusal({"x-amz-decoded-content-length": length}, CHUNKED, framed()).kind.name
    )


def test_another_number_of_bytes_is_an_incomplete_body() -> None:
    for length in (len(DATA) - 1, len(DATA) + 1, 0):
        assert "IncompleteBody" == refusal({"content-length": str(length)}).kind.name
        assert (
            "IncompleteBody"
            == refusal({"x-amz-decoded-content-length": str(length)}, CHUNKED, framed()).kind.name
        )


def test_chunks_are_taken_apart() -> None:
    assert len(DATA) == taken({"content-length": str(len(framed()))}, CHUNKED, framed()).receipt.size


def test_an_empty_upload_is_fine() -> None:
    assert 0 == taken({}, body=b"").receipt.size
    assert 0 == taken({"x-amz-decoded-content-length": "0"}, CHUNKED, framed(b"")).receipt.size


# SHA256 and MD5


def test_the_signed_hash_is_compared() -> None:
    assert len(DATA) == taken({}, Payload(sha256=SHA256)).receipt.size
    fault = refusal({}, Payload(sha256="0" * 64))
    assert ("XAmzContentSHA256Mismatch", 400) == (fault.kind.name, fault.kind.status)
    assert {"ClientComputedContentSHA256": "0" * 64, "S3ComputedContentSHA256": SHA256} == fault.facts


def test_the_md5_is_compared() -> None:
    assert len(DATA) == taken({"content-md5": MD5}).receipt.size
    fault = refusal({"content-md5": encode(b"x" * 16)})
    assert ("BadDigestClient", "BadDigest") == (fault.kind.name, fault.kind.code)
    assert {"ExpectedDigest": (b"x" * 16).hex(), "CalculatedDigest": MD5} == fault.facts


@pytest.mark.parametrize(
    "text", ["", "invalid_md5", "aGVsbCBzLGRham5mamFuc2Y=", MD5 + "=", MD5[:-2], "é", f"{MD5}\n"]
)
def test_an_md5_that_is_none_is_refused(text: str) -> None:
    fault = refusal({"content-md5": text})

    assert ("InvalidDigest", {"Content-MD5": text}) == (fault.kind.name, fault.facts)


# Checksums in headers


@EVERY
def test_every_checksum_is_compared_and_chosen(algorithm: Algorithm) -> None:
    found = taken(
        {algorithm.header: value(algorithm), "x-amz-sdk-checksum-algorithm": algorithm.name.lower()}
    )

    assert algorithm.name == found.checksum
    assert value(algorithm) == found.receipt.checksum(algorithm.name).value


@EVERY
def test_every_wrong_checksum_is_refused(algorithm: Algorithm) -> None:
    fault = refusal({algorithm.header: value(algorithm, b"other")})

    assert "BadDigest" == fault.kind.name
    assert f"The {algorithm.name} you specified did not match the calculated checksum." == fault.message


@EVERY
@pytest.mark.parametrize("text", ["", "invalid_base64!", "c2RhZnNhZGZzZGFmMTIz"])
def test_a_checksum_that_is_none_is_refused(algorithm: Algorithm, text: str) -> None:
    fault = refusal({algorithm.header: text})

    assert ("InvalidRequest", f"Value for {algorithm.header} header is invalid.") == (
        fault.kind.code,
        fault.message,
    )


@pytest.mark.parametrize(
    ("headers", "name"),
    [
        ({CRC32: "AAAAAA==", "x-amz-checksum-sha1": "x"}, "OnlyOneChecksumAllowed"),
        ({CRC32: "", "x-amz-checksum-sha1": ""}, "OnlyOneChecksumAllowed"),
        ({"x-amz-checksum-crc16": "AAA="}, "InvalidChecksumHeader"),
        ({"x-amz-sdk-checksum-algorithm": "CRC32"}, "ChecksumMissing"),
        ({"x-amz-sdk-checksum-algorithm": "CRC16"}, "InvalidChecksumAlgorithm"),
        ({"x-amz-sdk-checksum-algorithm": "SHA1", CRC32: "AAAAAA=="}, "InvalidChecksumValue"),
        ({"x-amz-checksum-type": "HALF"}, "InvalidChecksumValue"),
        ({"x-amz-trailer": CRC32}, "MalformedTrailerError"),
    ],
)
def test_checksum_headers_that_contradict_are_refused(headers: dict[str, str], name: str) -> None:
    fault = refusal(headers)

    assert name == fault.kind.name
    assert 400 == fault.kind.status


def test_headers_about_checksums_of_other_things_are_let_be() -> None:
    headers = {
        "x-amz-checksum-algorithm": "SHA256",
        "x-amz-checksum-mode": "ENABLED",
        "x-amz-checksum-type": "FULL_OBJECT",
    }

    assert "CRC64NVME" == taken({**headers, "x-amz-meta-a": "b"}).checksum


def test_all_checks_hold_together() -> None:
    crc32 = value(ALGORITHMS["CRC32"])

    assert "CRC32" == taken({"content-md5": MD5, CRC32: crc32}, Payload(sha256=SHA256)).checksum
    assert "BadDigest" == refusal({"content-md5": MD5, CRC32: "AAAAAA=="}, Payload(sha256=SHA256)).kind.name


# Checksums in the trailer


@EVERY
def test_every_trailer_is_compared_and_chosen(algorithm: Algorithm) -> None:
    headers = {"x-amz-trailer": algorithm.header, "x-amz-sdk-checksum-algorithm": algorithm.name}
    found = taken(headers, CHUNKED, framed(trailer=f"{algorithm.header}:{value(algorithm)}"))
    fault = refusal(headers, CHUNKED, framed(trailer=f"{algorithm.header}:{value(algorithm, b'other')}"))

    assert algorithm.name == found.checksum
    assert ("BadDigest", f"The {algorithm.name} you specified did not match the calculated checksum.") == (
        fault.kind.name,
        fault.message,
    )


@pytest.mark.parametrize(
    ("headers", "trailer", "name"),
    [
        ({"x-amz-trailer": CRC32}, "", "MalformedTrailerError"),
        ({"x-amz-trailer": CRC32}, "x-amz-checksum-sha1:AAAA", "MalformedTrailerError"),
        ({"x-amz-trailer": CRC32}, ":AAAAAA==", "MalformedTrailerError"),
        ({}, f"{CRC32}:AAAAAA==", "MalformedTrailerError"),
        ({"x-amz-trailer": CRC32}, f"{CRC32}:invalid", "InvalidChecksumValue"),
        ({"x-amz-trailer": "x-amz-checksum-sha10"}, "", "InvalidTrailerHeader"),
        ({"x-amz-trailer": CRC32, "x-amz-checksum-sha1": "AAAA"}, "", "OnlyOneChecksumAllowed"),
        ({"x-amz-trailer": CRC32, "x-amz-sdk-checksum-algorithm": "SHA1"}, "", "InvalidChecksumValue"),
    ],
)
def test_a_trailer_that_is_not_as_announced_is_refused(
    headers: dict[str, str], trailer: str, name: str
) -> None:
    assert name == refusal(headers, CHUNKED, framed(trailer=trailer)).kind.name


def test_an_invalid_trailer_is_named_as_such() -> None:
    fault = refusal({"x-amz-trailer": CRC32}, CHUNKED, framed(trailer=f"{CRC32}:invalid"))

    assert ("InvalidRequest", f"Value for {CRC32} trailing header is invalid.") == (
        fault.kind.code,
        fault.message,
    )


@pytest.mark.parametrize("size", [0, 1, 5000, 3_000_000])
def test_what_botocore_frames_is_taken(size: int) -> None:
    data = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    body = AwsChunkedWrapper(
        io.BytesIO(data), checksum_cls=CrtCrc64NvmeChecksum, checksum_name="x-amz-checksum-crc64nvme"
    )
    headers = {"x-amz-trailer": "x-amz-checksum-crc64nvme", "x-amz-decoded-content-length": str(size)}

    assert hashlib.md5(data).hexdigest() == taken(headers, CHUNKED, body.read()).receipt.md5


def test_without_a_trailer_the_default_checksum_is_kept() -> None:
    assert "CRC64NVME" == taken({}, CHUNKED, framed()).checksum


# Documents


def read(
    headers: Mapping[str, str],
    body: bytes | Source = DATA,
    payload: Payload = PLAIN,
    *,
    limit: int = 100,
    method: str = "PUT",
    query: str = "",
) -> bytes:
    return asyncio.run(
        document(asked(headers, body, method, query), Claim(ANONYMOUS, payload=payload), limit)
    )


def document_refusal(
    headers: Mapping[str, str], body: bytes | Source = DATA, payload: Payload = PLAIN
) -> Fault:
    with pytest.raises(Fault) as raised:
        read(headers, body, payload)
    return raised.value


def test_a_document_needs_no_length() -> None:
    assert DATA == read({})
    assert DATA == read({"content-length": str(len(DATA))})
    assert b"" == read({}, b"")
    assert DATA == read({"x-amz-decoded-content-length": str(len(DATA))}, framed(), CHUNKED)


def test_a_document_is_checked_as_uploads_are() -> None:
    assert DATA == read(
        {"content-md5": MD5, CRC32: value(ALGORITHMS["CRC32"])}, payload=Payload(sha256=SHA256)
    )
    assert "XAmzContentSHA256Mismatch" == document_refusal({}, payload=Payload(sha256="0" * 64)).kind.name
    assert "BadDigestClient" == document_refusal({"content-md5": encode(b"x" * 16)}).kind.name
    assert "BadDigest" == document_refusal({CRC32: "AAAAAA=="}).kind.name
    assert "InvalidDigest" == document_refusal({"content-md5": "x"}).kind.name
    assert "IncompleteBody" == document_refusal({"content-length": "99"}).kind.name


@EVERY
@pytest.mark.parametrize("md5", [None, MD5, encode(b"x" * 16)])
@pytest.mark.parametrize("sha256", ["", SHA256, "0" * 64])
def test_a_document_is_refused_where_an_upload_would_be_though_less_is_digested(
    algorithm: Algorithm, md5: str | None, sha256: str,
) -> None:
    said = {} if md5 is None else {"content-md5": md5}
    right, wrong, trailer = value(algorithm), value(algorithm, b"other"), {"x-amz-trailer": algorithm.header}
    requests = [
        ({}, "", Payload(sha256=sha256)), ({algorithm.header: right}, "", Payload(sha256=sha256)),
        ({algorithm.header: wrong}, "", Payload(sha256=sha256)), (trailer, f"{algorithm.header}:{right}", CHUNKED),
        (trailer, f"{algorithm.header}:{wrong}", CHUNKED), (trailer, "", CHUNKED), ({}, f"{algorithm.header}:{right}", CHUNKED)]

    for headers, trailing, payload in requests:
        body = framed(trailer=trailing) if payload.chunked else DATA
        length = {"x-amz-decoded-content-length": str(len(DATA))} if payload.chunked else {}
        expected = outcome(as_upload, {**said, **headers}, body, payload)
        for sized in length, {**length, "content-length": str(len(body))}:
            assert expected == outcome(read, {**said, **headers, **sized}, body, payload)


def as_upload(headers: Mapping[str, str], body: bytes, payload: Payload) -> bytes:
    return asyncio.run(upload(headers, payload, body).whole())


def outcome(
    take: Callable[[Mapping[str, str], bytes, Payload], bytes], headers: Mapping[str, str], body: bytes, payload: Payload,
) -> object:
    try:
        return take(headers, body, payload)
    except Fault as fault:
        return fault.kind, fault.message, fault.facts


class Endless:
    """A body without end."""

    async def whole(self) -> bytes:
        raise AssertionError("nobody may read this whole")

    async def chunks(self) -> AsyncIterator[bytes]:
        while True:
            yield b"x" * (1 << 20)


def test_a_document_that_is_too_large_is_refused_early() -> None:
    for headers in {"content-length": "101"}, {}:
        fault = document_refusal(headers, Endless())
        assert ("MaxMessageLengthExceeded", {"MaxMessageLengthBytes": 100}) == (fault.kind.name, fault.facts)


def test_the_checksums_of_a_completed_upload_are_not_those_of_its_document() -> None:
    headers = {CRC32: "AAAAAA==-2", "x-amz-checksum-type": "COMPOSITE", "content-md5": MD5}

    assert DATA == read(headers, method="POST", query="uploadId=1")
    assert "InvalidChecksumValue" == document_refusal(headers).kind.name


def test_chunked_transfer_encoding_stands_for_a_length() -> None:
    found = incoming(asked({"transfer-encoding": "chunked"}, DATA), Claim(ANONYMOUS, payload=PLAIN))

    assert found.size is None
