"""Large bodies that are no single span of a file, sent at the pace of the client and in constant memory.

Theory of operation. The server's own streaming queues without bound, so that a slow client would gather a
whole object in memory. What it does send at the client's pace is a file. So the body is written into a pipe,
and the server is given the pipe's other end as a file to send: the kernel holds at most `PIPE_BYTES` of it,
and we write on when there is room. The read end stays open here until the server has opened it, which shows
when the full pipe first drains; from then on a client that leaves breaks the pipe. Bodies that would fit into
the pipe go out as bytes. A file that is held open is moved into the pipe by the kernel, in a thread that
stays for as long as the client takes quickly, up to `_POURED_BYTES` at a time.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import select
import sys
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Final

from trivium.base.body import Descriptor, HeldSpan, Pieces, Stream, size_of
from trivium.base.finish import finished
from trivium.buckets.copying import chunks_of
from trivium.door.wire import Headers, Wire

PIPE_BYTES: Final = 1 << 20
_READ_BYTES: Final = 1 << 20
_POURED_BYTES: Final = 8 << 20  # some milliseconds; then the thread is somebody else's
_QUICK_MS: Final = 5
_DESCRIPTORS: Final = "/proc/self/fd" if Path("/proc/self/fd").exists() else "/dev/fd"


class Stalled(Exception):
    """The client left, or took nothing for too long. Nobody is there to be answered."""


async def send(
    wire: Wire, status: int, headers: Headers, body: HeldSpan | Pieces | Stream, *, wait_seconds: float,
) -> None:
    """Answer with the body. Raises Stalled; OSError or a Fault when the bytes cannot be had.

    When it raises behind the first byte, the client sees a body that breaks off before its Content-Length.
    """
    size = size_of(body)
    async with aclosing(chunks_of(body)) as chunks:
        if size <= PIPE_BYTES:
            wire.response_bytes(status, headers, b"".join([chunk async for chunk in chunks]))
            return
        headers.append(("content-length", str(size)))
        pipe = _Pipe(wire, wait_seconds)
        try:
            wire.response_file(status, headers, pipe.path)
            if isinstance(body, HeldSpan):
                await pipe.pour(body)
                return
            async for chunk in chunks:
                await pipe.write(chunk)
        finally:
            pipe.close()


class _Pipe:
    """The pipe and who waits at its ends. It belongs to one event loop."""

    def __init__(self, wire: Wire, wait_seconds: float) -> None:
        self._loop, self._wait_seconds = asyncio.get_running_loop(), wait_seconds
        self._read_end, self._write_end = os.pipe()
        self._opened = False
        os.set_blocking(self._write_end, False)
        if sys.platform == "linux":
            with suppress(OSError):  # the system's limit for pipes is reached: a smaller one works too
                fcntl.fcntl(self._write_end, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self._gone = asyncio.ensure_future(wire.client_disconnect())

    @property
    def path(self) -> str:
        """The name under which the server opens the read end."""
        return f"{_DESCRIPTORS}/{self._read_end}"

    async def write(self, chunk: bytes) -> None:
        """Put all of the chunk into the pipe, waiting for room. Raises Stalled."""
        view = memoryview(chunk)
        while view:
            try:
                view = view[os.write(self._write_end, view) :]
            except BlockingIOError:
                await self._room()
            except BrokenPipeError:
                raise Stalled from None

    async def pour(self, span: HeldSpan) -> None:
        """Put the file's span into the pipe, waiting for room. Raises Stalled; OSError if it is shorter."""
        at, end = span.first, span.last + 1
        while at < end:
            some = min(end - at, _POURED_BYTES)
            moved = await finished(asyncio.to_thread(_pour, span.file, at, some, self._write_end))
            at += moved
            if at - span.first > PIPE_BYTES:
                self._let_go()  # the server has read some: it has opened its end
            if moved < some:
                await self._room()

    async def _room(self) -> None:
        room = self._loop.create_future()
        self._loop.add_writer(self._write_end, _settle, room)
        try:
            await asyncio.wait(
                (room, self._gone), timeout=self._wait_seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._loop.remove_writer(self._write_end)
        if not room.done():
            raise Stalled
        self._let_go()

    def _let_go(self) -> None:
        if not self._opened:
            self._opened = True
            os.close(self._read_end)

    def close(self) -> None:
        """Let go of both ends; the server reads what is still inside."""
        self._gone.cancel()
        os.close(self._write_end)
        self._let_go()


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _pour(file: Descriptor, at: int, size: int, into: int) -> int:
    """Move the bytes of the file into the pipe until it stays full; how many have gone. It blocks."""
    left, poll = size, select.poll()
    poll.register(into, select.POLLOUT)
    while left:
        try:
            moved = _move(file.number, at, left, into)
        except BlockingIOError:
            if not poll.poll(_QUICK_MS):
                break
            continue
        except BrokenPipeError:
            raise Stalled from None
        if not moved:
            raise OSError(f"a file ends at byte {at}, {left} bytes early")
        at, left = at + moved, left - moved
    return size - left


def _move(file: int, at: int, size: int, into: int) -> int:
    if sys.platform == "linux":
        try:
            return os.splice(file, into, size, offset_src=at)
        except OSError as error:
            if error.errno != errno.EINVAL:  # some file systems cannot
                raise
    data = os.pread(file, min(size, _READ_BYTES), at)
    return os.write(into, data) if data else 0
