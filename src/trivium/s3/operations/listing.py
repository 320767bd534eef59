"""ListObjects and ListObjectsV2."""

from __future__ import annotations

from typing import Annotated

import msgspec

from trivium.buckets.entry import Entry
from trivium.buckets.listing import Page, Position, entries_of, page_of
from trivium.s3.call import Call
from trivium.s3.fields import Document, Query
from trivium.s3.messages import BUCKET
from trivium.s3.pages import encoding_of, encoding_type, limit_of, max_keys, read_token, token_of
from trivium.s3.registry import operation
from trivium.s3.shapes import CommonPrefix, Owner, common_prefixes, entry_columns
from trivium.s3.xml import Rows, Shape, element


class ListObjectsAsk(msgspec.Struct, frozen=True):
    """Which keys. `token` is Alluxio 1.x's; S3 has it in version 2 alone."""

    prefix: Annotated[str, Query("prefix")] = ""
    delimiter: Annotated[str, Query("delimiter")] = ""
    marker: Annotated[str, Query("marker")] = ""
    limit: Annotated[int | None, Query("max-keys", max_keys)] = None
    encoding: Annotated[str | None, Query("encoding-type", encoding_type)] = None
    token: Annotated[str | None, Query("continuation-token")] = None


class ListObjectsV2Ask(msgspec.Struct, frozen=True):
    """Which keys, and whether their owners are told."""

    prefix: Annotated[str, Query("prefix")] = ""
    delimiter: Annotated[str, Query("delimiter")] = ""
    start_after: Annotated[str | None, Query("start-after")] = None
    token: Annotated[str | None, Query("continuation-token")] = None
    limit: Annotated[int | None, Query("max-keys", max_keys)] = None
    encoding: Annotated[str | None, Query("encoding-type", encoding_type)] = None
    fetch_owner: Annotated[str, Query("fetch-owner")] = "false"


class Contents(Shape, frozen=True):
    """A key in a listing."""

    key: str
    last_modified: Annotated[str, element(plain=True)]
    etag: Annotated[str, element(quoted=True)]
    checksum_algorithm: Annotated[str | None, element(plain=True, often=True)]
    checksum_type: Annotated[str | None, element(plain=True, often=True)]
    size: int
    storage_class: Annotated[str, element(plain=True, often=True)]
    owner: Annotated[Owner | None, element(often=True)]


class Listing(Shape, frozen=True, kw_only=True):
    """A page of a listing of either version."""

    version2: Annotated[bool | None, element("version2")] = None
    name: str
    prefix: str
    marker: str | None = None
    next_marker: str | None = None
    start_after: str | None = None
    continuation_token: str | None = None
    next_continuation_token: str | None = None
    key_count: int | None = None
    max_keys: int
    delimiter: str | None
    is_truncated: bool
    contents: Rows[Contents]
    common_prefixes: Rows[CommonPrefix]
    encoding_type: str | None


class ListingReply(msgspec.Struct, frozen=True):
    """The page."""

    listing: Annotated[Listing, Document("ListBucketResult")]


@operation("ListObjects", "GET", BUCKET, allow="s3:ListBucket")
async def list_objects(call: Call[ListObjectsAsk]) -> ListingReply:
    ask, dialect = call.ask, call.dialect
    limit = limit_of(ask.limit, dialect)
    first = ask.token if dialect.counts_in_plain_list and ask.token else ""
    page = await page_of(entries_of(call.bucket), limit=limit, prefix=ask.prefix, delimiter=ask.delimiter,
                         first=first, after=Position(ask.marker) if ask.marker else None)
    encode, encoding = encoding_of(ask.encoding, dialect)
    # else the last key is the marker, as S3 has it
    last = page.last if page.truncated and ask.delimiter else None
    counts = dialect.counts_in_plain_list
    return ListingReply(Listing(
        version2=False if dialect.version2_element else None, name=call.name,
        prefix=ask.prefix if ask.encoding else encode(ask.prefix),
        marker=encode(ask.marker), next_marker=encode(last.key) if last is not None else None,
        continuation_token=(ask.token or "") if counts else None,
        next_continuation_token=await _next_key(call, page) if counts else None,
        key_count=_count(page) if counts else None,
        max_keys=limit, delimiter=encode(ask.delimiter) if ask.delimiter else None,
        is_truncated=page.truncated,
        contents=Rows(columns=entry_columns(page.items, encode, call.house.users)),
        common_prefixes=common_prefixes(page.prefixes, encode), encoding_type=encoding,
    ))


@operation("ListObjectsV2", "GET", BUCKET, when=("list-type=2",), allow="s3:ListBucket")
async def list_objects_v2(call: Call[ListObjectsV2Ask]) -> ListingReply:
    ask, dialect = call.ask, call.dialect
    limit = limit_of(ask.limit, dialect)
    after = read_token(ask.token) if ask.token else ask.start_after  # S3 takes an empty token for none
    page = await page_of(entries_of(call.bucket), limit=limit, prefix=ask.prefix, delimiter=ask.delimiter,
                         after=Position(after) if after else None)
    encode, encoding = encoding_of(ask.encoding, dialect)
    users = call.house.users if ask.fetch_owner.lower() == "true" else None
    return ListingReply(Listing(
        version2=True if dialect.version2_element else None, name=call.name, prefix=encode(ask.prefix),
        start_after=encode(ask.start_after) if ask.start_after else None, continuation_token=ask.token,
        next_continuation_token=token_of(page.last.key) if page.truncated and page.last else None,
        key_count=_count(page), max_keys=limit, delimiter=encode(ask.delimiter) if ask.delimiter else None,
        is_truncated=page.truncated, contents=Rows(columns=entry_columns(page.items, encode, users)),
        common_prefixes=common_prefixes(page.prefixes, encode), encoding_type=encoding,
    ))


def _count(page: Page[Entry]) -> int:
    return len(page.items) + len(page.prefixes)


async def _next_key(call: Call[ListObjectsAsk], page: Page[Entry]) -> str:
    """Alluxio 1.x's token is the first key of the next page (its document, "Listing a bucket with multiple
    objects").
    """
    if not page.truncated or page.last is None:
        return ""
    ask = call.ask
    behind = await page_of(
        entries_of(call.bucket), limit=1, prefix=ask.prefix, delimiter=ask.delimiter, after=page.last)
    return behind.items[0].key if behind.items else behind.prefixes[0]
