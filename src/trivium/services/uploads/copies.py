"""Parts that are copies: what UploadPartCopy can take over without moving bytes."""

from __future__ import annotations

import re
from typing import Final

from trivium.base.digests import FULL_OBJECT
from trivium.base.incoming import Incoming
from trivium.base.span import Span
from trivium.buckets import contents, copying
from trivium.buckets.bucket import Reading
from trivium.storage.blobs import BlobSpan, LayoutPart

_MD5: Final = re.compile(r"[0-9a-f]{32}")
_MAX_SPANS: Final = 2_000  # of a part, since 64 parts share a row; 5 GiB in parts of 5 MiB are 1,024


async def copied(number: int, reading: Reading, span: Span | None, algorithm: str) -> LayoutPart | Incoming:
    """The span of the reading as a part: where it rests when it does so in blobs, else an upload of its
    bytes.

    Bytes that rest are read once for their MD5 and checksum by `algorithm`, unless both are known: those of a
    whole object.
    """
    spans = resting_spans(reading, span)
    if spans is None:
        return copying.incoming(reading, span, checksum=algorithm)
    known = _known(reading, span, algorithm)
    if known is not None:
        return LayoutPart(number, reading.entry.size, reading.entry.etag, known, spans)
    digested = copying.incoming(reading, span, checksum=algorithm)
    async for _ in digested.chunks():
        pass
    receipt = digested.receipt
    return LayoutPart(number, receipt.size, receipt.md5, receipt.checksum(algorithm).value, spans)


def resting_spans(reading: Reading, span: Span | None) -> tuple[BlobSpan, ...] | None:
    """The spans of blobs in which the bytes rest; None when they do not, or not in blobs, or in too many."""
    resting = reading.resting
    if resting is None or resting.inline is not None:
        return None
    first, size = (0, resting.size) if span is None else (span.first, span.size)
    if size == 0:
        return ()
    if resting.blob is not None:
        return (BlobSpan(resting.blob, first, size),)
    spans = tuple(contents.cut(reading.parts, first, size))
    return spans if len(spans) <= _MAX_SPANS else None


def _known(reading: Reading, span: Span | None, algorithm: str) -> str | None:
    """The checksum of the whole object, where it and the MD5 are known from its entry."""
    entry, checksum = reading.entry, reading.entry.checksum
    if span is not None and span.size < entry.size:
        return None
    if checksum is None or checksum.algorithm != algorithm or checksum.type != FULL_OBJECT:
        return None
    return checksum.value if _MD5.fullmatch(entry.etag) else None
