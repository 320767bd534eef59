"""Large bodies that are no single span of a file, sent at the pace of the client and in constant memory.

Theory of operation. The server's own streaming queues without bound, so that a slow client would gather a
whole object in memory. What it does send at the client's pace is a file. So the body is written into a pipe,
and the server is given the pipe's other end as a file to send: the kernel holds at most `PIPE_BYTES` of it,
and we write on when there is room. The read end stays open here until the server has opened it, which shows
when the full pipe first drains; from then on a client that leaves breaks the pipe. Bodies that would fit into
the pipe go out as bytes.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Final

from trivium.base.body import FileSpan, Pieces, Stream, size_of
from trivium.door.wire import Headers, Wire

PIPE_BYTES: Final = 1 << 20
_READ_BYTES: Final = 1 << 20
_DESCRIPTORS: Final = "/proc/self/fd" if Path("/proc/self/fd").exists() else "/dev/fd"


class Stalled(Exception):
    """The client left, or took nothing for too long. Nobody is there to be answered."""


async def send(
    wire: Wire, status: int, headers: Headers, body: Pieces | Stream, *, wait_seconds: float,
) -> None:
    """Answer with the body. Raises Stalled; OSError or a Fault when the bytes cannot be had.

    When it raises behind the first byte, the client sees a body that breaks off before its Content-Length.
    """
    size = size_of(body)
    async with aclosing(_chunks(body)) as chunks:
        if size <= PIPE_BYTES:
            wire.response_bytes(status, headers, b"".join([chunk async for chunk in chunks]))
            return
        headers.append(("content-length", str(size)))
        pipe = _Pipe(wire, wait_seconds)
        try:
            wire.response_file(status, headers, pipe.path)
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
        if not self._opened:
            self._opened = True
            os.close(self._read_end)

    def close(self) -> None:
        """Let go of both ends; the server reads what is still inside."""
        self._gone.cancel()
        os.close(self._write_end)
        if not self._opened:
            os.close(self._read_end)


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


async def _chunks(body: Pieces | Stream) -> AsyncGenerator[bytes, None]:
    if isinstance(body, Stream):
        async for chunk in body.chunks:
            yield chunk
        return
    for piece in body.pieces:
        if isinstance(piece, bytes):
            yield piece
            continue
        async with aclosing(_read(piece)) as chunks:
            async for chunk in chunks:
                yield chunk


async def _read(span: FileSpan) -> AsyncGenerator[bytes, None]:
    """The bytes of the span, about a mebibyte at a time. Raises OSError when there are fewer."""
    descriptor = await asyncio.to_thread(os.open, span.path, os.O_RDONLY)
    try:
        at = span.first
        while at <= span.last:
            chunk = await asyncio.to_thread(os.pread, descriptor, min(_READ_BYTES, span.last + 1 - at), at)
            if not chunk:
                raise OSError(f"{span.path} ends before byte {span.last}")
            at += len(chunk)
            yield chunk
    finally:
        os.close(descriptor)
