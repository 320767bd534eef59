"""The kinds of bucket that the contract suites run with. A new kind is one row of KINDS."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from trivium.base import faults
from trivium.base.body import Body, FileSpan, HeldSpan, Pieces
from trivium.base.clock import SetClock
from trivium.base.faults import Fault
from trivium.base.ids import SeededIds
from trivium.base.incoming import Given, Incoming
from trivium.base.span import Span
from trivium.buckets.bucket import Bucket, Deletion
from trivium.buckets.entry import Attributes, Entry
from trivium.buckets.mount.mounts import Mounts
from trivium.buckets.objects.bucket import ObjectsBucket
from trivium.buckets.record import BUCKETS, BucketRecord, Ground
from trivium.buckets.repo.bucket import BranchBucket
from trivium.buckets.repo.repository import Repositories
from trivium.services.access.guarded import GuardedBucket, Watch
from trivium.services.access.users import Account
from trivium.storage import keys
from trivium.storage.blobstores.memory import MemoryBlobs
from trivium.storage.engine import Engine
from trivium.under.local import LocalStore

Open = Callable[[Path, SetClock, Engine], Awaitable[Bucket]]


def objects(versioning: str, *, inline_bytes: int) -> Open:
    async def opened(_folder: Path, clock: SetClock, engine: Engine) -> Bucket:
        ids = SeededIds()
        ground = Ground(engine, MemoryBlobs(clock, ids), clock, ids, inline_bytes)
        record = BucketRecord(1, "bucket", "objects", "owner", clock.now_ms(), versioning)
        await engine.write(lambda tx: tx.put(keys.text(keys.CATALOG, record.name), BUCKETS.encode(record)))
        return ObjectsBucket(ground, record, engine.generation)

    return opened


async def guarded(folder: Path, clock: SetClock, engine: Engine) -> Bucket:
    """An objects bucket as its owner sees it where others may own some of it."""
    bucket = await objects("", inline_bytes=64)(folder, clock, engine)
    record = BucketRecord(1, "bucket", "objects", "owner", clock.now_ms())
    return GuardedBucket(bucket, Watch(Account("owner", "Owner"), "s3:GetObject", record))


async def mount(folder: Path, clock: SetClock, engine: Engine) -> Bucket:
    ids = SeededIds()
    ground = Ground(engine, MemoryBlobs(clock, ids), clock, ids)
    (folder / "mounted").mkdir()
    record = BucketRecord(1, "bucket", "mount", "owner", clock.now_ms(), facts={"path": str(folder / "mounted")})
    await engine.write(lambda tx: tx.put(keys.text(keys.CATALOG, record.name), BUCKETS.encode(record)))
    return Mounts(ground, lambda facts: LocalStore(facts["path"], clock, ids)).bucket(record)


def branch(*, forked: bool, inline_bytes: int = 64) -> Open:
    async def opened(_folder: Path, clock: SetClock, engine: Engine) -> Bucket:
        ids = SeededIds()
        ground = Ground(engine, MemoryBlobs(clock, ids), clock, ids, inline_bytes)
        repositories = Repositories(ground)
        record = await repositories.create("master.images", "owner")
        if forked:
            parent = BranchBucket(ground, record, engine.generation)
            await parent.put("gone", upload(b"x"), PLAIN)
            await parent.delete([Deletion("gone")], actor="me")
            record = await repositories.fork("images", "master", "fork")
            await parent.put("later", upload(b"x"), PLAIN)
            clock.advance(ms=1000)
        return BranchBucket(ground, record, engine.generation)

    return opened


class Kind(NamedTuple):
    """How a bucket of the kind is opened, empty, and which features it declares."""

    open: Open
    features: frozenset[str]


_OBJECTS = frozenset({
    "writes", "shares", "versions", "annotations", "acls", "renames", "past", "current", "removable"})
_BRANCH = _OBJECTS - {"acls"} | {"history"}
KINDS: dict[str, Kind] = {
    "objects": Kind(objects("", inline_bytes=64), _OBJECTS),
    "objects with versions": Kind(objects("Enabled", inline_bytes=64), _OBJECTS),
    "objects without versions any more": Kind(objects("Suspended", inline_bytes=64), _OBJECTS),
    "objects, guarded": Kind(guarded, _OBJECTS),
    "objects, nothing in rows": Kind(objects("", inline_bytes=-1), _OBJECTS),
    "mount": Kind(mount, frozenset({"writes", "annotations", "acls", "current"})),
    "branch": Kind(branch(forked=False), _BRANCH),
    "branch, nothing in rows": Kind(branch(forked=False, inline_bytes=-1), _BRANCH),
    "branch, forked": Kind(branch(forked=True), _BRANCH),
}
PLAIN = Attributes()
Story = Callable[[Bucket, SetClock], Awaitable[None]]
Run = Callable[[Story], None]


def having(*features: str) -> list[str]:
    """The kinds that declare all these features."""
    return [name for name, kind in KINDS.items() if kind.features >= set(features)]


def upload(data: bytes, size: int | None = -1) -> Incoming:
    return Incoming(Given(data), len(data) if size == -1 else size)


async def put(bucket: Bucket, key: str, data: bytes = b"data", said: Attributes = PLAIN) -> Entry:
    return await bucket.put(key, upload(data), said)


async def content(bucket: Bucket, key: str, version: str | None = None, span: Span | None = None) -> bytes:
    return bytes_of(await (await bucket.read(key, version)).body(span))


def bytes_of(body: Body) -> bytes:
    if isinstance(body, Pieces):
        return b"".join(map(bytes_of, body.pieces))
    if isinstance(body, FileSpan):
        with Path(body.path).open("rb") as file:
            return os.pread(file.fileno(), body.size, body.first)
    if isinstance(body, HeldSpan):
        return os.pread(body.file.number, body.size, body.first)
    assert isinstance(body, bytes)
    return body


async def listed(bucket: Bucket, prefix: str = "", start: str = "", limit: int = 1000) -> list[str]:
    return [entry.key for entry in await bucket.list(prefix, start, limit)]


async def refused(work: Awaitable[object]) -> faults.FaultKind:
    with pytest.raises(Fault) as caught:
        await work
    return caught.value.kind
