"""The catalog: which buckets there are, whose they are, and the one place that opens them.

Theory of operation. A bucket is a row under its name. Opened buckets are kept in memory for as long as the
engine's generation stands still: whoever changes a catalog row announces it, so that no process ever serves a
bucket from a record that was changed before. At most `_KEPT` opened buckets are kept.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Final

import msgspec
from msgspec.structs import replace

from trivium.base import faults
from trivium.base.faults import Fault
from trivium.buckets import clearing
from trivium.buckets.acl import Acl
from trivium.buckets.bucket import Bucket
from trivium.buckets.record import (
    BUCKETS,
    OBJECTS,
    BucketRecord,
    Ground,
    Settled,
    confirm,
    enroll,
    find,
    settle,
    strike,
)
from trivium.buckets.repo.names import split
from trivium.buckets.repo.repository import called
from trivium.storage import keys
from trivium.storage.engine import Read, Write

_KEPT: Final = 10_000
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?)Z?", re.ASCII)


class Opened(msgspec.Struct, frozen=True):
    """A bucket and its record. A view of the past has the record of the bucket that it is a view of."""

    record: BucketRecord
    bucket: Bucket


class NewBucket(msgspec.Struct, frozen=True):
    """A bucket to be made, and what it is made with. `owner` is a canonical id; `region` "" names none."""

    name: str
    owner: str
    region: str = ""
    acl: Acl = None
    ownership: str = ""
    documents: Mapping[str, bytes] = {}


Build = Callable[[BucketRecord, int], Bucket]


class Kind(msgspec.Struct, frozen=True):
    """How buckets of one kind are opened, made and removed.

    `build` opens one from its record, as it was at that generation of the engine; `make(name, owner, region,
    settled)` makes one that is new, and `settled` settles in the same transaction what else is known of it;
    `remove` removes an empty one, `raze` one with all that is in it; what they refuse stays as it is.
    """

    build: Build
    make: Callable[[str, str, str, Settled], Awaitable[BucketRecord]]
    remove: Callable[[BucketRecord], Awaitable[None]]
    raze: Callable[[BucketRecord], Awaitable[None]]


class Catalog:
    """Buckets by name. `kinds` says how buckets that are not plain objects are opened, made and removed."""

    def __init__(self, ground: Ground, build: Build, kinds: Mapping[str, Kind]) -> None:
        self._ground = ground
        self._kinds = {OBJECTS: Kind(build, self._make_objects, self._remove, self._raze), **kinds}
        self._opened: dict[str, Opened] = {}
        self._generation = -1

    async def open(self, name: str) -> Opened:
        """The bucket of this name; `name@2026-11-01T12:00:00Z` and `commit.name` are the bucket as it was,
        read-only.

        Where no bucket has the name, it may be another one of a branch. A commit is an id, or `HEAD` with
        what `History.as_of` takes. Raises NoSuchBucket, and NotImplemented when the bucket keeps no past:
        versioning was never set.
        """
        generation = self._ground.engine.generation
        if generation != self._generation or len(self._opened) > _KEPT:
            self._opened, self._generation = {}, generation
        found = self._opened.get(name)
        if found is not None:
            return found
        if "@" in name:
            return await self._open_past(name)
        record = await self._ground.engine.read(lambda tx: find(tx, name) or called(tx, name))
        if record is None:
            return await self._open_commit(name)
        opened = Opened(record, self._kinds[record.kind].build(record, generation))
        if self._ground.engine.generation == generation:
            self._opened[name] = opened
        return opened

    async def _open_past(self, name: str) -> Opened:
        plain, _, moment = name.rpartition("@")
        moment_ms = read_moment(moment)
        if moment_ms is None or "@" in plain:
            raise faults.NoSuchBucket(BucketName=name)
        now = await self.open(plain)
        past = now.bucket.features.past
        if past is None:
            raise faults.NotImplemented_("This bucket keeps no past.", BucketName=name)
        if moment_ms < now.record.created_ms:
            raise faults.NoSuchBucket(BucketName=name)
        return Opened(now.record, await past.at(moment_ms))

    async def _open_commit(self, name: str) -> Opened:
        try:
            return await self._as_of(*split(name))
        except Fault as fault:
            if fault.kind not in (faults.NoSuchBucket, faults.NoSuchVersion):
                raise
            raise faults.NoSuchBucket(BucketName=name) from None

    async def _as_of(self, commit: str | None, branch: str) -> Opened:
        if commit is None or split(branch)[0] is not None:
            raise faults.NoSuchBucket()
        now = await self.open(branch)
        history = now.bucket.features.history
        if history is None:
            raise faults.NoSuchBucket()
        return Opened(now.record, await history.as_of(commit))

    async def create(self, kind: str, new: NewBucket) -> None:
        """Make a bucket, all at once. Raises BucketAlreadyOwnedByYou, BucketAlreadyExists, and the kind's."""

        def settled(tx: Write, record: BucketRecord) -> None:
            if new.acl is not None or new.ownership:
                settle(tx, replace(record, acl=new.acl, ownership=new.ownership))
            for name, data in new.documents.items():
                keep_document(tx, record, name, data)

        await self._kinds[kind].make(new.name, new.owner, new.region, settled)

    async def delete(self, record: BucketRecord) -> None:
        """Delete an empty bucket with its documents. Raises NoSuchBucket, BucketNotEmpty, and the kind's."""
        await self._kinds[record.kind].remove(record)

    async def raze(self, record: BucketRecord) -> None:
        """Delete a bucket with its documents and every version in it. A refusal changes nothing.

        Raises NoSuchBucket, and what the kind raises.
        """
        await self._kinds[record.kind].raze(record)

    async def _make_objects(self, name: str, owner: str, region: str, settled: Settled) -> BucketRecord:
        def change(tx: Write) -> BucketRecord:
            refuse_name_of_branch(tx, name)
            record = enroll(tx, name, OBJECTS, owner, now_ms=self._ground.clock.now_ms(), region=region)
            settled(tx, record)
            return record

        return await self._ground.engine.write(change)

    async def _remove(self, record: BucketRecord) -> None:
        await self._ground.engine.write(lambda tx: drop(tx, record))

    async def _raze(self, record: BucketRecord) -> None:
        await self._ground.engine.write(lambda tx: clearing.raze(tx, record))
        await clearing.clear(self._ground)

    async def list(
        self, owner: str, *, prefix: str = "", start: str = "", limit: int = 10_000,
        regions: frozenset[str] | None = None,
    ) -> list[BucketRecord]:
        """Up to `limit` buckets of the owner with the prefix, by name, from `start` on (included).

        With `regions`, only buckets whose record names one of these; "" stands for those that name none.
        """

        def look(tx: Read) -> list[BucketRecord]:
            found: list[BucketRecord] = []
            first = keys.text(keys.CATALOG, max(prefix, start))
            for _, data in tx.scan(first, keys.after(keys.text(keys.CATALOG, prefix))):
                record = BUCKETS.decode(data)
                if record.owner == owner and (regions is None or record.region in regions):
                    found.append(record)
                if len(found) == limit:
                    break
            return found

        return await self._ground.engine.read(look)

    async def document(self, record: BucketRecord, name: str) -> bytes | None:
        """A configuration document of the bucket, as it was put, or None."""
        row = keys.document(record.id, name)
        return await self._ground.engine.read(lambda tx: tx.get(row))

    async def change(
        self, record: BucketRecord, rule: Callable[[BucketRecord], BucketRecord],
    ) -> BucketRecord:
        """Make of the bucket's record what `rule` makes of it, asked about it as it is; it may refuse.

        Raises NoSuchBucket when the bucket went, and what `rule` raises.
        """

        def change(tx: Write) -> BucketRecord:
            before = confirm(tx, record)
            after = rule(before)
            if after != before:
                settle(tx, after)
            return after

        return await self._ground.engine.write(change)

    async def put_document(self, record: BucketRecord, name: str, data: bytes | None) -> None:
        """Keep a configuration document; None deletes it. Raises NoSuchBucket when the bucket went."""
        def change(tx: Write) -> None:
            confirm(tx, record)
            keep_document(tx, record, name, data)
            tx.announce()

        await self._ground.engine.write(change)


