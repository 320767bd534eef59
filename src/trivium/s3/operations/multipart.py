"""CreateMultipartUpload, CompleteMultipartUpload and AbortMultipartUpload."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

import msgspec

from trivium.base import faults
from trivium.base.digests import ALGORITHMS, COMPOSITE, FULL_OBJECT
from trivium.base.etag import quoted
from trivium.buckets.conditions import WriteIf
from trivium.buckets.entry import Attributes
from trivium.s3.acls import ACL_HEADERS, Granted, granted, with_acl
from trivium.s3.attributes import READS, object_attributes
from trivium.s3.call import Call
from trivium.s3.checksums import CHECKSUM_FIELDS, CHECKSUM_HEADERS, algorithm, checksums_in, sent_checksums
from trivium.s3.conditions import WRITE_HEADERS, write_if
from trivium.s3.fields import Derived, Document, Header, Query, any_date, size_in_bytes
from trivium.s3.messages import OBJECT, Request
from trivium.s3.operations.bucket import Nothing
from trivium.s3.registry import operation
from trivium.s3.shapes import Checksums, checksum_fields
from trivium.s3.xml import NO_ROWS, Rows, Shape, element
from trivium.services.uploads import Asked, Rules


def object_url(request: Request) -> str:
    """Where the client found the object, and will find the new one."""
    scheme = "https" if request.secure else "http"
    path = quote(request.path, safe="/-_.~", errors="surrogatepass")
    return f"{scheme}://{request.headers.get('host', '')}{path}"


class CreateMultipartUploadAsk(msgspec.Struct, frozen=True):
    """The object to be, without its bytes, and which checksum it shall have."""

    attributes: Annotated[Attributes, Derived(object_attributes, READS)]
    algorithm: Annotated[str, Header("x-amz-checksum-algorithm", algorithm)] = ""
    type: Annotated[str, Header("x-amz-checksum-type")] = ""
    said: Annotated[Granted | None, Derived(granted, ACL_HEADERS, seldom=True)] = None


class InitiatedUpload(Shape, frozen=True):
    """The upload."""

    bucket: str
    key: str
    upload_id: Annotated[str, element("UploadId")]


class CreateMultipartUploadReply(msgspec.Struct, frozen=True):
    """The upload, and the checksum that will be kept."""

    upload: Annotated[InitiatedUpload, Document("InitiateMultipartUploadResult")]
    algorithm: Annotated[str | None, Header("x-amz-checksum-algorithm")]
    type: Annotated[str | None, Header("x-amz-checksum-type")]


class CompletedPart(Checksums, frozen=True, kw_only=True):
    """A part that belongs to the object."""

    number: Annotated[int, element("PartNumber")]
    etag: str | None = None

    @property
    def checksums(self) -> dict[str, str]:
        """The part's checksums, by algorithm."""
        return checksums_in(self)


class CompletedParts(Shape, frozen=True):
    """The parts of the object, in order."""

    parts: Annotated[Rows[CompletedPart], element("Part")] = NO_ROWS


class CompleteMultipartUploadAsk(msgspec.Struct, frozen=True):
    """Which parts make the object; the headers speak of the object as a whole."""

    upload_id: Annotated[str, Query("uploadId")]
    only_if: Annotated[WriteIf, Derived(write_if, WRITE_HEADERS)]
    checksums: Annotated[dict[str, str], Derived(sent_checksums, CHECKSUM_HEADERS)]
    url: Annotated[str, Derived(object_url, ("host",))]
    parts: Annotated[CompletedParts, Document("CompleteMultipartUpload", optional=True)] = CompletedParts()
    type: Annotated[str | None, Header("x-amz-checksum-type")] = None
    size: Annotated[int | None, Header("x-amz-mp-object-size", size_in_bytes)] = None


class CompletedUpload(Checksums, frozen=True, kw_only=True):
    """The object."""

    location: str
    bucket: str
    key: str
    etag: str
    type: Annotated[str | None, element("ChecksumType")] = None


