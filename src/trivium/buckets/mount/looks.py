"""Looking at the files of a mount: what is there, and what its ETag is.

Theory of operation. A look that finds a file as its note says costs one look at the disk and one at a row.
A file of which nothing is known is examined: read once for its MD5, inside `alone`, so that it is read once
however many ask, and so that nobody sees a file between its writing and its note. Very large files, and in
listings all that do not fit a budget, get an ETag made from their facts instead. Whichever it is, it is
noted and stays until the file changes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Final

import msgspec

from trivium.base import faults
from trivium.base.faults import Fault
from trivium.buckets.entry import Entry
from trivium.buckets.mount import notes
from trivium.buckets.mount.notes import FileNote
from trivium.buckets.record import BucketRecord, Ground, confirm
from trivium.storage.engine import Write
from trivium.under.names import can_be_name, is_folder
from trivium.under.store import Opened, Stat, UnderStore

READ_FOR_ETAG_BYTES: Final = 1 << 30  # takes seconds, once; larger files let their first reader wait too long
PAGE_BUDGET_BYTES: Final = 64 << 20  # what one page of a listing may read in all, of files never looked at
_AT_ONCE: Final = 16
_STALE_A_PAGE: Final = 50


class Known(msgspec.Struct, frozen=True):
    """What is seen of a file or folder, and what is known of it; `opened` where it was to be read."""

    stat: Stat
    note: FileNote
    opened: Opened | None = None

    @property
    def entry(self) -> Entry:
        return notes.entry_of(self.stat, self.note)


class Looks:
    """The files of one mount, looked at."""

    __slots__ = ("_ground", "_record", "_store")

    def __init__(self, ground: Ground, record: BucketRecord, store: UnderStore) -> None:
        self._ground, self._record, self._store = ground, record, store

    async def look(self, key: str) -> Known | None:
        """What is there under the key; None when there is nothing. Not to be used inside `alone`."""
        stat = await self._store.stat(key) if can_be_name(key) else None
        if stat is None:
            return None
        note = self._holding(await self.note(key), stat)
        if note is not None:
            return Known(stat, note)
        async with self._store.alone(key):
            return await self.look_alone(key)

    async def look_alone(self, key: str) -> Known | None:
        """The same for callers that are `alone` with the key, which can be a name."""
        if not is_folder(key):
            return await self._examined(key)
        stat = await self._store.stat(key)
        note = None if stat is None else self._holding(await self.note(key), stat)
        return None if stat is None or note is None else Known(stat, note)

    async def open(self, key: str) -> Known | None:
        """The file under the key, to be read; None when there is none. Not to be used inside `alone`."""
        opened = await self._store.open(key) if can_be_name(key) else None
        if opened is None:
            return None
        note = self._holding(await self.note(key), opened.stat)
        if note is not None:
            return Known(opened.stat, note, opened)
        del opened  # however many wait, one file is open
        async with self._store.alone(key):
            return await self._examined(key)

    async def page(self, prefix: str, start: str, limit: int, *, folders: bool) -> list[Entry]:
        """As `Bucket.list`. With `folders` all folders are listed, not only empty ones."""
        stats = await self._store.list(prefix, start, limit, folders=folders)
        bucket = self._record.id
        known = await self._ground.engine.read(lambda rows: notes.of_page(rows, bucket, stats))
        held = {stat.name: self._holding(known.get(stat.name), stat) for stat in stats}
        fresh = await self._look_at_all([stat for stat in stats if held[stat.name] is None], known)
        await self._forget(
            {key: note for key, note in known.items() if key not in held and not is_folder(key)})
        return [
            fresh[stat.name].entry if note is None else notes.entry_of(stat, note)
            for stat, note in zip(stats, held.values(), strict=True)]

    async def note(self, key: str) -> FileNote | None:
        """What was noted of the key, whichever content of it that is about."""
        bucket = self._record.id
        return await self._ground.engine.read(lambda rows: notes.get(rows, bucket, key))

    def _holding(self, note: FileNote | None, stat: Stat) -> FileNote | None:
        return notes.holding(note, stat, self._record.owner)

    async def _examined(self, key: str) -> Known | None:
        opened = await self._store.open(key)
        if opened is None:
            return None
        stat, older = opened.stat, await self.note(key)
        note = self._holding(older, stat)
        if note is None:
            note, lasting = await self._look_at(opened, older)
            if lasting:
                await self._remember({key: note}, {key: older})
        return Known(stat, note, opened)

    async def _look_at(self, opened: Opened, older: FileNote | None) -> tuple[FileNote, bool]:
        """What is known of the file after reading it, and whether that can be kept."""
        stat = opened.stat
        if stat.size > READ_FOR_ETAG_BYTES:
            return self._seen(stat, older), True
        digest = await opened.digest()  # none where it is being changed while we look
        return self._seen(stat, older, digest), digest is not None and stat.settled

    async def _look_at_all(self, stats: Sequence[Stat], known: Mapping[str, FileNote]) -> dict[str, Known]:
        """Look at the files of a page of which nothing is known, reading no more than the budget."""
        fresh, lasting, left = dict[str, Known](), dict[str, FileNote](), PAGE_BUDGET_BYTES
        rest = iter(stats)
        while group := list(islice(rest, _AT_ONCE)):
            looks = []
            for stat in group:
                read = stat.size <= left
                left -= stat.size if read else 0
                looks.append(self._look_listed(stat, read=read))
            for seen, keep in await asyncio.gather(*looks):
                fresh[seen.stat.name] = seen
                if keep:
                    lasting[seen.stat.name] = seen.note
        await self._remember(lasting, known)
        return fresh

    async def _look_listed(self, stat: Stat, *, read: bool) -> tuple[Known, bool]:
        """Look at one file of a page, and say whether that can be kept. It is listed, as it was seen first,
        also when it cannot be read, or is gone.
        """
        older = None
        try:
            async with self._store.alone(stat.name):  # not before the note of what one of us is writing
                older = await self.note(stat.name)
                opened = await self._store.open(stat.name) if read else None
                now = stat if opened is None else opened.stat
                note = self._holding(older, now)
                if note is not None:
                    return Known(now, note), False
                if opened is not None:
                    note, keep = await self._look_at(opened, older)
                    return Known(now, note), keep
        except Fault as fault:  # one file that cannot be read must not hide all others; GET will tell
            if fault.kind is faults.SlowDown:  # it can be read by who comes again, and shows its ETag then
                raise
        return Known(stat, self._seen(stat, older)), not read

    def _seen(self, stat: Stat, older: FileNote | None, etag: str | None = None) -> FileNote:
        return notes.looked_at(stat, etag or notes.etag_of_facts(stat), older, self._record.owner)

    async def _remember(self, fresh: Mapping[str, FileNote], before: Mapping[str, FileNote | None]) -> None:
        """Write the notes, but not over one that somebody has written since `before`."""
        bucket = self._record.id

        def change(tx: Write) -> None:
            confirm(tx, self._record)
            for key, note in fresh.items():
                if notes.get(tx, bucket, key) == before.get(key):
                    notes.put(tx, bucket, key, note)

        if fresh:
            await self._ground.engine.write(change)

    async def _forget(self, missing: Mapping[str, FileNote]) -> None:
        """Remove notes of files that others have removed."""
        for key, note in islice(missing.items(), _STALE_A_PAGE):
            async with self._store.alone(key):
                if await self._store.stat(key) is None:
                    await self._ground.engine.write(partial(notes.forget, self._record.id, key, note))
