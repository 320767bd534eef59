"""A directory as a bucket: plain files, with ETags, attributes and conditions beside them.

Theory of operation. The file is the truth about bytes, size and time; a note beside it (`notes`) holds what
a file cannot say. A put stages the bytes, then, `alone` with the key, checks its conditions, gives the
draft its name and writes note and Change in one transaction; where that fails the file is put back as it
was. Who reads never waits for that. A key that ends in a slash is a directory, has no bytes, and is listed
while nothing lies in it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import aclosing
from functools import partial
from typing import Final

from msgspec.structs import replace

from trivium.base import faults
from trivium.base.faults import Fault
from trivium.base.finish import finished
from trivium.buckets.acl import Acl
from trivium.buckets.bucket import Companion, Content, Deletion, Features, Gone, nothing
from trivium.buckets.conditions import ALWAYS, WriteIf
from trivium.buckets.entry import NULL, Attributes, Entry
from trivium.buckets.mount import notes
from trivium.buckets.mount.content import Arriving, FileReading
from trivium.buckets.mount.looks import Known, Looks
from trivium.buckets.mount.notes import FileNote
from trivium.buckets.record import BucketRecord, Ground, confirm
from trivium.storage import journal, keys
from trivium.storage.engine import Write
from trivium.storage.journal import ATTRIBUTES, DELETE, PUT, Change
from trivium.under.names import can_be_name, check_name, is_folder, parents
from trivium.under.store import Draft, Placed, Stat, UnderStore

_CHECKED_EARLY_BYTES: Final = 1 << 20


class MountBucket:
    """The directory behind `store` as the bucket of `record`.

    The record's facts: `readonly` and `folders` (all folders are listed, not only empty ones) are "true" or
    absent.
    """

    __slots__ = ("_folders", "_ground", "_looks", "_record", "_store", "features")

    def __init__(self, ground: Ground, record: BucketRecord, store: UnderStore) -> None:
        self._ground, self._record, self._store = ground, record, store
        self._looks = Looks(ground, record, store)
        self._folders = record.facts.get("folders") == "true"
        writes = record.facts.get("readonly") != "true"
        annotations = MountAnnotations(ground, record, store, self._looks)
        self.features = Features(
            writes=writes, annotations=annotations if writes else None, acls=annotations, removable=False)

    async def head(self, key: str, version: str | None = None) -> Entry:
        _check_version(version)
        known = await self._looks.look(key)
        if known is None:
            raise faults.NoSuchKey(Key=key)
        return known.entry

    async def read(self, key: str, version: str | None = None) -> FileReading:
        _check_version(version)
        known = await (self._looks.look(key) if is_folder(key) else self._looks.open(key))
        if known is None:
            raise faults.NoSuchKey(Key=key)
        return FileReading(known.entry, known.opened)

    async def put(
        self, key: str, content: Content, attributes: Attributes, *, only_if: WriteIf = ALWAYS,
        companion: Companion = nothing,
    ) -> Entry:
        """As `Bucket.put`. Raises the faults of keys that cannot be names of files, and FolderHasBody."""
        self._check_writes()
        check_name(key)
        arriving = Arriving(self._ground, content)
        if is_folder(key):
            await _check_empty(arriving)
            return await finished(self._make_folder(key, arriving, attributes, only_if, companion))
        if only_if is not ALWAYS and (arriving.size is None or arriving.size > _CHECKED_EARLY_BYTES):
            # Refused before its bytes travel; whether it may be written is decided at their end.
            only_if.check(_entry(await self._looks.look(key)))
        async with aclosing(arriving.chunks()) as chunks, self._store.staged(chunks) as draft:
            return await finished(self._place(draft, key, arriving, attributes, only_if, companion))

    async def delete(self, deletions: Sequence[Deletion], *, actor: str) -> list[Gone | Fault]:
        self._check_writes()
        return [await self._attempt(deletion, actor) for deletion in deletions]

    async def list(self, prefix: str, start: str, limit: int) -> list[Entry]:
        return await self._looks.page(prefix, start, limit, folders=self._folders)

    def _check_writes(self) -> None:
        if not self.features.writes:
            raise faults.NotImplemented_("This directory is mounted read-only.")

    async def _place(
        self, draft: Draft, key: str, arriving: Arriving, attributes: Attributes, only_if: WriteIf,
        companion: Companion,
    ) -> Entry:
        async with self._store.alone(key):
            if only_if is not ALWAYS:
                only_if.check(_entry(await self._looks.look_alone(key)))
            async with self._store.published(draft, key) as placed:
                return await self._note_put(key, placed, arriving, attributes, companion)

    async def _make_folder(
        self, key: str, arriving: Arriving, attributes: Attributes, only_if: WriteIf, companion: Companion,
    ) -> Entry:
        async with self._store.alone(key):
            if only_if is not ALWAYS:
                only_if.check(_entry(await self._looks.look_alone(key)))
            placed = await self._store.make_folder(key)
            try:
                return await self._note_put(key, placed, arriving, attributes, companion)
            except BaseException:
                for folder in reversed(placed.made):
                    async with self._store.removed(folder):
                        pass
                raise

    async def _note_put(
        self, key: str, placed: Placed, arriving: Arriving, attributes: Attributes, companion: Companion,
    ) -> Entry:
        """Write the note, the notes of folders made for it, and the Change."""
        bucket, stat = self._record.id, placed.stat

        def change(tx: Write) -> Entry:
            confirm(tx, self._record)
            note = arriving.note(stat, tx.sequence(), attributes)
            for folder in placed.made:
                notes.imply(tx, bucket, folder)
            notes.put(tx, bucket, key, note)
            journal.append(tx, bucket, Change(
                note.seq, PUT, key, NULL, stat.modified_ms, stat.size, note.etag, actor=attributes.owner))
            entry = notes.entry_of(stat, note)
            companion(tx, entry)
            return entry

        return await self._ground.engine.write(change)

    async def _attempt(self, deletion: Deletion, actor: str) -> Gone | Fault:
        try:
            _check_version(deletion.version)
            if not can_be_name(deletion.key):
                deletion.only_if.check_deletion(None)
                return Gone(deletion.key)
            return await finished(self._remove(deletion, actor))
        except Fault as fault:
            return fault

    async def _remove(self, deletion: Deletion, actor: str) -> Gone:
        key = deletion.key
        async with self._store.alone(key):
            if deletion.only_if is not ALWAYS:
                deletion.only_if.check_deletion(_entry(await self._looks.look_alone(key)))
            async with self._store.removed(key) as there:
                if there:
                    await self._ground.engine.write(partial(self._note_removal, key, actor))
            if not there and is_folder(key) and await self._store.stat(key) is not None:
                await self._ground.engine.write(partial(self._note_emptying, key))
        if there:
            await self._tidy(key)
        return Gone(key)

    def _note_removal(self, key: str, actor: str, tx: Write) -> None:
        bucket = confirm(tx, self._record).id
        tx.delete(keys.file(bucket, key))
        journal.append(tx, bucket, Change(
            tx.sequence(), DELETE, key, NULL, self._ground.clock.now_ms(), actor=actor))

    def _note_emptying(self, folder: str, tx: Write) -> None:
        """The folder's key was deleted while things lie in it: it goes with the last of them."""
        notes.imply(tx, confirm(tx, self._record).id, folder)

    async def _tidy(self, key: str) -> None:
        """Remove the folders above that are there only because of keys in them, if they are empty now."""
        for folder in parents(key):
            async with self._store.alone(folder):
                note = await self._looks.note(folder)
                if note is None or not note.implied:
                    return
                async with self._store.removed(folder) as there:
                    if not there:
                        return
                await self._ground.engine.write(partial(notes.forget, self._record.id, folder, note))


