"""GetBucketVersioning, PutBucketVersioning."""

from __future__ import annotations

from typing import Annotated

import msgspec

from trivium.base import faults
from trivium.buckets.record import ENABLED, SUSPENDED
from trivium.s3.call import Call
from trivium.s3.fields import Document
from trivium.s3.messages import BUCKET
from trivium.s3.operations.bucket import BucketAsk, Nothing
from trivium.s3.registry import operation
from trivium.s3.xml import Shape, element

_DISABLED = "Disabled"


class VersioningConfiguration(Shape, frozen=True):
    """Whether the bucket keeps versions. No status: it never did."""

    strict = True  # a word for MFA that is misspelt is not ignored

    status: str | None = None
    mfa_delete: Annotated[str | None, element("MfaDelete")] = None


class Versioning(msgspec.Struct, frozen=True):
    """The state that the bucket is in, or that it shall be in: branches, commits and buckets of the past take
    only the one they are in.
    """

    configuration: Annotated[VersioningConfiguration, Document("VersioningConfiguration")]


@operation("GetBucketVersioning", "GET", BUCKET, when=("versioning",), allow="s3:GetBucketVersioning")
async def get_bucket_versioning(call: Call[BucketAsk]) -> Versioning:
    versions = call.bucket.features.versions
    return Versioning(VersioningConfiguration(status=(versions.state if versions else "") or None))


@operation(
    "PutBucketVersioning", "PUT", BUCKET, when=("versioning",), needs="versions",
    allow="s3:PutBucketVersioning")
async def put_bucket_versioning(call: Call[Versioning]) -> Nothing:
    wanted = call.ask.configuration
    if wanted.status is None:
        raise faults.IllegalVersioningConfigurationException()
    if wanted.status not in (ENABLED, SUSPENDED) or wanted.mfa_delete not in (None, ENABLED, _DISABLED):
        raise faults.MalformedXML()
    if wanted.mfa_delete == ENABLED:
        raise faults.NotImplemented_(Element="MfaDelete")
    versions = call.bucket.features.versions
    assert versions is not None, "the operation needs versions"
    await versions.set_state(wanted.status)
    return Nothing()
