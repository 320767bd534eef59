"""Listings: a page of 1,000 keys must cost the same in a large bucket, and however many versions each key
has.

What a page costs the server is the latency of the request, on a single connection, less the latency of a
request that does nothing but be received, signed, checked and answered (HeadBucket).
"""

from __future__ import annotations

import statistics
from collections.abc import AsyncIterator, Mapping
from functools import partial
from typing import Final

import msgspec

from trivium.app.bench import servers
from trivium.app.bench.client import Connection, connect
from trivium.app.bench.figures import AT_MOST, Line, Target, judged, ratio
from trivium.app.bench.fill import Filling, fill, key_of
from trivium.app.bench.servers import Server, cpu_seconds
from trivium.app.bench.site import Site, call, latency, take_turns
from trivium.base.ids import RandomIds
from trivium.storage.engines.sqlite import SqliteEngine
from trivium.storage.folder import DataFolder

MANY, FEW, PAST = "bench-many", "bench-few", "bench-past"
PAGE_KEYS: Final = 1_000
UNDER_5_MS: Final = Target(AT_MOST, 5, of="server", unit=" ms")
AS_IN_A_SMALL_BUCKET: Final = Target(AT_MOST, 1.2)
WITH_A_PAST: Final = Target(AT_MOST, 2.0)
_PAGES: Final = 15  # in each round, from places all over the bucket
_ENABLED: Final = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"


async def listing(site: Site) -> AsyncIterator[Line]:
    """ListObjectsV2 with and without a delimiter."""
    scale = site.scale
    data = site.folder / "listed"
    fillings = (
        Filling(MANY, scale.listed), Filling(FEW, scale.few), Filling(PAST, scale.few, scale.versions))
    async with servers.house(data) as house:
        await _create(site, house)
    engine = SqliteEngine(DataFolder(data).rows)
    for filling in fillings:
        await fill(engine, filling, RandomIds(), now_ms=site.clock.now_ms())
    await engine.close()
    async with servers.house(data) as house:
        connection = await connect(house.endpoint)
        for line in await _measured(site, house, connection):
            yield line
        connection.close()


async def _create(site: Site, house: Server) -> None:
    connection = await connect(house.endpoint)
    for bucket in (MANY, FEW, PAST):
        await call(connection, site.request(house, "PUT", f"/{bucket}"))
    await call(connection, site.request(house, "PUT", f"/{PAST}", {"versioning": ""}, _ENABLED))
    connection.close()


async def _measured(site: Site, house: Server, connection: Connection) -> list[Line]:
    scale = site.scale
    asked = {
        "trivial": [site.request(house, "HEAD", f"/{FEW}")] * _PAGES,
        MANY: pages(site, house, MANY, scale.listed),
        FEW: pages(site, house, FEW, scale.few),
        PAST: pages(site, house, PAST, scale.few),
        "folded": [site.request(house, "GET", f"/{MANY}", {"list-type": "2", "delimiter": "/"})] * _PAGES,
    }
    for requests in asked.values():
        await latency(connection, requests)  # so that nothing is read from the disk when it counts
    spent = dict.fromkeys(asked, 0.0)

    async def run(name: str) -> float:
        before = cpu_seconds(house)
        seconds = await latency(connection, asked[name])
        spent[name] += cpu_seconds(house) - before
        return seconds

    turns = await take_turns(scale.turns, *(partial(run, name) for name in asked))
    found = dict(zip(asked, turns, strict=True))
    idle = statistics.median(found["trivial"])
    cost = {
        name: _Cost([one - idle for one in seconds], spent[name] / (scale.turns * _PAGES))
        for name, seconds in found.items()}
    few = f"{scale.few:,}"
    large = _line(f"LIST 1,000 of {scale.listed:,}", cost[MANY], cost[FEW], f"of {few}", idle)
    name = f"LIST 1,000 of {few} x {scale.versions} versions"
    past = _line(name, cost[PAST], cost[FEW], f"of {few} unversioned", idle)
    name = f"LIST, delimiter, {scale.listed:,} keys"
    folded = _line(name, cost["folded"], cost[MANY], "without delimiter", idle)
    return [judged(large, UNDER_5_MS, AS_IN_A_SMALL_BUCKET), judged(past, WITH_A_PAST), folded]


def pages(site: Site, house: Server, bucket: str, count: int) -> list[bytes]:
    """Requests for whole pages from places all over the bucket."""
    last = count - PAGE_KEYS - 1
    starts = [max(0, last) * number // (_PAGES - 1) for number in range(_PAGES)]
    return [site.request(house, "GET", f"/{bucket}", _page(key_of(start, count))) for start in starts]


def _page(start_after: str) -> Mapping[str, str]:
    return {"list-type": "2", "max-keys": str(PAGE_KEYS), "start-after": start_after}


class _Cost(msgspec.Struct, frozen=True):
    """What a request costs: server time by turns, and processor time on average; in seconds."""

    server: list[float]
    cpu: float


def _line(name: str, ours: _Cost, theirs: _Cost, floor: str, idle: float) -> Line:
    mine, other = statistics.median(ours.server) * 1e3, statistics.median(theirs.server) * 1e3
    facts = {
        "server": mine, "floor_server": other, "trivial": idle * 1e3, "cpu": ours.cpu * 1e3,
        "floor_cpu": theirs.cpu * 1e3,
    }
    cpu = f", cpu {ours.cpu * 1e3:.1f} ms" if ours.cpu else ""
    return Line(
        name, f"server {mine:.2f} ms ({mine + idle * 1e3:.2f} - {idle * 1e3:.2f}){cpu}",
        f"{floor} {other:.2f} ms", ratio(ours.server, theirs.server), facts=facts)
