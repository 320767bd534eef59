"""DeleteObject and DeleteObjects."""

from __future__ import annotations

from typing import Annotated

import msgspec

from trivium.base import faults
from trivium.base.faults import Fault
from trivium.base.names import MAX_KEY_BYTES
from trivium.buckets.bucket import Deletion, Gone
from trivium.buckets.conditions import WriteIf
from trivium.s3.call import Call
from trivium.s3.conditions import DELETE_HEADERS, delete_if
from trivium.s3.fields import Derived, Document, Header, Query, any_date, version_id
from trivium.s3.messages import BUCKET, OBJECT
from trivium.s3.registry import operation
from trivium.s3.xml import Shape, element

_MAX_DELETIONS = 1000  # Amazon S3 API Reference, DeleteObjects


class DeleteObjectAsk(msgspec.Struct, frozen=True):
    """A key, or a version of it."""

    only_if: Annotated[WriteIf, Derived(delete_if, DELETE_HEADERS)]
    version: Annotated[str | None, Query("versionId", version_id)] = None


class DeleteObjectReply(msgspec.Struct, frozen=True):
    """What went, or the marker that hides it now."""

    version: Annotated[str | None, Header("x-amz-version-id")] = None
    marker: Annotated[str | None, Header("x-amz-delete-marker")] = None


class ObjectToDelete(Shape, frozen=True):
    """One deletion. What is not understood might have spared something: it is refused."""

    strict = True

    key: str
    version_id: Annotated[str | None, element("VersionId")] = None
    etag: str | None = None
    last_modified_time: str | None = None
    size: int | None = None


class Delete(Shape, frozen=True):
    """Many deletions. Quiet: only what failed is told."""

    strict = True

    objects: Annotated[tuple[ObjectToDelete, ...], element("Object")]
    quiet: bool = False


class DeletedObject(Shape, frozen=True):
    """A deletion that was done."""

    key: str
    version_id: Annotated[str | None, element("VersionId")] = None
    delete_marker: bool | None = None
    delete_marker_version_id: Annotated[str | None, element("DeleteMarkerVersionId")] = None


class DeleteError(Shape, frozen=True):
    """A deletion that was refused."""

    key: str
    code: str
    message: str
    version_id: Annotated[str | None, element("VersionId")] = None


class DeleteResult(Shape, frozen=True):
    """What became of each."""

    deleted: Annotated[tuple[DeletedObject, ...], element("Deleted")]
    errors: Annotated[tuple[DeleteError, ...], element("Error")]


class DeleteObjectsAsk(msgspec.Struct, frozen=True):
    """The deletions."""

    delete: Annotated[Delete, Document("Delete")]


class DeleteObjectsReply(msgspec.Struct, frozen=True):
    """The results."""

    result: Annotated[DeleteResult, Document("DeleteResult")]


@operation("DeleteObject", "DELETE", OBJECT, needs="writes", allow="s3:DeleteObject",
           allow_version="s3:DeleteObjectVersion", status=204)
async def delete_object(call: Call[DeleteObjectAsk]) -> DeleteObjectReply:
    wanted = Deletion(call.key, call.ask.version, call.ask.only_if)
    (done,) = await call.bucket.delete([wanted], actor=call.account.id)
    if isinstance(done, Fault):
        raise done
    return DeleteObjectReply(done.version, "true" if done.marker or done.marker_made else None)


@operation("DeleteObjects", "POST", BUCKET, when=("delete",), needs="writes", allow="s3:DeleteObject")
async def delete_objects(call: Call[DeleteObjectsAsk]) -> DeleteObjectsReply:
    asked = call.ask.delete
    if not 1 <= len(asked.objects) <= _MAX_DELETIONS:
        raise faults.MalformedXML()
    deletions = [_deletion(one) for one in asked.objects]
    done = await call.bucket.delete(deletions, actor=call.account.id)
    fine = call.dialect.fine_faults
    return DeleteObjectsReply(DeleteResult(
        deleted=() if asked.quiet else tuple(
            _deleted(gone, wanted.version) for wanted, gone in zip(deletions, done, strict=True)
            if isinstance(gone, Gone)),
        errors=tuple(
            DeleteError(key=wanted.key, version_id=wanted.version,
                        code=fault.kind.fine if fine else fault.kind.code, message=fault.message)
            for wanted, fault in zip(deletions, done, strict=True) if isinstance(fault, Fault)),
    ))


def _deletion(asked: ObjectToDelete) -> Deletion:
    if not asked.key:
        raise faults.UserKeyNotSpecified()
    size_bytes = len(asked.key.encode())
    if size_bytes > MAX_KEY_BYTES:
        raise faults.KeyTooLong(Size=size_bytes, MaxSizeAllowed=MAX_KEY_BYTES)
    given = asked.last_modified_time
    modified = None if given is None else any_date(given, "LastModifiedTime", kind=faults.InvalidArgument)
    return Deletion(
        asked.key, asked.version_id or None, WriteIf(asked.etag, size=asked.size, modified_ms=modified))


def _deleted(gone: Gone, asked_version: str | None) -> DeletedObject:
    """S3 tells the version that was asked for, and a marker's own id where one was made or removed."""
    marker = gone.marker or gone.marker_made
    return DeletedObject(
        key=gone.key, version_id=asked_version, delete_marker=True if marker else None,
        delete_marker_version_id=gone.version if marker else None,
    )
