"""A client that costs little: one connection, requests as bytes, answers found by Content-Length."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Final, cast

import msgspec

from trivium.app.bench.presigned import Endpoint
from trivium.base.clock import ticks_ns

BUFFER_BYTES: Final = 1 << 20
WAIT_SECONDS: Final = 600
_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"\r\ncontent-length:"
_BODYLESS: Final = (204, 304)


class Broken(Exception):
    """A server answered what it should not, or did not answer. The bench stops where it happens."""


class Answer(msgspec.Struct, frozen=True):
    """An answer. `body` is kept only when it was asked for; `size` is its length in bytes."""

    status: int
    size: int
    body: bytes = b""
    took_seconds: float = 0.0


class Head(msgspec.Struct, frozen=True):
    """What the head of an answer says: status, length of the body, and where in the bytes the body begins."""

    status: int
    size: int
    body_at: int


def read_head(data: bytes, *, bodyless: bool) -> Head | None:
    """The head, or None when its end has not come yet. `bodyless`: it answers a HEAD. Raises Broken.

    Only what the servers of this bench send is understood: no chunked transfer coding.
    """
    end = data.find(_END)
    if end < 0:
        return None
    status = int(data[9:12])
    at = data.lower().find(_LENGTH, 0, end)
    if bodyless or status in _BODYLESS:
        return Head(status, 0, end + 4)
    if at < 0:
        if b"transfer-encoding" in data[:end].lower():
            raise Broken("the answer has no Content-Length")
        return Head(status, 0, end + 4)
    stop = data.find(b"\r\n", at + 2)
    return Head(status, int(data[at + len(_LENGTH) : stop]), end + 4)


class Connection(asyncio.BufferedProtocol):
    """One connection. One request at a time; `told(status, size)` is called when its answer is whole."""

    def __init__(self) -> None:
        self._buffer = memoryview(bytearray(BUFFER_BYTES))
        self._transport: asyncio.Transport | None = None
        self._head = b""
        self._left = -1  # bytes of the body that have not come; -1: the head is not whole
        self._status = self._size = 0
        self._kept: list[bytes] | None = None
        self._bodyless = False
        self._room: asyncio.Future[None] | None = None
        self.told: Callable[[int, int], None] = _ignore
        self.lost: Callable[[], None] = _nothing

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own class does not say that it is one

    def connection_lost(self, exc: Exception | None) -> None:
        self.resume_writing()
        self._transport = None
        self.lost()

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        if self._left < 0:
            self._read_head(nbytes)
            return
        self._left -= nbytes
        if self._kept is not None:
            self._kept.append(bytes(self._buffer[:nbytes]))
        if self._left == 0:
            self._done()

    def pause_writing(self) -> None:
        self._room = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        room, self._room = self._room, None
        if room is not None and not room.done():
            room.set_result(None)

    # What the bench calls

    def send(self, request: bytes) -> None:
        """Send a request, or a part of one."""
        if self._transport is None:
            raise Broken("the server closed the connection")
        self._bodyless = self._bodyless or request.startswith(b"HEAD ")
        self._transport.write(request)

    async def send_all(self, chunks: Iterable[bytes]) -> None:
        """Send the chunks of a body at the pace of the server, until it has answered or left."""
        for chunk in chunks:
            if self._transport is None or self._status:
                return
            self._transport.write(chunk)
            if self._room is not None:
                await self._room

    async def exchange(self, request: bytes, chunks: Iterable[bytes] = (), *, keep: bool = False) -> Answer:
        """Send a request, with the chunks behind it, and wait for the whole answer. Raises Broken.

        `keep`: keep the body. The time counts from before the first byte is sent to after the last one came.
        """
        answer: asyncio.Future[tuple[int, int]] = asyncio.get_running_loop().create_future()

        def lost() -> None:
            if not answer.done():
                answer.set_exception(Broken("the server closed the connection"))

        self.told, self.lost = (lambda status, size: answer.set_result((status, size))), lost
        self._kept = [] if keep else None
        self._status = 0
        began = ticks_ns()
        self.send(request)
        await self.send_all(chunks)
        async with asyncio.timeout(WAIT_SECONDS):
            status, size = await answer
        took = (ticks_ns() - began) / 1e9
        return Answer(status, size, b"".join(self._kept or ()), took)

    def close(self) -> None:
        """Let go of the connection."""
        self.lost = _nothing
        if self._transport is not None:
            self._transport.close()

    def _read_head(self, nbytes: int) -> None:
        data = self._head + bytes(self._buffer[:nbytes])
        head = read_head(data, bodyless=self._bodyless)
        if head is None:
            self._head = data
            return
        self._head = b""
        self._status, self._size = head.status, head.size
        if self._kept is not None:
            self._kept.append(data[head.body_at :])
        self._left = head.size - (len(data) - head.body_at)
        if self._left == 0:
            self._done()

    def _done(self) -> None:
        self._left = -1
        self._bodyless = False
        self.told(self._status, self._size)


async def connect(endpoint: Endpoint) -> Connection:
    """A connection to the server. Raises OSError."""
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(Connection, endpoint.host, endpoint.port)
    return connection


def _ignore(status: int, size: int) -> None:
    """Nobody waits for an answer."""


def _nothing() -> None:
    """Nobody minds."""
