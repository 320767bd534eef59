"""Pieces on a lane are worked on in order, and no more of them wait than may."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivium.base import lane
from trivium.base.lane import Lane


@given(st.lists(st.lists(st.binary(max_size=8), max_size=3), max_size=40))
def test_all_pieces_are_worked_on_in_their_order(pieces: list[list[bytes]]) -> None:
    seen: list[bytes] = []

    async def story() -> None:
        digesting = Lane(None, seen.extend)
        for some in pieces:
            await digesting.put(some, sum(map(len, some)))
        await digesting.end()

    asyncio.run(story())

    assert [piece for some in pieces for piece in some] == seen


def test_who_puts_waits_while_too_much_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane, "LIMIT_BYTES", 10)
    may_work = threading.Event()

    def work(pieces: Sequence[bytes]) -> None:
        may_work.wait()

    async def story() -> None:
        slow = Lane(None, work)
        await slow.put([b"x"], 1)
        await slow.put([b"x" * 9], 9)
        third = asyncio.ensure_future(slow.put([b"x" * 9], 9))
        await asyncio.sleep(0)
        assert not third.done()

        may_work.set()
        await third
        await slow.end()

    asyncio.run(story())


def test_a_failure_is_told_to_the_next_and_at_the_end_and_nothing_more_is_worked_on() -> None:
    worked: list[bytes] = []

    def work(pieces: Sequence[bytes]) -> None:
        worked.extend(pieces)
        raise OSError("full")

    async def story() -> None:
        failing = Lane(None, work)
        with suppress(OSError):  # it may have failed already
            await failing.put([b"a"], 1)
        for step in (failing.end, lambda: failing.put([b"b"], 1)):
            with pytest.raises(OSError, match="full"):
                await step()
        await failing.stop()

    asyncio.run(story())

    assert [b"a"] == worked


def test_stopping_forgets_what_waits_and_waits_for_what_is_under_way() -> None:
    begun, may_end, worked = threading.Event(), threading.Event(), list[bytes]()

    def work(pieces: Sequence[bytes]) -> None:
        begun.set()
        may_end.wait()
        worked.extend(pieces)

    async def story() -> None:
        busy = Lane(None, work)
        await busy.put([b"a"], 1)
        await busy.put([b"b"], 1)
        await asyncio.to_thread(begun.wait)
        stopping = asyncio.ensure_future(busy.stop())
        await asyncio.sleep(0)
        assert not stopping.done()

        may_end.set()
        await stopping

    asyncio.run(story())

    assert [b"a"] == worked


def test_a_stream_without_end_leaves_the_thread_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane, "TURN_BYTES", 4)
    threads = ThreadPoolExecutor(1)
    other_came, put = threading.Event(), threading.Semaphore(0)

    async def endless() -> None:
        def wait(_pieces: Sequence[bytes]) -> None:
            put.acquire()  # each waits for the one behind it

        busy = Lane(threads, wait)
        await busy.put([b"x"], 1)
        while not other_came.is_set():
            await busy.put([b"x"], 1)
            put.release()
            await asyncio.sleep(0)
        put.release()
        await busy.end()

    async def story() -> None:
        streaming = asyncio.ensure_future(endless())
        other = Lane(threads, lambda pieces: other_came.set())
        await other.put([b"x"], 1)
        await other.end()
        await streaming

    asyncio.run(story())
    threads.shutdown()


def test_work_that_outlasts_a_turn_is_all_done_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane, "TURN_BYTES", 3)
    seen: list[bytes] = []

    async def story() -> None:
        long = Lane(None, seen.extend)
        for number in range(200):
            await long.put([b"%d" % number], 1)
        await long.end()
        await long.stop()

    asyncio.run(story())

    assert [b"%d" % number for number in range(200)] == seen


def test_where_no_thread_is_to_be_had_nobody_waits_for_one() -> None:
    threads = ThreadPoolExecutor(1)
    threads.shutdown()

    async def story() -> None:
        stuck = Lane(threads, lambda pieces: None)
        for step in (lambda: stuck.put([b"x"], 1), stuck.end):
            with pytest.raises(RuntimeError, match="shutdown"):
                await step()
        await stuck.stop()

    asyncio.run(story())
