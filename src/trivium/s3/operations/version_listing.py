"""ListObjectVersions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated

import msgspec

from trivium.base import faults
from trivium.buckets.bucket import VersionEntry
from trivium.buckets.listing import Position, page_of, versions_of
from trivium.s3.call import Call
from trivium.s3.fields import Document, Query
from trivium.s3.messages import BUCKET
from trivium.s3.pages import encoding_of, encoding_type, limit_of, max_keys
from trivium.s3.registry import operation
from trivium.s3.shapes import CommonPrefix, Owner, common_prefixes, entry_columns
from trivium.s3.xml import Rows, Shape, element
from trivium.services.access.users import Users


class ListVersionsAsk(msgspec.Struct, frozen=True):
    """Which versions: those behind the version `version_marker` of `key_marker`, or behind that key."""

    prefix: Annotated[str, Query("prefix")] = ""
    delimiter: Annotated[str, Query("delimiter")] = ""
    key_marker: Annotated[str, Query("key-marker")] = ""
    version_marker: Annotated[str | None, Query("version-id-marker")] = None
    limit: Annotated[int | None, Query("max-keys", max_keys)] = None
    encoding: Annotated[str | None, Query("encoding-type", encoding_type)] = None


class Version(Shape, frozen=True):
    """A version with bytes."""

    key: str
    version_id: Annotated[str, element("VersionId")]
    is_latest: bool
    last_modified: Annotated[str, element(plain=True)]
    etag: Annotated[str, element(quoted=True)]
    checksum_algorithm: Annotated[str | None, element(plain=True, often=True)]
    checksum_type: Annotated[str | None, element(plain=True, often=True)]
    size: int
    storage_class: Annotated[str, element(plain=True, often=True)]
    owner: Annotated[Owner, element(often=True)]


class DeleteMarker(Shape, frozen=True):
    """A version that says: deleted."""

    key: str
    version_id: Annotated[str, element("VersionId")]
    is_latest: bool
    last_modified: Annotated[str, element(plain=True)]
    owner: Annotated[Owner, element(often=True)]


class ListVersionsResult(Shape, frozen=True):
    """A page of versions, newest first within a key."""

    name: str
    prefix: str
    key_marker: str
    version_id_marker: Annotated[str, element("VersionIdMarker")]
    next_key_marker: str | None
    next_version_id_marker: Annotated[str | None, element("NextVersionIdMarker")]
    max_keys: int
    delimiter: str | None
    is_truncated: bool
    versions: Rows[Version | DeleteMarker]
    common_prefixes: Rows[CommonPrefix]
    encoding_type: str | None


class ListVersionsReply(msgspec.Struct, frozen=True):
    """The page."""

    result: Annotated[ListVersionsResult, Document("ListVersionsResult")]


@operation(
    "ListObjectVersions", "GET", BUCKET, when=("versions",), needs="versions", allow="s3:ListBucketVersions")
async def list_object_versions(call: Call[ListVersionsAsk]) -> ListVersionsReply:
    ask = call.ask
    versions = call.bucket.features.versions
    assert versions is not None, "the operation needs versions"
    limit = limit_of(ask.limit, call.dialect)
    after = _after(ask)
    page = await page_of(
        versions_of(versions), limit=limit, prefix=ask.prefix, delimiter=ask.delimiter, after=after)
    encode, encoding = encoding_of(ask.encoding, call.dialect)
    last = page.last if page.truncated else None
    return ListVersionsReply(ListVersionsResult(
        name=call.name, prefix=encode(ask.prefix), key_marker=encode(ask.key_marker),
        version_id_marker=ask.version_marker or "", next_key_marker=encode(last.key) if last else None,
        next_version_id_marker=last.marker if last else None, max_keys=limit,
        delimiter=encode(ask.delimiter) if ask.delimiter else None, is_truncated=page.truncated,
        versions=_versions(page.items, encode, call.house.users),
        common_prefixes=common_prefixes(page.prefixes, encode), encoding_type=encoding,
    ))


def _after(ask: ListVersionsAsk) -> Position | None:
    if ask.version_marker is None:
        return Position(ask.key_marker) if ask.key_marker else None
    if not ask.key_marker:
        raise faults.VersionIdMarkerWithoutKeyMarker(
            ArgumentName="version-id-marker", ArgumentValue=ask.version_marker)
    if not ask.version_marker:
        raise faults.EmptyVersionIdMarker(ArgumentName="version-id-marker", ArgumentValue="")
    return Position(ask.key_marker, ask.version_marker)


def _versions(
    items: Sequence[VersionEntry], encode: Callable[[str], str], users: Users,
) -> Rows[Version | DeleteMarker]:
    entries = [item.entry for item in items]
    markers = [entry.marker for entry in entries]
    columns = entry_columns(entries, encode, users)
    for name in ("etag", "size", "storage_class") if True in markers else ():
        shown = zip(columns[name], markers, strict=True)
        columns[name] = [None if marker else value for value, marker in shown]
    columns["version_id"] = [entry.version for entry in entries]
    columns["is_latest"] = [item.latest for item in items]
    columns["__class__"] = [DeleteMarker if marker else Version for marker in markers]
    return Rows(columns=columns)
