"""An objects bucket, the ground under it, and what tests do with them again and again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import pytest

from trivium.base.clock import SetClock
from trivium.base.faults import Fault
from trivium.base.ids import SeededIds
from trivium.base.incoming import Given, Incoming
from trivium.buckets.bucket import Deletion, Gone
from trivium.buckets.copying import chunks_of
from trivium.buckets.entry import Attributes, Entry
from trivium.buckets.objects.bucket import ObjectsBucket
from trivium.buckets.record import BUCKETS, BucketRecord, Ground
from trivium.storage import keys
from trivium.storage.blobstores.memory import MemoryBlobs
from trivium.storage.engine import Write
from trivium.storage.engines.memory import MemoryEngine
from trivium.storage.journal import CHANGES, Change

BIG = b"does not fit into a row" * 10


class Room:
    """A bucket and the ground under it."""

    def __init__(self, versioning: str = "") -> None:
        self.clock, self.ids, self.engine = SetClock(), SeededIds(), MemoryEngine()
        self.blobs = MemoryBlobs(self.clock, self.ids)
        self.ground = Ground(self.engine, self.blobs, self.clock, self.ids, inline_bytes=16)
        self.record = BucketRecord(1, "bucket", "objects", "me", 0, versioning)
        self.bucket = self.opened()

    def opened(self) -> ObjectsBucket:
        return ObjectsBucket(self.ground, self.record, self.engine.generation)

    async def save(self, record: BucketRecord | None) -> None:
        """Change the bucket's record behind the opened bucket's back."""

        def change(tx: Write) -> None:
            row = keys.text(keys.CATALOG, "bucket")
            if record is None:
                tx.delete(row)
            else:
                tx.put(row, BUCKETS.encode(record))
            tx.announce()

        await self.engine.write(change)

    async def switch(self, versioning: str) -> None:
        """Change the versioning and open the bucket again."""
        self.record = msgspec.structs.replace(self.record, versioning=versioning)
        await self.save(self.record)
        self.bucket = self.opened()

    async def put(self, key: str, data: bytes = b"data") -> Entry:
        return await self.bucket.put(key, Incoming(Given(data), len(data)), Attributes(owner="me"))

    async def delete(self, key: str, version: str | None = None) -> Gone:
        gone, = await self.bucket.delete([Deletion(key, version)], actor="me")
        assert isinstance(gone, Gone)
        return gone

    async def content(self, key: str, version: str | None = None) -> bytes:
        body = await (await self.bucket.read(key, version)).body()
        return b"".join([chunk async for chunk in chunks_of(body)])

    async def versions(self, start: str = "", marker: str | None = None, limit: int = 1000) -> list[str]:
        """`key version` of each, markers with a minus; the newest of a key with a star."""
        assert self.bucket.features.versions is not None
        rows = await self.bucket.features.versions.list("", start, marker, limit)
        return [
            f"{row.entry.key} {row.entry.version[:4]}{'-' * row.entry.marker}{'*' * row.latest}"
            for row in rows
        ]

    async def stored_blobs(self) -> int:
        return len([id async for id in self.blobs.ids(older_than_ms=self.clock.now_ms() + 1)])

    async def changes(self) -> list[Change]:
        prefix = keys.of_bucket(keys.LOG, 1)
        return await self.engine.read(
            lambda rows: [CHANGES.decode(data) for _, data in rows.scan(prefix, keys.after(prefix))])


def run(story: Callable[[Room], Awaitable[None]], versioning: str = "") -> None:
    async def inside() -> None:
        await story(Room(versioning))

    asyncio.run(inside())


async def refused(work: Awaitable[object]) -> Fault:
    with pytest.raises(Fault) as caught:
        await work
    return caught.value
