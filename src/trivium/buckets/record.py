"""What the catalog keeps of a bucket, and the ground that every bucket kind is built on."""

from __future__ import annotations

from typing import Final

import msgspec

from trivium.base import faults
from trivium.base.clock import Clock
from trivium.base.ids import Ids
from trivium.storage import keys
from trivium.storage.blobs import Blobs
from trivium.storage.engine import Engine, Read
from trivium.storage.records import Records

OBJECTS: Final = "objects"
MOUNT: Final = "mount"
BRANCH: Final = "branch"

ENABLED: Final = "Enabled"
SUSPENDED: Final = "Suspended"


class BucketRecord(msgspec.Struct, frozen=True, array_like=True):
    """A bucket's row. `id` is its number in all keys and never used again; `kind` says who builds the bucket.

    `owner` is a canonical id; `versioning` is "", "Enabled" or "Suspended"; `facts` are the kind's own (a mount's path, a
    branch's repository and fork).
    """

    id: int
    name: str
    kind: str
    owner: str
    created_ms: int
    versioning: str = ""
    region: str = ""
    facts: dict[str, str] = {}


BUCKETS: Final = Records(BucketRecord)


class Ground(msgspec.Struct, frozen=True):
    """What buckets are built on. Bodies of up to `inline_bytes` rest in their row, larger ones in a blob."""

    engine: Engine
    blobs: Blobs
    clock: Clock
    ids: Ids
    inline_bytes: int = 64 << 10


def confirm(tx: Read, record: BucketRecord) -> BucketRecord:
    """The bucket's record as it is in this transaction. Raises NoSuchBucket when it went, or another took its name.

    A writer that holds a record of an older `Engine.generation` calls this inside its transaction.
    """
    data = tx.get(keys.text(keys.CATALOG, record.name))
    now = BUCKETS.decode(data) if data is not None else None
    if now is None or now.id != record.id:
        raise faults.NoSuchBucket(BucketName=record.name)
    return now
