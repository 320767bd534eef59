"""GetObject, HeadObject and GetObjectAttributes."""

from __future__ import annotations

import re
from typing import Annotated, Final

import msgspec

from trivium.base import faults
from trivium.base.body import Body, Unsent
from trivium.base.digests import Checksum
from trivium.base.span import Span, read_range
from trivium.buckets.bucket import Reading
from trivium.buckets.conditions import ANY, ReadIf
from trivium.buckets.entry import Entry
from trivium.s3.attributes import ENTRY_HEADERS, entry_headers
from trivium.s3.call import Call
from trivium.s3.checksums import CHECKSUM_HEADERS, checksum_headers
from trivium.s3.conditions import READ_HEADERS, check_read, read_if, still_is
from trivium.s3.fields import (
    Derived,
    Document,
    Header,
    Query,
    Spread,
    http_time,
    number,
    part_number,
    version_id,
)
from trivium.s3.messages import OBJECT, Request
from trivium.s3.registry import operation
from trivium.s3.shapes import Checksums, checksum_fields
from trivium.s3.xml import Shape, element
from trivium.services.access.users import ANONYMOUS
from trivium.storage.blobs import LayoutPart

_OVERRIDES: Final = {
    "response-" + name: name for name in (
        "cache-control", "content-disposition", "content-encoding", "content-language", "content-type",
        "expires")
}
_CONTROL: Final = re.compile("[\x00-\x1f\x7f]")
_ENABLED: Final = "ENABLED"


def overrides(request: Request) -> dict[str, str]:
    """The headers that the reader wants to see instead of the stored ones. Raises InvalidArgument for control
    characters, and InvalidRequest for nobody, who may not ask for them.
    """
    if request.account == ANONYMOUS.id:
        raise faults.InvalidRequest(
            "Request specific response headers cannot be used for anonymous GET requests.")
    found = {_OVERRIDES[name]: value for name, value in request.query.items() if name in _OVERRIDES}
    for name, value in found.items():
        if _CONTROL.search(value):  # a header cannot carry it, and a line break would begin another header
            raise faults.InvalidArgument(ArgumentName="response-" + name, ArgumentValue=value)
    return found


class ReadAsk(msgspec.Struct, frozen=True):
    """What to read, and when it is worth reading."""

    only_if: Annotated[ReadIf, Derived(read_if, READ_HEADERS, seldom=True)] = ANY
    overrides: Annotated[dict[str, str], Derived(overrides, queries=tuple(_OVERRIDES), seldom=True)] = {}
    version: Annotated[str | None, Query("versionId", version_id)] = None
    part: Annotated[int | None, Query("partNumber", part_number)] = None
    range: Annotated[str | None, Header("range")] = None
    if_range: Annotated[str | None, Header("if-range")] = None
    checksum_mode: Annotated[str | None, Header("x-amz-checksum-mode")] = None


class Told(msgspec.Struct, frozen=True):
    """What the headers of a read tell: of the entry, and of the part of it that is sent."""

    entry: Entry
    overrides: dict[str, str]
    version: str | None
    span: Span | None
    parts: int | None
    checksum: Checksum | None


TOLD: Final = (
    *ENTRY_HEADERS, *CHECKSUM_HEADERS, "x-amz-version-id", "content-range", "x-amz-mp-parts-count",
)


def told_headers(told: Told) -> list[tuple[str, str]]:
    headers = entry_headers(told.entry)
    if told.overrides:
        headers = [header for header in headers if header[0] not in told.overrides]
        headers += told.overrides.items()
    if told.version is not None:
        headers.append(("x-amz-version-id", told.version))
    if told.span is not None:
        headers.append(("content-range", f"bytes {told.span.first}-{told.span.last}/{told.entry.size}"))
    if told.parts is not None:
        headers.append(("x-amz-mp-parts-count", str(told.parts)))
    if told.checksum is not None:
        headers += checksum_headers(told.checksum)
    return headers


