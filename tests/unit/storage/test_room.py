"""When only the reserve of a disk is left, nothing more is put on it, and what takes things off still works."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from trivium.base import faults
from trivium.base.clock import SetClock
from trivium.base.faults import Fault
from trivium.base.ids import SeededIds
from trivium.storage.blobstores.files import FileBlobs
from trivium.storage.engines.sqlite import SqliteEngine
from trivium.storage.room import Room

RESERVE_BYTES = 2_000_000


class Disk:
    """A disk with as much room as one says."""

    f_frsize = 4096

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.free_bytes = 10_000_000_000
        monkeypatch.setattr(os, "statvfs", lambda path: self)

    @property
    def f_bavail(self) -> int:
        return self.free_bytes // self.f_frsize


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


async def outcome(work: Awaitable[object]) -> faults.FaultKind | None:
    try:
        await work
    except Fault as fault:
        return fault.kind
    return None


def run(path: Path, story: Callable[[SqliteEngine], Awaitable[None]]) -> None:
    async def whole() -> None:
        engine = SqliteEngine(path / "rows.db", reserve_bytes=RESERVE_BYTES)
        try:
            await story(engine)
        finally:
            await engine.close()

    asyncio.run(whole())


def test_the_reserve_is_not_room(tmp_path: Path, disk: Disk) -> None:
    room = Room(tmp_path, reserve_bytes=1_000_000)
    disk.free_bytes = 1_100_000
    assert room.is_left()
    disk.free_bytes = 900_000
    assert not room.is_left()
    assert room.is_left(beside_bytes=200_000)
    assert Room(tmp_path, reserve_bytes=0).is_left()


def test_bodies_are_refused_in_the_reserve_and_everything_else_goes_on(tmp_path: Path, disk: Disk) -> None:
    async def story(engine: SqliteEngine) -> None:
        await engine.write(lambda tx: tx.put(b"ca", b"v", b"body"))
        disk.free_bytes = 1_000_000
        told = await asyncio.gather(
            *(
                outcome(engine.write(change))
                for change in (
                    lambda tx: tx.put(b"cb", b"v", b"body"),
                    lambda tx: tx.put(b"cc", b"v", b""),
                    lambda tx: tx.move(b"ca", b"oa", b"v"),
                    lambda tx: tx.delete(b"oa"),
                )
            )
        )

        assert told == [faults.InsufficientStorage, None, None, None]
        assert await engine.read(lambda rows: [key for key, _ in rows.scan(b"c", b"d")]) == [b"cc"]

    run(tmp_path, story)


def test_what_deleted_rows_left_free_in_the_database_is_room(tmp_path: Path, disk: Disk) -> None:

    async def story(engine: SqliteEngine) -> None:
        await engine.write(lambda tx: tx.put(b"ca", b"v", bytes(3_000_000)))
        disk.free_bytes = 500_000
        assert await outcome(engine.write(lambda tx: tx.put(b"cb", b"v", b"body"))) is faults.InsufficientStorage
        await engine.write(lambda tx: tx.delete(b"ca"))

        assert await outcome(engine.write(lambda tx: tx.put(b"cb", b"v", b"body"))) is None

    run(tmp_path, story)


@pytest.mark.parametrize("chunk_count", [1, 30])
def test_blobs_are_refused_in_the_reserve(tmp_path: Path, disk: Disk, chunk_count: int) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for number in range(chunk_count):
            if number == chunk_count - 1:
                disk.free_bytes = 1_000_000
            yield bytes(500_000)

    async def story() -> None:
        blobs = FileBlobs(tmp_path, SetClock(), SeededIds(), reserve_bytes=RESERVE_BYTES)

        assert await outcome(blobs.write(chunks())) is faults.InsufficientStorage
        assert [path for path in tmp_path.rglob("*") if path.is_file()] == []

    asyncio.run(story())
