"""A lane: pieces of bytes are worked on in their order, in a thread, while the next ones arrive.

Theory of operation. Whoever puts pieces on the lane goes on at once, until more than `LIMIT_BYTES` wait. One
thread at a time takes what waits until nothing does; so a stream keeps its thread and pays for no hop between
two pieces, and a stream that pauses keeps none. After `TURN_BYTES` it goes to the end of the queue for
threads: streams that never pause would else keep all of them, and others would stand still until these end.
Owner of the thread: the executor that was given.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Final

LIMIT_BYTES: Final = 4 << 20  # what may wait beside what is being worked on
TURN_BYTES: Final = 16 << 20  # some tens of milliseconds of work


class Lane:
    """`work` sees all pieces, in order. To be used on one event loop, by one task at a time."""

    __slots__ = (
        "_executor", "_failure", "_lock", "_loop", "_room", "_running", "_waiting", "_waiting_bytes", "_work")

    def __init__(self, executor: Executor | None, work: Callable[[Sequence[bytes]], None]) -> None:
        self._executor, self._work = executor, work
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()  # for all below; held for microseconds
        self._waiting: deque[tuple[Sequence[bytes], int]] = deque()
        self._waiting_bytes = 0
        self._running = False
        self._failure: BaseException | None = None
        self._room: asyncio.Future[None] | None = None  # somebody waits until there is less to do

    async def put(self, pieces: Sequence[bytes], size: int) -> None:
        """Have the pieces, `size` bytes together, worked on. Raises what `work` raised for earlier ones."""
        with self._lock:
            if self._failure is not None:
                raise self._failure
            self._waiting.append((pieces, size))
            self._waiting_bytes += size
            start = not self._running
            self._running = True
        if start:
            self._start()
        await self._wait(LIMIT_BYTES)

    def _start(self) -> None:
        """Ask for a thread. On the loop."""
        try:
            self._loop.run_in_executor(self._executor, self._drain)
        except RuntimeError as error:  # there is none to be had
            with self._lock:
                self._fail(error)
                self._running = False
                self._tell()

    async def end(self) -> None:
        """Wait until all pieces have been worked on. Raises what `work` raised."""
        await self._wait(0)

    async def _wait(self, most_bytes: int) -> None:
        while True:
            with self._lock:
                if self._failure is not None:
                    raise self._failure
                if self._waiting_bytes <= most_bytes and (most_bytes or not self._running):
                    return
                self._room = self._loop.create_future()
            await self._room

    def _drain(self) -> None:
        worked = 0
        while worked < TURN_BYTES:
            with self._lock:
                if not self._waiting:
                    self._running = False
                    self._tell()
                    return
                pieces, size = self._waiting.popleft()
                self._waiting_bytes -= size
                if self._waiting_bytes <= LIMIT_BYTES // 2:
                    self._tell()
            worked += size
            try:
                self._work(pieces)
            except BaseException as error:  # it is told to whoever puts the next piece, or ends
                with self._lock:
                    self._fail(error)
        self._loop.call_soon_threadsafe(self._start)

    def _fail(self, error: BaseException) -> None:
        self._failure = error
        self._waiting.clear()
        self._waiting_bytes = 0

    def _tell(self) -> None:
        if self._room is not None:
            self._loop.call_soon_threadsafe(_wake, self._room)
            self._room = None

    async def stop(self) -> None:
        """Forget what waits, and wait until nothing is worked on. It raises nothing."""
        with self._lock:
            self._waiting.clear()
            self._waiting_bytes = 0
        while True:
            with self._lock:
                if not self._running:
                    return
                self._room = self._loop.create_future()
            await self._room


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
