"""Small objects under load: PUT, GET and DELETE against the floor server, and two workers against one."""

from __future__ import annotations

import statistics
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import Final

import msgspec

from trivium.app.bench import servers
from trivium.app.bench.client import connect
from trivium.app.bench.figures import AT_LEAST, AT_MOST, Line, Target, judged, ratio
from trivium.app.bench.load import Load, press, send_once
from trivium.app.bench.presigned import content
from trivium.app.bench.servers import Server
from trivium.app.bench.site import KIB, Site, call, sized, take_turns

BUCKET: Final = "/bench"
NEAR_THE_FLOOR: Final = Target(AT_LEAST, 0.70)
AS_FAST_AS_ONE: Final = Target(AT_LEAST, 0.90)  # the issue says "about as fast"
NO_STALLS: Final = Target(AT_MOST, 50, of="p99", unit=" ms")
_KEYS: Final = {4 * KIB: 2_000, 64 * KIB: 200}


async def small(site: Site) -> AsyncIterator[Line]:
    """PUT and GET of 4 KiB and 64 KiB, then DELETE, each beside the floor server."""
    async with servers.floor(site.folder / "floor") as floor, servers.house(site.folder / "house") as house:
        await make_bucket(site, house, BUCKET)
        for size in _KEYS:
            for method in ("PUT", "GET"):
                for connections in site.scale.connections:
                    yield await _pressed(site, floor, house, method, size, connections)
        yield await _deleted(site, floor, house)


async def workers(site: Site) -> AsyncIterator[Line]:
    """PUT of 4 KiB with two worker processes beside one."""
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(servers.house(site.folder / "one", "--workers", "1"))
        two = await stack.enter_async_context(servers.house(site.folder / "two", "--workers", "2"))
        for server in (one, two):
            await make_bucket(site, server, BUCKET)
        connections = site.scale.sharing
        line = await _pressed(site, one, two, "PUT", 4 * KIB, connections)
        line = msgspec.structs.replace(
            line, name=f"PUT 4 KiB, 2 workers, {connections} connections", verdicts=(),
            floor=line.floor.replace("floor", "1 worker", 1))
        yield judged(line, AS_FAST_AS_ONE, NO_STALLS)


async def make_bucket(site: Site, server: Server, path: str) -> None:
    """Create a bucket."""
    connection = await connect(server.endpoint)
    await call(connection, site.request(server, "PUT", path))
    connection.close()


def objects(site: Site, server: Server, method: str, size: int, prefix: str = "") -> list[bytes]:
    """Requests for the objects of that size: a PUT has the bytes with it."""
    body = content(size) if method == "PUT" else b""
    folder = f"{BUCKET}/{prefix}{size}"
    return [
        site.request(server, method, f"{folder}/d{number % 50:02d}/object-{number:06d}", body=body)
        for number in range(_KEYS[size])
    ]


async def _pressed(
    site: Site, floor: Server, house: Server, method: str, size: int, connections: int,
) -> Line:
    async def run(server: Server, requests: Sequence[bytes]) -> Load:
        return await press(server, requests, connections=connections, seconds=site.scale.seconds)

    runs = []
    for server in (floor, house):
        if method == "GET":
            await send_once(server, objects(site, server, "PUT", size), connections=8)
        runs.append(partial(run, server, objects(site, server, method, size)))
    theirs, ours = await take_turns(site.scale.rounds, *runs)
    line = compared(f"{method} {sized(size)}, {connections} connections", ours, theirs)
    return judged(line, NEAR_THE_FLOOR) if size == 4 * KIB else line


async def _deleted(site: Site, floor: Server, house: Server) -> Line:
    """Every object is there when it is deleted, so each round writes them first."""

    async def run(server: Server, number: int) -> Load:
        prefix = f"gone-{number}-"
        await send_once(server, objects(site, server, "PUT", 4 * KIB, prefix), connections=8)
        return await send_once(server, objects(site, server, "DELETE", 4 * KIB, prefix), connections=8)

    ours: list[Load] = []
    theirs: list[Load] = []
    for number in range(site.scale.rounds):
        theirs.append(await run(floor, number))
        ours.append(await run(house, number))
    return compared("DELETE, 8 connections", ours, theirs)


def compared(name: str, ours: Sequence[Load], theirs: Sequence[Load]) -> Line:
    """The line of two servers under the same load: more answers a second are better."""
    mine, other = median(ours), median(theirs)
    facts = {
        "rate": mine.rate, "p50": mine.p50_ms, "p99": mine.p99_ms, "cpu": mine.cpu_us,
        "floor_rate": other.rate, "floor_p50": other.p50_ms, "floor_p99": other.p99_ms,
        "floor_cpu": other.cpu_us,
    }
    found = ratio([one.rate for one in ours], [one.rate for one in theirs])
    return Line(name, _said(mine), f"floor {_said(other)}", found, facts=facts)


def median(loads: Sequence[Load]) -> Load:
    """The median of each figure."""
    return Load(*(statistics.median(figures) for figures in zip(
        *((one.rate, one.p50_ms, one.p99_ms, one.cpu_us) for one in loads), strict=True)))


def _said(load: Load) -> str:
    cpu = f" cpu {load.cpu_us:.0f} us" if load.cpu_us else ""
    return f"{load.rate:,.0f}/s p50 {load.p50_ms:.2f} p99 {load.p99_ms:.2f} ms{cpu}"
