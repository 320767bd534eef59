"""The SQL of the SQLite engine: its tables, a connection to them, and a consistent view of them.

Each table of the key layout is a table of its own, clustered by its keys, so that neighbours in a listing lie
on the same pages. Bodies stand in a table apart, under numbers that their rows know: looking at many rows
never touches bodies, and a row that moves keeps its body where it is (docs/decisions/rows-have-bodies.md).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from operator import itemgetter
from pathlib import Path
from typing import Final

from trivium.storage import keys

CACHE_KIB: Final = 65_536
MAP_BYTES: Final = 1 << 36  # SQLite takes the most that it was built for
BUSY_WAIT_MS: Final = 10_000  # only the recovery after a crash keeps the database locked for long
PAGE_BYTES: Final = 4096
STATEMENTS_KEPT: Final = 512  # every number of rows that a statement writes is a statement of its own

Value = tuple[bytes, bytes | None]
_FIRST: Final = itemgetter(0)


class Sql:
    """The statements of one table. `find` gives a row's value and the number of its body, 0 for none.

    `put` and `delete` are for many rows: what stands before the list of their values, and behind it.
    """

    __slots__ = (
        "bodied", "create", "delete", "find", "first_get", "first_load", "get", "load", "put", "scan",
        "scan_back", "values")

    def __init__(self, table: bytes) -> None:
        t = f"rows_{table.decode()}"
        self.bodied = table in keys.BODIED
        body = ", body integer not null" if self.bodied else ""
        columns = f"k blob primary key, v blob not null{body}"
        self.create = f"create table if not exists {t}({columns}) without rowid"
        self.get = f"select v from {t} where k = ?"
        self.find = f"select v, {'body' if self.bodied else '0'} from {t} where k = ?"
        self.load = f"select v, null from {t} where k = ?"
        if self.bodied:
            self.load = f"select v, b from {t} left join bodies on id = body where k = ?"
        # Rows that stand in wait keep the statement, and with it the view of the database, open.
        self.first_get = f"{self.get} union all values (null), (null)"
        self.first_load = f"{self.load} union all values (null, null), (null, null)"
        self.scan = f"select k, v from {t} where k >= ? and k < ? order by k"
        self.scan_back = f"{self.scan} desc"
        self.values = f"select v from {t} where k >= ? and k < ? order by k"
        self.put = (f"insert into {t}(k, v) values ", " on conflict(k) do update set v = excluded.v")
        if self.bodied:
            self.put = (
                f"insert into {t}(k, v, body) values ",
                " on conflict(k) do update set v = excluded.v, body = excluded.body")
        self.delete = (f"delete from {t} where (k) in (values ", ")")


PUT_BODIES: Final = ("insert into bodies(id, b) values ", " on conflict(id) do update set b = excluded.b")
DELETE_BODIES: Final = ("delete from bodies where (id) in (values ", ")")
BODIED: Final = frozenset(table[0] for table in keys.BODIED)
SQL: Final = {table[0]: Sql(table) for table in keys.TABLES}


def connect(path: Path) -> sqlite3.Connection:
    """A connection that commits durably and never checkpoints by itself. One thread may use it at a time."""
    db = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, cached_statements=STATEMENTS_KEPT,
        timeout=BUSY_WAIT_MS / 1000)
    for pragma in (
        f"page_size = {PAGE_BYTES}", "journal_mode = wal", "synchronous = full", "wal_autocheckpoint = 0",
        f"mmap_size = {MAP_BYTES}", f"cache_size = -{CACHE_KIB}", "secure_delete = off",
        "temp_store = memory",
    ):
        db.execute(f"pragma {pragma}")
    return db


def create_tables(db: sqlite3.Connection) -> None:
    db.execute("begin immediate")
    for sql in SQL.values():
        db.execute(sql.create)
    db.execute("create table if not exists bodies(id integer primary key, b blob not null)")
    db.execute(
        "create table if not exists counter(id integer primary key check (id = 1), given integer not null)")
    db.execute("insert or ignore into counter values (1, 0)")
    db.execute("commit")


def free_bytes(db: sqlite3.Connection) -> int:
    """What deleted rows have left free inside the database file."""
    return int(db.execute("pragma freelist_count").fetchone()[0]) * PAGE_BYTES


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
            cursor = self._execute(SQL[key[0]].first_get, (key,))
            self._open.append(cursor)
            return cursor.fetchone()[0]  # type: ignore[no-any-return]  # the column is a blob
        row = self._execute(SQL[key[0]].get, (key,)).fetchone()
        return None if row is None else row[0]

    def load(self, key: bytes) -> Value | None:
        if self._first:
            self._first = False
            cursor = self._execute(SQL[key[0]].first_load, (key,))
            self._open.append(cursor)
            row = cursor.fetchone()
            return None if row[0] is None else row
        return self._execute(SQL[key[0]].load, (key,)).fetchone()  # type: ignore[no-any-return]  # two blobs

    def scan(self, start: bytes, stop: bytes, *, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        sql = SQL[start[0]]
        return self._scan(sql.scan_back if reverse else sql.scan, start, stop)

    def values(self, start: bytes, stop: bytes) -> Iterator[bytes]:
        return map(_FIRST, self._scan(SQL[start[0]].values, start, stop))

    def _scan(self, sql: str, start: bytes, stop: bytes) -> sqlite3.Cursor:
        if self._first:
            self._first = False
            self._execute("begin")
        cursor = self._execute(sql, (start, stop))
        self._open.append(cursor)
        return cursor

    def end(self) -> None:
        for cursor in self._open:
            cursor.close()
        self._open.clear()
        self._first = True
        if self._db.in_transaction:
            self._execute("rollback")

    def close(self) -> None:
        self._db.close()
