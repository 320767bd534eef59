"""Several processes on one database: no update lost, nothing stale, and whoever is killed takes nothing
along.
"""

from __future__ import annotations

import asyncio
import fcntl
import multiprocessing
import os
import signal
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from trivium.storage.engine import Write
from trivium.storage.engines.generation import Generation
from trivium.storage.engines.sqlite import SqliteEngine
from trivium.storage.engines.turnstile import Turnstile

SPAWN = multiprocessing.get_context("spawn")
INCREMENTS = 150


def number(data: bytes | None) -> int:
    return int(data or b"0")


def increment(tx: Write) -> int:
    seq = tx.sequence()
    tx.put(b"mcount", b"%d" % (number(tx.get(b"mcount")) + 1))
    return seq


def _increment_many(path: Path, told: Connection) -> None:
    async def work() -> list[int]:
        engine = SqliteEngine(path)
        seqs: list[int] = []
        for _ in range(INCREMENTS // 10):
            seqs += await asyncio.gather(*(engine.write(increment) for _ in range(10)))
        await engine.close()
        return seqs

    told.send(asyncio.run(work()))


def test_two_processes_lose_no_update_and_share_no_number(tmp_path: Path) -> None:
    path = tmp_path / "rows.db"
    pipes = [SPAWN.Pipe(duplex=False) for _ in range(2)]
    children = [SPAWN.Process(target=_increment_many, args=(path, told)) for _, told in pipes]
    for child in children:
        child.start()
    shares = [heard.recv() for heard, _ in pipes]
    for child in children:
        child.join(30)

    async def count() -> int:
        engine = SqliteEngine(path)
        counted = number(await engine.read(lambda rows: rows.get(b"mcount")))
        await engine.close()
        return counted

    assert asyncio.run(count()) == 2 * INCREMENTS
    assert all(share == sorted(share) for share in shares)
    assert len({seq for share in shares for seq in share}) == 2 * INCREMENTS


class Refused(Exception):
    """What a change raises here."""


def test_a_fault_that_keeps_a_scan_keeps_no_view(tmp_path: Path) -> None:
    async def story() -> list[object]:
        engine, beside = SqliteEngine(tmp_path / "rows.db"), SqliteEngine(tmp_path / "rows.db")

        def refuse(tx: Write) -> None:
            found = tx.scan(b"m", b"n")  # the frame, and with it the fault, keeps what has a name
            raise Refused(next(found))

        def fill(tx: Write) -> None:
            for number in range(300):
                tx.put(b"m%03d" % number, b"")

        await engine.write(fill)
        kept = await asyncio.gather(engine.write(refuse), return_exceptions=True)
        await beside.write(lambda tx: tx.put(b"mnew", b"by another"))
        seen = await engine.write(lambda tx: tx.get(b"mnew"))
        await engine.write(lambda tx: tx.put(b"mnew", b"over it"))
        await engine.close()
        await beside.close()
        return [seen, *map(type, kept)]

    assert [b"by another", Refused] == asyncio.run(story())


def _write_until_killed(path: Path, told: Connection) -> None:
    """Write pairs of rows, twenty changes at a time, and tell each number once its write has returned."""

    def pair(name: int) -> Callable[[Write], None]:
        def change(tx: Write) -> None:
            tx.put(b"c%08d" % name, b"%d" % tx.sequence(), bytes(3000))
            tx.put(b"o%08d" % name, b"")
            tx.announce()

        return change

    async def one(engine: SqliteEngine, name: int) -> None:
        await engine.write(pair(name))
        told.send(name)

    async def work() -> None:
        engine = SqliteEngine(path)
        for first in range(0, 1_000_000, 20):
            await asyncio.gather(*(one(engine, first + more) for more in range(20)))

    asyncio.run(work())


@pytest.mark.parametrize("acknowledged", [1, 150, 700])
def test_a_killed_writer_leaves_all_it_acknowledged_no_half_change_and_an_open_door(
    tmp_path: Path, acknowledged: int
) -> None:
    path = tmp_path / "rows.db"
    heard, told = SPAWN.Pipe(duplex=False)
    child = SPAWN.Process(target=_write_until_killed, args=(path, told))
    child.start()
    told.close()
    names = [heard.recv() for _ in range(acknowledged)]
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    child.join(30)
    try:
        while heard.poll():
            names.append(heard.recv())
    except EOFError:
        pass

    async def reopen() -> tuple[list[bytes], list[bytes], int]:
        engine = SqliteEngine(path)
        await engine.write(lambda tx: tx.put(b"mdoor", b"open"))
        news = await engine.read(lambda rows: [key for key, _ in rows.scan(b"c", b"d")])
        olds = await engine.read(lambda rows: [key for key, _ in rows.scan(b"o", b"p")])
        greatest = await engine.read(lambda rows: max(int(value) for _, value in rows.scan(b"c", b"d")))
        next_seq = await engine.write(lambda tx: tx.sequence())
        await engine.close()
        assert next_seq > greatest
        return news, olds, next_seq

    news, olds, _ = asyncio.run(reopen())
    assert {b"c%08d" % name for name in names} <= set(news)
    assert [key[1:] for key in news] == [key[1:] for key in olds]


def _change_generation(path: Path) -> None:
    async def work() -> None:
        engine = SqliteEngine(path)
        await engine.write(lambda tx: tx.announce())
        await engine.close()

    asyncio.run(work())


def test_an_announced_write_is_seen_by_other_processes_and_a_quiet_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "rows.db"

    async def story() -> None:
        engine = SqliteEngine(path)
        before = engine.generation
        await engine.write(lambda tx: tx.put(b"ca", b"v"))
        assert engine.generation == before
        child = SPAWN.Process(target=_change_generation, args=(path,))
        child.start()
        child.join(30)

        assert child.exitcode == 0
        assert engine.generation != before
        await engine.close()

    asyncio.run(story())


def test_while_an_announced_change_is_not_committed_no_answer_repeats(tmp_path: Path) -> None:
    mine, theirs = Generation(tmp_path / "generation"), Generation(tmp_path / "generation")
    before = mine.current()
    theirs.unsettle()

    answers = [mine.current(), mine.current(), mine.current()]
    theirs.settle()
    after = mine.current()

    assert len({before, *answers, after}) == 5
    assert after == mine.current() == theirs.current()


def test_a_change_sees_the_generation_of_those_before_it_in_the_same_commit(tmp_path: Path) -> None:
    async def story() -> None:
        engine = SqliteEngine(tmp_path / "rows.db")
        cached = engine.generation
        _, seen = await asyncio.gather(
            engine.write(lambda tx: tx.announce()), engine.write(lambda tx: engine.generation))

        assert seen != cached
        await engine.close()

    asyncio.run(story())


def test_a_generation_that_a_dead_writer_left_unsettled_is_settled_by_the_next(tmp_path: Path) -> None:
    async def story() -> None:
        dead = Generation(tmp_path / "generation")
        dead.unsettle()
        engine = SqliteEngine(tmp_path / "rows.db")
        assert engine.generation != engine.generation
        await engine.write(lambda tx: tx.put(b"ca", b"v"))

        assert engine.generation == engine.generation
        await engine.close()

    asyncio.run(story())


def test_nobody_enters_the_turnstile_while_another_is_inside(tmp_path: Path) -> None:
    inside, outside = Turnstile(tmp_path), Turnstile(tmp_path)
    inside.enter()

    assert not outside.try_enter()
    inside.leave()
    assert outside.try_enter()
    assert not inside.try_enter()
    outside.close()
    assert inside.try_enter()
    inside.close()


def _until_in_the_queue(entering: Future[None], folder: Path) -> None:
    """Return once who is entering the turnstile stands in its queue."""
    queue = os.open(folder / "writer.queue", os.O_RDWR)
    try:
        for _ in range(5_000):
            try:
                fcntl.flock(queue, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            fcntl.flock(queue, fcntl.LOCK_UN)
            wait([entering], timeout=0.001)  # who asks all the time keeps the queue locked
    finally:
        os.close(queue)
    pytest.fail("nobody stands in the queue")


def test_nobody_who_left_the_turnstile_passes_by_one_who_waits(tmp_path: Path) -> None:
    busy, patient = Turnstile(tmp_path), Turnstile(tmp_path)
    with ThreadPoolExecutor(1) as pool:
        for _ in range(20):
            busy.enter()
            try:
                entering = pool.submit(patient.enter)
                _until_in_the_queue(entering, tmp_path)
            finally:
                busy.leave()

            assert not busy.try_enter()  # whether the other is still in the queue or inside
            entering.result(10)
            patient.leave()
    busy.close()
    patient.close()


def test_nobody_enters_the_turnstile_while_another_is_in_the_queue(tmp_path: Path) -> None:
    hasty = Turnstile(tmp_path)
    queue = os.open(tmp_path / "writer.queue", os.O_RDWR)
    fcntl.flock(queue, fcntl.LOCK_EX)

    assert not hasty.try_enter()
    os.close(queue)
    assert hasty.try_enter()
    hasty.close()
