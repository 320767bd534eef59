"""Bytes from the wire: bounded by what was announced, and never waited for without end.

Theory of operation. `Patience` knows every task that waits for a client's bytes and in which second it began
to wait. Once a second it cancels those that have waited too long; the cancelled read turns that into
RequestTimeout. A timer per read would cost several microseconds on every upload; a dictionary entry costs a
tenth of one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import suppress
from typing import Any, Final

from granian.rsgi import ProtocolClosed  # type: ignore[attr-defined]  # it is what RSGI documents

from trivium.base import faults
from trivium.door.wire import Wire

# nobody asks for more at once: inline objects and XML documents are far smaller
MAX_WHOLE_BYTES: Final = 8 << 20
MAX_DRAIN_BYTES: Final = 1 << 20
_AT_ONCE_BYTES: Final = 256 << 10  # of more each chunk is waited for: a slow client may need minutes


class Patience:
    """How long a client may keep us waiting for its next bytes: about `limit_seconds`, in whole seconds."""

    __slots__ = ("_second", "_tired", "_waiting", "limit_seconds")

    def __init__(self, limit_seconds: int) -> None:
        self.limit_seconds = limit_seconds
        self._second = 0
        self._waiting: dict[asyncio.Task[Any], int] = {}
        self._tired: set[asyncio.Task[Any]] = set()

    def tick(self) -> None:
        """A second has passed: wake those who have waited for too long."""
        self._second += 1
        if not self._waiting:
            return
        since = self._second - self.limit_seconds
        self._wake([task for task, second in self._waiting.items() if second < since])

    def give_up(self) -> None:
        """Wake all who wait now: the server ends."""
        self._wake(list(self._waiting))

    def _wake(self, tasks: list[asyncio.Task[Any]]) -> None:
        for task in tasks:
            del self._waiting[task]
            self._tired.add(task)
            task.cancel()

    async def wait(self, step: Awaitable[bytes]) -> bytes:
        """The bytes. Raises RequestTimeout when they take too long, IncompleteBody when the client left."""
        task = asyncio.current_task()
        assert task is not None, "reading happens in a task"
        self._waiting[task] = self._second
        try:
            return await step
        except ProtocolClosed:
            raise faults.IncompleteBody() from None
        except asyncio.CancelledError:
            if task not in self._tired:
                raise
            task.uncancel()
            raise faults.RequestTimeout() from None
        finally:
            self._waiting.pop(task, None)
            self._tired.discard(task)


class WireSource:
    """The body of a request. `announced` is its Content-Length, None when it comes in chunks without.

    `received` counts bytes; `touched` says that somebody has begun to read.
    """

    __slots__ = ("_announced", "_patience", "_wire", "received", "touched")

    def __init__(self, wire: Wire, announced: int | None, patience: Patience) -> None:
        self._wire, self._announced, self._patience = wire, announced, patience
        self.received = 0
        self.touched = False

    async def whole(self) -> bytes:
        """All bytes. Raises EntityTooLarge above `MAX_WHOLE_BYTES`, IncompleteBody, RequestTimeout."""
        if self._announced is None or _AT_ONCE_BYTES < self._announced <= MAX_WHOLE_BYTES:
            return b"".join([chunk async for chunk in self._bounded()])
        if self._announced > MAX_WHOLE_BYTES:
            raise faults.EntityTooLarge(ProposedSize=self._announced, MaxSizeAllowed=MAX_WHOLE_BYTES)
        self.touched = True
        data = await self._patience.wait(self._wire())
        self.received = len(data)
        if self.received != self._announced:
            raise faults.IncompleteBody()
        return data

    async def chunks(self) -> AsyncIterator[bytes]:
        """The bytes as they come, none of the chunks empty. Raises IncompleteBody, RequestTimeout."""
        self.touched = True
        chunks, empty = aiter(self._wire), 0
        while True:
            try:
                step = chunks.__anext__()
            except StopAsyncIteration:
                break
            chunk = await self._patience.wait(step)
            if not chunk:
                empty += 1  # the end is one empty chunk, a client that left is two
                continue
            self.received += len(chunk)
            yield chunk
        broken_off = empty > 1 if self._announced is None else self.received != self._announced
        if broken_off:
            raise faults.IncompleteBody()

    async def drain(self) -> None:
        """Read away a small body that nobody wanted, so that the answer is not lost with the connection.

        A client that is still sending when the connection closes may never see the answer (RFC 9112 §9.6).
        """
        if self.touched or self._announced is None or self._announced > MAX_DRAIN_BYTES:
            return
        with suppress(faults.Fault):
            await self._patience.wait(self._wire())  # for all of it as long as for one chunk

    async def _bounded(self) -> AsyncIterator[bytes]:
        async for chunk in self.chunks():
            if self.received > MAX_WHOLE_BYTES:
                raise faults.EntityTooLarge(MaxSizeAllowed=MAX_WHOLE_BYTES)
            yield chunk