class ReadReply(msgspec.Struct, frozen=True):
    """The object, or a part of it."""

    told: Annotated[Told, Spread(told_headers, TOLD)]
    body: Body
    status: int


@operation("GetObject", "GET", OBJECT, allow="s3:GetObject", allow_version="s3:GetObjectVersion")
async def get_object(call: Call[ReadAsk]) -> ReadReply:
    reading = await call.bucket.read(call.key, call.ask.version)
    told = _tell(call, reading.entry, reading)
    return ReadReply(told, await reading.body(told.span), 206 if told.span is not None else 200)


@operation("HeadObject", "HEAD", OBJECT, allow="s3:GetObject", allow_version="s3:GetObjectVersion")
async def head_object(call: Call[ReadAsk]) -> ReadReply:
    if call.ask.part is None:
        told = _tell(call, await call.bucket.head(call.key, call.ask.version), None)
    else:
        reading = await call.bucket.read(call.key, call.ask.version)
        told = _tell(call, reading.entry, reading)
    size = told.entry.size if told.span is None else told.span.size
    return ReadReply(told, Unsent(size), 206 if told.span is not None else 200)


def _tell(call: Call[ReadAsk], entry: Entry, reading: Reading | None) -> Told:
    """Check the conditions, find out what is sent. Raises NotModified, PreconditionFailed, InvalidRange."""
    ask, version = call.ask, entry.version if call.versioned else None
    if ask.only_if is not ANY:
        check_read(
            ask.only_if, entry, version=version, headers={**entry.attributes.headers, **ask.overrides})
    span, parts, checksum = None, None, entry.checksum
    if ask.part is not None:
        if ask.range is not None:
            raise faults.CannotSetBothRangeAndPartnumber()
        assert reading is not None, "a part is asked for: the reading is there"
        span, part = find_part(ask.part, entry, reading.parts)
        if part is not None:
            parts = len(reading.parts)
            if checksum is not None:
                own = part.checksum
                checksum = Checksum(checksum.algorithm, own, checksum.type) if own else None
    elif ask.range is not None and (ask.if_range is None or still_is(ask.if_range, entry)):
        span = read_range(ask.range, entry.size)
        checksum = checksum if span is None or span.size == entry.size else None
    shown = checksum if ask.checksum_mode is not None and ask.checksum_mode.upper() == _ENABLED else None
    return Told(entry, ask.overrides, version, span, parts, shown)


def find_part(
    number_: int, entry: Entry, parts: tuple[LayoutPart, ...],
) -> tuple[Span | None, LayoutPart | None]:
    """The bytes of a part, and the part itself where the object has parts; an object without them is its own
    part 1.

    The span is None when the object is empty. Raises RangeNotSatisfiable for a part that is not there.
    """
    if not parts and number_ == 1:
        return (Span(0, entry.size - 1) if entry.size else None), None
    if number_ > len(parts):
        raise faults.RangeNotSatisfiable(PartNumberRequested=number_, ActualPartCount=max(1, len(parts)))
    first = sum(part.size for part in parts[: number_ - 1])
    part = parts[number_ - 1]
    return (Span(first, first + part.size - 1) if part.size else None), part


# GetObjectAttributes

_KNOWN: Final = frozenset({"ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"})
_MAX_PARTS: Final = 1000


def wanted_attributes(request: Request) -> frozenset[str]:
    """The attributes asked for. Raises InvalidRequest for none, InvalidArgument for unknown ones."""
    names = request.headers.get("x-amz-object-attributes", "")
    wanted = frozenset(name.strip() for name in names.split(",") if name.strip())
    if not wanted:
        raise faults.InvalidRequest("The x-amz-object-attributes header specifying the attributes to be"
                                    " retrieved is either missing or empty")
    if not wanted <= _KNOWN:
        raise faults.InvalidArgument("Invalid attribute name specified.",
                                     ArgumentName="x-amz-object-attributes", ArgumentValue=names)
    return wanted


