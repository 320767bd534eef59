"""Large objects, one client: GET against the HTTP server sending the bare file, PUT against MD5 and writing a
file.
"""

from __future__ import annotations

import hashlib
import os
import statistics
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Final

from trivium.app.bench import servers
from trivium.app.bench.client import Connection, connect
from trivium.app.bench.figures import AT_MOST, Line, Target, judged, ratio
from trivium.app.bench.presigned import content
from trivium.app.bench.servers import Server
from trivium.app.bench.site import MIB, Site, call, latency, sized, take_turns
from trivium.app.bench.small import BUCKET, make_bucket
from trivium.base.clock import ticks_ns

SIZES: Final = (16 * MIB, 64 * MIB)
WITHIN_A_FIFTH: Final = Target(AT_MOST, 1.20)  # of the time it takes
_GETS: Final = 3

_Client = tuple[Server, Connection]


async def large(site: Site) -> AsyncIterator[Line]:
    """PUT and GET of 16 MiB and 64 MiB. Ratios of times: less is better."""
    async with servers.floor(site.folder / "floor") as floor, servers.house(site.folder / "house") as house:
        await make_bucket(site, house, BUCKET)
        ours, theirs = await connect(house.endpoint), await connect(floor.endpoint)
        for size in SIZES:
            yield _judged(await _put(site, house, ours, size), size)
            yield _judged(await _get(site, (house, ours), (floor, theirs), size), size)
        ours.close()
        theirs.close()


async def _put(site: Site, house: Server, connection: Connection, size: int) -> Line:
    chunk = content(MIB)
    request = site.request(house, "PUT", f"{BUCKET}/large-{size}", size=size)

    async def ours() -> float:
        return (await call(connection, request, (chunk for _ in range(size // MIB)))).took_seconds

    async def bare() -> float:
        return write_file(site.folder / "bare", chunk, size)

    theirs, mine = await take_turns(site.scale.turns, bare, ours)
    return _compared(f"PUT {sized(size)}", size, mine, theirs, "MD5, write, fsync")


async def _get(site: Site, ours: _Client, theirs: _Client, size: int) -> Line:
    (house, mine), (floor, other) = ours, theirs
    write_file(site.folder / "floor" / f"{size}", content(MIB), size, keep=True)
    asked = site.request(house, "GET", f"{BUCKET}/large-{size}")
    bare = site.request(floor, "GET", f"/file/{size}")
    bares, asks = await take_turns(
        site.scale.turns, lambda: latency(other, [bare] * _GETS), lambda: latency(mine, [asked] * _GETS))
    return _compared(f"GET {sized(size)}", size, asks, bares, "bare file")


def write_file(path: Path, chunk: bytes, size: int, *, keep: bool = False) -> float:
    """Write a file of that many bytes durably and take its MD5, in one process, one after the other; the
    seconds it took.
    """
    digest = hashlib.md5(usedforsecurity=False)
    began = ticks_ns()
    with path.open("wb", buffering=0) as file:
        for _ in range(size // len(chunk)):
            digest.update(chunk)
            file.write(chunk)
        os.fsync(file.fileno())
    took = (ticks_ns() - began) / 1e9
    if not keep:
        path.unlink()
    return took


def _judged(line: Line, size: int) -> Line:
    return judged(line, WITHIN_A_FIFTH) if size == max(SIZES) else line


def _compared(name: str, size: int, ours: Sequence[float], theirs: Sequence[float], floor: str) -> Line:
    mine, other = statistics.median(ours), statistics.median(theirs)
    facts = {"seconds": mine, "floor_seconds": other}
    return Line(
        f"{name}, 1 connection", f"{mine * 1e3:.1f} ms, {size / mine / 1e6:,.0f} MB/s",
        f"{floor} {other * 1e3:.1f} ms, {size / other / 1e6:,.0f} MB/s", ratio(ours, theirs), facts=facts)
