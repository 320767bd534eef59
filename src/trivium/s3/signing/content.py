"""The body of a request, as the claim and the headers say it must be: an upload, or a document."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import md5, sha256

from trivium.base import faults
from trivium.base.incoming import Incoming, Receipt, Source
from trivium.s3.messages import Request
from trivium.s3.signing import integrity
from trivium.s3.signing.chunked import ChunkedSource
from trivium.s3.signing.claim import Claim, Payload
from trivium.s3.signing.integrity import Said
from trivium.s3.signing.payloads import EMPTY_SHA256

_MAX_DIGITS = 18  # more is no size of anything
_OF_NO_BODY = ("", EMPTY_SHA256)
_OF_NOTHING = Receipt(0, {"MD5": md5(b"", usedforsecurity=False).digest(), "SHA256": sha256(b"").digest()})


def incoming(request: Request, claim: Claim) -> Incoming:
    """The bytes of an upload, to be checked as they pass against all that was said of them.

    Its `checksum` is the algorithm that the client chose, else CRC64NVME. Raises MissingContentLength,
    InvalidHeaderValue (a length that is none) and what `integrity.read` raises; reading it raises what
    `integrity.check` and the framing do.
    """
    said = integrity.read(request.headers, claim.payload)
    size = announced_size(request.headers, claim.payload)
    if size is None and (claim.payload.chunked or "transfer-encoding" not in request.headers):
        if claim.payload.chunked or request.listener.dialect.requires_length:
            raise faults.MissingContentLength()
        size = 0
    return _incoming(request, claim.payload, said, size, kept=True)


async def document(request: Request, claim: Claim, limit_bytes: int) -> bytes:
    """The whole body, checked, for operations that take a document; empty when there is none.

    A length need not be announced. Raises MaxMessageLengthExceeded above `limit_bytes`, else as `incoming`.
    """
    payload = claim.payload
    # CompleteMultipartUpload's checksums are the object's, not those of the document that names its parts.
    of_body = not (request.method == "POST" and "uploadId=" in request.query_string)
    said = integrity.read(request.headers, payload, of_body=of_body)
    return await _whole(request, payload, said, limit_bytes)


async def _whole(request: Request, payload: Payload, said: Said, limit_bytes: int) -> bytes:
    size = announced_size(request.headers, payload)
    if size is not None and size > limit_bytes:
        raise faults.MaxMessageLengthExceeded(MaxMessageLengthBytes=limit_bytes)
    body = _incoming(request, payload, said, size, kept=False)
    if size is not None:
        return await body.whole()
    found = bytearray()
    async for chunk in body.chunks():
        found += chunk
        if len(found) > limit_bytes:
            raise faults.MaxMessageLengthExceeded(MaxMessageLengthBytes=limit_bytes)
    return bytes(found)


def says_of_body(request: Request, claim: Claim) -> bool:
    """Is there a body, or is anything said of it beyond what every request without one says?"""
    headers = request.headers
    return (
        claim.payload.sha256 not in _OF_NO_BODY or headers.get("content-length", "0") != "0"
        or "content-md5" in headers or "transfer-encoding" in headers)


async def no_body(request: Request, claim: Claim, limit_bytes: int, *, refuse: bool) -> None:
    """Check the body of an operation that takes none: what was said of it must hold, of nothing too.

    A body that is there is read away, and raises NonEmptyBody to `refuse` it. Raises as `document`, whatever
    x-amz-checksum- headers say: here they speak of an object.
    """
    said = integrity.read(request.headers, claim.payload, of_body=False)
    announced = "transfer-encoding" not in request.headers
    if announced and request.headers.get("content-length", "0") == "0":
        integrity.check(said, claim.payload, {}, _OF_NOTHING)
        return
    if announced and refuse:
        raise faults.NonEmptyBody()
    if await _whole(request, claim.payload, said, limit_bytes) and refuse:
        raise faults.NonEmptyBody()


def announced_size(headers: Mapping[str, str], payload: Payload) -> int | None:
    """The announced number of content bytes, without framing; None when none is announced.

    Raises InvalidHeaderValue for a Content-Length that is none; a wrong x-amz-decoded-content-length counts
    as missing, as with S3.
    """
    if payload.chunked:
        return _size(headers.get("x-amz-decoded-content-length", ""))
    text = headers.get("content-length")
    if text is None:
        return None
    size = _size(text)
    if size is None:
        raise faults.InvalidHeaderValue(ArgumentName="Content-Length", ArgumentValue=text)
    return size


def _incoming(
    request: Request, payload: Payload, said: Said, size: int | None, *, kept: bool,
) -> Incoming:
    source: Source = request.body
    trailers: dict[str, str] = {}
    if payload.chunked:
        wire_size = _size(request.headers.get("content-length", ""))
        chunked = ChunkedSource(source, payload, size, wire_size=wire_size)
        source, trailers = chunked, chunked.trailers
    elif said is integrity.NOTHING and not payload.sha256:
        return Incoming(source, size, kept=kept)

    def check(receipt: Receipt) -> None:
        integrity.check(said, payload, trailers, receipt)

    algorithms: tuple[str, ...] = ("SHA256",) if payload.sha256 else ()
    if not kept:
        algorithms = (*algorithms, *integrity.needed(said))
    return Incoming(source, size, checksum=said.algorithm, algorithms=algorithms, check=check, kept=kept)


def _size(text: str) -> int | None:
    if text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS:
        return int(text)
    return None
