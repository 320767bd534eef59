"""Writing a branch: a commit with its entries, tombstones and Changes, in one transaction."""

from __future__ import annotations

import msgspec

from trivium.base.ids import HIDING_DIGITS, hiding
from trivium.buckets.entry import ENTRIES, Attributes, Entry
from trivium.buckets.record import BucketRecord, Ground, confirm
from trivium.buckets.repo import commits
from trivium.buckets.repo.commits import Commit
from trivium.buckets.repo.line import Line
from trivium.storage import journal, keys
from trivium.storage.engine import Write
from trivium.storage.journal import DELETE, Change


class Branch(msgspec.Struct, frozen=True):
    """A branch as it was opened, when the engine had that `generation`."""

    ground: Ground
    record: BucketRecord
    generation: int
    line: Line


class Step:
    """A commit that is being written. `at_ms` is its time, `id` its id.

    It becomes the head once `close` was called with its message, which needs at least one entry. Raises
    NoSuchBucket.
    """

    __slots__ = ("_author", "_branch", "_last", "_number", "_parent", "_tx", "at_ms", "id")

    def __init__(self, tx: Write, branch: Branch, author: str) -> None:
        if branch.ground.engine.generation != branch.generation:
            confirm(tx, branch.record)
        self._tx, self._branch, self._author = tx, branch, author
        self._parent = commits.head(tx, branch.line)
        now_ms = branch.ground.clock.now_ms()
        self.at_ms = now_ms if self._parent is None else max(now_ms, self._parent.at_ms)
        self._number = 1 if self._parent is None else self._parent.number + 1
        self.id = hiding(self._number, branch.ground.ids.hexadecimal(HIDING_DIGITS))
        self._last = 0

    def write(self, kind: int, entry: Entry, body: bytes | None = None) -> Entry:
        """Write the entry as its key's newest, and its Change; the entry with its seq and this commit."""
        tx, bucket, key = self._tx, self._branch.record.id, entry.key
        self._last = tx.sequence()
        entry = msgspec.structs.replace(entry, seq=self._last, version=self.id)
        row = keys.current(bucket, key)
        data = tx.get(row)
        if data is not None:
            tx.move(row, keys.old(bucket, key, ENTRIES.decode(data).seq), data)
        tx.put(row, ENTRIES.encode(entry), body)
        journal.append(tx, bucket, Change(
            entry.seq, kind, key, self.id, self.at_ms, entry.size, entry.etag, self.id, self._author))
        return entry

    def bury(self, key: str) -> Entry:
        """Write a tombstone for the key."""
        by = Attributes(owner=self._author)
        return self.write(DELETE, Entry(key, 0, self.at_ms, 0, "", marker=True, attributes=by))

    def close(self, message: str) -> Commit:
        assert self._last, "a commit without changes"
        branch, parent = self._branch, self._parent
        commit = Commit(
            self.id, branch.record.facts["branch"], self._number, self._last, self.at_ms,
            () if parent is None else (parent.id,), message, self._author)
        commits.put(self._tx, branch.record.id, commit)
        return commit
