"""A view shows one moment, whatever others commit while it is looked at."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from trivium.storage.engine import Read
from trivium.storage.engines.sqlite_change import Changes
from trivium.storage.engines.sqlite_rows import View, connect, create_tables

Look = Callable[[Read], object]
LOOKS: dict[str, Look] = {
    "get": lambda rows: rows.get(b"ca"),
    "load": lambda rows: rows.load(b"ca"),
    "scan": lambda rows: list(rows.scan(b"c", b"d")),
    "get of nothing": lambda rows: rows.get(b"cz"),
    "load of nothing": lambda rows: rows.load(b"cz"),
    "scan of nothing": lambda rows: list(rows.scan(b"cz", b"d")),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "rows.db"
    db = connect(path)
    create_tables(db)
    write(db, b"ca", b"cb")
    db.close()
    return path


def write(db: sqlite3.Connection, *keys: bytes, value: bytes = b"before") -> None:
    db.execute("begin immediate")
    changes = Changes(db)
    for key in keys:
        changes.put(key, value, value)
    changes.carry_out()
    db.execute("commit")


@pytest.mark.parametrize("later", LOOKS)
@pytest.mark.parametrize("first", LOOKS)
def test_what_is_committed_between_two_looks_is_not_seen(path: Path, first: str, later: str) -> None:
    view, other = View(connect(path)), connect(path)
    expected = LOOKS[later](view)
    view.end()
    LOOKS[first](view)
    write(other, b"ca", b"cz", value=b"after")

    assert LOOKS[later](view) == expected
    view.end()
    assert LOOKS[later](view) != expected
    view.end()
    view.close()
    other.close()


def test_a_view_that_has_ended_holds_nothing_back(path: Path) -> None:
    view, other = View(connect(path)), connect(path)
    for look in LOOKS.values():
        look(view)
        next(iter(view.scan(b"c", b"d")))
        view.end()
    write(other, b"ca", value=b"after")

    blocked, _, _ = other.execute("pragma wal_checkpoint(restart)").fetchone()
    assert not blocked
    view.close()
    other.close()
