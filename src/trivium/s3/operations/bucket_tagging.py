"""GetBucketTagging, PutBucketTagging, DeleteBucketTagging."""

from __future__ import annotations

from typing import Annotated

import msgspec

from trivium.base import faults
from trivium.s3.call import Call
from trivium.s3.fields import Document
from trivium.s3.messages import BUCKET
from trivium.s3.operations.bucket import TAGS, TAGS_DOCUMENT, BucketAsk, Nothing
from trivium.s3.registry import operation
from trivium.s3.shapes import Tagging, tagging
from trivium.s3.tags import OF_A_BUCKET, read_tags


class BucketTags(msgspec.Struct, frozen=True):
    """The bucket's tags, or those that replace them all."""

    tagging: Annotated[Tagging, Document("Tagging")]


@operation("GetBucketTagging", "GET", BUCKET, when=("tagging",), allow="s3:GetBucketTagging")
async def get_bucket_tagging(call: Call[BucketAsk]) -> BucketTags:
    data = await call.house.catalog.document(call.record, TAGS_DOCUMENT)
    if data is None and not call.dialect.untagged_bucket_is_empty:
        raise faults.NoSuchTagSet(BucketName=call.name)
    return BucketTags(tagging(TAGS.decode(data) if data is not None else {}))


@operation("PutBucketTagging", "PUT", BUCKET, when=("tagging",), needs="writes", allow="s3:PutBucketTagging")
async def put_bucket_tagging(call: Call[BucketTags]) -> Nothing:
    tags = read_tags(call.ask.tagging, limit=call.dialect.limits.max_bucket_tags, what=OF_A_BUCKET)
    await call.house.catalog.put_document(call.record, TAGS_DOCUMENT, TAGS.encode(tags))
    return Nothing()


@operation("DeleteBucketTagging", "DELETE", BUCKET, when=("tagging",), needs="writes",
           allow="s3:PutBucketTagging", status=204)
async def delete_bucket_tagging(call: Call[BucketAsk]) -> Nothing:
    await call.house.catalog.put_document(call.record, TAGS_DOCUMENT, None)
    return Nothing()