def keep_document(tx: Write, record: BucketRecord, name: str, data: bytes | None) -> None:
    """Keep a configuration document in this transaction; None deletes it."""
    row = keys.document(record.id, name)
    if data is None:
        tx.delete(row)
    else:
        tx.put(row, data)


def refuse_name_of_branch(tx: Read, name: str) -> None:
    """Raise BucketAlreadyExists for a name that a repository has, or its branches and commits may have.

    Who is not the repository's owner could else put a bucket of his own where its owner looks for a commit.
    """
    branches = keys.branches(name.rpartition(".")[2])
    if next(iter(tx.scan(branches, keys.after(branches))), None) is not None:
        raise faults.BucketAlreadyExists(BucketName=name)


def drop(tx: Write, record: BucketRecord) -> None:
    """An empty bucket's record goes in this transaction, and what is kept about it, if that is little.

    Raises NoSuchBucket, BucketNotEmpty, VersionedBucketNotEmpty. A long journal and running uploads are left
    to the sweep, which finds that their bucket is gone.
    """
    now = confirm(tx, record)
    if not _empty(tx, keys.CURRENT, now.id) or not _empty(tx, keys.OLD, now.id):
        raise (faults.VersionedBucketNotEmpty if now.versioning else faults.BucketNotEmpty)(
            BucketName=now.name)
    strike(tx, now)
    clearing.leave(tx, now.id)


def read_moment(text: str) -> int | None:
    """An ISO 8601 time in UTC as ms since 1970 (the end of that second if it has no fraction), or None."""
    match = _MOMENT.fullmatch(text)
    if match is None:
        return None
    try:
        moment = datetime.fromisoformat(match[1] + "+00:00")
    except ValueError:
        return None
    return int(moment.timestamp() * 1000) + (0 if "." in text else 999)


def _empty(tx: Read, table: bytes, bucket: int) -> bool:
    prefix = keys.of_bucket(table, bucket)
    return next(iter(tx.scan(prefix, keys.after(prefix))), None) is None
