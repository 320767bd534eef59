"""What one worker does beside serving."""

from __future__ import annotations

import asyncio
from functools import partial

from msgspec.structs import replace

from trivium.app.build import house_of
from trivium.app.chores import chores_of_one, repeat, sweep_mounts
from trivium.app.settings import MountSettings, Settings
from trivium.base.clock import SetClock, SystemClock
from trivium.base.ids import SeededIds
from trivium.buckets.clearing import clear
from trivium.services.access.users import Users
from trivium.storage import journal, keys
from trivium.storage.blobstores.memory import MemoryBlobs
from trivium.storage.engine import Write
from trivium.storage.engines.memory import MemoryEngine
from trivium.storage.journal import PUT, Change


def changes_left(settings: Settings, *, after_seconds: int, damaged: bytes = b"") -> int:
    """How many of two changes are left when they are that old, after the chores were done before and then.

    A row of that key, if one is given, cannot be read.
    """

    async def story() -> int:
        clock, ids, engine = SetClock(), SeededIds(), MemoryEngine()
        house = house_of(settings, engine, MemoryBlobs(clock, ids), Users([]), clock, ids)
        for seq in (1, 2):
            change = Change(seq, PUT, "key", "", clock.now_ms())
            await engine.write(partial(_append, change))
        if damaged:
            await engine.write(lambda tx: tx.put(damaged, b"\x01\xc1"))
        failed: list[BaseException | None] = []
        for _ in range(3):
            failed += await asyncio.gather(
                *(chore() for chore, *_ in chores_of_one(house, settings)), return_exceptions=bool(damaged))
            clock.advance(ms=after_seconds * 1000)
        assert bool(damaged) == any(failed)
        return await engine.read(lambda rows: sum(1 for _ in rows.scan(keys.LOG, keys.after(keys.LOG))))

    return asyncio.run(story())


def _append(change: Change, tx: Write) -> None:
    journal.append(tx, tx.sequence(), change)


def test_a_chore_that_fails_is_logged_and_done_again(caplog):
    done: list[int] = []

    async def chore():
        done.append(len(done))
        if len(done) < 3:
            raise ValueError(done[-1])
        await asyncio.Event().wait()

    async def story():
        task = asyncio.ensure_future(repeat(chore, 0, 0))
        while len(done) < 3:
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled()

    assert asyncio.run(story())
    assert [repr(record.exc_info[1]) for record in caplog.records] == ["ValueError(0)", "ValueError(1)"]


def test_a_chore_is_done_at_once_for_servers_may_be_started_more_often_than_it_is_due():
    async def story():
        done = asyncio.Event()

        async def chore():
            done.set()

        task = asyncio.ensure_future(repeat(chore, 0, 3600))
        await asyncio.wait_for(done.wait(), 10)
        task.cancel()

    asyncio.run(story())


def test_nothing_goes_by_the_clock_when_the_server_has_just_started():
    """It may be wrong, and half of a backup may have been brought back."""
    clock, ids, settings = SetClock(), SeededIds(), Settings()
    house = house_of(settings, MemoryEngine(), MemoryBlobs(clock, ids), Users([]), clock, ids)

    at_once = [chore for chore, first, _ in chores_of_one(house, settings) if first < settings.sweep_seconds]

    assert [clear, sweep_mounts] == [getattr(chore, "func", chore) for chore in at_once]


def test_old_changes_are_forgotten():
    assert changes_left(Settings(), after_seconds=86_400) == 0


def test_a_chore_that_meets_a_damaged_row_keeps_no_other_from_its_work():
    assert changes_left(Settings(), after_seconds=86_400, damaged=keys.token(1, "me", "token")) == 0


def test_young_changes_are_kept():
    assert changes_left(Settings(), after_seconds=20_000) == 2


def test_the_age_can_be_set_and_nought_keeps_all():
    assert changes_left(replace(Settings(), journal_seconds=10), after_seconds=10) == 0
    assert changes_left(replace(Settings(), journal_seconds=0), after_seconds=1_000_000) == 2


def test_what_crashes_left_in_mounts_is_swept_and_a_missing_mount_is_no_hindrance(tmp_path, caplog):
    draft = "0" * 32
    for name in ("photos", "readonly"):
        (tmp_path / name / ".trivium").mkdir(parents=True)
        (tmp_path / name / ".trivium" / draft).touch()
    mounts = tuple(
        MountSettings(name, str(tmp_path / name), readonly=name == "readonly") for name in ("gone", "photos", "readonly"))
    clock = SetClock(SystemClock().now_ms() + 3600 * 1000)
    left = []
    for _ in range(2):
        asyncio.run(sweep_mounts(Settings(mounts=mounts), clock))
        left.append(sorted(str(file.relative_to(tmp_path)) for file in tmp_path.rglob(draft)))
        clock.advance(ms=24 * 3600 * 1000)

    assert left == [[f"photos/.trivium/{draft}", f"readonly/.trivium/{draft}"], [f"readonly/.trivium/{draft}"]]
    assert "mount gone was not swept" in caplog.text
