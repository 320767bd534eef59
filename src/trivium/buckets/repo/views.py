"""What a line shows: for every key the newest entry of the nearest level that has one. In transactions.

Theory of operation. In each bucket every key that was ever written has a row in CURRENT, and its earlier
entries in OLD: branches never remove rows. An entry counts in a level when its seq does; so a level shows
the row in CURRENT or, where that is too new, the first in OLD that is not. A nearer level hides the farther
ones, with a tombstone too. Walking all keys is an ordered merge of the levels.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

import msgspec

from trivium.buckets.entry import ENTRIES, Entry
from trivium.buckets.repo.line import LATEST, Level, Line
from trivium.storage import keys
from trivium.storage.engine import Read


class Found(msgspec.Struct, frozen=True):
    """An entry, a tombstone too, and the key of its row."""

    row: bytes
    entry: Entry


def find(rows: Read, line: Line, key: str) -> Found | None:
    """What the line shows of the key, a tombstone too."""
    for level in line:
        row = keys.current(level.bucket, key)
        data = rows.get(row)
        if data is None:
            continue
        entry = ENTRIES.decode(data)
        found = Found(row, entry) if entry.seq <= level.seq else next(_earlier(rows, level, key), None)
        if found is not None:
            return found
    return None


def walk(rows: Read, line: Line, prefix: str, start: str) -> Iterator[tuple[str, Entry | None]]:
    """All keys with the prefix, from `start` on (included), and what the line shows of them, a tombstone too.

    None stands at keys that only have entries which are too new, so that whoever walks can count what it
    costs.
    """
    levels = [_level(rows, level, prefix, start) for level in line]
    if len(levels) == 1:
        yield from levels[0]
        return
    for key, shown in groupby(heapq.merge(*levels, key=itemgetter(0)), key=itemgetter(0)):
        yield key, next((entry for _, entry in shown if entry is not None), None)


def chain(rows: Read, line: Line, key: str) -> Iterator[Entry]:
    """All entries of the key that count, tombstones too, the newest first."""
    for level in line:
        data = rows.get(keys.current(level.bucket, key))
        if data is not None:
            entry = ENTRIES.decode(data)
            if entry.seq <= level.seq:
                yield entry
            yield from (found.entry for found in _earlier(rows, level, key))


def chains(rows: Read, line: Line, prefix: str, start: str) -> Iterator[tuple[str, Entry | None]]:
    """The chains of all keys as `walk` goes through them, one behind the other."""
    levels = [
        (_latest_chains if level.seq == LATEST else _past_chains)(rows, level, prefix, start)
        for level in line]
    yield from levels[0] if len(levels) == 1 else heapq.merge(*levels, key=itemgetter(0))


def _level(rows: Read, level: Level, prefix: str, start: str) -> Iterator[tuple[str, Entry | None]]:
    first = keys.current(level.bucket, max(prefix, start))
    stop = keys.after(keys.current(level.bucket, prefix))
    for _, data in rows.scan(first, stop):
        entry = ENTRIES.decode(data)
        if entry.seq <= level.seq:
            yield entry.key, entry
        else:
            found = next(_earlier(rows, level, entry.key), None)
            yield entry.key, None if found is None else found.entry


def _latest_chains(rows: Read, level: Level, prefix: str, start: str) -> Iterator[tuple[str, Entry | None]]:
    """All entries of a level that shows its newest: CURRENT and OLD are read side by side."""
    olds = rows.scan(
        max(keys.olds_with(level.bucket, prefix), keys.olds(level.bucket, start)),
        keys.after(keys.olds_with(level.bucket, prefix)))
    old = _next(olds)
    for key, entry in _level(rows, level, prefix, start):
        yield key, entry
        while old is not None and old.key == key:
            yield key, old
            old = _next(olds)


def _past_chains(rows: Read, level: Level, prefix: str, start: str) -> Iterator[tuple[str, Entry | None]]:
    """All entries of a level that is shown as it was: each key by itself, as much may be too new."""
    for key, entry in _level(rows, level, prefix, start):
        yield key, entry
        if entry is not None:
            older = Level(level.bucket, entry.seq - 1, level.number)
            yield from ((key, found.entry) for found in _earlier(rows, older, key))


def _next(olds: Iterator[tuple[bytes, bytes]]) -> Entry | None:
    found = next(olds, None)
    return None if found is None else ENTRIES.decode(found[1])


def _earlier(rows: Read, level: Level, key: str) -> Iterator[Found]:
    for row, data in rows.scan(
            keys.old(level.bucket, key, level.seq), keys.after(keys.olds(level.bucket, key))):
        yield Found(row, ENTRIES.decode(data))
