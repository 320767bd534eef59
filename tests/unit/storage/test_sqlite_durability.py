"""What is acknowledged is durable, and what is not acknowledged does not come back."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from pathlib import Path

import pytest

from trivium.base.faults import Fault
from trivium.storage.engines.sqlite import SqliteEngine

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
