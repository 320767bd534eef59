"""Access control lists of buckets and objects, and who owns what is put into a bucket."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import msgspec
from msgspec.structs import replace

from trivium.base import faults
from trivium.buckets.acl import Acl, explicit
from trivium.buckets.entry import Entry
from trivium.buckets.record import OBJECT_WRITER, OWNER_ENFORCED, OWNER_PREFERRED, BucketRecord
from trivium.s3.acls import (
    ACL_HEADERS,
    AccessControlPolicy,
    Granted,
    acl_of,
    check_ownership,
    granted,
    policy_of,
    read_policy,
)
from trivium.s3.call import Call
from trivium.s3.fields import Derived, Document, Query, version_id
from trivium.s3.messages import BUCKET, OBJECT
from trivium.s3.operations.bucket import BucketAsk, Nothing
from trivium.s3.operations.object_tagging import VersionAsk
from trivium.s3.registry import operation
from trivium.s3.xml import Shape, element
from trivium.services.access.decide import owner_of


class PutBucketAclAsk(msgspec.Struct, frozen=True):
    """The list that replaces the bucket's: a document, or headers."""

    said: Annotated[Granted | None, Derived(granted, ACL_HEADERS, seldom=True)] = None
    policy: Annotated[AccessControlPolicy | None, Document("AccessControlPolicy", optional=True)] = None


class PutObjectAclAsk(msgspec.Struct, frozen=True):
    """The list that replaces an object's: a document, or headers."""

    said: Annotated[Granted | None, Derived(granted, ACL_HEADERS, seldom=True)] = None
    policy: Annotated[AccessControlPolicy | None, Document("AccessControlPolicy", optional=True)] = None
    version: Annotated[str | None, Query("versionId", version_id)] = None


class AclReply(msgspec.Struct, frozen=True):
    """The list, and whose the thing is."""

    policy: Annotated[AccessControlPolicy, Document("AccessControlPolicy")]


class OwnershipRule(Shape, frozen=True):
    """Who owns what others put into the bucket."""

    object_ownership: str


class OwnershipControls(Shape, frozen=True):
    """One rule."""

    rules: Annotated[tuple[OwnershipRule, ...], element("Rule")]


class Ownership(msgspec.Struct, frozen=True):
    """The rule that is, or that shall be."""

    controls: Annotated[OwnershipControls, Document("OwnershipControls")]


@operation("GetBucketAcl", "GET", BUCKET, when=("acl",), allow="s3:GetBucketAcl")
async def get_bucket_acl(call: Call[BucketAsk]) -> AclReply:
    return AclReply(policy_of(call.record.acl, call.record.owner, call.house.users))


@operation("PutBucketAcl", "PUT", BUCKET, when=("acl",), needs="current", allow="s3:PutBucketAcl")
async def put_bucket_acl(call: Call[PutBucketAclAsk]) -> Nothing:
    """Once a bucket has a list it always has one: what others put there stays theirs."""
    acl_for = _asked(call)

    def rule(now: BucketRecord) -> BucketRecord:
        acl = acl_for(now.owner)
        return now if acl is None and now.acl is None else replace(now, acl=explicit(acl, now.owner))

    await call.house.catalog.change(call.record, rule)
    return Nothing()


@operation(
    "GetObjectAcl", "GET", OBJECT, when=("acl",), allow="s3:GetObjectAcl",
    allow_version="s3:GetObjectVersionAcl")
async def get_object_acl(call: Call[VersionAsk]) -> AclReply:
    attributes = (await call.bucket.head(call.key, call.ask.version)).attributes
    acl = None if call.record.ownership == OWNER_ENFORCED else attributes.acl
    return AclReply(policy_of(acl, owner_of(attributes, call.record), call.house.users))


@operation("PutObjectAcl", "PUT", OBJECT, when=("acl",), needs="acls", allow="s3:PutObjectAcl",
           allow_version="s3:PutObjectVersionAcl")
async def put_object_acl(call: Call[PutObjectAclAsk]) -> Nothing:
    acls = call.bucket.features.acls
    assert acls is not None, "the operation needs acls"
    acl_for = _asked(call)

    def rule(entry: Entry) -> Acl:
        return acl_for(owner_of(entry.attributes, call.record))

    await acls.grant(call.key, call.ask.version, rule, actor=call.account.id)
    return Nothing()


def _asked(call: Call[PutBucketAclAsk] | Call[PutObjectAclAsk]) -> Callable[[str], Acl]:
    """The list that the request asks for, in exactly one way, once it is known who owns what it is of."""
    said, policy, record, users = call.ask.said, call.ask.policy, call.record, call.house.users
    if record.ownership == OWNER_ENFORCED:
        raise faults.AccessControlListNotSupported()
    if said is not None and policy is not None:
        raise faults.UnexpectedContent()
    if said is not None:
        return lambda owner: acl_of(said, owner, record.owner, users)
    if policy is not None:
        return lambda owner: read_policy(policy, owner, users)
    raise faults.MissingSecurityHeader(MissingHeaderName=ACL_HEADERS[0])


@operation("GetBucketOwnershipControls", "GET", BUCKET, when=("ownershipControls",),
           allow="s3:GetBucketOwnershipControls")
async def get_bucket_ownership_controls(call: Call[BucketAsk]) -> Ownership:
    if not call.record.ownership:
        raise faults.OwnershipControlsNotFoundError(BucketName=call.name)
    return Ownership(OwnershipControls((OwnershipRule(call.record.ownership),)))


@operation("PutBucketOwnershipControls", "PUT", BUCKET, when=("ownershipControls",), needs="writes",
           allow="s3:PutBucketOwnershipControls")
async def put_bucket_ownership_controls(call: Call[Ownership]) -> Nothing:
    wanted = [rule.object_ownership for rule in call.ask.controls.rules]
    if len(wanted) != 1 or wanted[0] not in (OBJECT_WRITER, OWNER_PREFERRED, OWNER_ENFORCED):
        raise faults.MalformedXML()

    def rule(now: BucketRecord) -> BucketRecord:
        check_ownership(now.acl, now.owner, wanted[0])
        return replace(now, ownership=wanted[0])

    await call.house.catalog.change(call.record, rule)
    return Nothing()


@operation("DeleteBucketOwnershipControls", "DELETE", BUCKET, when=("ownershipControls",), needs="writes",
           allow="s3:PutBucketOwnershipControls", status=204)
async def delete_bucket_ownership_controls(call: Call[BucketAsk]) -> Nothing:
    await call.house.catalog.change(call.record, lambda now: replace(now, ownership=""))
    return Nothing()
