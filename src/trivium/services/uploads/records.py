"""Rows of uploads and parts: what is kept of them and how they are found."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from trivium.base import faults
from trivium.base.digests import FULL_OBJECT, Checksum
from trivium.buckets.entry import Attributes
from trivium.buckets.record import BucketRecord
from trivium.services.uploads.groups import GROUPS, Part, columns_of, group_of
from trivium.storage import blobs, keys
from trivium.storage.engine import Read, Write
from trivium.storage.records import Records

RUNNING: Final = 0
COMPLETED: Final = 1
ABORTED: Final = 2  # what is left of its parts waits to be released

UNASKED: Final = "CRC64NVME"  # the checksum that objects have when nobody asked for one, of the full object


class Completed(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What completing an upload answered, so that a repeated request gets the same. `asked` tells its list of
    parts.
    """

    at_ms: int
    asked: str
    etag: str
    version: str
    size: int
    checksum: Checksum | None = None


class Upload(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An upload. `bucket` is the bucket's number, `bucket_name` its name; `initiated_ms` in ms since 1970.

    `initiator` is a canonical id; `attributes` are those of the object to be. `algorithm` and `type` are the
    checksum that the initiator asked for, "" when none. `owns`: its part rows own their blobs, and whoever
    removes one releases them; else an object's layout has taken them over, but for those of the parts that
    were `unlisted`, by number.
    """

    id: str
    bucket: int
    bucket_name: str
    key: str
    initiated_ms: int
    initiator: str
    attributes: Attributes
    algorithm: str = ""
    type: str = ""
    state: int = RUNNING
    completed: Completed | None = None
    owns: bool = True
    unlisted: tuple[int, ...] = ()

    @property
    def kept_algorithm(self) -> str:
        """The checksum that is kept of each part and of the whole."""
        return self.algorithm or UNASKED

    @property
    def kept_type(self) -> str:
        """FULL_OBJECT or COMPOSITE: how the whole's checksum is made."""
        return self.type or FULL_OBJECT

    @property
    def row(self) -> bytes:
        """The key of its row. A completed upload stands apart, so that listings do not meet it."""
        if self.state == COMPLETED:
            return keys.finished(self.id)
        return keys.upload(self.bucket, self.key, self.id)


PARTS_A_ROW: Final = 64

_BEHIND_ALL: Final = 0xFFFF  # no part's number, and the last that has a key
_REVISION: Final = 0  # no part's number: its row says when the parts last changed

UPLOADS: Final = Records(Upload)


def running(tx: Read, record: BucketRecord, key: str, upload_id: str) -> Upload:
    """The upload, which takes parts. Raises NoSuchUpload for one that is unknown, another key's, completed or
    aborted.
    """
    upload = known(tx, record, key, upload_id)
    if upload.state != RUNNING:
        raise faults.NoSuchUpload(UploadId=upload_id)
    return upload


def known(tx: Read, record: BucketRecord, key: str, upload_id: str) -> Upload:
    """The upload in any state. Raises NoSuchUpload."""
    data = tx.get(keys.upload(record.id, key, upload_id)) or tx.get(keys.finished(upload_id))
    if data is None:
        raise faults.NoSuchUpload(UploadId=upload_id)
    upload = UPLOADS.decode(data)
    if (upload.bucket, upload.key) != (record.id, key):
        raise faults.NoSuchUpload(UploadId=upload_id)
    return upload


def is_running(tx: Read, upload: Upload) -> bool:
    """Is the upload, which was running a moment ago, still running?"""
    data = tx.get(upload.row)
    return data is not None and UPLOADS.decode(data).state == RUNNING


def put_upload(tx: Write, upload: Upload) -> None:
    """Write the upload's row."""
    tx.put(upload.row, UPLOADS.encode(upload))


def group_rows(tx: Read, upload: Upload, *, after: int = 0) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of the upload's rows of parts, in order, from that of number `after + 1` on."""
    first = _first_beside(min(after + 1, _BEHIND_ALL))
    return tx.scan(keys.part(upload.id, first), keys.after(keys.parts(upload.id)))


def revision(tx: Read, upload: Upload) -> bytes | None:
    """Differs whenever the upload's parts do: whoever has seen them need not look at each again."""
    return tx.get(keys.part(upload.id, _REVISION))


def forget_revision(tx: Write, upload: Upload) -> None:
    """Remove the revision of an upload whose parts change no more."""
    tx.delete(keys.part(upload.id, _REVISION))


def put_part(tx: Write, upload: Upload, part: Part, *, now_ms: int) -> None:
    """Write the part into its row, which owns its spans' blobs already, and let go of a part that it
    replaces.
    """
    tx.put(keys.part(upload.id, _REVISION), keys.number(tx.sequence()))
    first = _first_beside(part.number)
    row, stop = keys.part(upload.id, first), keys.part(upload.id, first + PARTS_A_ROW)
    found = list(tx.scan(row, stop))  # one row; earlier houses wrote one for each part
    beside = {one.number: one for _, value in found for one in GROUPS.decode(value).parts}
    if part.number in beside:
        release(tx, beside[part.number], now_ms=now_ms)
    beside[part.number] = part
    parts = [beside[number] for number in sorted(beside)]
    full = len(parts) == PARTS_A_ROW
    columns = columns_of(parts, upload.kept_algorithm, upload.kept_type) if full else None
    for other, _ in found:
        tx.delete(other)
    tx.put(row, GROUPS.encode(group_of(parts, columns)))


def release(tx: Write, part: Part, *, now_ms: int) -> None:
    """Let go of the part's blobs. The caller removes or replaces it in its row in the same transaction."""
    for span in part.spans:
        blobs.release(tx, span.id, now_ms=now_ms)


def _first_beside(number: int) -> int:
    """The first number of the row in which the part stands."""
    return number - (number - 1) % PARTS_A_ROW
