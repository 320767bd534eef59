"""The log starts again from its beginning, and a reader that stays does not hold the writers up."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from pathlib import Path

import pytest

from trivium.storage.engine import Write
from trivium.storage.engines import checkpoints
from trivium.storage.engines.sqlite import SqliteEngine
from trivium.storage.engines.sqlite_rows import View, connect

LIMIT_PAGES = 64


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "LOG_LIMIT_PAGES", LIMIT_PAGES)


def _put(key: bytes, tx: Write) -> None:
    tx.put(key, b"v", bytes(32_000))


async def write_pages(engine: SqliteEngine, pages: int) -> None:
    for number in range(pages // 8):
        await engine.write(partial(_put, b"c%d" % number))


def test_the_log_stays_short_under_many_writes(tmp_path: Path) -> None:
    path = tmp_path / "rows.db"

    async def story() -> int:
        engine = SqliteEngine(path)
        await write_pages(engine, 80 * LIMIT_PAGES)
        size = path.with_name("rows.db-wal").stat().st_size
        await engine.close()
        return size

    assert asyncio.run(story()) < 20 * LIMIT_PAGES * 4096


def test_writers_that_outrun_the_checkpoints_make_them_themselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "LOG_LIMIT_PAGES", 1_000_000)
    monkeypatch.setattr(checkpoints, "LOG_MOST_PAGES", LIMIT_PAGES)
    path = tmp_path / "rows.db"

    async def story() -> int:
        engine = SqliteEngine(path)
        await write_pages(engine, 40 * LIMIT_PAGES)
        size = path.with_name("rows.db-wal").stat().st_size
        await engine.close()
        return size

    assert asyncio.run(story()) < 3 * LIMIT_PAGES * 4096


def test_a_reader_that_stays_makes_the_log_longer_and_no_writer_wait_long(tmp_path: Path) -> None:
    path = tmp_path / "rows.db"

    async def story() -> tuple[float, int]:
        engine = SqliteEngine(path)
        await write_pages(engine, LIMIT_PAGES // 2)
        backup = View(connect(path))
        backup.get(b"c0")
        begun = time.monotonic()
        await write_pages(engine, 40 * LIMIT_PAGES)
        took = time.monotonic() - begun
        seen = len(list(backup.scan(b"c", b"d")))
        backup.end()
        backup.close()
        await engine.close()
        return took, seen

    took, seen = asyncio.run(story())

    assert seen == LIMIT_PAGES // 2 // 8
    assert took < 30
