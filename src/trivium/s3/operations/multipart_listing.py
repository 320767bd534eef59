"""ListParts and ListMultipartUploads."""

from __future__ import annotations

import re
from operator import attrgetter
from typing import Annotated

import msgspec

from trivium.base import faults
from trivium.base.etag import quoted
from trivium.buckets.listing import Flat, Position, page_of
from trivium.buckets.record import BucketRecord
from trivium.s3.call import Call
from trivium.s3.fields import Document, Query, iso_time, number
from trivium.s3.messages import BUCKET, OBJECT
from trivium.s3.pages import encoding_of, encoding_type, limit_of, max_uploads
from trivium.s3.registry import operation
from trivium.s3.shapes import Checksums, CommonPrefix, Owner, checksum_fields, common_prefixes, owner
from trivium.s3.xml import Rows, Shape, element
from trivium.services.access.users import Users
from trivium.services.uploads import Part, Upload, Uploads

_UPLOAD_ID = re.compile(r"[0-9a-f]+", re.ASCII)


class ListPartsAsk(msgspec.Struct, frozen=True):
    """Which parts: those with higher numbers than `marker`."""

    upload_id: Annotated[str, Query("uploadId")]
    marker: Annotated[int, Query("part-number-marker", number)] = 0
    limit: Annotated[int | None, Query("max-parts", number)] = None


class ListedPart(Checksums, frozen=True, kw_only=True):
    """A part in the list."""

    part_number: int
    last_modified: str
    etag: str
    size: int


class PartsResult(Shape, frozen=True):
    """A page of the parts of an upload."""

    bucket: str
    key: str
    upload_id: Annotated[str, element("UploadId")]
    initiator: Owner
    owner: Owner
    storage_class: str
    part_number_marker: int
    next_part_number_marker: int
    max_parts: int
    is_truncated: bool
    checksum_algorithm: str | None
    checksum_type: str | None
    parts: Annotated[tuple[ListedPart, ...], element("Part")]


class ListPartsReply(msgspec.Struct, frozen=True):
    """The page."""

    result: Annotated[PartsResult, Document("ListPartsResult")]


class ListUploadsAsk(msgspec.Struct, frozen=True):
    """Which uploads: those behind the upload `upload_marker` of `key_marker`, or behind that key."""

    prefix: Annotated[str, Query("prefix")] = ""
    delimiter: Annotated[str, Query("delimiter")] = ""
    key_marker: Annotated[str, Query("key-marker")] = ""
    upload_marker: Annotated[str, Query("upload-id-marker")] = ""
    limit: Annotated[int | None, Query("max-uploads", max_uploads)] = None
    encoding: Annotated[str | None, Query("encoding-type", encoding_type)] = None


class ListedUpload(Shape, frozen=True):
    """An upload in the list."""

    key: str
    upload_id: Annotated[str, element("UploadId")]
    initiator: Owner
    owner: Owner
    storage_class: str
    initiated: str
    checksum_algorithm: str | None
    checksum_type: str | None


class UploadsResult(Shape, frozen=True):
    """A page of the running uploads of a bucket, by key, within a key by the time they began."""

    bucket: str
    key_marker: str
    upload_id_marker: Annotated[str, element("UploadIdMarker")]
    next_key_marker: str | None
    next_upload_id_marker: Annotated[str | None, element("NextUploadIdMarker")]
    prefix: str
    delimiter: str | None
    max_uploads: int
    is_truncated: bool
    uploads: Annotated[tuple[ListedUpload, ...], element("Upload")]
    common_prefixes: Rows[CommonPrefix]
    encoding_type: str | None


class ListUploadsReply(msgspec.Struct, frozen=True):
    """The page."""

    result: Annotated[UploadsResult, Document("ListMultipartUploadsResult")]


@operation("ListParts", "GET", OBJECT, when=("uploadId",), needs="current",
           allow="s3:ListMultipartUploadParts")
async def list_parts(call: Call[ListPartsAsk]) -> ListPartsReply:
    ask, users = call.ask, call.house.users
    limit = limit_of(ask.limit, call.dialect, "max-parts")
    upload, found = await call.house.uploads.parts(
        call.record, call.key, ask.upload_id, after=ask.marker, limit=limit + 1)
    shown = found[:limit]
    return ListPartsReply(PartsResult(
        bucket=call.name, key=call.key, upload_id=upload.id, initiator=owner(users.account(upload.initiator)),
        owner=owner(users.account(upload.attributes.owner)), storage_class=upload.attributes.storage_class,
        part_number_marker=ask.marker, next_part_number_marker=shown[-1].number if shown else ask.marker,
        max_parts=limit, is_truncated=len(found) > limit, checksum_algorithm=upload.algorithm or None,
        checksum_type=upload.type or None, parts=tuple(_part(upload, part) for part in shown),
    ))


@operation("ListMultipartUploads", "GET", BUCKET, when=("uploads",), needs="current",
           allow="s3:ListBucketMultipartUploads")
async def list_multipart_uploads(call: Call[ListUploadsAsk]) -> ListUploadsReply:
    ask, users = call.ask, call.house.users
    limit = limit_of(ask.limit, call.dialect, "max-uploads")
    page = await page_of(
        uploads_of(call.house.uploads, call.record), limit=limit, prefix=ask.prefix, delimiter=ask.delimiter,
        after=_after(ask))
    encode, encoding = encoding_of(ask.encoding, call.dialect)
    last = page.last if page.truncated else None
    return ListUploadsReply(UploadsResult(
        bucket=call.name, key_marker=encode(ask.key_marker), upload_id_marker=ask.upload_marker,
        next_key_marker=encode(last.key) if last else None,
        next_upload_id_marker=(last.marker or "") if last else None, prefix=encode(ask.prefix),
        delimiter=encode(ask.delimiter) if ask.delimiter else None, max_uploads=limit,
        is_truncated=page.truncated,
        uploads=tuple(_upload(one, encode(one.key), users) for one in page.items),
        common_prefixes=common_prefixes(page.prefixes, encode), encoding_type=encoding,
    ))


def uploads_of(uploads: Uploads, record: BucketRecord) -> Flat[Upload]:
    """The running uploads of a bucket; the marker is the upload id."""

    async def ask(prefix: str, start: str, marker: str | None, limit: int) -> list[Upload]:
        return await uploads.list(record, prefix, start, marker, limit)

    return Flat(ask, attrgetter("key"), attrgetter("id"))


def _after(ask: ListUploadsAsk) -> Position | None:
    """An upload id without a key says nothing, as S3 has it. Raises InvalidUploadIdMarker."""
    if not ask.key_marker:
        return None
    if not ask.upload_marker:
        return Position(ask.key_marker)
    if not _UPLOAD_ID.fullmatch(ask.upload_marker):
        raise faults.InvalidUploadIdMarker(ArgumentName="upload-id-marker", ArgumentValue=ask.upload_marker)
    return Position(ask.key_marker, ask.upload_marker)


def _part(upload: Upload, part: Part) -> ListedPart:
    return ListedPart(
        part_number=part.number, last_modified=iso_time(part.modified_ms), etag=quoted(part.etag),
        size=part.size, **checksum_fields(upload.algorithm, part.checksum if upload.algorithm else ""))


def _upload(upload: Upload, key: str, users: Users) -> ListedUpload:
    return ListedUpload(
        key=key, upload_id=upload.id, initiator=owner(users.account(upload.initiator)),
        owner=owner(users.account(upload.attributes.owner)), storage_class=upload.attributes.storage_class,
        initiated=iso_time(upload.initiated_ms), checksum_algorithm=upload.algorithm or None,
        checksum_type=upload.type or None)
