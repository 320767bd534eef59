"""ListBuckets."""

from __future__ import annotations

from typing import Annotated

import msgspec

from trivium.base import faults
from trivium.s3.call import Call
from trivium.s3.fields import Document, Query, iso_time, number
from trivium.s3.messages import SERVICE
from trivium.s3.pages import read_token, token_of
from trivium.s3.registry import operation
from trivium.s3.shapes import Owner, owner
from trivium.s3.xml import Shape, element

_MAX_BUCKETS = 10_000  # Amazon S3 API Reference, ListBuckets: max-buckets is 1 to 10,000


class ListBucketsAsk(msgspec.Struct, frozen=True):
    """Which of the caller's buckets."""

    prefix: Annotated[str | None, Query("prefix")] = None
    token: Annotated[str | None, Query("continuation-token")] = None
    region: Annotated[str | None, Query("bucket-region")] = None
    limit: Annotated[int | None, Query("max-buckets", number)] = None


_PLAIN = ListBucketsAsk()


class ListedBucket(Shape, frozen=True):
    """A bucket in the list. Its region is told to whom asks with a parameter, as AWS does."""

    name: str
    creation_date: str
    bucket_region: str | None = None


class Buckets(Shape, frozen=True):
    """The list."""

    owner: Owner
    buckets: Annotated[tuple[ListedBucket, ...], element("Bucket", wrapper="Buckets")]
    prefix: str | None = None
    continuation_token: str | None = None


class ListBucketsReply(msgspec.Struct, frozen=True):
    """The caller's buckets, by name."""

    buckets: Annotated[Buckets, Document("ListAllMyBucketsResult")]


@operation("ListBuckets", "GET", SERVICE, allow="s3:ListAllMyBuckets", opens=False)
async def list_buckets(call: Call[ListBucketsAsk]) -> ListBucketsReply:
    ask, default = call.ask, call.house.region
    limit = _MAX_BUCKETS if ask.limit is None else ask.limit
    if not 1 <= limit <= _MAX_BUCKETS:
        raise faults.InvalidArgument(
            f"max-buckets must be between 1 and {_MAX_BUCKETS}", ArgumentName="max-buckets",
            ArgumentValue=limit)
    start = read_token(ask.token) if ask.token is not None else ""
    found = await call.house.catalog.list(
        call.account.id, prefix=ask.prefix or "", start=start, limit=limit + 1,
        regions=_records_of(ask.region, default))
    shown, tells_region = found[:limit], ask != _PLAIN
    return ListBucketsReply(Buckets(
        owner=owner(call.account),
        buckets=tuple(ListedBucket(
            name=one.name, creation_date=iso_time(one.created_ms),
            bucket_region=(one.region or default) if tells_region else None) for one in shown),
        prefix=ask.prefix,
        continuation_token=token_of(found[-1].name) if len(found) > len(shown) else None,
    ))


def _records_of(region: str | None, default: str) -> frozenset[str] | None:
    """What the records of buckets in the region say; one made without a region is in the default one."""
    if region is None:
        return None
    return frozenset({region, ""}) if region == default else frozenset({region})