class AttributesAsk(msgspec.Struct, frozen=True):
    """Which attributes, of which version; `parts` limits the list of parts, which starts after `marker`."""

    wanted: Annotated[frozenset[str], Derived(wanted_attributes, ("x-amz-object-attributes",))]
    only_if: Annotated[ReadIf, Derived(read_if, READ_HEADERS, seldom=True)] = ANY
    version: Annotated[str | None, Query("versionId", version_id)] = None
    limit: Annotated[int, Header("x-amz-max-parts", number)] = _MAX_PARTS
    marker: Annotated[int, Header("x-amz-part-number-marker", number)] = 0


class ObjectChecksum(Checksums, frozen=True):
    """The object's checksum and whether it is of the whole or of the parts' checksums."""

    type: Annotated[str | None, element("ChecksumType")] = None


class ObjectPart(Checksums, frozen=True, kw_only=True):
    """A part of a multipart object."""

    part_number: int
    size: int


class ObjectParts(Shape, frozen=True):
    """A page of the parts."""

    total_parts_count: Annotated[int, element("PartsCount")]
    part_number_marker: int
    next_part_number_marker: int
    max_parts: int
    is_truncated: bool
    parts: Annotated[tuple[ObjectPart, ...], element("Part")]


class ObjectAttributes(Shape, frozen=True):
    """What was asked for of it."""

    etag: str | None = None
    checksum: ObjectChecksum | None = None
    object_parts: ObjectParts | None = None
    storage_class: str | None = None
    object_size: int | None = None


class AttributesReply(msgspec.Struct, frozen=True):
    """The attributes."""

    attributes: Annotated[ObjectAttributes, Document("GetObjectAttributesResponse")]
    modified: Annotated[str, Header("last-modified")]
    version: Annotated[str | None, Header("x-amz-version-id")] = None


@operation("GetObjectAttributes", "GET", OBJECT, when=("attributes",), allow="s3:GetObjectAttributes",
           allow_version="s3:GetObjectVersionAttributes")
async def get_object_attributes(call: Call[AttributesAsk]) -> AttributesReply:
    ask = call.ask
    reading = await call.bucket.read(call.key, ask.version)
    entry, checksum = reading.entry, reading.entry.checksum
    version = entry.version if call.versioned else None
    check_read(ask.only_if, entry, version=version)
    found = ObjectAttributes(
        etag=entry.etag if "ETag" in ask.wanted else None,
        checksum=_checksum(checksum) if checksum is not None and "Checksum" in ask.wanted else None,
        object_parts=_parts(reading, ask) if reading.parts and "ObjectParts" in ask.wanted else None,
        storage_class=entry.attributes.storage_class if "StorageClass" in ask.wanted else None,
        object_size=entry.size if "ObjectSize" in ask.wanted else None,
    )
    return AttributesReply(found, http_time(entry.modified_ms), version)


def _checksum(checksum: Checksum) -> ObjectChecksum:
    return ObjectChecksum(type=checksum.type, **checksum_fields(checksum.algorithm, checksum.value))


def _parts(reading: Reading, ask: AttributesAsk) -> ObjectParts:
    checksum = reading.entry.checksum
    algorithm = checksum.algorithm if checksum is not None else ""
    behind = [part for part in reading.parts if part.number > ask.marker]
    shown = behind[: min(ask.limit, _MAX_PARTS)]
    return ObjectParts(
        total_parts_count=len(reading.parts), part_number_marker=ask.marker,
        next_part_number_marker=shown[-1].number if shown else ask.marker,
        max_parts=min(ask.limit, _MAX_PARTS), is_truncated=len(behind) > len(shown),
        parts=tuple(
            ObjectPart(part_number=part.number, size=part.size, **checksum_fields(algorithm, part.checksum))
            for part in shown),
    )
