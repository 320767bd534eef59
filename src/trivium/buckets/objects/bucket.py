"""The objects bucket: a key space of our own, with versions.

Theory of operation. A put makes its bytes durable (`contents.keep`), then one write function reads the newest
row of the key, applies the rules of `versions`, and writes the new row and a Change. Small objects are one
row, so that reading one is one look-up. Where the catalog has changed since the bucket was opened, every
write confirms first, inside its transaction, that the bucket is still there and how it keeps versions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from trivium.base import faults
from trivium.base.faults import Fault
from trivium.buckets import contents
from trivium.buckets.bucket import Companion, Content, Deletion, Features, Gone, Resting, nothing
from trivium.buckets.conditions import ALWAYS, WriteIf
from trivium.buckets.contents import Kept, StoredReading
from trivium.buckets.entry import ENTRIES, Attributes, Entry, hidden
from trivium.buckets.objects import chain, listings
from trivium.buckets.objects.aside import writable
from trivium.buckets.objects.deletions import delete_all
from trivium.buckets.objects.features import ObjectAnnotations, ObjectRenames, ObjectVersions
from trivium.buckets.objects.opened import Opened
from trivium.buckets.objects.past import ObjectPast
from trivium.buckets.record import BucketRecord, Ground
from trivium.storage import journal, keys
from trivium.storage.engine import Read, Write
from trivium.storage.journal import PUT, Change

_DELETED_TOGETHER: Final = 500  # docs/decisions/deletions-are-cut-in-two.md


class ObjectsBucket:
    """The bucket of `record`, as it was when the engine had that `generation`."""

    __slots__ = ("_features", "_opened")

    def __init__(self, ground: Ground, record: BucketRecord, generation: int) -> None:
        self._opened = opened = Opened(ground, record, generation)
        annotations = ObjectAnnotations(opened)
        self._features = Features(
            shares=True, versions=ObjectVersions(opened), annotations=annotations, acls=annotations,
            renames=ObjectRenames(opened), past=ObjectPast(opened),
        )

    @property
    def features(self) -> Features:
        return self._features

    async def head(self, key: str, version: str | None = None) -> Entry:
        ground, bucket = self._opened.ground, self._opened.record.id
        return await ground.engine.read(lambda rows: chain.visible(rows, bucket, key, version).entry)

    async def read(self, key: str, version: str | None = None) -> StoredReading:
        ground, bucket = self._opened.ground, self._opened.record.id
        row = keys.current(bucket, key)

        def look(rows: Read) -> StoredReading:
            found = rows.load(row if version is None else chain.visible(rows, bucket, key, version).row)
            if found is None:
                raise faults.NoSuchKey(Key=key)
            entry = ENTRIES.decode(found[0])
            if entry.marker:
                raise hidden(entry, asked_for=False)
            return StoredReading(ground.blobs, entry, found[1], contents.layout_of(rows, entry))

        return await ground.engine.read(look)

    async def put(
        self, key: str, content: Content, attributes: Attributes, *, only_if: WriteIf = ALWAYS,
        companion: Companion = nothing,
    ) -> Entry:
        ground = self._opened.ground
        if only_if is not ALWAYS:
            await self._refuse_early(key, content, only_if)
        kept = await contents.keep(ground, content)
        change = _writing(self._opened, key, kept, attributes, only_if, companion)
        return await contents.write(ground, kept, change)

    async def delete(self, deletions: Sequence[Deletion], *, actor: str) -> list[Gone | Fault]:
        """As `Bucket.delete`, in short transactions. Behind one that is done, a fault is that of its keys."""
        done: list[Gone | Fault] = []
        for first in range(0, len(deletions), _DELETED_TOGETHER):
            some = deletions[first:first + _DELETED_TOGETHER]
            try:
                done += await self._opened.ground.engine.write(partial(delete_all, self._opened, some, actor))
            except Fault as fault:
                if not done:
                    raise
                done += [fault] * len(some)
        return done

    async def list(self, prefix: str, start: str, limit: int) -> list[Entry]:
        return await listings.entries(self._opened, prefix, start, limit)

    async def _refuse_early(self, key: str, content: Content, only_if: WriteIf) -> None:
        """Refuse a large upload before its bytes travel; whether it may be written is decided at its end."""
        ground, bucket = self._opened.ground, self._opened.record.id
        if not isinstance(content, Resting) and (content.size is None or content.size > ground.inline_bytes):
            only_if.check(await ground.engine.read(lambda rows: chain.newest(rows, bucket, key)))


def _writing(
    opened: Opened, key: str, kept: Kept, attributes: Attributes, only_if: WriteIf, companion: Companion,
) -> Callable[[Write], Entry]:
    """The write function of a put. It makes as few calls as it can: the house has one writer."""
    row = keys.current(opened.record.id, key)

    def change(tx: Write) -> Entry:
        record = opened.confirmed(tx)
        top = writable(opened, tx, row, only_if)
        if only_if is not ALWAYS:
            only_if.check(top)
        contents.settle(tx, kept)
        seq, now_ms = tx.sequence(), opened.time_above(top)
        version = opened.version_at(seq, record.versioning)
        null_seq = 0 if top is None else chain.make_room(tx, record.id, top, record.versioning, now_ms=now_ms)
        entry = Entry(
            key, seq, now_ms, kept.size, kept.etag, version, False, attributes, kept.content, kept.checksum,
            null_seq)
        tx.put(row, ENTRIES.encode(entry), kept.body)
        journal.append(tx, record.id, Change(
            seq, PUT, key, version, now_ms, kept.size, kept.etag, actor=attributes.owner))
        companion(tx, entry)
        return entry

    return change
