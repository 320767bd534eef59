"""What a client says the bytes it sends will be: Content-MD5, checksums in headers and in the trailer.

Source: Amazon S3 User Guide, "Checking object integrity for data uploads"; the faults are those that
versitygw's tests recorded of S3.
"""

from __future__ import annotations

import binascii
from collections.abc import Mapping
from typing import Final

import msgspec

from trivium.base import faults
from trivium.base.digests import ALGORITHMS, COMPOSITE, FULL_OBJECT, Algorithm, encode
from trivium.base.incoming import Receipt
from trivium.s3.signing.claim import Payload

DEFAULT_CHECKSUM: Final = "CRC64NVME"  # what S3 computes when nobody asks for another

_PREFIX = "x-amz-checksum-"
_MD5_BYTES = 16
_BY_HEADER = {algorithm.header: algorithm for algorithm in ALGORITHMS.values()}
_OTHER = frozenset({"x-amz-checksum-type", "x-amz-checksum-algorithm", "x-amz-checksum-mode"})
_SDK_ALGORITHM = "x-amz-sdk-checksum-algorithm"
# What requests carry that says nothing about integrity, so that looking at each name is the exception.
_INDIFFERENT = frozenset({
    "accept", "accept-encoding", "accept-language", "amz-sdk-invocation-id", "amz-sdk-request",
    "authorization", "cache-control", "connection", "content-disposition", "content-encoding",
    "content-language", "content-length", "content-type", "date", "expect", "expires", "host", "if-match",
    "if-none-match", "transfer-encoding", "user-agent", "x-amz-content-sha256", "x-amz-date",
    "x-amz-decoded-content-length", "x-amz-meta-mtime", "x-amz-storage-class", "x-amz-tagging",
})  # fmt: skip


class Said(msgspec.Struct, frozen=True):
    """What was said of the bytes: their MD5, their checksum by `algorithm`, the trailer that brings it later.

    `md5` and `value` are binary, None when not said; `trailer` is the announced header's name, "" for none.
    """

    algorithm: str = DEFAULT_CHECKSUM
    md5: bytes | None = None
    value: bytes | None = None
    trailer: str = ""


NOTHING: Final = Said()


def read(headers: Mapping[str, str], payload: Payload, *, of_body: bool = True) -> Said:
    """What the headers say. `of_body` is False where x-amz-checksum- headers speak of something else.

    Raises InvalidDigest, InvalidChecksumHeader, InvalidChecksumValue, InvalidChecksumAlgorithm,
    OnlyOneChecksumAllowed, ChecksumMissing, InvalidTrailerHeader, MalformedTrailerError.
    """
    if _INDIFFERENT.issuperset(headers):
        return NOTHING
    md5 = _md5(headers.get("content-md5"))
    if not of_body:
        return Said(md5=md5)
    given = _given(headers)
    trailer = headers.get("x-amz-trailer", "").strip().lower()
    if len(given) + bool(trailer) > 1:
        raise faults.OnlyOneChecksumAllowed()
    named = _named(headers, given, trailer)
    if trailer:
        if trailer not in _BY_HEADER:
            raise faults.InvalidTrailerHeader()
        if not payload.chunked:
            raise faults.MalformedTrailerError()
        return Said(_BY_HEADER[trailer].name, md5, None, trailer)
    if not given:
        return NOTHING if md5 is None else Said(md5=md5)
    if named not in ("", given[0].name):
        raise _invalid(_SDK_ALGORITHM)
    return Said(given[0].name, md5, _value(given[0], headers[given[0].header], "header"))


def needed(said: Said) -> tuple[str, ...]:
    """The algorithms of the digests that must be known to `check` what was said."""
    md5 = () if said.md5 is None else ("MD5",)
    return (*md5, said.algorithm) if said.value is not None or said.trailer else md5


def check(said: Said, payload: Payload, trailers: Mapping[str, str], receipt: Receipt) -> None:
    """Raise unless the bytes are what was said. `trailers` are those that arrived with the bytes.

    Raises XAmzContentSHA256Mismatch, BadDigestClient, BadDigest, MalformedTrailerError, InvalidChecksumValue.
    """
    digests = receipt.digests
    if payload.sha256 and digests["SHA256"].hex() != payload.sha256:
        raise faults.XAmzContentSHA256Mismatch(
            ClientComputedContentSHA256=payload.sha256, S3ComputedContentSHA256=digests["SHA256"].hex())
    if said.md5 is not None and digests["MD5"] != said.md5:
        raise faults.BadDigestClient(
            ExpectedDigest=said.md5.hex(), CalculatedDigest=encode(digests["MD5"]))
    value = said.value
    if trailers or said.trailer:
        if list(trailers) != [said.trailer]:
            raise faults.MalformedTrailerError()
        value = _value(_BY_HEADER[said.trailer], trailers[said.trailer], "trailing header")
    if value is not None and digests[said.algorithm] != value:
        raise faults.BadDigest(f"The {said.algorithm} you specified did not match the calculated checksum.")


def _given(headers: Mapping[str, str]) -> list[Algorithm]:
    """The algorithms of the checksums among the headers."""
    given = []
    for name in headers:
        if name.startswith(_PREFIX) and name not in _OTHER:
            if name not in _BY_HEADER:
                raise faults.InvalidChecksumHeader()
            given.append(_BY_HEADER[name])
    if headers.get("x-amz-checksum-type", FULL_OBJECT) not in (FULL_OBJECT, COMPOSITE):
        raise _invalid("x-amz-checksum-type")
    return given


def _named(headers: Mapping[str, str], given: list[Algorithm], trailer: str) -> str:
    """The algorithm that the SDK names, "" when it names none."""
    named = headers.get(_SDK_ALGORITHM, "").upper()
    if not named:
        return ""
    if named not in ALGORITHMS:
        raise faults.InvalidChecksumAlgorithm()
    if not given and not trailer:
        raise faults.ChecksumMissing()
    if trailer and trailer != ALGORITHMS[named].header:
        raise _invalid(_SDK_ALGORITHM)
    return named


def _md5(text: str | None) -> bytes | None:
    if text is None:
        return None
    md5 = _binary(text)
    if len(md5) != _MD5_BYTES:
        raise faults.InvalidDigest(**{"Content-MD5": text})
    return md5


def _value(algorithm: Algorithm, text: str, where: str) -> bytes:
    value = _binary(text)
    if len(value) != algorithm.length:
        raise _invalid(algorithm.header, where)
    return value


def _binary(text: str) -> bytes:
    """Base64, decoded; empty when it is none."""
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        return b""


def _invalid(header: str, where: str = "header") -> faults.Fault:
    return faults.InvalidChecksumValue(f"Value for {header} {where} is invalid.")
