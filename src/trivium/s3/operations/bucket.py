"""CreateBucket, HeadBucket, DeleteBucket, GetBucketLocation."""

from __future__ import annotations

import re
from typing import Annotated

import msgspec
from msgspec.structs import replace

from trivium.base import faults
from trivium.base.faults import Fault
from trivium.base.names import check_bucket_name, check_not_reserved
from trivium.buckets.acl import Acl, explicit
from trivium.buckets.record import OBJECT_WRITER, OWNER_ENFORCED, OWNER_PREFERRED, BucketRecord
from trivium.s3.acls import ACL_HEADERS, Granted, acl_of, check_ownership, granted
from trivium.s3.call import Call
from trivium.s3.fields import Derived, Document, Header, one_of
from trivium.s3.messages import BUCKET
from trivium.s3.registry import operation
from trivium.s3.shapes import Tag, Tagging
from trivium.s3.tags import OF_A_BUCKET, read_tags
from trivium.s3.xml import Shape, Text, element
from trivium.services.catalog import NewBucket
from trivium.storage.records import Records

TAGS = Records(dict[str, str])  # a bucket's tags as they are kept
TAGS_DOCUMENT = "tagging"
_REGION = re.compile(r"[A-Za-z0-9-]{1,63}", re.ASCII)
_FREE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,254}", re.ASCII)


class DirectoryBucket(Shape, frozen=True):
    """What asks for a directory bucket, which this server does not make."""


class CreateBucketConfiguration(Shape, frozen=True):
    """Where the bucket should be, and its first tags. Every region is fine; the bucket remembers it."""

    location_constraint: str | None = None
    location: DirectoryBucket | None = None
    bucket: DirectoryBucket | None = None
    tags: Annotated[tuple[Tag, ...], element("Tag", wrapper="Tags")] = ()


class CreateBucketAsk(msgspec.Struct, frozen=True):
    """A new bucket."""

    said: Annotated[Granted | None, Derived(granted, ACL_HEADERS, seldom=True)] = None
    ownership: Annotated[
        str, Header("x-amz-object-ownership", one_of(
            OBJECT_WRITER, OWNER_PREFERRED, OWNER_ENFORCED, kind=faults.InvalidHeaderValue))] = ""
    configuration: Annotated[
        CreateBucketConfiguration | None, Document("CreateBucketConfiguration", optional=True)] = None


class CreateBucketReply(msgspec.Struct, frozen=True):
    """Where it is."""

    location: Annotated[str, Header("location")]


class BucketAsk(msgspec.Struct, frozen=True):
    """Nothing more than the bucket."""


class HeadBucketReply(msgspec.Struct, frozen=True):
    """The bucket is there and the caller may use it."""

    region: Annotated[str, Header("x-amz-bucket-region")]
    alias: Annotated[str, Header("x-amz-access-point-alias")] = "false"
    type: Annotated[str, Header("content-type")] = "application/xml"


class Nothing(msgspec.Struct, frozen=True):
    """Done."""


class LocationReply(msgspec.Struct, frozen=True):
    """The bucket's LocationConstraint: empty for us-east-1."""

    location: Annotated[Text, Document("LocationConstraint")]


@operation("CreateBucket", "PUT", BUCKET, allow="s3:CreateBucket", opens=False)
async def create_bucket(call: Call[CreateBucketAsk]) -> CreateBucketReply:
    check_not_reserved(call.name)
    if call.dialect.aws_bucket_names:
        check_bucket_name(call.name)
    elif not _FREE_NAME.fullmatch(call.name):
        raise faults.InvalidBucketName(BucketName=call.name)
    asked = call.ask.configuration or CreateBucketConfiguration()
    if asked.location is not None or asked.bucket is not None:
        raise faults.NotImplemented_(Element="Bucket")
    if asked.location_constraint and not _REGION.fullmatch(asked.location_constraint):
        raise faults.InvalidLocationConstraint(LocationConstraint=asked.location_constraint)
    tags = read_tags(Tagging(tags=asked.tags), limit=call.dialect.limits.max_bucket_tags, what=OF_A_BUCKET)
    owner, said = call.account.id, call.ask.said
    acl = acl_of(said, owner, owner, call.house.users) if said is not None else None
    check_ownership(acl, owner, call.ask.ownership)
    new = NewBucket(
        call.name, owner, asked.location_constraint or "", acl, call.ask.ownership,
        {TAGS_DOCUMENT: TAGS.encode(tags)} if tags else {})
    try:
        await call.house.catalog.create(call.listener.creates, new)
    except Fault as fault:
        again = fault.kind is faults.BucketAlreadyOwnedByYou and fault.facts.get("BucketName") == call.name
        if not again or call.dialect.own_bucket_again == "refused":
            raise
        there = (await call.house.catalog.open(call.name)).record
        if not (_again_is_fine(call, there) and await _is_as_asked(call, there, tags)):
            raise
        await _reset(call, there, acl)
    return CreateBucketReply(f"/{call.name}")


def _again_is_fine(call: Call[CreateBucketAsk], there: BucketRecord) -> bool:
    """Amazon S3 API Reference, CreateBucket: 200 where bucket and request are us-east-1's."""
    asked = call.ask.configuration.location_constraint if call.ask.configuration is not None else None
    regions = {there.region or call.house.region, asked or call.house.region}
    return call.dialect.own_bucket_again == "fine" or regions == {"us-east-1"}


async def _is_as_asked(call: Call[CreateBucketAsk], there: BucketRecord, tags: dict[str, str]) -> bool:
    """Is nothing asked for that the bucket has not already? It would not be done."""
    if call.ask.ownership not in ("", there.ownership or OBJECT_WRITER):
        return False
    kept = await call.house.catalog.document(there, TAGS_DOCUMENT) if tags else None
    return not tags or (kept is not None and TAGS.decode(kept) == tags)


async def _reset(call: Call[CreateBucketAsk], there: BucketRecord, acl: Acl) -> None:
    """Who makes its own bucket again resets its list (Amazon S3 API Reference, CreateBucket, us-east-1)."""

    def rule(now: BucketRecord) -> BucketRecord:
        if now.ownership == OWNER_ENFORCED or (acl is None and now.acl is None):
            return now
        return replace(now, acl=explicit(acl, now.owner))

    if call.dialect.own_bucket_again != "fine":
        await call.house.catalog.change(there, rule)


@operation("HeadBucket", "HEAD", BUCKET, allow="s3:ListBucket")
async def head_bucket(call: Call[BucketAsk]) -> HeadBucketReply:
    return HeadBucketReply(call.record.region or call.house.region)


@operation("DeleteBucket", "DELETE", BUCKET, needs="removable", allow="s3:DeleteBucket", status=204)
async def delete_bucket(call: Call[BucketAsk]) -> Nothing:
    catalog = call.house.catalog
    await (catalog.raze if call.dialect.deletes_full_buckets else catalog.delete)(call.record)
    return Nothing()


@operation("GetBucketLocation", "GET", BUCKET, when=("location",), allow="s3:GetBucketLocation")
async def get_bucket_location(call: Call[BucketAsk]) -> LocationReply:
    region = call.dialect.location or call.record.region or call.house.region
    return LocationReply(Text(text="" if region == "us-east-1" else region))
