"""A bucket with its uploads over the memory engine, and what tests want to know of the rows below."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.parts import Wanted, asking
from trivium.base.clock import SetClock
from trivium.base.faults import Fault, FaultKind
from trivium.base.ids import SeededIds
from trivium.base.incoming import Given, Incoming
from trivium.buckets.bucket import Companion, Content, nothing
from trivium.buckets.conditions import ALWAYS, WriteIf
from trivium.buckets.copying import chunks_of
from trivium.buckets.entry import Attributes, Entry
from trivium.buckets.objects.bucket import ObjectsBucket
from trivium.buckets.record import BUCKETS, BucketRecord, Ground
from trivium.services.catalog import Opened
from trivium.services.uploads import Completed, Part, Rules, Upload, Uploads
from trivium.storage import keys
from trivium.storage.blobstores.memory import MemoryBlobs
from trivium.storage.engine import Read
from trivium.storage.engines.memory import MemoryEngine

RULES = Rules(min_part_bytes=1, max_parts=10_000)
HOUR_MS = 3_600_000


class Ward:
    """An empty objects bucket with its uploads, and what a test wants to know of the rows below."""

    def __init__(self) -> None:
        self.clock = SetClock()
        ids = SeededIds()
        self.engine = MemoryEngine()
        self.blobs = MemoryBlobs(self.clock, ids)
        self.ground = Ground(self.engine, self.blobs, self.clock, ids, 8)
        self.record = BucketRecord(1, "bucket", "objects", "owner", self.clock.now_ms())
        self.uploads = Uploads(self.ground)

    async def open(self) -> None:
        await self.engine.write(
            lambda tx: tx.put(keys.text(keys.CATALOG, self.record.name), BUCKETS.encode(self.record)))
        self.bucket = ObjectsBucket(self.ground, self.record, self.engine.generation)
        self.opened = Opened(self.record, self.bucket)

    async def begin(self, key: str = "key", algorithm: str = "", type: str = "") -> Upload:
        return await self.uploads.create(
            self.record, key, Attributes("text/plain", owner="me"), initiator="me", algorithm=algorithm,
            type=type)

    async def add(self, upload: Upload, number: int, data: bytes) -> Part:
        incoming = Incoming(Given(data), len(data))
        return await self.uploads.put_part(upload, number, incoming)

    async def complete(self, upload: Upload, *parts: Part, only_if: WriteIf = ALWAYS) -> Completed:
        name = upload.kept_algorithm
        asked = asking(
            tuple(Wanted(part.number, part.etag, {name: part.checksum}) for part in parts), only_if=only_if)
        return await self.uploads.complete(self.opened, upload.key, upload.id, asked, RULES)

    async def content(self, key: str) -> bytes:
        return b"".join([chunk async for chunk in chunks_of(await (await self.bucket.read(key)).body())])

    async def owners(self) -> dict[str, int]:
        """The number of owners of every named blob."""

        def look(tx: Read) -> dict[str, int]:
            found = {}
            for row, _ in tx.scan(keys.BLOB, keys.after(keys.BLOB)):
                count = tx.get(keys.SHARE + row[1:])
                found[row[1:].decode()] = 1 if count is None else keys.read_number(count)
            return found

        return await self.engine.read(look)

    async def rows(self, table: bytes) -> int:
        return await self.engine.read(lambda tx: sum(1 for _ in tx.scan(table, keys.after(table))))


Story = Callable[[Ward], Awaitable[None]]


def told(story: Story) -> None:
    """Run the story with a fresh ward."""

    async def whole() -> None:
        ward = Ward()
        await ward.open()
        await story(ward)

    asyncio.run(whole())


async def refused(kind: FaultKind, doing: Awaitable[object]) -> Fault:
    with pytest.raises(Fault) as caught:
        await doing
    assert caught.value.kind is kind
    return caught.value


def blob(part: Part) -> str:
    return part.spans[0].id


async def put(ward: Ward, key: str, data: bytes) -> Entry:
    return await ward.bucket.put(key, Incoming(Given(data), len(data)), Attributes())


class Interrupted(ObjectsBucket):
    """A bucket where something happens just before a put."""

    __slots__ = ("before",)

    before: Callable[[], Awaitable[object]]

    async def put(
        self, key: str, content: Content, attributes: Attributes, *, only_if: WriteIf = ALWAYS,
        companion: Companion = nothing,
    ) -> Entry:
        await self.before()
        return await super().put(key, content, attributes, only_if=only_if, companion=companion)


def interrupted(ward: Ward, before: Callable[[], Awaitable[object]]) -> Opened:
    bucket = Interrupted(ward.ground, ward.record, ward.engine.generation)
    bucket.before = before
    return Opened(ward.record, bucket)
