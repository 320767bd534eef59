"""CopyObject."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec.structs import replace

from trivium.base import faults
from trivium.base.etag import quoted
from trivium.base.faults import Fault
from trivium.buckets.bucket import Bucket, Reading
from trivium.buckets.conditions import ReadIf, WriteIf
from trivium.buckets.copying import copy
from trivium.buckets.entry import Attributes, Entry
from trivium.s3.acls import ACL_HEADERS, Granted, granted, with_acl
from trivium.s3.attributes import READS, object_attributes
from trivium.s3.call import Call
from trivium.s3.checksums import algorithm
from trivium.s3.conditions import SOURCE_HEADERS, WRITE_HEADERS, source_if, write_if
from trivium.s3.fields import Derived, Document, Header, iso_time, one_of
from trivium.s3.messages import OBJECT
from trivium.s3.registry import operation
from trivium.s3.shapes import Checksums, checksum_fields
from trivium.s3.sources import HEADER, CopySource, copy_source
from trivium.s3.xml import element

_COPY, _REPLACE = "COPY", "REPLACE"
_tagging_directive = one_of(_COPY, _REPLACE, kind=faults.InvalidHeaderValue)


def metadata_directive(value: str, name: str) -> str:
    """COPY or REPLACE. Raises InvalidMetadataDirective, OnlyOneMetadataDirectiveAllowed."""
    if value in (_COPY, _REPLACE):
        return value
    kind = faults.OnlyOneMetadataDirectiveAllowed if "," in value else faults.InvalidMetadataDirective
    raise kind(ArgumentName=name, ArgumentValue=value)


class CopyObjectAsk(msgspec.Struct, frozen=True):
    """An object that shall be here too, with its own attributes or new ones."""

    source: Annotated[CopySource, Derived(copy_source, (HEADER,))]
    attributes: Annotated[Attributes, Derived(object_attributes, READS)]
    source_if: Annotated[ReadIf, Derived(source_if, SOURCE_HEADERS)]
    only_if: Annotated[WriteIf, Derived(write_if, WRITE_HEADERS)]
    metadata: Annotated[str, Header("x-amz-metadata-directive", metadata_directive)] = _COPY
    tagging: Annotated[str, Header("x-amz-tagging-directive", _tagging_directive)] = _COPY
    algorithm: Annotated[str | None, Header("x-amz-checksum-algorithm", algorithm)] = None
    storage_class: Annotated[str | None, Header("x-amz-storage-class")] = None
    said: Annotated[Granted | None, Derived(granted, ACL_HEADERS, seldom=True)] = None


class CopyObjectResult(Checksums, frozen=True, kw_only=True):
    """What was written."""

    etag: str
    last_modified: str
    type: Annotated[str | None, element("ChecksumType")] = None


class CopyObjectReply(msgspec.Struct, frozen=True):
    """What was written, and the version it was copied from."""

    result: Annotated[CopyObjectResult, Document("CopyObjectResult")]
    version: Annotated[str | None, Header("x-amz-version-id")] = None
    source_version: Annotated[str | None, Header("x-amz-copy-source-version-id")] = None


@operation("CopyObject", "PUT", OBJECT, when=("header:" + HEADER,), needs="writes", allow="s3:PutObject",
           source="s3:GetObject")
async def copy_object(call: Call[CopyObjectAsk]) -> CopyObjectReply:
    ask = call.ask
    assert call.source is not None, "the operation opens its source"
    reading = await read_source(call.source.bucket, ask.source)
    check_copy_size(reading.entry.size, call.dialect.limits.max_copy_bytes)
    _refuse_no_change(call)
    attributes = _attributes(ask, reading.entry)
    if ask.said is not None:
        attributes = with_acl(attributes, ask.said, call.record, call.house.users)
    entry = await copy(
        reading, call.bucket, call.key, attributes, source_if=ask.source_if, only_if=ask.only_if,
        checksum=ask.algorithm or "")
    checksum = entry.checksum
    result = CopyObjectResult(
        etag=quoted(entry.etag), last_modified=iso_time(entry.modified_ms),
        type=checksum.type if checksum else None,
        **(checksum_fields(checksum.algorithm, checksum.value) if checksum else {}))
    source_versions = call.source.bucket.features.versions
    shows_source = source_versions is not None and source_versions.state != ""
    return CopyObjectReply(
        result, call.written_version(entry.version), reading.entry.version if shows_source else None)


async def read_source(bucket: Bucket, source: CopySource) -> Reading:
    """The source of a copy. Raises NoSuchKey and SourceCopyMayNotBeDeleteMarker where it is a marker, else as
    `Bucket.read`.

    A GET tells of the marker in headers; here they would speak of another object than the one that is
    written.
    """
    try:
        return await bucket.read(source.key, source.version)
    except Fault as fault:
        if fault.kind is faults.KeyIsDeleteMarker:
            raise faults.NoSuchKey(Key=source.key) from None
        if fault.kind is faults.VersionIsDeleteMarker:
            raise faults.SourceCopyMayNotBeDeleteMarker(Key=source.key) from None
        raise


def check_copy_size(size: int, limit_bytes: int) -> None:
    """Raise CopySourceTooBig for a source over the limit, although a copy writes rows whatever the size."""
    if size > limit_bytes:
        raise faults.CopySourceTooBig(
            f"{faults.CopySourceTooBig.message}: {limit_bytes}",
            ProposedSize=size, MaxSizeAllowed=limit_bytes)


def _refuse_no_change(call: Call[CopyObjectAsk]) -> None:
    """A copy onto itself must change something; an earlier version onto the newest does (CopyObject)."""
    ask, source = call.ask, call.source
    assert source is not None, "the operation opens its source"
    same = (
        source.record.id == call.record.id and source.bucket.features.current
        and ask.source.key == call.key and ask.source.version is None)
    as_it_was = ask.metadata == _COPY and ask.tagging == _COPY
    if same and as_it_was and ask.storage_class is None and not ask.attributes.redirect:
        raise faults.InvalidCopyToSelf()


def _attributes(ask: CopyObjectAsk, source: Entry) -> Attributes:
    """The new object's attributes: metadata and tags as directed; class and redirect are never copied."""
    given, kept = ask.attributes, source.attributes
    tags = given.tags if ask.tagging == _REPLACE else kept.tags
    if ask.metadata == _REPLACE:
        return replace(given, tags=tags)
    return replace(
        given, content_type=kept.content_type, headers=kept.headers, metadata=kept.metadata, tags=tags)
