"""Memory: how much a worker grows while an object of several GiB streams in and out."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from typing import Final

from trivium.app.bench import servers
from trivium.app.bench.client import Broken, Connection, connect
from trivium.app.bench.figures import AT_MOST, Line, Target, judged
from trivium.app.bench.presigned import content
from trivium.app.bench.servers import Memory, Server, memory
from trivium.app.bench.site import GIB, KIB, MIB, Site, call, sized
from trivium.app.bench.small import BUCKET, make_bucket

CONSTANT: Final = Target(AT_MOST, 96, of="growth", unit=" MiB")
_SPARE_BYTES: Final = GIB


async def streaming(site: Site) -> AsyncIterator[Line]:
    """PUT and GET of one large object, with a fresh server each. The ratio is that of the growth to what is
    allowed.
    """
    size = site.scale.stream_bytes
    free = shutil.disk_usage(site.folder).free
    if free < size + _SPARE_BYTES:
        raise Broken(f"{sized(size)} have to be written, but only {sized(free)} are free; see --folder")
    data = site.folder / "streaming"
    chunk = content(MIB)
    async with servers.house(data) as house:
        await make_bucket(site, house, BUCKET)
        connection = await _warm(site, house)
        before = memory(house)
        request = site.request(house, "PUT", f"{BUCKET}/large", size=size)
        answer = await call(connection, request, (chunk for _ in range(size // MIB)))
        yield _line(f"PUT {sized(size)}, memory", size, before, memory(house), answer.took_seconds)
        connection.close()
    async with servers.house(data) as house:
        connection = await _warm(site, house)
        before = memory(house)
        answer = await call(connection, site.request(house, "GET", f"{BUCKET}/large"), keep=False)
        if answer.size != size:
            raise Broken(f"{answer.size} bytes came back of {size}")
        yield _line(f"GET {sized(size)}, memory", size, before, memory(house), answer.took_seconds)
        connection.close()


async def _warm(site: Site, house: Server) -> Connection:
    """A connection to a server that has done all this once, with an object that is small but rests in a
    file.
    """
    connection = await connect(house.endpoint)
    for method, body in (("PUT", content(256 * KIB)), ("GET", b"")):
        await call(connection, site.request(house, method, f"{BUCKET}/warm", body=body))
    return connection


def _line(name: str, size: int, before: Memory, after: Memory, seconds: float) -> Line:
    grown = after.most - before.resident
    facts = {
        "growth": grown / MIB, "private_growth": (after.private - before.private) / MIB, "seconds": seconds,
        "before": before.resident / MIB,
    }
    line = Line(
        name, f"grew {grown / MIB:.1f} MiB at most, {size / seconds / 1e6:,.0f} MB/s",
        f"allowed {CONSTANT.value:.0f} MiB; before {before.resident / MIB:.0f} MiB",
        grown / MIB / CONSTANT.value, facts=facts)
    return judged(line, CONSTANT)