class CompleteMultipartUploadReply(msgspec.Struct, frozen=True):
    """The object and its version."""

    result: Annotated[CompletedUpload, Document("CompleteMultipartUploadResult")]
    version: Annotated[str | None, Header("x-amz-version-id")] = None


class AbortMultipartUploadAsk(msgspec.Struct, frozen=True):
    """Which upload is given up, perhaps only if it began at that time."""

    upload_id: Annotated[str, Query("uploadId")]
    initiated_ms: Annotated[int | None, Header("x-amz-if-match-initiated-time", any_date)] = None


@operation("CreateMultipartUpload", "POST", OBJECT, when=("uploads",), needs="writes", allow="s3:PutObject",
           allow_tags="s3:PutObjectTagging")
async def create_multipart_upload(call: Call[CreateMultipartUploadAsk]) -> CreateMultipartUploadReply:
    ask = call.ask
    type = checksum_type(ask.algorithm, ask.type)
    attributes = ask.attributes if ask.said is None else with_acl(
        ask.attributes, ask.said, call.record, call.house.users)
    upload = await call.house.uploads.create(
        call.record, call.key, attributes, initiator=call.account.id, algorithm=ask.algorithm, type=type)
    initiated = InitiatedUpload(bucket=call.name, key=call.key, upload_id=upload.id)
    return CreateMultipartUploadReply(initiated, ask.algorithm or None, type or None)


def checksum_type(algorithm: str, asked: str) -> str:
    """The type of the whole's checksum: what was asked for, else the algorithm's own; "" without an
    algorithm.

    Raises InvalidRequest for what cannot be (Amazon S3 User Guide, "Checking object integrity").
    """
    if not algorithm:
        if asked:
            raise faults.InvalidRequest(
                "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.")
        return ""
    row = ALGORITHMS[algorithm]
    possible = {COMPOSITE: row.composite, FULL_OBJECT: row.full_object}
    if not asked:
        return COMPOSITE if row.composite else FULL_OBJECT
    if asked not in possible:
        raise faults.InvalidRequest("Value for x-amz-checksum-type header is invalid.")
    if not possible[asked]:
        raise faults.InvalidRequest(
            f"The {asked} checksum type cannot be used with the {algorithm.lower()} checksum algorithm.")
    return asked


@operation("CompleteMultipartUpload", "POST", OBJECT, when=("uploadId",), needs="writes",
           allow="s3:PutObject")
async def complete_multipart_upload(
    call: Call[CompleteMultipartUploadAsk],
) -> CompleteMultipartUploadReply:
    ask, limits = call.ask, call.dialect.limits
    assert call.opened is not None, "the operation opens its bucket"
    parts = ask.parts.parts
    asked = Asked(
        parts, parts.column("number"), parts.column("etag"), ask.checksums, ask.type, ask.size, ask.only_if,
        bare=parts.lack(CHECKSUM_FIELDS))
    done = await call.house.uploads.complete(
        call.opened, call.key, ask.upload_id, asked,
        Rules(limits.min_part_bytes, limits.max_parts, call.dialect.compares_part_etags,
              call.dialect.wants_part_checksums))
    checksum = done.checksum
    result = CompletedUpload(
        location=ask.url, bucket=call.name, key=call.key, etag=quoted(done.etag),
        type=checksum.type if checksum else None,
        **(checksum_fields(checksum.algorithm, checksum.value) if checksum else {}))
    return CompleteMultipartUploadReply(result, call.written_version(done.version))


@operation("AbortMultipartUpload", "DELETE", OBJECT, when=("uploadId",), needs="writes",
           allow="s3:AbortMultipartUpload", status=204)
async def abort_multipart_upload(call: Call[AbortMultipartUploadAsk]) -> Nothing:
    ask = call.ask
    await call.house.uploads.abort(call.record, call.key, ask.upload_id, initiated_ms=ask.initiated_ms)
    return Nothing()
