"""What the objects bucket can do beyond the five verbs: list versions, change tags and access, rename."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from trivium.buckets import contents
from trivium.buckets.acl import Acl
from trivium.buckets.bucket import Renaming, VersionEntry
from trivium.buckets.entry import ENTRIES, Attributes, Entry
from trivium.buckets.objects import chain, listings
from trivium.buckets.objects.deletions import tell, write_marker
from trivium.buckets.objects.opened import Acting, Opened
from trivium.buckets.objects.versions import above
from trivium.buckets.record import confirm, settle
from trivium.buckets.tokens import first_rename
from trivium.storage import journal, keys
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
            settle(tx, msgspec.structs.replace(confirm(tx, opened.record), versioning=state))

        await opened.ground.engine.write(change)

    async def list(self, prefix: str, start: str, marker: str | None, limit: int) -> list[VersionEntry]:
        return await listings.versions(self._opened, prefix, start, marker, limit)


class ObjectAnnotations:
    """The tags and access control lists of entries. The bytes and LastModified stay as they are."""

    __slots__ = ("_opened",)

    def __init__(self, opened: Opened) -> None:
        self._opened = opened

    async def tag(self, key: str, version: str | None, tags: dict[str, str]) -> Entry:
        return await self._change(
            key, version, lambda entry: msgspec.structs.replace(entry.attributes, tags=tags), "")

    async def grant(
        self, key: str, version: str | None, rule: Callable[[Entry], Acl], *, actor: str,
    ) -> Entry:
        return await self._change(
            key, version, lambda entry: msgspec.structs.replace(entry.attributes, acl=rule(entry)), actor)

    async def _change(
        self, key: str, version: str | None, attributes: Callable[[Entry], Attributes], actor: str,
    ) -> Entry:
        opened = self._opened

        def change(tx: Write) -> Entry:
            record = opened.confirmed(tx)
            place = chain.visible(tx, record.id, key, version)
            entry = msgspec.structs.replace(place.entry, attributes=attributes(place.entry))
            chain.rewrite(tx, place.row, entry)
            tell(Acting(tx, opened, record, actor), ATTRIBUTES, entry, now_ms=opened.ground.clock.now_ms())
            return entry

        return await opened.ground.engine.write(change)


class ObjectRenames:
    """Another key for a newest entry. Its bytes stay where they are, and LastModified what it was."""

    __slots__ = ("_opened",)

    def __init__(self, opened: Opened) -> None:
        self._opened = opened

    async def rename(self, renaming: Renaming, *, actor: str) -> Entry | None:
        opened, source, key = self._opened, renaming.source, renaming.key

        def change(tx: Write) -> Entry | None:
            record = opened.confirmed(tx)
            if not first_rename(tx, record.id, renaming, actor, now_ms=opened.ground.clock.now_ms()):
                return None
            entry = chain.visible(tx, record.id, source, None).entry
            renaming.source_if.check(entry)
            target = chain.newest(tx, record.id, key)
            renaming.only_if.check(target)
            acting = Acting(tx, opened, record, actor)
            return entry if source == key else _rename(acting, entry, key, target)

        return await opened.ground.engine.write(change)


def _rename(acting: Acting, source: Entry, key: str, target: Entry | None) -> Entry:
    """Give `source` the new key. Where its own key keeps it as an earlier version, both own the content."""
    tx, opened, record = acting.tx, acting.opened, acting.record
    now_ms = max(opened.time_above(source), opened.time_above(target))
    null_seq = 0
    if target is not None:
        null_seq = chain.make_room(tx, record.id, target, record.versioning, now_ms=now_ms)
    seq = tx.sequence()
    entry = msgspec.structs.replace(
        source, key=key, seq=seq, renamed_ms=now_ms, version=opened.version_at(seq, record.versioning),
        null_seq=null_seq)
    journal.append(tx, record.id, Change(
        seq, PUT, key, entry.version, now_ms, entry.size, entry.etag, actor=acting.actor))
    row, to = keys.current(record.id, source.key), keys.current(record.id, key)
    if above(record.versioning, source).keeps:
        contents.share(tx, source)
        tx.put(to, ENTRIES.encode(entry), contents.body_of(tx, row))
        write_marker(acting, source.key, source, now_ms=now_ms)
        return entry
    tx.move(row, to, ENTRIES.encode(entry))
    if record.versioning:
        write_marker(acting, source.key, None, now_ms=now_ms)
    else:
        tell(acting, DELETE, source, now_ms=now_ms)
    return entry
