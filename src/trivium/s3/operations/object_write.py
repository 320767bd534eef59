"""PutObject and RenameObject."""

from __future__ import annotations

import re
from typing import Annotated, Final

import msgspec

from trivium.base import faults
from trivium.base.digests import FULL_OBJECT, Checksum
from trivium.base.etag import quoted
from trivium.buckets.bucket import Renaming
from trivium.buckets.conditions import ALWAYS, WriteIf
from trivium.buckets.entry import Attributes
from trivium.s3.acls import ACL_HEADERS, Granted, granted, with_acl
from trivium.s3.attributes import READS, object_attributes
from trivium.s3.call import Call
from trivium.s3.checksums import CHECKSUM_HEADERS, checksum_headers
from trivium.s3.conditions import (
    READ_HEADERS,
    RENAME_SOURCE_HEADERS,
    WRITE_HEADERS,
    rename_if,
    rename_source_if,
    write_if,
)
from trivium.s3.fields import Derived, Header, Spread
from trivium.s3.messages import OBJECT, Request
from trivium.s3.operations.bucket import Nothing
from trivium.s3.registry import operation
from trivium.s3.sources import RENAME_HEADER, renamed_key


def whole(request: Request) -> None:
    """The body is the whole object. Raises InvalidRequest where it is said to be a piece, or made of some.

    Source: RFC 9110 §14.5, on PUT with Content-Range; API Reference, PutObject: its checksum type is always
    FULL_OBJECT.
    """
    if "content-range" in request.headers:
        raise faults.InvalidRequest("An object is stored as a whole: Content-Range is not accepted.")
    if request.headers.get("x-amz-checksum-type", FULL_OBJECT) != FULL_OBJECT:
        raise faults.InvalidRequest(f"The checksum type of an object uploaded as a whole is {FULL_OBJECT}.")


_TOKEN: Final = re.compile("[!-~]{1,64}")


class PutObjectAsk(msgspec.Struct, frozen=True):
    """A new object, or a new version of one; its bytes are the body."""

    attributes: Annotated[Attributes, Derived(object_attributes, READS)]
    only_if: Annotated[WriteIf, Derived(write_if, WRITE_HEADERS, seldom=True)] = ALWAYS
    whole: Annotated[None, Derived(whole, ("content-range", "x-amz-checksum-type"), seldom=True)] = None
    said: Annotated[Granted | None, Derived(granted, ACL_HEADERS, seldom=True)] = None


class PutObjectReply(msgspec.Struct, frozen=True):
    """What was written."""

    etag: Annotated[str, Header("etag")]
    version: Annotated[str | None, Header("x-amz-version-id")]
    checksum: Annotated[Checksum | None, Spread(checksum_headers, CHECKSUM_HEADERS)]


def client_token(value: str, name: str) -> str:
    """A token that names a request. Raises InvalidArgument unless it has 1 to 64 characters, ASCII 33 to 126.

    Source: Amazon S3 API Reference, RenameObject, x-amz-client-token.
    """
    if _TOKEN.fullmatch(value) is None:
        raise faults.InvalidArgument(ArgumentName=name, ArgumentValue=value)
    return value


class RenameObjectAsk(msgspec.Struct, frozen=True):
    """Another key of this bucket that shall have this key from now on."""

    source_if: Annotated[WriteIf, Derived(rename_source_if, RENAME_SOURCE_HEADERS)]
    only_if: Annotated[WriteIf, Derived(rename_if, READ_HEADERS)]
    source: Annotated[str, Header(RENAME_HEADER)] = ""
    token: Annotated[str, Header("x-amz-client-token", client_token)] = ""


@operation("PutObject", "PUT", OBJECT, needs="writes", allow="s3:PutObject",
           allow_tags="s3:PutObjectTagging", uploads=True)
async def put_object(call: Call[PutObjectAsk]) -> PutObjectReply:
    ask = call.ask
    attributes = ask.attributes if ask.said is None else with_acl(
        ask.attributes, ask.said, call.record, call.house.users)
    entry = await call.bucket.put(call.key, call.incoming(), attributes, only_if=ask.only_if)
    return PutObjectReply(quoted(entry.etag), call.written_version(entry.version), entry.checksum)


@operation("RenameObject", "PUT", OBJECT, when=("renameObject",), needs="renames", allow="s3:PutObject")
async def rename_object(call: Call[RenameObjectAsk]) -> Nothing:
    renames = call.bucket.features.renames
    assert renames is not None, "the operation needs renames"
    ask = call.ask
    source = renamed_key(ask.source, call.name)
    await renames.rename(
        Renaming(source, call.key, ask.source_if, ask.only_if, ask.token), actor=call.account.id)
    return Nothing()
