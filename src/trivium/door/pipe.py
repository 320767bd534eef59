"""Large bodies that are no single span of a blob, sent at the pace of the client and in constant memory.

Theory of operation. The server's own streaming queues without bound, so that a slow client would gather a
whole object in memory. What it does send at the client's pace is a file. So the body is moved into a pipe,
and the server is given the pipe's other end as a file to send: the kernel holds at most `PIPE_BYTES` of it,
and we go on when there is room. The read end stays open here until the server has opened it, which shows
when more has gone in than the pipe holds; from then on a client that leaves breaks the pipe. A client that
has left before is not sent to at all: the server tells of it, and nothing is moved. Bodies that would fit
into the pipe go out as bytes.

Files are moved by the kernel, in a thread that stays while the client takes quickly, `_STAY_NS` at a time;
who is slow is waited for on the event loop.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import select
import sys
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final

from trivium.base.body import Descriptor, FileSpan, HeldSpan, Pieces, size_of
from trivium.base.clock import ticks_ns
from trivium.base.finish import finished
from trivium.buckets.copying import chunks_of
from trivium.door.wire import Headers, Wire

PIPE_BYTES: Final = 1 << 20
_COPIED_BYTES: Final = 128 << 10
_STAY_NS: Final = 10_000_000
_QUICK_MS: Final = 5
# within which the server opens a pipe, however slow the client; of one client in some thousands that leave
# it does not tell
_OPENING_SECONDS: Final = 5
_THREADS: Final = 16
_DESCRIPTORS: Final = "/proc/self/fd" if Path("/proc/self/fd").exists() else "/dev/fd"


class Stalled(Exception):
    """The client left, or took nothing for too long. Nobody is there to be answered."""


class Pipes:
    """The pipes of a worker, `limit` of them at most. With a body's file and the server's own end each takes
    four descriptors. A client is waited for `wait_seconds` each time.

    Without `splices` bytes are copied into the pipes, as where the system cannot move them.
    """

    def __init__(self, limit: int, *, wait_seconds: float, splices: bool = hasattr(os, "splice")) -> None:
        self.left, self.wait_seconds, self.splices = limit, wait_seconds, splices
        self.threads: Executor = ThreadPoolExecutor(_THREADS, "pipes")

    async def send(self, wire: Wire, status: int, headers: Headers, body: HeldSpan | Pieces) -> None:
        """Answer with the body. Raises Stalled; OSError or a Fault when the bytes cannot be had.

        When it raises behind the first byte, the client sees a body that breaks off before its
        Content-Length.
        """
        size = size_of(body)
        if size <= PIPE_BYTES:
            wire.response_bytes(status, headers, b"".join([chunk async for chunk in chunks_of(body)]))
            return
        headers.append(("content-length", str(size)))
        pipe = _Pipe(self, wire)
        try:
            wire.response_file(status, headers, f"{_DESCRIPTORS}/{pipe.read_end}")
            for piece in body.pieces if isinstance(body, Pieces) else (body,):
                await pipe.pour(piece)
        finally:
            await pipe.close()


class _Pipe:
    """A pipe and who waits at its ends. It belongs to one event loop."""

    def __init__(self, pipes: Pipes, wire: Wire) -> None:
        self._pipes, self._loop = pipes, asyncio.get_running_loop()
        self.read_end, self._write_end = os.pipe()
        self._pipes.left -= 1
        self._opened, self._moved = False, 0
        os.set_blocking(self._write_end, False)
        if sys.platform == "linux":
            with suppress(OSError):  # the system's limit for pipes is reached: a smaller one works too
                fcntl.fcntl(self._write_end, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self._gone = asyncio.ensure_future(wire.client_disconnect())

    async def pour(self, span: FileSpan | HeldSpan) -> None:
        """Put the file's span into the pipe, waiting for room. Raises Stalled; OSError if it is shorter."""
        threads = self._pipes.threads
        if isinstance(span, HeldSpan):
            file, threads = span.file, span.file.threads or threads
        else:
            path = span.path
            file = await self._loop.run_in_executor(threads, lambda: Descriptor(os.open(path, os.O_RDONLY)))
        at, end = span.first, span.last + 1
        while at < end:
            # to its end even when nobody waits any more: it uses descriptors of ours
            at += await finished(self._loop.run_in_executor(threads, self._pour, file, at, end - at))
            if at < end:
                await self._room()

    def _pour(self, file: Descriptor, at: int, size: int) -> int:
        """Move bytes of the file into the pipe until all have gone, the time is over or the pipe stays full;
        how many have gone. It blocks.
        """
        left, until, poll = size, ticks_ns() + _STAY_NS, select.poll()
        poll.register(self._write_end, select.POLLOUT)
        while left and ticks_ns() < until and not self._gone.done() and poll.poll(_QUICK_MS):
            try:
                moved = self._move(file.number, at, left)
            except BrokenPipeError:
                raise Stalled from None
            if not moved:
                raise OSError(f"a file ends at byte {at}, {left} bytes early")
            at, left = at + moved, left - moved
            self._count(moved)
        return size - left

    def _move(self, file: int, at: int, size: int) -> int:
        if self._pipes.splices:
            try:
                return os.splice(file, self._write_end, size, offset_src=at)
            except OSError as error:
                if error.errno != errno.EINVAL:  # some file systems cannot
                    raise
        data = os.pread(file, min(size, _COPIED_BYTES), at)
        return os.write(self._write_end, data) if data else 0

    async def _room(self) -> None:
        """Wait until there is room. Raises Stalled."""
        room = self._loop.create_future()
        self._loop.add_writer(self._write_end, _settle, room)
        seconds = self._pipes.wait_seconds if self._opened else _OPENING_SECONDS
        try:
            await asyncio.wait((room, self._gone), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._loop.remove_writer(self._write_end)
        if self._gone.done() or not room.done():
            self._gone.cancel()  # whom nobody waits for any more
            raise Stalled

    def _count(self, moved: int) -> None:
        self._moved += moved
        if self._moved > PIPE_BYTES:
            self._let_go()  # the server has read some: it has opened its end

    def _let_go(self) -> None:
        if not self._opened:
            self._opened = True
            os.close(self.read_end)

    async def close(self) -> None:
        """Let go of both ends; the server reads what is still inside."""
        os.close(self._write_end)
        try:
            if not self._opened:  # a body that broke off early: the number must not become another file's
                await asyncio.wait((self._gone,), timeout=_OPENING_SECONDS)
        finally:
            self._gone.cancel()
            self._let_go()
            self._pipes.left += 1


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
