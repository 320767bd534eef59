"""The objects bucket as it was: for each key the newest entry that was there at a moment, read-only."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import islice
from typing import Final

from trivium.base import faults
from trivium.buckets import contents
from trivium.buckets.bucket import VersionEntry
from trivium.buckets.contents import StoredReading
from trivium.buckets.entry import ENTRIES, Entry, hidden
from trivium.buckets.objects import chain, listings
from trivium.buckets.objects.chain import Place
from trivium.buckets.objects.opened import Opened
from trivium.buckets.readonly import ReadOnly
from trivium.storage import keys
from trivium.storage.engine import Read

_STEPS: Final = 4  # earlier entries that are read one by one; then the chain is halved
_VERSIONS_A_READ: Final = 1_000
_SEARCHES_A_READ: Final = 200  # keys that changed since cost a few looks each: others get their turn
_READ_ONLY: Final = "A bucket as it was in the past cannot be changed."


class ObjectPast:
    """The past of the bucket."""

    __slots__ = ("_opened",)

    def __init__(self, opened: Opened) -> None:
        self._opened = opened

    async def at(self, moment_ms: int) -> ReadOnly:
        record = await self._opened.ground.engine.read(self._opened.confirmed)
        if not record.versioning:
            raise faults.NotImplemented_("A bucket without versioning keeps no past.")
        versions = PastVersions(self._opened, moment_ms, record.versioning)
        return ReadOnly(PastReader(self._opened, moment_ms), _READ_ONLY, versions=versions)


class PastVersions:
    """The versions that were there at the end of the millisecond `moment_ms`, less what was removed since.

    Where versioning has been suspended since, the null version of then may be among what was removed.
    """

    __slots__ = ("_moment_ms", "_opened", "_state")

    def __init__(self, opened: Opened, moment_ms: int, state: str) -> None:
        self._opened, self._moment_ms, self._state = opened, moment_ms, state

    @property
    def state(self) -> str:
        """Versioning of the bucket as it is now."""
        return self._state

    async def set_state(self, state: str) -> None:
        """The past is as it was. Raises NotImplemented for any other state."""
        if state != self._state:
            raise faults.NotImplemented_(_READ_ONLY)

    async def list(self, prefix: str, start: str, marker: str | None, limit: int) -> list[VersionEntry]:
        """As `Versions.list`: the versions of now, of which those that came later are left out."""
        found, last = list[VersionEntry](), ""
        asked, newest = start, 0 if marker is None else await self._newest_seq(start)
        while len(found) < limit:
            page = await listings.versions(self._opened, prefix, start, marker, _VERSIONS_A_READ)
            for entry in (one.entry for one in page if one.entry.began_ms <= self._moment_ms):
                latest = entry.seq == newest if newest and entry.key == asked else entry.key != last
                found.append(VersionEntry(entry, latest=latest))
                last = entry.key
            if len(page) < _VERSIONS_A_READ:
                break
            start, marker = page[-1].entry.key, page[-1].entry.version
            await asyncio.sleep(0)
        return found[: max(0, limit)]

    async def _newest_seq(self, key: str) -> int:
        """The seq of the key's newest entry of then, 0 when there was none."""
        bucket = self._opened.record.id

        def look(rows: Read) -> int:
            newest = chain.newest(rows, bucket, key)
            then = None if newest is None else _as_of(rows, bucket, newest, self._moment_ms)
            return 0 if then is None else then.entry.seq

        return await self._opened.ground.engine.read(look)


