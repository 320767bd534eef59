"""The street: the HTTP server's objects, played by plain Python, since only the street may be faked."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from trivium.base.clock import SetClock
from trivium.door.application import Watch
from trivium.door.health import Health
from trivium.door.metrics import Tally
from trivium.door.pipe import Pipes
from trivium.door.source import Patience
from trivium.storage.engines.memory import MemoryEngine


class StreetHeaders:
    """`hidden` names have values that the server cannot show."""

    def __init__(self, items: Iterable[tuple[str, str]], hidden: Iterable[str] = ()):
        self._items, self._hidden = list(items), list(hidden)

    def items(self):
        return list(self._items)

    def keys(self):
        return [*dict(self._items), *self._hidden]

    def __len__(self):
        return len(self.keys())


class StreetScope:
    """A request's head; of HTTP/1.0, which needs no Host, unless a test says otherwise."""

    def __init__(self, method="GET", path="/", query_string="", headers=(), hidden=(), *, http_version="1"):
        self.http_version = http_version
        self.method, self.path, self.query_string = method, path, query_string
        self.headers = StreetHeaders(headers, hidden)
        self.client = "192.0.2.7:4711"


class StreetWire:
    """A request's body and the answer that was given to it. `broken`: the client leaves at the end of `chunks`."""

    def __init__(self, chunks=(), *, broken=False, silent=False):
        self._chunks, self._broken, self._silent = list(chunks), broken, silent
        self.status, self.headers, self.body, self.file = 0, [], b"", None
        self.reads = 0

    def __call__(self):
        return self._whole()

    async def _whole(self):
        from granian.rsgi import ProtocolClosed  # type: ignore[attr-defined]  # it is what RSGI documents

        self.reads += 1
        if self._silent:
            await asyncio.Event().wait()
        if self._broken:
            raise ProtocolClosed
        return b"".join(self._chunks)

    def __aiter__(self):
        self._rest = [*self._chunks, *([b"", b""] if self._broken else [b""])]
        return self

    def __anext__(self):
        if not self._rest:
            raise StopAsyncIteration
        return self._next()

    async def _next(self):
        self.reads += 1
        if self._silent:
            await asyncio.Event().wait()
        return self._rest.pop(0)

    async def client_disconnect(self):
        await asyncio.Event().wait()

    def response_empty(self, status, headers):
        self.status, self.headers = status, headers

    def response_bytes(self, status, headers, body):
        if not self.status:
            self.status, self.headers, self.body = status, headers, body

    def response_file(self, status, headers, file):
        self.status, self.headers, self.file = status, headers, (file,)

    def response_file_range(self, status, headers, file, start, end):
        self.status, self.headers, self.file = status, headers, (file, start, end)


def watch(*, patience_seconds=60, access=None, pipes=1):
    return Watch(
        clock=SetClock(), prefix="0123abcd", patience=Patience(patience_seconds),
        pipes=Pipes(pipes, wait_seconds=patience_seconds), tally=Tally(), health=Health(MemoryEngine()), access=access)
