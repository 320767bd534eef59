"""Completing an upload: the object's entry and the upload's row change in one transaction.

Theory of operation. The upload's row and part rows are read, the pure rules make a whole of them, and the
bucket puts it. The put's companion, inside its transaction, refuses unless the upload is still running and
its parts have not changed since they were read, which their revision tells; only then do the blobs change
their owner. So a part that is replaced, another Complete or an Abort that comes in between undoes the put,
and the upload is looked at anew. The part rows are left behind for the expiry: to remove a thousand of
them would cost more than all the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec.structs import replace

from trivium.base import faults
from trivium.base.faults import Fault
from trivium.buckets.bucket import Resting
from trivium.buckets.entry import Entry
from trivium.buckets.record import BucketRecord, Ground
from trivium.services.catalog import Opened
from trivium.services.uploads.completion import Asked, Rules, Whole, assemble
from trivium.services.uploads.groups import GROUPS, Group
from trivium.services.uploads.records import (
    COMPLETED,
    RUNNING,
    Completed,
    Upload,
    forget_revision,
    group_rows,
    is_running,
    known,
    put_upload,
    revision,
)
from trivium.storage.engine import Read, Write

_ATTEMPTS: Final = 5


class _Overtaken(Exception):
    """The upload or its parts changed between the look and the write."""


class _Seen(msgspec.Struct, frozen=True):
    """An upload with its parts, as they were at one moment."""

    upload: Upload
    groups: Sequence[Group] = ()
    revision: bytes | None = None


async def complete(
    ground: Ground, opened: Opened, key: str, upload_id: str, asked: Asked, rules: Rules,
) -> Completed:
    """Make the object of the listed parts. Faults as `Uploads.complete` says."""
    for _ in range(_ATTEMPTS):
        seen = await ground.engine.read(lambda tx: _look(tx, opened.record, key, upload_id))
        if seen.upload.state != RUNNING:
            return _repeated(seen.upload, asked)
        whole = assemble(seen.upload, seen.groups, asked, rules)
        try:
            return await _finish(opened, seen, whole, asked)
        except _Overtaken:
            continue
        except Fault as fault:
            # The same request may have won the race: then its object is what made our condition fail.
            if fault.kind is not faults.PreconditionFailed:
                raise
            now = await ground.engine.read(lambda tx: known(tx, opened.record, key, upload_id))
            if now.state != COMPLETED:
                raise
    raise faults.OperationAborted()


def _look(tx: Read, record: BucketRecord, key: str, upload_id: str) -> _Seen:
    upload = known(tx, record, key, upload_id)
    if upload.state != RUNNING:
        return _Seen(upload)
    groups = GROUPS.decode_all([value for _, value in group_rows(tx, upload)])
    return _Seen(upload, groups, revision(tx, upload))


def _repeated(upload: Upload, asked: Asked) -> Completed:
    """What the same request was answered before. Raises NoSuchUpload for another request."""
    if upload.completed is None or upload.completed.asked != asked.fingerprint:
        raise faults.NoSuchUpload(UploadId=upload.id)
    return upload.completed


async def _finish(opened: Opened, seen: _Seen, whole: Whole, asked: Asked) -> Completed:
    """Put the whole. A bucket that shares takes the parts' blobs over; another takes their bytes, and the
    part rows own the blobs until the expiry.
    """
    upload, shares, asked_for = seen.upload, opened.bucket.features.shares, asked.fingerprint

    def companion(tx: Write, entry: Entry) -> None:
        if not is_running(tx, upload) or revision(tx, upload) != seen.revision:
            raise _Overtaken
        tx.delete(upload.row)
        forget_revision(tx, upload)
        put_upload(tx, replace(
            upload, state=COMPLETED, completed=_answer(entry, asked_for), owns=not shares,
            unlisted=whole.unlisted))

    content = Resting(
        whole.size, whole.etag, whole.checksum, layout=whole.layout, owned=shares, parts=whole.parts)
    entry = await opened.bucket.put(
        upload.key, content, upload.attributes, only_if=asked.only_if, companion=companion)
    return _answer(entry, asked_for)


def _answer(entry: Entry, asked: str) -> Completed:
    return Completed(entry.modified_ms, asked, entry.etag, entry.version, entry.size, entry.checksum)
