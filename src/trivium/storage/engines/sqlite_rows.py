"""The SQL of the SQLite engine: the tables, a consistent view of them, and one change on them.

Each table of the key layout is a table of its own, a rowid table with a unique key: measured faster than
WITHOUT ROWID for rows that carry bodies of some KiB (docs/decisions/sqlite-layout.md). The journal's rows are
small and arrive in order, so its table has no rowid. `b` stands behind `v`, so that reading many values never
touches bodies.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from trivium.storage import keys

CACHE_KIB: Final = 65_536
MAP_BYTES: Final = 1 << 36  # SQLite takes the most that it was built for
BUSY_WAIT_MS: Final = 10_000  # only the recovery after a crash keeps the database locked for long
PAGE_BYTES: Final = 4096

Value = tuple[bytes, bytes | None]


class _Sql:
    """The statements of one table."""

    __slots__ = (
        "create", "delete", "first_get", "first_load", "get", "load", "move_from", "put", "rename", "scan",
        "scan_back", "value")

    def __init__(self, table: bytes) -> None:
        t = f"rows_{table.decode()}"
        columns = "id integer primary key, k blob not null unique, v blob not null, b blob)"
        if table == keys.LOG:
            columns = "k blob primary key, v blob not null, b blob) without rowid"
        self.create = f"create table if not exists {t}({columns}"
        self.get = f"select v from {t} where k = ?"
        self.load = f"select v, b from {t} where k = ?"
        # Rows that stand in wait keep the statement, and with it the view of the database, open.
        self.first_get = f"{self.get} union all values (null), (null)"
        self.first_load = f"{self.load} union all values (null, null), (null, null)"
        self.scan = f"select k, v from {t} where k >= ? and k < ? order by k"
        self.scan_back = f"{self.scan} desc"
        self.put = (
            f"insert into {t}(k, v, b) values (?, ?, ?)"
            " on conflict(k) do update set v = excluded.v, b = excluded.b")
        self.delete = f"delete from {t} where k = ?"
        self.rename = f"update {t} set k = ?, v = ? where k = ?"
        self.value = f"update {t} set v = ? where k = ?"
        self.move_from = f"select ?, ?, b from {t} where k = ?"


_SQL: Final = {table[0]: _Sql(table) for table in keys.TABLES}
_MOVE: Final = {
    (source[0], target[0]): f"insert into rows_{target.decode()}(k, v, b) {_SQL[source[0]].move_from}"
    for source in keys.TABLES for target in keys.TABLES
}


def connect(path: Path) -> sqlite3.Connection:
    """A connection that commits durably, never checkpoints by itself, and may be used by one thread at a
    time.
    """
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256,
                         timeout=BUSY_WAIT_MS / 1000)
    for pragma in (
        f"page_size = {PAGE_BYTES}", "journal_mode = wal", "synchronous = full", "wal_autocheckpoint = 0",
        f"mmap_size = {MAP_BYTES}", f"cache_size = -{CACHE_KIB}", "secure_delete = off",
        "temp_store = memory",
    ):
        db.execute(f"pragma {pragma}")
    return db


def create_tables(db: sqlite3.Connection) -> None:
    """Make the tables that are not there yet."""
    db.execute("begin immediate")
    for sql in _SQL.values():
        db.execute(sql.create)
    db.execute(
        "create table if not exists counter(id integer primary key check (id = 1), given integer not null)")
    db.execute("insert or ignore into counter values (1, 0)")
    db.execute("commit")


def overwrite_tail(db: sqlite3.Connection) -> None:
    """Commit something harmless, over what a failed commit may have left behind the log's end.

    A commit whose fsync failed was not published, but is all there: without this, the recovery after a crash
    would take it for one that succeeded.
    """
    db.execute("update counter set given = given + 1")


class View:
    """What readers see. Its first statement opens a view of the database that lasts until `end`.

    A single `get` or `load` costs no more than its statement: it stays unfinished, which holds the view. A
    scan, which may be read to its end, opens a transaction instead.
    """

    __slots__ = ("_db", "_execute", "_first", "_open")

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._execute = db.execute
        self._first = True
        self._open: list[sqlite3.Cursor] = []

    def get(self, key: bytes) -> bytes | None:
        if self._first:
            self._first = False
            cursor = self._execute(_SQL[key[0]].first_get, (key,))
            self._open.append(cursor)
            return cursor.fetchone()[0]  # type: ignore[no-any-return]  # the column is a blob
        row = self._execute(_SQL[key[0]].get, (key,)).fetchone()
        return None if row is None else row[0]

    def load(self, key: bytes) -> Value | None:
        if self._first:
            self._first = False
            cursor = self._execute(_SQL[key[0]].first_load, (key,))
            self._open.append(cursor)
            row = cursor.fetchone()
            return None if row[0] is None else row
        return self._execute(_SQL[key[0]].load, (key,)).fetchone()  # type: ignore[no-any-return]  # two blobs

    def scan(self, start: bytes, stop: bytes, *, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        if self._first:
            self._first = False
            self._execute("begin")
        sql = _SQL[start[0]]
        cursor = self._execute(sql.scan_back if reverse else sql.scan, (start, stop))
        self._open.append(cursor)
        return cursor

    def end(self) -> None:
        """Let go of the view."""
        for cursor in self._open:
            cursor.close()
        self._open.clear()
        self._first = True
        if self._db.in_transaction:
            self._execute("rollback")

    def close(self) -> None:
        """Close the connection."""
        self._db.close()


class _Moved:
    """A row whose body still stands under the key `origin`."""

    __slots__ = ("origin", "value")

    def __init__(self, value: bytes, origin: bytes) -> None:
        self.value, self.origin = value, origin


_UNTOUCHED: Final = object()


class Transaction:
    """One change. What it writes waits in memory until `apply`, so that an exception costs nothing to undo.

    It must only be used on a connection inside a write transaction, one change after the other.
    """

    __slots__ = ("_counter", "_execute", "_ours", "_todo", "announced")

    def __init__(self, db: sqlite3.Connection, counter: Counter) -> None:
        self._execute = db.execute
        self._counter = counter
        self._ours: dict[bytes, Value | _Moved | None] = {}
        self._todo: list[tuple[str, tuple[bytes | None, ...]]] = []
        self.announced = False

    def get(self, key: bytes) -> bytes | None:
        if self._ours:
            ours = self._ours.get(key, _UNTOUCHED)
            if ours is not _UNTOUCHED:
                return _value(ours)  # type: ignore[arg-type]  # not the mark
        row = self._execute(_SQL[key[0]].get, (key,)).fetchone()
        return None if row is None else row[0]

    def load(self, key: bytes) -> Value | None:
        if self._ours:
            ours = self._ours.get(key, _UNTOUCHED)
            if isinstance(ours, _Moved):
                origin = self._execute(_SQL[ours.origin[0]].load, (ours.origin,)).fetchone()
                return ours.value, origin[1]
            if ours is not _UNTOUCHED:
                return ours  # type: ignore[return-value]  # not the mark
        return self._execute(_SQL[key[0]].load, (key,)).fetchone()  # type: ignore[no-any-return]  # two blobs

    def scan(self, start: bytes, stop: bytes, *, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        """Rows as they were written so far; what is written while the scan runs may be missed."""
        sql = _SQL[start[0]]
        rows = self._execute(sql.scan_back if reverse else sql.scan, (start, stop))
        ours = [(key, _value(row)) for key, row in self._ours.items() if start <= key < stop]
        ours.sort(reverse=reverse)
        return _laid_over(rows, ours, reverse=reverse) if ours else rows

    def put(self, key: bytes, value: bytes, body: bytes | None = None) -> None:
        self._ours[key] = (value, body)
        self._todo.append((_SQL[key[0]].put, (key, value, body)))

    def delete(self, key: bytes) -> None:
        self._ours[key] = None
        self._todo.append((_SQL[key[0]].delete, (key,)))

    def move(self, key: bytes, to: bytes, value: bytes) -> None:
        ours = self._ours.get(key, _UNTOUCHED)
        if ours is _UNTOUCHED and self.get(key) is not None:
            ours = _Moved(value, key)
        assert isinstance(ours, _Moved | tuple), f"no row to move at {key!r}"
        self._ours[key] = None
        self._ours[to] = _Moved(value, ours.origin) if isinstance(ours, _Moved) else (value, ours[1])
        if key == to:
            self._todo.append((_SQL[key[0]].value, (value, key)))
            return
        self._todo.append((_SQL[to[0]].delete, (to,)))
        if key[0] == to[0]:
            self._todo.append((_SQL[key[0]].rename, (to, value, key)))
            return
        self._todo.append((_MOVE[key[0], to[0]], (to, value, key)))
        self._todo.append((_SQL[key[0]].delete, (key,)))

    def sequence(self) -> int:
        return self._counter.next()

    def announce(self) -> None:
        self.announced = True

    def apply(self) -> int:
        """Carry out what was written, in its order; about how many pages that touches."""
        pages = 0
        for sql, values in self._todo:
            self._execute(sql, values)
            pages += 2 + sum(map(len, filter(None, values))) // PAGE_BYTES
        return pages


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