class MountAnnotations:
    """The tags and access control lists of a mount's files, kept beside the file, which stays as it is."""

    __slots__ = ("_ground", "_looks", "_record", "_store")

    def __init__(self, ground: Ground, record: BucketRecord, store: UnderStore, looks: Looks) -> None:
        self._ground, self._record, self._store, self._looks = ground, record, store, looks

    async def tag(self, key: str, version: str | None, tags: dict[str, str]) -> Entry:
        return await self._change(
            key, version, lambda known: replace(known.note.attributes, tags=tags), "")

    async def grant(
        self, key: str, version: str | None, rule: Callable[[Entry], Acl], *, actor: str,
    ) -> Entry:
        return await self._change(
            key, version, lambda known: replace(known.note.attributes, acl=rule(known.entry)), actor)

    async def _change(
        self, key: str, version: str | None, attributes: Callable[[Known], Attributes], actor: str,
    ) -> Entry:
        _check_version(version)
        if not can_be_name(key):
            raise faults.NoSuchKey(Key=key)
        return await finished(self._change_alone(key, attributes, actor))

    async def _change_alone(self, key: str, attributes: Callable[[Known], Attributes], actor: str) -> Entry:
        async with self._store.alone(key):
            known = await self._looks.look_alone(key)
            if known is None:
                raise faults.NoSuchKey(Key=key)
            note = replace(known.note, attributes=attributes(known))
            await self._ground.engine.write(partial(self._note, known.stat, note, actor))
        return notes.entry_of(known.stat, note)

    def _note(self, stat: Stat, note: FileNote, actor: str, tx: Write) -> None:
        bucket = confirm(tx, self._record).id
        notes.put(tx, bucket, stat.name, note)
        journal.append(tx, bucket, Change(
            tx.sequence(), ATTRIBUTES, stat.name, NULL, self._ground.clock.now_ms(), stat.size, note.etag,
            actor=actor))


def _check_version(version: str | None) -> None:
    """A mount keeps one version of each key, the null version."""
    if version is not None and version != NULL:
        raise faults.InvalidVersionId(ArgumentName="versionId", ArgumentValue=version)


def _entry(known: Known | None) -> Entry | None:
    return None if known is None else known.entry


async def _check_empty(arriving: Arriving) -> None:
    async with aclosing(arriving.chunks()) as chunks:
        async for chunk in chunks:
            if chunk:
                raise faults.FolderHasBody()
