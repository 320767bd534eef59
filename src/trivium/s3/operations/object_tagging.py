"""GetObjectTagging, PutObjectTagging, DeleteObjectTagging."""

from __future__ import annotations

from typing import Annotated

import msgspec

from trivium.s3.call import Call
from trivium.s3.fields import Document, Header, Query, version_id
from trivium.s3.messages import OBJECT
from trivium.s3.registry import operation
from trivium.s3.shapes import Tagging, tagging
from trivium.s3.tags import read_tags


class VersionAsk(msgspec.Struct, frozen=True):
    """Which version of the object; the newest where none is said."""

    version: Annotated[str | None, Query("versionId", version_id)] = None


class PutObjectTaggingAsk(msgspec.Struct, frozen=True):
    """The tags that replace all tags of an object."""

    tagging: Annotated[Tagging, Document("Tagging")]
    version: Annotated[str | None, Query("versionId", version_id)] = None


class TagsReply(msgspec.Struct, frozen=True):
    """The tags of a version."""

    tagging: Annotated[Tagging, Document("Tagging")]
    version: Annotated[str | None, Header("x-amz-version-id")] = None


class VersionReply(msgspec.Struct, frozen=True):
    """Which version was changed."""

    version: Annotated[str | None, Header("x-amz-version-id")] = None


@operation("GetObjectTagging", "GET", OBJECT, when=("tagging",), allow="s3:GetObjectTagging",
           allow_version="s3:GetObjectVersionTagging")
async def get_object_tagging(call: Call[VersionAsk]) -> TagsReply:
    entry = await call.bucket.head(call.key, call.ask.version)
    return TagsReply(tagging(entry.attributes.tags), entry.version if call.versioned else None)


@operation("PutObjectTagging", "PUT", OBJECT, when=("tagging",), needs="annotations",
           allow="s3:PutObjectTagging", allow_version="s3:PutObjectVersionTagging")
async def put_object_tagging(call: Call[PutObjectTaggingAsk]) -> VersionReply:
    return await _tag(call, read_tags(call.ask.tagging, limit=call.dialect.limits.max_tags))


@operation("DeleteObjectTagging", "DELETE", OBJECT, when=("tagging",), needs="annotations",
           allow="s3:DeleteObjectTagging", allow_version="s3:DeleteObjectVersionTagging", status=204)
async def delete_object_tagging(call: Call[VersionAsk]) -> VersionReply:
    return await _tag(call, {})


async def _tag(call: Call[PutObjectTaggingAsk] | Call[VersionAsk], tags: dict[str, str]) -> VersionReply:
    annotations = call.bucket.features.annotations
    assert annotations is not None, "the operation needs annotations"
    entry = await annotations.tag(call.key, call.ask.version, tags)
    return VersionReply(entry.version if call.versioned else None)
