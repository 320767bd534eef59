"""Full and failing disks: a clear fault, nothing half-written, and the engine goes on."""

from __future__ import annotations

import asyncio
import multiprocessing
import resource
import signal
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from trivium.base import faults
from trivium.base.faults import Fault
from trivium.storage.engine import Write
from trivium.storage.engines import sqlite
from trivium.storage.engines.sqlite import SqliteEngine
from trivium.storage.engines.sqlite_rows import connect

Connect = Callable[[Path], sqlite3.Connection]


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[Connect], None]:
    """Puts another disk under the engines that are opened from now on."""
    return lambda made: monkeypatch.setattr(sqlite, "connect", made)


def small(path: Path) -> sqlite3.Connection:
    """A disk with room for 300 pages."""
    db = connect(path)
    db.execute("pragma max_page_count = 300")
    return db


class Failing(sqlite3.Connection):
    """A disk whose fsync fails for the next `failures` commits."""

    failures = 0

    def execute(self, sql: str, values: tuple[bytes, ...] = (), /) -> sqlite3.Cursor:  # type: ignore[override]
        if sql == "commit" and Failing.failures:
            Failing.failures -= 1
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
            raise error
        return super().execute(sql, values)


def failing(path: Path) -> sqlite3.Connection:
    connect(path).close()
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, factory=Failing)
    db.execute("pragma journal_mode = wal")
    return db


def run(path: Path, story: Callable[[SqliteEngine], Awaitable[None]]) -> None:
    async def whole() -> None:
        engine = SqliteEngine(path / "rows.db")
        try:
            await story(engine)
        finally:
            await engine.close()

    asyncio.run(whole())


def put(key: bytes, size: int) -> Callable[[Write], None]:
    return lambda tx: tx.put(key, b"v", b"x" * size)


async def keys_of(engine: SqliteEngine) -> list[bytes]:
    return await engine.read(lambda rows: [key for key, _ in rows.scan(b"c", b"d")])


async def outcome(writing: Awaitable[object]) -> faults.FaultKind | None:
    try:
        await writing
    except Fault as fault:
        return fault.kind
    return None


def test_a_full_disk_refuses_what_has_no_room_and_keeps_the_old_row(
    tmp_path: Path, disk: Callable[[Connect], None]
) -> None:
    disk(small)

    async def story(engine: SqliteEngine) -> None:
        await engine.write(put(b"ca", 100))

        assert await outcome(engine.write(put(b"ca", 10_000_000))) is faults.InsufficientStorage
        assert await engine.read(lambda rows: rows.load(b"ca")) == (b"v", b"x" * 100)
        assert await outcome(engine.write(put(b"cb", 100))) is None

    run(tmp_path, story)


def test_on_a_full_disk_only_what_has_no_room_is_refused(
    tmp_path: Path, disk: Callable[[Connect], None]
) -> None:
    disk(small)

    async def story(engine: SqliteEngine) -> None:
        sizes = [100, 10_000_000, 200, 20_000_000, 300]
        told = await asyncio.gather(
            *(outcome(engine.write(put(b"c%d" % number, size))) for number, size in enumerate(sizes)))

        full = faults.InsufficientStorage
        assert told == [None, full, None, full, None]
        assert await keys_of(engine) == [b"c0", b"c2", b"c4"]

    run(tmp_path, story)


def test_a_full_disk_can_be_emptied(tmp_path: Path, disk: Callable[[Connect], None]) -> None:
    disk(small)

    async def story(engine: SqliteEngine) -> None:
        number = 0
        while await outcome(engine.write(put(b"c%04d" % number, 50_000))) is None:
            number += 1
        assert number > 5
        await engine.write(lambda tx: tx.delete(b"c0000"))

        assert await outcome(engine.write(put(b"cnew", 40_000))) is None
        assert len(await keys_of(engine)) == number

    run(tmp_path, story)


