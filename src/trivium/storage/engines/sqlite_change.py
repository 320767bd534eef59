"""One change of the SQLite engine: what it has written waits in memory, so that undoing it costs nothing.

Theory of operation. A change sees the database as the changes before it have left it, and over it what it has
written itself. When its function has returned, `apply` brings the database to where the change ended, row by row,
whatever the way there was: a body that moves along is not written again, one that a put replaces is
overwritten in its place.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Final

from trivium.storage.engines.sqlite_rows import PAGE_BYTES, SQL, Sql, Value


class _Moved:
    """A row whose body still stands under the key `origin`."""

    __slots__ = ("origin", "value")

    def __init__(self, value: bytes, origin: bytes) -> None:
        self.value, self.origin = value, origin


_Row = Value | _Moved | None
_UNTOUCHED: Final = object()


class Transaction:
    """One change, on a connection inside a write transaction. The one before it must have been applied."""

    __slots__ = ("_bodies", "_counter", "_execute", "_ours", "announced")

    def __init__(self, db: sqlite3.Connection, counter: Counter) -> None:
        self._execute = db.execute
        self._counter = counter
        self._ours: dict[bytes, _Row] = {}
        self._bodies: dict[bytes, int] = {}  # numbers of bodies, 0 for none, of rows that were looked at
        self.announced = False

    def get(self, key: bytes) -> bytes | None:
        if self._ours:
            ours = self._ours.get(key, _UNTOUCHED)
            if ours is not _UNTOUCHED:
                return _value(ours)  # type: ignore[arg-type]  # not the mark
        row = self._execute(SQL[key[0]].find, (key,)).fetchone()
        if row is None:
            self._bodies[key] = 0
            return None
        self._bodies[key] = row[1]
        return row[0]  # type: ignore[no-any-return]  # a blob

    def load(self, key: bytes) -> Value | None:
        if self._ours:
            ours = self._ours.get(key, _UNTOUCHED)
            if isinstance(ours, _Moved):
                return ours.value, self._load(ours.origin)[1]
            if ours is not _UNTOUCHED:
                return ours  # type: ignore[return-value]  # not the mark
        return self._load(key)

    def _load(self, key: bytes) -> Value:
        return self._execute(SQL[key[0]].load, (key,)).fetchone()  # type: ignore[no-any-return]  # two blobs

    def scan(self, start: bytes, stop: bytes, *, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        """Rows as they were written so far; what is written while the scan runs may be missed."""
        sql = SQL[start[0]]
        rows = self._execute(sql.scan_back if reverse else sql.scan, (start, stop))
        ours = [(key, _value(row)) for key, row in self._ours.items() if start <= key < stop]
        ours.sort(reverse=reverse)
        return _laid_over(rows, ours, reverse=reverse) if ours else rows

    def put(self, key: bytes, value: bytes, body: bytes | None = None) -> None:
        assert body is None or SQL[key[0]].bodied, "rows of this table have no bodies"
        self._ours[key] = (value, body)

    def delete(self, key: bytes) -> None:
        self._ours[key] = None

    def move(self, key: bytes, to: bytes, value: bytes) -> None:
        ours = self._ours.get(key, _UNTOUCHED)
        if ours is _UNTOUCHED and self.get(key) is not None:
            ours = _Moved(value, key)
        assert isinstance(ours, _Moved | tuple), f"no row to move at {key!r}"
        assert SQL[key[0]].bodied == SQL[to[0]].bodied, "one of these tables has no bodies"
        self._ours[key] = None
        self._ours[to] = _Moved(value, ours.origin) if isinstance(ours, _Moved) else (value, ours[1])

    def sequence(self) -> int:
        return self._counter.next()

    def announce(self) -> None:
        self.announced = True

    @property
    def grows(self) -> bool:
        """Whether it has written a body, which is what fills a disk."""
        return any(isinstance(row, tuple) and row[1] for row in self._ours.values())

    def apply(self) -> int:
        """Bring the rows to where the change ended; about how many pages that touches."""
        free = self._free_bodies()
        pages = 0
        for key, row in self._ours.items():
            sql = SQL[key[0]]
            if row is None:
                self._execute(sql.delete, (key,))
                pages += 1
                continue
            value = _value(row)
            if not sql.bodied:
                self._execute(sql.put, (key, value))
            elif isinstance(row, _Moved):
                self._execute(sql.put, (key, value, self._bodies[row.origin]))
            else:
                pages += self._put(sql, key, row, free)
            pages += 1 + len(value or b"") // PAGE_BYTES
        for number in free:
            self._execute("delete from bodies where id = ?", (number,))
        return pages + len(free)

    def _put(self, sql: Sql, key: bytes, row: Value, free: set[int]) -> int:
        value, body = row
        number = self._bodies[key]
        if body is None:
            self._execute(sql.put, (key, value, 0))
            return 0
        if number in free:
            free.remove(number)
            self._execute("update bodies set b = ? where id = ?", (body, number))
        else:
            number = self._execute("insert into bodies(b) values (?)", (body,)).lastrowid or 0
        self._execute(sql.put, (key, value, number))
        return 1 + len(body) // PAGE_BYTES

    def _free_bodies(self) -> set[int]:
        """The bodies of rows that this change has replaced or deleted, unless they moved along."""
        free = {self._body(key) for key in self._ours if SQL[key[0]].bodied}
        free -= {self._bodies[row.origin] for row in self._ours.values() if isinstance(row, _Moved)}
        free.discard(0)
        return free

    def _body(self, key: bytes) -> int:
        if key not in self._bodies:
            row = self._execute(SQL[key[0]].find, (key,)).fetchone()
            self._bodies[key] = 0 if row is None else row[1]
        return self._bodies[key]


class Counter:
    """The numbers that `sequence` gives: read once in a write transaction of the database, and written back
    once.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._given = 0  # 0: not read yet

    def next(self) -> int:
        if self._given == 0:
            self._given = self._db.execute("select given from counter").fetchone()[0]
        self._given += 1
        return self._given

    def write(self) -> int:
        """Keep the last number given, if one was; how many pages that touches."""
        if self._given == 0:
            return 0
        self._db.execute("update counter set given = ?", (self._given,))
        return 1


def _value(row: Value | _Moved | None) -> bytes | None:
    if isinstance(row, _Moved):
        return row.value
    return None if row is None else row[0]


def _laid_over(
    rows: Iterator[tuple[bytes, bytes]], ours: list[tuple[bytes, bytes | None]], *, reverse: bool
) -> Iterator[tuple[bytes, bytes]]:
    """The rows with ours laid over them: in order, ours instead of theirs, and none where ours says it was
    deleted.
    """
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
