"""A mount of a directory over the memory engine, and what its tests want to know of it."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from trivium.base import faults
from trivium.base.clock import SetClock, SystemClock
from trivium.base.faults import Fault
from trivium.base.ids import SeededIds
from trivium.base.incoming import Given, Incoming
from trivium.buckets.acl import READ, Grant
from trivium.buckets.bucket import Deletion
from trivium.buckets.conditions import ALWAYS, WriteIf
from trivium.buckets.entry import Attributes, Entry
from trivium.buckets.mount.bucket import MountBucket
from trivium.buckets.mount.mounts import Mounts
from trivium.buckets.record import BucketRecord, Ground
from trivium.storage import keys
from trivium.storage.blobstores.memory import MemoryBlobs
from trivium.storage.engines.memory import MemoryEngine
from trivium.under.local import LocalStore

ACL = (Grant("friend", READ),)
SAID = Attributes("text/x-mine", metadata={"a": "b"}, tags={"t": "1"}, owner="writer")


class Mounted:
    """A mount of a fresh directory, and what is around it. The clock is an hour ahead: every file has
    settled.
    """

    def __init__(self, root: Path, **facts: str) -> None:
        self.root = root
        self.clock, self.ids, self.engine = SetClock(SystemClock().now_ms() + 3_600_000), SeededIds(), MemoryEngine()
        self.blobs = MemoryBlobs(self.clock, self.ids)
        self.ground = Ground(self.engine, self.blobs, self.clock, self.ids)
        self.record = BucketRecord(7, "bucket", "mount", "owner", 0, facts={"path": str(root), **facts})
        self.mounts = Mounts(self.ground, lambda facts: LocalStore(facts["path"], self.clock, self.ids))

    @property
    def bucket(self) -> MountBucket:
        return self.mounts.bucket(self.record)

    async def put(
        self, key: str, data: bytes = b"data", said: Attributes = SAID, *, only_if: WriteIf = ALWAYS,
    ) -> Entry:
        return await self.bucket.put(key, Incoming(Given(data), len(data)), said, only_if=only_if)

    async def delete(self, key: str) -> None:
        (gone,) = await self.bucket.delete([Deletion(key)], actor="actor")
        assert not isinstance(gone, Fault), gone

    async def keys(self) -> list[str]:
        return [entry.key for entry in await self.bucket.list("", "", 1000)]

    async def rows(self, table: bytes) -> list[bytes]:
        prefix = keys.of_bucket(table, self.record.id)
        return await self.engine.read(lambda rows: [value for _, value in rows.scan(prefix, keys.after(prefix))])


Story = Callable[[Mounted], Awaitable[None]]
Run = Callable[..., None]


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


async def refusal(work: Awaitable[object]) -> faults.FaultKind:
    with pytest.raises(Fault) as refused:
        await work
    return refused.value.kind
