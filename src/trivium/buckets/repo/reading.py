"""Reading a line: what a branch, and each of its commits, answers to whoever reads."""

from __future__ import annotations

import asyncio
from itertools import islice
from typing import Final

import msgspec

from trivium.base import faults
from trivium.buckets import contents
from trivium.buckets.bucket import VersionEntry
from trivium.buckets.contents import StoredReading
from trivium.buckets.entry import Entry, hidden
from trivium.buckets.record import ENABLED, Ground
from trivium.buckets.repo import commits, views
from trivium.buckets.repo.line import Line, up_to
from trivium.buckets.repo.views import Found
from trivium.storage.engine import Read

_ROWS_A_READ: Final = 1_000  # rows that are read to be skipped: others get their turn after so many


class Reader(msgspec.Struct, frozen=True):
    """A line, to be read."""

    ground: Ground
    line: Line

    async def head(self, key: str, version: str | None = None) -> Entry:
        """As `Bucket.head`. A version is a commit: the key is shown as of then."""
        return await self.ground.engine.read(lambda rows: self.visible(rows, key, version).entry)

    async def read(self, key: str, version: str | None = None) -> StoredReading:

        def look(rows: Read) -> StoredReading:
            found = self.visible(rows, key, version)
            entry, body = found.entry, contents.body_of(rows, found.row)
            return StoredReading(self.ground.blobs, entry, body, contents.layout_of(rows, entry))

        return await self.ground.engine.read(look)

    async def list(self, prefix: str, start: str, limit: int) -> list[Entry]:
        """As `Bucket.list`. One read, unless very many rows are skipped."""
        found: list[Entry] = []
        at: str | None = max(prefix, start) if limit > 0 else None

        def look(rows: Read) -> str | None:
            """Add what is found to the page; the key to go on from, None when the page is done."""
            assert at is not None
            for seen, (key, entry) in enumerate(views.walk(rows, self.line, prefix, at)):
                if seen > _ROWS_A_READ + limit:
                    return key
                if entry is not None and not entry.marker:
                    found.append(entry)
                    if len(found) == limit:
                        return None
            return None

        while at is not None:
            at = await self.ground.engine.read(look)
            if at is not None:
                await asyncio.sleep(0)
        return found

    def visible(self, rows: Read, key: str, version: str | None) -> Found:
        """The object asked for. Raises as `Bucket.head`; NoSuchKey where a commit did not have it, too."""
        if version is None:
            found, commit = views.find(rows, self.line, key), None
        else:
            commit = commits.meant(rows, self.line, version)
            found = views.find(rows, up_to(self.line, commit.seq, commit.number), key)
        if found is None:
            raise faults.NoSuchKey(Key=key)
        if found.entry.marker:
            written_then = commit is not None and commit.id == found.entry.version
            raise hidden(found.entry, asked_for=written_then)
        return found


class LineVersions(msgspec.Struct, frozen=True):
    """The commits that changed the keys of a line, as S3's versions."""

    _reader: Reader
    state: str = ENABLED

    async def set_state(self, state: str) -> None:
        """A branch keeps its past, whoever asks. Raises NotImplemented for any other state."""
        if state != ENABLED:
            raise faults.NotImplemented_("A branch always keeps its past.")

    def _rest(self, rows: Read, key: str, marker: str, limit: int) -> list[VersionEntry]:
        """The versions of the key that the commits before the marker's have written."""
        commit = commits.named(rows, self._reader.line, marker)
        if commit is None:
            raise faults.InvalidVersionId(ArgumentName="version-id-marker", ArgumentValue=marker)
        before = commits.numbered(rows, self._reader.line, commit.number - 1)
        if before is None:
            return []
        line = up_to(self._reader.line, before.seq, before.number)
        newest = next(views.chain(rows, self._reader.line, key), None)
        return [VersionEntry(entry, latest=entry == newest)
            for entry in islice(views.chain(rows, line, key), limit)]

    async def list(self, prefix: str, start: str, marker: str | None, limit: int) -> list[VersionEntry]:
        found: list[VersionEntry] = []
        at: str | None = max(prefix, start) if limit > 0 else None
        if marker is not None and start.startswith(prefix):
            found += await self._reader.ground.engine.read(
                lambda rows: self._rest(rows, start, marker, limit))
            at = start + "\0" if len(found) < limit else None

        def look(rows: Read) -> str | None:
            """Add what is found to the page; the key to go on from, None when the page is done."""
            assert at is not None
            last = ""
            for seen, (key, entry) in enumerate(views.chains(rows, self._reader.line, prefix, at)):
                if key != last and seen > _ROWS_A_READ + limit:
                    return key
                if entry is not None:
                    found.append(VersionEntry(entry, latest=not found or found[-1].entry.key != key))
                    last = key
                    if len(found) == limit:
                        return None
            return None

        while at is not None:
            at = await self._reader.ground.engine.read(look)
            if at is not None:
                await asyncio.sleep(0)
        return found

