"""The journal is trimmed by age, in short transactions; buckets with commits keep theirs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from trivium.base.clock import SetClock
from trivium.storage import journal, keys
from trivium.storage.engine import Read, Write
from trivium.storage.engines.memory import MemoryEngine
from trivium.storage.journal import CHANGES, MARKS, PUT, Change

T = TypeVar("T")
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


class Counted(MemoryEngine):
    """Remembers how many rows each transaction has deleted."""

    def __init__(self) -> None:
        super().__init__()
        self.deleted: list[int] = []

    async def write(self, change: Callable[[Write], T]) -> T:
        before = len(self._rows)
        done = await super().write(change)
        self.deleted.append(before - len(self._rows))
        return done


class House:
    """An engine, a clock, and changes at its times."""

    def __init__(self) -> None:
        self.clock, self.engine = SetClock(), Counted()

    async def change(self, bucket: int, *, at_ms: int | None = None) -> int:
        def write(tx: Write) -> int:
            seq = tx.sequence()
            moment = self.clock.now_ms() if at_ms is None else at_ms
            journal.append(tx, bucket, Change(seq, PUT, "key", "", moment))
            return seq

        return await self.engine.write(write)

    async def trim(self, keep_ms: int = DAY_MS) -> int:
        return await journal.trim(self.engine, now_ms=self.clock.now_ms(), keep_ms=keep_ms)

    async def left(self) -> list[int]:
        def look(rows: Read) -> list[int]:
            return [CHANGES.decode(row).seq for _, row in rows.scan(keys.LOG, keys.after(keys.LOG))]

        return await self.engine.read(look)

    async def marks(self) -> int:
        def look(rows: Read) -> int:
            return sum(len(MARKS.decode(row)) for _, row in rows.scan(keys.META, keys.after(keys.META)))

        return await self.engine.read(look)


def run(story: Callable[[House], Awaitable[None]]) -> None:
    async def inside() -> None:
        await story(House())

    asyncio.run(inside())


def test_changes_go_when_they_are_old_enough_and_not_before() -> None:
    async def story(house: House) -> None:
        old = [await house.change(bucket) for bucket in (1, 2, 1)]
        assert await house.trim() == 0
        house.clock.advance(ms=DAY_MS - 1)
        young = [await house.change(bucket) for bucket in (1, 2)]

        assert await house.trim() == 0
        assert sorted(await house.left()) == old + young
        house.clock.advance(ms=1)
        assert await house.trim() == 3
        assert await house.left() == young
        house.clock.advance(ms=DAY_MS)
        assert await house.trim() == 2
        assert await house.left() == []

    run(story)


def test_a_bucket_with_commits_keeps_its_journal() -> None:
    async def story(house: House) -> None:
        await house.change(1)
        kept = await house.change(2)
        await house.change(3)
        await house.engine.write(lambda tx: tx.put(keys.numbered(keys.COMMIT, 2, 1), b""))
        await house.trim()
        house.clock.advance(ms=DAY_MS)

        assert await house.trim() == 2
        assert await house.left() == [kept]

    run(story)


def test_times_from_the_future_keep_nothing() -> None:
    async def story(house: House) -> None:
        await house.change(1, at_ms=house.clock.now_ms() + 365 * DAY_MS)
        await house.change(1)
        await house.trim()
        house.clock.advance(ms=DAY_MS)

        assert await house.trim() == 2

    run(story)


def test_a_clock_that_was_ahead_for_a_while_keeps_nothing() -> None:
    async def story(house: House) -> None:
        house.clock.advance(ms=365 * DAY_MS)
        await house.change(1)
        await house.trim()
        house.clock.advance(ms=-365 * DAY_MS)
        await house.trim()
        house.clock.advance(ms=DAY_MS)

        assert await house.trim() == 1

    run(story)


def test_no_transaction_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "_ROWS_AT_ONCE", 7)

    async def story(house: House) -> None:
        for number in range(100):
            await house.change(1 + number % 3)
        await house.trim()
        house.clock.advance(ms=DAY_MS)
        house.engine.deleted.clear()

        assert await house.trim() == 100
        assert max(house.engine.deleted) == 7

    run(story)


def test_many_buckets_without_anything_to_trim_are_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "_BUCKETS_A_READ", 3)

    async def story(house: House) -> None:
        await house.change(5)
        await house.trim()
        house.clock.advance(ms=DAY_MS)
        for bucket in (*range(1, 5), *range(6, 13)):
            await house.change(bucket)
        await house.engine.write(lambda tx: tx.put(keys.numbered(keys.COMMIT, 13, 1), b""))
        await house.change(13)

        assert await house.trim() == 1
        assert len(await house.left()) == 12

    run(story)


def test_marks_are_few_however_often_one_trims() -> None:
    async def story(house: House) -> None:
        for _ in range(2000):
            house.clock.advance(ms=HOUR_MS // 6)
            await house.trim()
        assert await house.marks() <= 34
        for _ in range(200):
            house.clock.advance(ms=-HOUR_MS)
            await house.trim()

        assert await house.marks() == 64

    run(story)


def test_a_trim_that_was_cut_off_is_taken_up_again() -> None:
    async def story(house: House) -> None:
        for bucket in range(1, 6):
            await house.change(bucket)
        await house.trim()
        house.clock.advance(ms=DAY_MS)
        task = asyncio.ensure_future(house.trim())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert await house.left()
        await house.trim()

        assert await house.left() == []

    run(story)
