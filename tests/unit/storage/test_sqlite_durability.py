"""What is acknowledged is durable, and what is not acknowledged does not come back."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from trivium.base.faults import Fault
from trivium.storage.engines.checkpoints import checkpoint, opened_by_sqlite, restart_log
from trivium.storage.engines.generation import Generation
from trivium.storage.engines.sqlite import SqliteEngine
from trivium.storage.engines.sqlite_rows import connect
from trivium.storage.engines.turnstile import Turnstile

FULL = 2  # https://sqlite.org/pragma.html#pragma_synchronous: the log is fsynced after each transaction
FILES = ("rows.db", "rows.db-wal")  # what a crash leaves; the index of the log lies in memory


def copied(folder: Path, to: Path) -> Path:
    """The database as a crash leaves it now, elsewhere."""
    to.mkdir()
    for name in FILES:
        shutil.copy(folder / name, to / name)
    return to


async def put(engine: SqliteEngine, key: bytes) -> None:
    await engine.write(lambda tx: tx.put(key, b"v", b"x" * 20_000))


async def keys_at(folder: Path) -> list[bytes]:
    engine = SqliteEngine(folder / "rows.db")
    try:
        return await engine.read(lambda rows: [key for key, _ in rows.scan(b"c", b"d")])
    finally:
        await engine.close()


class LateFailure:
    """The writer's connection on a disk that takes the bytes of the next commit, and fails to fsync them.

    SQLite has then written all of the commit to the log, but does not count it: recovery after a crash does,
    which goes by the log alone.
    """

    def __init__(self, db: sqlite3.Connection, log: Path, left: bytes) -> None:
        self._db, self._log, self._left = db, log, left

    def execute(self, sql: str, values: tuple[object, ...] = ()) -> sqlite3.Cursor:
        if sql != "commit":
            return self._db.execute(sql, values)
        self._db.execute("rollback")
        self._log.write_bytes(self._left)
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
        raise error

    def close(self) -> None:
        self._db.close()


def test_a_commit_is_fsynced_before_it_is_told(tmp_path: Path) -> None:
    async def story() -> None:
        engine = SqliteEngine(tmp_path / "rows.db")

        def told(pragma: str) -> object:
            return engine._db.execute(f"pragma {pragma}").fetchone()[0]

        await put(engine, b"ca")
        assert (told("synchronous"), told("journal_mode")) == (FULL, "wal")
        log = tmp_path / "rows.db-wal"
        engine._db = LateFailure(engine._db, log, log.read_bytes())  # type: ignore[assignment]
        with pytest.raises(Fault):
            await put(engine, b"cb")
        assert (told("synchronous"), told("journal_mode")) == (FULL, "wal")  # of the one that replaced it
        await engine.close()

    asyncio.run(story())


@pytest.mark.parametrize("later", [0, 3])
def test_a_commit_whose_fsync_failed_does_not_come_back_after_a_crash(tmp_path: Path, later: int) -> None:
    folder = tmp_path / "data"
    folder.mkdir()

    async def log_with(key: bytes) -> bytes:
        """The log as it would be had the next commit put that key."""
        beside = copied(folder, tmp_path / "beside")
        engine = SqliteEngine(beside / "rows.db")
        await put(engine, key)
        log = (beside / "rows.db-wal").read_bytes()
        await engine.close()
        return log

    async def story() -> None:
        engine = SqliteEngine(folder / "rows.db")
        await put(engine, b"ckept")
        left = await log_with(b"crefused")
        engine._db = LateFailure(engine._db, folder / "rows.db-wal", left)  # type: ignore[assignment]
        with pytest.raises(Fault):
            await put(engine, b"crefused")
        for number in range(later):
            await put(engine, b"clater%d" % number)

        crashed = await keys_at(copied(folder, tmp_path / "crashed"))
        assert crashed == [b"ckept", *(b"clater%d" % number for number in range(later))]
        assert crashed == await engine.read(lambda rows: [key for key, _ in rows.scan(b"c", b"d")])
        await engine.close()

    asyncio.run(story())


class Losing(sqlite3.Connection):
    """A connection on a disk that takes what the next log_checkpoint copies, and loses it at the fsync."""

    lost: tuple[Path, bytes] | None = None

    def execute(self, sql: str, values: tuple[object, ...] = ()) -> sqlite3.Cursor:  # type: ignore[override]
        cursor = super().execute(sql, values)
        if self.lost is not None and "(restart)" in sql:
            forget(*self.lost)
            raise sqlite3.OperationalError("disk I/O error")
        return cursor


def forget(path: Path, left: bytes) -> None:
    """What was written to the file never reached the disk."""
    file = opened_by_sqlite(path)
    assert file is not None
    os.pwrite(file, left, 0)
    os.ftruncate(file, len(left))


@pytest.mark.parametrize("at", ["early", "in the turnstile"])
def test_what_was_copied_before_a_failed_fsync_is_copied_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str,
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    path = folder / "rows.db"

    def fails(file: int) -> None:
        forget(path, left)
        raise OSError(errno.EIO, "fsync")

    async def story() -> None:
        for number in range(5):
            await put(engine, b"c%d" % number)
        if at == "early":
            with monkeypatch.context() as patch, pytest.raises(OSError):
                patch.setattr(os, "fsync", fails)
                checkpoint(db, path, turnstile, generation)
        else:
            losing.execute("pragma wal_checkpoint(passive)")
            losing.lost = (path, left)
            with pytest.raises(sqlite3.OperationalError):
                restart_log(losing, path, generation)
        checkpoint(db, path, turnstile, generation)
        await put(engine, b"c5")  # over the log's beginning

        assert [b"c%d" % number for number in range(6)] == await keys_at(copied(folder, tmp_path / "crashed"))
        await engine.close()

    engine = SqliteEngine(path)
    generation, turnstile = Generation(folder / "generation"), Turnstile(folder)
    db, losing = connect(path), sqlite3.connect(path, factory=Losing, isolation_level=None)
    left = path.read_bytes()
    asyncio.run(story())
    for one in (db, losing, turnstile, generation):
        one.close()
