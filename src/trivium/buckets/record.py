"""What the catalog keeps of a bucket, and the ground that every bucket kind is built on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from trivium.base import faults
from trivium.base.clock import Clock
from trivium.base.faults import Fault
from trivium.base.ids import Ids
from trivium.buckets.acl import Acl
from trivium.storage import keys
from trivium.storage.blobs import Blobs
from trivium.storage.engine import Engine, Read, Write
from trivium.storage.records import Records

OBJECTS: Final = "objects"
MOUNT: Final = "mount"
BRANCH: Final = "branch"

ENABLED: Final = "Enabled"
SUSPENDED: Final = "Suspended"

OBJECT_WRITER: Final = "ObjectWriter"
OWNER_PREFERRED: Final = "BucketOwnerPreferred"
OWNER_ENFORCED: Final = "BucketOwnerEnforced"


class BucketRecord(msgspec.Struct, frozen=True, array_like=True):
    """A bucket's row. `id` is its number in all keys and never used again; `kind` says who builds the bucket.

    `owner` is a canonical id; `versioning` is "", "Enabled" or "Suspended"; `facts` are the kind's own (a
    mount's path, a branch's repository and fork). `acl` is None as long as nobody but the owner was ever
    granted anything: then all its objects are the owner's. `ownership` is what was said of who owns objects:
    "", ObjectWriter (which "" means too), BucketOwnerPreferred, or BucketOwnerEnforced, with which lists
    count for nothing.
    """

    id: int
    name: str
    kind: str
    owner: str
    created_ms: int
    versioning: str = ""
    region: str = ""
    facts: dict[str, str] = {}
    acl: Acl = None
    ownership: str = ""


BUCKETS: Final = Records(BucketRecord)


Settled = Callable[[Write, BucketRecord], None]


def bare(tx: Write, record: BucketRecord) -> None:
    """Nothing is settled about the new bucket."""


class Ground(msgspec.Struct, frozen=True):
    """What buckets are built on. Bodies of up to `inline_bytes` rest in their row, larger ones in a blob."""

    engine: Engine
    blobs: Blobs
    clock: Clock
    ids: Ids
    inline_bytes: int = 64 << 10


def find(rows: Read, name: str) -> BucketRecord | None:
    """The record of the bucket of that name; None when there is none."""
    data = rows.get(keys.text(keys.CATALOG, name))
    return BUCKETS.decode(data) if data is not None else None


def enroll(
    tx: Write, name: str, kind: str, owner: str, *, now_ms: int, versioning: str = "", region: str = "",
    facts: Mapping[str, str] | None = None,
) -> BucketRecord:
    """A new bucket's record, in this transaction. Raises BucketAlreadyOwnedByYou or BucketAlreadyExists."""
    there = find(tx, name)
    if there is not None:
        raise taken(there, owner, name)
    record = BucketRecord(tx.sequence(), name, kind, owner, now_ms, versioning, region, dict(facts or {}))
    settle(tx, record)
    return record


def taken(there: BucketRecord, owner: str, name: str) -> Fault:
    """What the owner is told who asks for a new bucket of a name that is there already."""
    kind = faults.BucketAlreadyOwnedByYou if there.owner == owner else faults.BucketAlreadyExists
    return kind(BucketName=name)


def settle(tx: Write, record: BucketRecord) -> None:
    """Write the record, in this transaction."""
    tx.put(keys.text(keys.CATALOG, record.name), BUCKETS.encode(record))
    tx.announce()


def strike(tx: Write, record: BucketRecord) -> BucketRecord:
    """Take the bucket's record away, in this transaction. Raises NoSuchBucket."""
    now = confirm(tx, record)
    tx.delete(keys.text(keys.CATALOG, now.name))
    tx.announce()
    return now


def confirm(tx: Read, record: BucketRecord) -> BucketRecord:
    """The bucket's record as it is in this transaction. Raises NoSuchBucket when it went or is another.

    A writer that holds a record of an older `Engine.generation` calls this inside its transaction.
    """
    now = find(tx, record.name)
    if now is None or now.id != record.id:
        raise faults.NoSuchBucket(BucketName=record.name)
    return now