class PastReader:
    """Reads what the bucket held at the end of the millisecond `moment_ms`, less what was removed since."""

    __slots__ = ("_moment_ms", "_opened")

    def __init__(self, opened: Opened, moment_ms: int) -> None:
        self._opened, self._moment_ms = opened, moment_ms

    async def head(self, key: str, version: str | None = None) -> Entry:
        return await self._opened.ground.engine.read(lambda rows: self._visible(rows, key, version).entry)

    async def read(self, key: str, version: str | None = None) -> StoredReading:
        ground = self._opened.ground

        def look(rows: Read) -> StoredReading:
            found = rows.load(self._visible(rows, key, version).row)
            assert found is not None, "a row went away within one view"
            entry = ENTRIES.decode(found[0])
            return StoredReading(ground.blobs, entry, found[1], contents.layout_of(rows, entry))

        return await ground.engine.read(look)

    async def list(self, prefix: str, start: str, limit: int) -> list[Entry]:
        bucket, found = self._opened.record.id, list[Entry]()
        row, stop = keys.current(bucket, max(prefix, start)), keys.after(keys.current(bucket, prefix))

        def look(rows: Read) -> bytes:
            searches = 0
            for at, data in rows.scan(row, stop):
                newest = ENTRIES.decode(data)
                place = _as_of(rows, bucket, newest, self._moment_ms)
                if place is not None and not place.entry.marker:
                    found.append(place.entry)
                    if len(found) == limit:
                        return b""
                searches += place is None or place.entry is not newest or newest.marker
                if searches > _SEARCHES_A_READ:
                    return at + b"\x00"
            return b""

        while row and limit > 0:
            row = await self._opened.ground.engine.read(look)
            if row:
                await asyncio.sleep(0)
        return found

    def _visible(self, rows: Read, key: str, version: str | None) -> Place:
        bucket = self._opened.record.id
        if version is not None:
            place = chain.find(rows, bucket, key, version)
            if place is None or place.entry.began_ms > self._moment_ms:
                raise faults.NoSuchVersion(Key=key, VersionId=version)
            if place.entry.marker:
                raise hidden(place.entry, asked_for=True)
            return place
        newest = chain.newest(rows, bucket, key)
        then = None if newest is None else _as_of(rows, bucket, newest, self._moment_ms)
        if then is None:
            raise faults.NoSuchKey(Key=key)
        if then.entry.marker:
            raise hidden(then.entry, asked_for=False)
        return then


def _as_of(rows: Read, bucket: int, newest: Entry, moment_ms: int) -> Place | None:
    """The newest entry of the key that was there at the moment, a marker too.

    The times of a chain order as its seqs do (`Opened.time_above`).
    """
    if newest.began_ms <= moment_ms:
        return Place(keys.current(bucket, newest.key), newest, newest)
    prefix, seq, steps = keys.olds(bucket, newest.key), 0, 0
    for row, data in islice(rows.scan(prefix, keys.after(prefix)), _STEPS):
        entry = ENTRIES.decode(data)
        if entry.began_ms <= moment_ms:
            return Place(row, entry, newest)
        seq, steps = entry.seq, steps + 1
    return _halving(rows, bucket, newest, seq, moment_ms) if steps == _STEPS else None


def _halving(rows: Read, bucket: int, newest: Entry, too_new: int, moment_ms: int) -> Place | None:
    """The same among the entries with a seq less than `too_new`, in few looks however many they are."""
    prefix = keys.olds(bucket, newest.key)
    stop = keys.after(prefix)
    place = _first(rows.scan(prefix, stop, reverse=True), newest)  # the oldest of all
    if place.entry.began_ms > moment_ms:
        return None
    low, high = place.entry.seq, too_new  # what is at `low` is old enough, what is at `high` is not
    while high - low > 1:
        seen = _first(rows.scan(keys.old(bucket, newest.key, (low + high) // 2), stop), newest)
        if seen.entry.began_ms > moment_ms:
            high = seen.entry.seq
            continue
        place = _first(rows.scan(prefix, seen.row, reverse=True), newest)  # the next one, written later
        if place.entry.began_ms > moment_ms:
            return seen
        low = place.entry.seq
    return place


def _first(rows: Iterator[tuple[bytes, bytes]], newest: Entry) -> Place:
    row, data = next(rows)
    return Place(row, ENTRIES.decode(data), newest)
