"""A door on a socket of its own, with a small server behind it, for stories told in raw HTTP."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import pytest

from trivium.base.clock import SystemClock
from trivium.door.application import Application, Watch
from trivium.door.health import Health
from trivium.door.metrics import Tally
from trivium.door.pipe import Pipes
from trivium.door.server import HttpServer
from trivium.door.sockets import Address, claim
from trivium.door.source import Patience
from trivium.s3.dialect import Dialect
from trivium.s3.messages import Listener, Request, Response
from trivium.storage.engines.memory import MemoryEngine

Serve = Callable[[Request], Awaitable[Response]]


class Client:
    """One connection. `ask` sends text and reads an answer: status, headers, body."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self.reader, self.writer = reader, writer

    async def send(self, data: bytes):
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self, *, body=True):
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        length = int(headers.get("content-length", "0"))
        return int(head[0].split()[1]), headers, await self.reader.readexactly(length) if body else b""

    async def ask(self, head: str, data: bytes = b"", *, body=True):
        await self.send(head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + data)
        return await self.answer(body=body)

    async def close(self):
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()


class Door:
    def __init__(self, serve: Serve, *, wait_seconds: int, **pipes: bool):
        self.patience = Patience(wait_seconds)
        self.watch = Watch(
            clock=SystemClock(), prefix="0123abcd", patience=self.patience,
            pipes=Pipes(1000, wait_seconds=wait_seconds, **pipes), tally=Tally(), health=Health(MemoryEngine()))
        (listening,) = claim(Address("127.0.0.1", 0), 1, wait_seconds=wait_seconds)
        self.port = listening.getsockname()[1]
        self.server = HttpServer(
            Application(serve, Listener(Dialect("test")), self.watch), listening, wait_seconds=wait_seconds)

        self.clients: list[Client] = []

    async def client(self, **options) -> Client:
        client = Client(*await asyncio.open_connection("127.0.0.1", self.port, **options))
        self.clients.append(client)
        return client


@pytest.fixture
def through_the_door():
    """Runs a story with a door that answers by `serve`; what else is said is for its pipes."""

    def run(serve: Serve, story: Callable[[Door], Awaitable[object]], *, wait_seconds: int = 60, **pipes: bool):
        async def inside():
            door = Door(serve, wait_seconds=wait_seconds, **pipes)
            door.server.start()
            try:
                return await asyncio.wait_for(story(door), 60)
            finally:
                for client in door.clients:
                    await client.close()
                await door.server.stop()

        return asyncio.run(inside())

    return run
