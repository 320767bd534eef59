"""What the objects bucket can do beyond the five verbs: list versions, change tags, rename."""

from __future__ import annotations

import msgspec

from trivium.buckets.bucket import VersionEntry
from trivium.buckets.conditions import WriteIf
from trivium.buckets.entry import ENTRIES, Entry
from trivium.buckets.objects import chain, listings
from trivium.buckets.objects.deletions import write_marker
from trivium.buckets.objects.opened import Opened
from trivium.buckets.objects.versions import above
from trivium.buckets.record import BUCKETS, BucketRecord, confirm
from trivium.storage import blobs, journal, keys
from trivium.storage.engine import Write
from trivium.storage.journal import ATTRIBUTES, DELETE, PUT, Change


class ObjectVersions:
    """The versions of the bucket's keys."""

    __slots__ = ("_opened",)

    def __init__(self, opened: Opened) -> None:
        self._opened = opened

    @property
    def state(self) -> str:
        return self._opened.record.versioning

    async def set_state(self, state: str) -> None:
        opened = self._opened

        def change(tx: Write) -> None:
            record = msgspec.structs.replace(confirm(tx, opened.record), versioning=state)
            tx.put(keys.text(keys.CATALOG, record.name), BUCKETS.encode(record))
            tx.announce()

        await opened.ground.engine.write(change)

    async def list(self, prefix: str, start: str, marker: str | None, limit: int) -> list[VersionEntry]:
        return await listings.versions(self._opened, prefix, start, marker, limit)


class ObjectAnnotations:
    """The tags of the bucket's entries. The bytes and LastModified stay as they are."""

    __slots__ = ("_opened",)

    def __init__(self, opened: Opened) -> None:
        self._opened = opened

    async def tag(self, key: str, version: str | None, tags: dict[str, str]) -> Entry:
        opened = self._opened

        def change(tx: Write) -> Entry:
            record = opened.confirmed(tx)
            place = chain.visible(tx, record.id, key, version)
            attributes = msgspec.structs.replace(place.entry.attributes, tags=tags)
            entry = msgspec.structs.replace(place.entry, attributes=attributes)
            chain.rewrite(tx, place.row, entry)
            now_ms = opened.ground.clock.now_ms()
            journal.append(tx, record.id, Change(
                tx.sequence(), ATTRIBUTES, key, entry.version, now_ms, entry.size, entry.etag))
            return entry

        return await opened.ground.engine.write(change)


class ObjectRenames:
    """Another key for a newest entry. Its bytes stay where they are."""

    __slots__ = ("_opened",)

    def __init__(self, opened: Opened) -> None:
        self._opened = opened

    async def rename(
        self, source: str, key: str, *, source_if: WriteIf, only_if: WriteIf, actor: str,
    ) -> Entry:
        opened = self._opened

        def change(tx: Write) -> Entry:
            record = opened.confirmed(tx)
            entry = chain.visible(tx, record.id, source, None).entry
            source_if.check(entry)
            target = chain.newest(tx, record.id, key)
            only_if.check(target)
            return entry if source == key else _rename(tx, opened, record, entry, key, target, actor)

        return await opened.ground.engine.write(change)


def _rename(
    tx: Write, opened: Opened, record: BucketRecord, source: Entry, key: str, target: Entry | None,
    actor: str,
) -> Entry:
    """Give `source` the new key. Where its own key keeps it as an earlier version, both own the content."""
    now_ms = max(opened.time_above(source), opened.time_above(target))
    null_seq = 0
    if target is not None:
        null_seq = chain.make_room(tx, record.id, target, record.versioning, now_ms=now_ms)
    seq = tx.sequence()
    version = opened.version_at(seq, record.versioning)
    entry = msgspec.structs.replace(
        source, key=key, seq=seq, modified_ms=now_ms, version=version, null_seq=null_seq)
    row, to = keys.current(record.id, source.key), keys.current(record.id, key)
    if above(record.versioning, source).keeps:
        if source.content is not None:
            blobs.share(tx, source.content.id)
        stored = tx.load(row)
        tx.put(to, ENTRIES.encode(entry), None if stored is None else stored[1])
        write_marker(tx, opened, record, source.key, source, actor, now_ms=now_ms)
    else:
        tx.move(row, to, ENTRIES.encode(entry))
        if record.versioning:
            write_marker(tx, opened, record, source.key, None, actor, now_ms=now_ms)
        else:
            journal.append(tx, record.id, Change(
                tx.sequence(), DELETE, source.key, source.version, now_ms, source.size, source.etag,
                actor=actor))
    journal.append(tx, record.id, Change(seq, PUT, key, version, now_ms, entry.size, entry.etag, actor=actor))
    return entry
