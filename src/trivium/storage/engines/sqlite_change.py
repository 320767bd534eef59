"""The changes of one commit of the SQLite engine: what they have written waits in memory until all have run.

Theory of operation. A change sees the database, and over it what the changes before it and it itself have
written. When it raises, what it wrote is taken back. `carry_out` brings the database to where the last change
ended, with a statement for many rows of a table: what a row costs in SQLite is less than what a call from
Python does.

A body stands under a number of its own and belongs to one row. A row that moves takes the number along; a put
that replaces a row overwrites its body in its place.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, Final

from trivium.storage.engines.sqlite_rows import BODIED, DELETE_BODIES, PAGE_BYTES, PUT_BODIES, SQL, Value

# rows in a statement: more gain little, and each number of them is a statement to be kept
_TOGETHER: Final = 32

# a value; the number of its body, 0 for none; the body until it is written
_Row = tuple[bytes, int, bytes | None]
_UNKNOWN: Final[Any] = object()  # Any: it stands where a row or None does


class Changes:
    """What the changes of a commit work in, one by one, on a connection in a transaction. One thread.

    `announced` and `grows` say of the last change that it announced itself, and that it wrote a body, which
    is what fills a disk. `pages` is about how many pages all of them touch.
    """

    __slots__ = (
        "_db", "_freed", "_last", "_numbers", "_rows", "_scans", "_written", "announced", "grows", "pages")

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._numbers = Numbers(db)
        # as they are now, where that is known; None: there is no such row
        self._rows: dict[bytes, _Row | None] = {}
        # what was written, and what was known of it before
        self._written: list[tuple[bytes, _Row | None]] = []
        self._freed: list[int] = []  # numbers of bodies that no row has any more
        self._scans: list[sqlite3.Cursor] = []  # of the last change
        self._last = (0, 0, 0)
        self.announced = self.grows = False
        self.pages = 0

    @property
    def is_nothing(self) -> bool:
        return not self._written and not self._numbers.given

    def begin(self) -> None:
        """Another change begins; the one before it stays as it is."""
        self._last = (len(self._written), len(self._freed), self.pages)
        self.announced = self.grows = False

    def end(self) -> None:
        """The last change has returned or raised: its scans are over.

        A fault keeps what its frames hold, and with it a scan that was not read to its end. Left open, that
        would hold the view of the database beyond the commit: the next would not see what other processes
        have written since.
        """
        for cursor in self._scans:
            cursor.close()
        self._scans.clear()

    def take_back(self) -> None:
        """What the last change wrote was never written."""
        written, freed, self.pages = self._last
        for key, row in reversed(self._written[written:]):
            if row is _UNKNOWN:
                del self._rows[key]
            else:
                self._rows[key] = row
        del self._written[written:], self._freed[freed:]

    def carry_out(self) -> None:
        """Bring the database to where the changes ended. Raises sqlite3.Error."""
        bodies: list[tuple[int, bytes]] = []
        tables: dict[int, tuple[list[tuple[Any, ...]], list[tuple[bytes]]]] = {}
        for key in {key for key, _ in self._written}:
            row = self._rows[key]
            puts, deletes = tables.get(key[0]) or tables.setdefault(key[0], ([], []))
            if row is None:
                deletes.append((key,))
                continue
            value, number, body = row
            puts.append((key, value, number) if key[0] in BODIED else (key, value))
            if body is not None:
                bodies.append((number, body))
        self._execute(PUT_BODIES, bodies)
        self._execute(DELETE_BODIES, [(number,) for number in self._freed])
        for table, (puts, deletes) in tables.items():
            self._execute(SQL[table].put, puts)
            self._execute(SQL[table].delete, deletes)
        self._numbers.write()

    def _execute(self, sql: tuple[str, str], rows: Sequence[tuple[Any, ...]]) -> None:
        for first in range(0, len(rows), _TOGETHER):
            some = rows[first : first + _TOGETHER]
            self._db.execute(_for_many(*sql, len(some[0]), len(some)), tuple(chain.from_iterable(some)))

    # What a change may do

    def get(self, key: bytes) -> bytes | None:
        row = self._rows.get(key, _UNKNOWN)
        if row is _UNKNOWN:
            row = self._look(key)
        return None if row is None else row[0]

    def load(self, key: bytes) -> Value | None:
        row = self._find(key)
        if row is None:
            return None
        value, number, body = row
        if number and body is None:
            body = self._db.execute("select b from bodies where id = ?", (number,)).fetchone()[0]
        return value, body

    def scan(self, start: bytes, stop: bytes, *, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        """Rows as they were written so far; what is written while the scan runs may be missed."""
        sql = SQL[start[0]]
        rows = self._db.execute(sql.scan_back if reverse else sql.scan, (start, stop))
        self._scans.append(rows)
        ours = [(key, row and row[0]) for key, row in self._rows.items() if start <= key < stop]
        ours.sort(reverse=reverse)
        return _laid_over(rows, ours, reverse=reverse) if ours else rows

    def values(self, start: bytes, stop: bytes) -> Iterator[bytes]:
        return (value for _, value in self.scan(start, stop))

    def put(self, key: bytes, value: bytes, body: bytes | None = None) -> None:
        number = 0
        if key[0] in BODIED:
            before = self._find(key)
            number = 0 if before is None else before[1]
            if body is not None:
                number = number or self._numbers.next_body()
                self.grows = self.grows or len(body) > 0
                self.pages += 1 + len(body) // PAGE_BYTES
            elif number:
                self._freed.append(number)
                number = 0
        else:
            assert body is None, "rows of this table have no bodies"
            before = self._rows.get(key, _UNKNOWN)
        self._written.append((key, before))
        self._rows[key] = (value, number, body)
        self.pages += 1 + len(value) // PAGE_BYTES

    def delete(self, key: bytes) -> None:
        before = self._find(key) if key[0] in BODIED else self._rows.get(key, _UNKNOWN)
        self._free(before)
        self._set(key, before, None)

    def move(self, key: bytes, to: bytes, value: bytes) -> None:
        row = self._find(key)
        assert row is not None, f"no row to move at {key!r}"
        assert (key[0] in BODIED) == (to[0] in BODIED), "one of these tables has no bodies"
        if to != key:
            replaced = self._find(to)
            self._free(replaced)
            self._set(key, row, None)
            self._set(to, replaced, (value, row[1], row[2]))
        else:
            self._set(key, row, (value, row[1], row[2]))

    def sequence(self) -> int:
        return self._numbers.next()

    def announce(self) -> None:
        self.announced = True

    def _find(self, key: bytes) -> _Row | None:
        row = self._rows.get(key, _UNKNOWN)
        return self._look(key) if row is _UNKNOWN else row

    def _look(self, key: bytes) -> _Row | None:
        found = self._db.execute(SQL[key[0]].find, (key,)).fetchone()
        row = self._rows[key] = None if found is None else (*found, None)
        return row

    def _set(self, key: bytes, before: _Row | None, row: _Row | None) -> None:
        self._written.append((key, before))
        self._rows[key] = row
        self.pages += 1 if row is None else 1 + len(row[0]) // PAGE_BYTES

    def _free(self, row: _Row | None) -> None:
        """The row goes, and its body with it."""
        if row is not None and row is not _UNKNOWN and row[1]:
            self._freed.append(row[1])


class Numbers:
    """The numbers of `sequence`, and those of new bodies: read once in a transaction of the database."""

    __slots__ = ("_bodies", "_db", "_given")

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._given = self._bodies = 0  # 0: not read yet

    def next(self) -> int:
        if self._given == 0:
            self._given = self._db.execute("select given from counter").fetchone()[0]
        self._given += 1
        return self._given

    def next_body(self) -> int:
        """A number that no body has."""
        if self._bodies == 0:
            self._bodies = self._db.execute("select max(id) from bodies").fetchone()[0] or 0
        self._bodies += 1
        return self._bodies

    @property
    def given(self) -> bool:
        return self._given > 0

    def write(self) -> None:
        """Keep the last number of the sequence. Raises sqlite3.Error."""
        if self.given:
            self._db.execute("update counter set given = ?", (self._given,))


@lru_cache(maxsize=1024)
def _for_many(head: str, tail: str, width: int, count: int) -> str:
    """The statement for so many rows of so many values each; they stand between head and tail."""
    row = "(" + ", ".join("?" * width) + ")"
    return head + ", ".join([row] * count) + tail


def _laid_over(
    rows: Iterator[tuple[bytes, bytes]], ours: Iterable[tuple[bytes, bytes | None]], *, reverse: bool
) -> Iterator[tuple[bytes, bytes]]:
    """The rows with ours laid over them: in order, ours instead of theirs, none where ours was deleted."""
    row = next(rows, None)
    for key, value in ours:
        while row is not None and (row[0] > key if reverse else row[0] < key):
            yield row
            row = next(rows, None)
        if row is not None and row[0] == key:
            row = next(rows, None)
        if value is not None:
            yield key, value
    while row is not None:
        yield row
        row = next(rows, None)