def test_a_failed_fsync_is_never_acknowledged_and_the_next_write_works(
    tmp_path: Path, disk: Callable[[Connect], None]
) -> None:
    disk(failing)

    async def story(engine: SqliteEngine) -> None:
        await engine.write(put(b"ca", 10))
        Failing.failures = 1
        told = await asyncio.gather(*(outcome(engine.write(put(b"c%d" % number, 10))) for number in range(5)))

        assert told == [faults.InternalError] * 5
        assert await keys_of(engine) == [b"ca"]
        assert await outcome(engine.write(put(b"cb", 10))) is None
        assert await keys_of(engine) == [b"ca", b"cb"]

    run(tmp_path, story)


def test_a_refusal_that_rests_on_an_undone_change_is_not_told(
    tmp_path: Path, disk: Callable[[Connect], None]
) -> None:
    disk(failing)

    def put_if_absent(tx: Write) -> None:
        if tx.get(b"ca") is not None:
            raise faults.PreconditionFailed()
        tx.put(b"ca", b"v")

    async def story(engine: SqliteEngine) -> None:
        Failing.failures = 1
        told = await asyncio.gather(*(outcome(engine.write(put_if_absent)) for _ in range(2)))

        assert told == [faults.InternalError] * 2
        assert await keys_of(engine) == []

    run(tmp_path, story)


def test_a_change_that_cannot_be_stored_harms_no_other(tmp_path: Path) -> None:
    async def story(engine: SqliteEngine) -> None:
        def wrong(tx: Write) -> None:
            tx.put(b"cwrong", [])  # type: ignore[arg-type]  # that is what is wrong with it

        changes = [put(b"ca", 10), wrong, put(b"cb", 10)]
        told = await asyncio.gather(*(outcome(engine.write(change)) for change in changes))

        assert told == [None, faults.InternalError, None]
        assert await keys_of(engine) == [b"ca", b"cb"]

    run(tmp_path, story)


def test_more_changes_than_may_wait_are_asked_to_slow_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "LIMIT_WAITING", 10)

    async def story(engine: SqliteEngine) -> None:
        told = await asyncio.gather(
            *(outcome(engine.write(put(b"c%02d" % number, 10))) for number in range(12)))

        assert told == [None] * 10 + [faults.SlowDown] * 2

    run(tmp_path, story)


def _write_against_a_limit(folder: Path) -> None:
    """In a process of its own: files may not grow beyond 2 MB, which the kernel says with EFBIG."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, resource.RLIM_INFINITY))

    async def story(engine: SqliteEngine) -> None:
        assert await outcome(engine.write(put(b"ca", 100))) is None
        assert await outcome(engine.write(put(b"cb", 5_000_000))) is faults.InternalError
        assert await keys_of(engine) == [b"ca"]
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert await outcome(engine.write(put(b"cb", 5_000_000))) is None
        assert await keys_of(engine) == [b"ca", b"cb"]

    run(folder, story)


def test_a_disk_that_stops_writing_is_a_fault_and_writing_goes_on_when_it_does(tmp_path: Path) -> None:
    child = multiprocessing.get_context("spawn").Process(target=_write_against_a_limit, args=(tmp_path,))
    child.start()
    child.join(30)

    assert child.exitcode == 0


def test_nobody_waits_for_a_database_that_cannot_be_opened_again(tmp_path: Path) -> None:
    """As when descriptors have run out, or the disk is gone for a while."""
    folder, away = tmp_path / "rows", tmp_path / "away"
    folder.mkdir()

    def broken(_: Write) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    async def story(engine: SqliteEngine) -> None:
        folder.rename(away)
        assert await outcome(engine.write(broken)) is faults.InternalError
        async with asyncio.timeout(10):
            assert [faults.InternalError] * 3 == await asyncio.gather(
                *(outcome(engine.write(put(b"c%d" % number, 1))) for number in range(3)))
        away.rename(folder)
        await outcome(engine.write(put(b"c3", 1)))  # finds out that there is a database again
        await engine.write(put(b"c4", 1))

        assert [b"c4"] == await keys_of(engine)

    run(folder, story)
