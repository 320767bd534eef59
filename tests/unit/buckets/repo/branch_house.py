"""Repositories on a fresh ground, and what tests do with their branches again and again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from trivium.base import faults
from trivium.base.clock import SetClock
from trivium.base.faults import Fault
from trivium.base.ids import SeededIds
from trivium.base.incoming import Given, Incoming
from trivium.buckets.bucket import Bucket, Deletion, Gone
from trivium.buckets.entry import Attributes
from trivium.buckets.record import BucketRecord, Ground
from trivium.buckets.repo.bucket import BranchBucket
from trivium.buckets.repo.repository import Repositories
from trivium.storage import keys
from trivium.storage.blobstores.memory import MemoryBlobs
from trivium.storage.engines.memory import MemoryEngine
from trivium.storage.journal import CHANGES, Change

LARGE = b"more than what a row takes"


class House:
    """Repositories on a fresh ground."""

    def __init__(self) -> None:
        self.clock, ids, self.engine = SetClock(), SeededIds(), MemoryEngine()
        self.ground = Ground(self.engine, MemoryBlobs(self.clock, ids), self.clock, ids, inline_bytes=8)
        self.repositories = Repositories(self.ground)

    async def create(self, name: str = "master.images") -> BranchBucket:
        return self.bucket(await self.repositories.create(name, "owner"))

    async def fork(self, branch: str, new: str, *, at: str = "HEAD") -> BranchBucket:
        return self.bucket(await self.repositories.fork("images", branch, new, at=at))

    async def record(self, branch: str) -> BucketRecord:
        return next(one for one in await self.repositories.branches("images") if one.facts["branch"] == branch)

    def bucket(self, record: BucketRecord) -> BranchBucket:
        return BranchBucket(self.ground, record, self.engine.generation)

    async def rows(self, table: bytes) -> list[bytes]:
        return await self.engine.read(lambda rows: [value for _, value in rows.scan(table, keys.after(table))])

    async def changes(self, branch: str) -> list[Change]:
        prefix = keys.of_bucket(keys.LOG, (await self.record(branch)).id)
        return await self.engine.read(
            lambda rows: [CHANGES.decode(value) for _, value in rows.scan(prefix, keys.after(prefix))])


Story = Callable[[House], Awaitable[None]]


def run(story: Story) -> None:
    asyncio.run(_run(story))


async def _run(story: Story) -> None:
    await story(House())


async def put(bucket: BranchBucket, key: str, data: bytes = b"data") -> str:
    return (await bucket.put(key, Incoming(Given(data), len(data)), Attributes(owner="writer"))).version


async def delete(bucket: BranchBucket, *doomed: str) -> list[Gone | Fault]:
    return await bucket.delete([Deletion(key) for key in doomed], actor="actor")


async def content(bucket: BranchBucket, key: str, version: str | None = None) -> object:
    return await (await bucket.read(key, version)).body()


async def listed(bucket: BranchBucket) -> list[str]:
    return [entry.key for entry in await bucket.list("", "", 1000)]


async def as_of(bucket: BranchBucket, commit: str) -> Bucket:
    assert bucket.features.history is not None
    return await bucket.features.history.as_of(commit)


async def refusal(work: Awaitable[object]) -> faults.FaultKind:
    with pytest.raises(Fault) as refused:
        await work
    return refused.value.kind
