"""ListBuckets."""

from __future__ import annotations

from typing import Annotated

import msgspec

from trivium.base import faults
from trivium.s3.call import Call
from trivium.s3.fields import Document, Query, iso_time, number
from trivium.s3.messages import SERVICE
from trivium.s3.registry import operation
from trivium.s3.shapes import Owner
from trivium.s3.xml import Shape, element

_MAX_BUCKETS = 10_000  # Amazon S3 API Reference, ListBuckets: max-buckets is 1 to 10,000


class ListBucketsAsk(msgspec.Struct, frozen=True):
    """Which of the caller's buckets."""

    prefix: Annotated[str | None, Query("prefix")] = None
    token: Annotated[str | None, Query("continuation-token")] = None
    limit: Annotated[int, Query("max-buckets", number)] = _MAX_BUCKETS


class ListedBucket(Shape, frozen=True):
    """A bucket in the list."""

    name: str
    creation_date: str


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
    if not 1 <= call.ask.limit <= _MAX_BUCKETS:
        raise faults.InvalidArgument(
            f"max-buckets must be between 1 and {_MAX_BUCKETS}", ArgumentName="max-buckets", ArgumentValue=call.ask.limit)
    found = await call.house.catalog.list(
        call.account.id, prefix=call.ask.prefix or "", start=call.ask.token or "", limit=call.ask.limit + 1)
    shown = found[: call.ask.limit]
    return ListBucketsReply(Buckets(
        owner=Owner(id=call.account.id, display_name=call.account.name),
        buckets=tuple(ListedBucket(name=one.name, creation_date=iso_time(one.created_ms)) for one in shown),
        prefix=call.ask.prefix,
        continuation_token=found[-1].name if len(found) > len(shown) else None,
    ))
