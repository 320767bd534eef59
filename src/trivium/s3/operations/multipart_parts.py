"""UploadPart and UploadPartCopy."""

from __future__ import annotations

import re
from typing import Annotated

import msgspec

from trivium.base import faults
from trivium.base.digests import Checksum
from trivium.base.etag import quoted
from trivium.base.span import Span
from trivium.buckets.conditions import ReadIf
from trivium.s3.call import Call
from trivium.s3.checksums import CHECKSUM_HEADERS, value_header
from trivium.s3.conditions import SOURCE_HEADERS, source_if
from trivium.s3.fields import Derived, Document, Header, Query, Spread, iso_time, part_number
from trivium.s3.messages import OBJECT
from trivium.s3.operations.object_copy import check_copy_size, read_source
from trivium.s3.registry import operation
from trivium.s3.shapes import Checksums, checksum_fields
from trivium.s3.sources import HEADER, CopySource, copy_source
from trivium.services.uploads import Part, Upload

_RANGE = re.compile(r"bytes=(\d{1,18})-(\d{1,18})", re.ASCII)


class UploadPartAsk(msgspec.Struct, frozen=True):
    """Which part of which upload; its bytes are the body."""

    upload_id: Annotated[str, Query("uploadId")]
    number: Annotated[int, Query("partNumber", part_number)]


class UploadPartReply(msgspec.Struct, frozen=True):
    """What was written."""

    etag: Annotated[str, Header("etag")]
    checksum: Annotated[Checksum, Spread(value_header, CHECKSUM_HEADERS[:-1])]


class UploadPartCopyAsk(msgspec.Struct, frozen=True):
    """Which part of which upload, and the object that it is a span of."""

    upload_id: Annotated[str, Query("uploadId")]
    number: Annotated[int, Query("partNumber", part_number)]
    source: Annotated[CopySource, Derived(copy_source, (HEADER,))]
    source_if: Annotated[ReadIf, Derived(source_if, SOURCE_HEADERS)]
    range: Annotated[str | None, Header("x-amz-copy-source-range")] = None


class CopyPartResult(Checksums, frozen=True, kw_only=True):
    """What was written."""

    etag: str
    last_modified: str


class UploadPartCopyReply(msgspec.Struct, frozen=True):
    """What was written, and the version it was copied from."""

    result: Annotated[CopyPartResult, Document("CopyPartResult")]
    source_version: Annotated[str | None, Header("x-amz-copy-source-version-id")] = None


@operation("UploadPart", "PUT", OBJECT, when=("partNumber", "uploadId"), needs="writes",
           allow="s3:PutObject", uploads=True)
async def upload_part(call: Call[UploadPartAsk]) -> UploadPartReply:
    uploads = call.house.uploads
    upload = await uploads.find(call.record, call.key, call.ask.upload_id)
    part = await uploads.put_part(upload, call.ask.number, call.incoming())
    return UploadPartReply(quoted(part.etag), shown_checksum(upload, part))


def shown_checksum(upload: Upload, part: Part) -> Checksum:
    """The checksum that a part's answer tells: the one by the upload's algorithm; where that was not chosen,
    the one that came with the part.
    """
    kept = Checksum(upload.kept_algorithm, part.checksum)
    return kept if upload.algorithm else part.sent or kept


@operation("UploadPartCopy", "PUT", OBJECT, when=("partNumber", "uploadId", "header:" + HEADER),
           needs="writes", allow="s3:PutObject", source="s3:GetObject")
async def upload_part_copy(call: Call[UploadPartCopyAsk]) -> UploadPartCopyReply:
    ask, uploads = call.ask, call.house.uploads
    assert call.source is not None, "the operation opens its source"
    upload = await uploads.find(call.record, call.key, ask.upload_id)
    reading = await read_source(call.source.bucket, ask.source)
    ask.source_if.check(reading.entry, modified=faults.PreconditionFailed)
    span = copy_range(ask.range, reading.entry.size) if ask.range is not None else None
    check_copy_size(span.size if span else reading.entry.size, call.dialect.limits.max_put_bytes)
    part = await uploads.copy_part(upload, ask.number, reading, span)
    result = CopyPartResult(
        etag=quoted(part.etag), last_modified=iso_time(part.modified_ms),
        **checksum_fields(upload.algorithm, part.checksum if upload.algorithm else ""))
    versions = call.source.bucket.features.versions
    shown = versions is not None and versions.state != ""
    return UploadPartCopyReply(result, reading.entry.version if shown else None)


def copy_range(header: str, size: int) -> Span:
    """The span of a source of `size` bytes. Unlike a reader's range it must be written in full and lie
    within.

    Raises CopyInvalidSourceRange and InvalidRange.
    """
    match = _RANGE.fullmatch(header)
    if match is None or int(match[1]) > int(match[2]):
        raise faults.CopyInvalidSourceRange(ArgumentName="x-amz-copy-source-range", ArgumentValue=header)
    if int(match[2]) >= size:
        raise faults.InvalidRange(
            f"Range specified is not valid for source object of size: {size}",
            RangeRequested=header, ActualObjectSize=size)
    return Span(int(match[1]), int(match[2]))
