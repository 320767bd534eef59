"""Small requests without the HTTP server: what our own code costs for one, beside what the floor's does.

Processor time of this process, all threads together, in windows of some milliseconds; the least of many
windows counts, since whatever disturbs one only adds to it. So these figures hold on a machine that others
use too, where rates scatter, and a change of some microseconds in the house can be seen. They are no rates:
the HTTP server costs each request about as much again, alike for both.
"""

from __future__ import annotations

import asyncio
import resource
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final
from urllib.parse import unquote

import msgspec

from trivium.app.accounts import RootKey, users_of
from trivium.app.bench.client import Broken
from trivium.app.bench.figures import Line
from trivium.app.bench.floor import Floor
from trivium.app.bench.presigned import Endpoint
from trivium.app.bench.servers import ACCESS_KEY, HOST, SECRET_KEY, Server
from trivium.app.bench.site import KIB, Site
from trivium.app.bench.small import BUCKET, objects
from trivium.app.build import build
from trivium.app.settings import Settings
from trivium.base.ids import RandomIds
from trivium.door.application import Application, Watch
from trivium.door.health import Health
from trivium.door.metrics import Tally
from trivium.door.pipe import Pipes
from trivium.door.source import Patience
from trivium.door.wire import Headers
from trivium.s3.dialects import DIALECTS
from trivium.s3.messages import Listener
from trivium.s3.serve import serve
from trivium.storage.folder import DataFolder

FLYING: Final = 32  # requests at the same time, so that they share commits
_SIZE: Final = 4 * KIB

Answering = Callable[[Any, Any], Awaitable[None]]  # an RSGI application; its scope and wire are the server's


async def inside(site: Site) -> AsyncIterator[Line]:
    """PUT and GET of 4 KiB; the ratio is the floor's processor time to ours: more is better."""
    server = Server("inside", Endpoint(HOST, 9000, ACCESS_KEY, SECRET_KEY), 0)
    floor_data = site.folder / "floor"
    floor_data.mkdir()
    floor = Floor(floor_data, SECRET_KEY)
    async with _house(site) as house:
        await _answered(house, _read(site.request(server, "PUT", BUCKET)))
        for method in ("PUT", "GET"):
            heads = [_read(request) for request in objects(site, server, method, _SIZE)]
            runs = partial(_window, house, heads), partial(_window, floor, heads)
            ours, theirs = await _least(site.scale.windows, *runs)
            facts = {"cpu": ours, "floor_cpu": theirs}
            yield Line(
                f"{method} 4 KiB, without HTTP", f"cpu {ours:.1f} us", f"floor cpu {theirs:.1f} us",
                theirs / ours, facts=facts)


@asynccontextmanager
async def _house(site: Site) -> AsyncIterator[Application]:
    settings, clock, ids = Settings(data=site.folder / "inside"), site.clock, RandomIds()
    with DataFolder(settings.data).served():
        users = users_of(settings, RootKey(ACCESS_KEY, SECRET_KEY))
        house = build(settings, users, clock, ids)
        watch = Watch(
            clock=clock, prefix=ids.hexadecimal(8), patience=Patience(settings.client_wait_seconds),
            pipes=Pipes(1, wait_seconds=1), tally=Tally(), health=Health(house.ground.engine))
        yield Application(partial(serve, house), Listener(DIALECTS["aws"]), watch)
        await house.ground.engine.close()


async def _least(windows: int, *runs: Callable[[int], Awaitable[None]]) -> list[float]:
    """The least processor time of a request in each run, in microseconds. The runs take turns."""
    least = [float("inf")] * len(runs)
    for number in range(windows):
        for place, run in enumerate(runs):
            before = _processor_seconds()
            await run(number)
            least[place] = min(least[place], (_processor_seconds() - before) / FLYING * 1e6)
    return least


async def _window(answering: Answering, heads: Sequence[_Head], number: int) -> None:
    first = number * FLYING % (len(heads) - FLYING)
    await asyncio.gather(*(_answered(answering, head) for head in heads[first : first + FLYING]))


async def _answered(answering: Answering, head: _Head) -> None:
    wire = _Wire(head.body)
    await answering(head, wire)
    if wire.status >= 300:
        raise Broken(f"{head.method} {head.path} was answered with {wire.status}")


class _Headers:
    """The headers of a request, as the HTTP server gives them."""

    def __init__(self, items: Headers) -> None:
        self._items, self._values = items, dict(items)

    def items(self) -> Headers:
        return list(self._items)

    def keys(self) -> list[str]:
        return list(self._values)

    def get(self, name: str) -> str | None:
        return self._values.get(name)

    def __len__(self) -> int:
        return len(self._items)


class _Head(msgspec.Struct, frozen=True):
    """A request, as the HTTP server gives it; and its body."""

    method: str
    path: str
    query_string: str
    headers: _Headers
    body: bytes
    client: str = f"{HOST}:1"


class _Wire:
    """Gives the body, and takes the answer."""

    __slots__ = ("_body", "status")

    def __init__(self, body: bytes) -> None:
        self._body, self.status = body, 0

    async def __call__(self) -> bytes:
        return self._body

    def response_empty(self, status: int, headers: Headers) -> None:
        self.status = status

    def response_bytes(self, status: int, headers: Headers, body: bytes) -> None:
        self.status = status


def _read(request: bytes) -> _Head:
    """The request of which these are the bytes; the bench made them."""
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    method, target, _ = first.split(" ")
    path, _, query = target.partition("?")
    headers = [(name.lower(), value) for name, _, value in (line.partition(": ") for line in lines)]
    return _Head(method, unquote(path), query, _Headers(headers), body)


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
