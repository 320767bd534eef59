"""Load: as many requests as a server takes from some connections, and how long each took.

wrk does it where it is installed: it costs so little that it leaves the machine to the server. Otherwise this
process does it; then a GET of a small object may show the speed of the load rather than of the server. Both
send the same bytes, made beforehand, one request at a time on each connection.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from itertools import cycle
from pathlib import Path
from typing import Final

import msgspec

from trivium.app.bench.client import Broken, Connection, connect
from trivium.app.bench.presigned import Endpoint
from trivium.app.bench.servers import Server, cpu_seconds
from trivium.base.clock import ticks_ns

WRK: Final = shutil.which("wrk")
NAME: Final = "wrk" if WRK else "the bench itself (wrk is not installed)"

_SCRIPT: Final = Path(__file__).with_name("load.lua")
_RESULT: Final = re.compile(r"^RESULT (\d+) (\d+) (\d+) (\d+) (\d+)$", re.MULTILINE)


class Load(msgspec.Struct, frozen=True):
    """What a server did under load: answers a second, and latencies in milliseconds.

    `cpu_us` is the processor time of its processes per answer, in microseconds; 0 where that cannot be had.
    """

    rate: float
    p50_ms: float
    p99_ms: float
    cpu_us: float = 0.0


async def press(server: Server, requests: Sequence[bytes], *, connections: int, seconds: int) -> Load:
    """Send the requests over and over for that long. Raises Broken when an answer is no success."""
    before = cpu_seconds(server)
    if WRK:
        load = await _wrk(server.endpoint, requests, connections, seconds)
    else:
        load = await _ours(server.endpoint, cycle(requests), connections, seconds)
    spent = cpu_seconds(server) - before
    return msgspec.structs.replace(load, cpu_us=spent * 1e6 / (load.rate * seconds))


async def send_once(server: Server, requests: Sequence[bytes], *, connections: int) -> Load:
    """Send every request once, by this process. Raises Broken when an answer is no success."""
    return await _ours(server.endpoint, iter(requests), connections, None)


async def _wrk(endpoint: Endpoint, requests: Sequence[bytes], connections: int, seconds: int) -> Load:
    with tempfile.NamedTemporaryFile(prefix="trivium-bench-") as file:
        for request in requests:
            file.write(b"%d\n%b" % (len(request), request))
        file.flush()
        process = await asyncio.create_subprocess_exec(
            WRK or "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "60s", "-s", str(_SCRIPT),
            f"http://{endpoint.authority}/", "--", file.name,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)
        said, _ = await process.communicate()
    return read_result(said.decode(errors="replace"))


def read_result(said: str) -> Load:
    """What wrk's script printed. Raises Broken when that is nothing, or when requests failed."""
    match = _RESULT.search(said)
    if match is None:
        raise Broken(f"wrk said: {said[-500:]}")
    requests, microseconds, errors, p50_us, p99_us = map(int, match.groups())
    if errors or not requests:
        raise Broken(f"{errors} of {requests} requests failed under load")
    return Load(requests / (microseconds / 1e6), p50_us / 1e3, p99_us / 1e3)


async def _ours(endpoint: Endpoint, requests: Iterator[bytes], connections: int, seconds: int | None) -> Load:
    pressing = _Pressing(requests, seconds)
    opened = [await connect(endpoint) for _ in range(connections)]
    try:
        return await pressing.run(opened)
    finally:
        for connection in opened:
            connection.close()


class _Pressing:
    """Requests under way on some connections: each answer sends the next request."""

    def __init__(self, requests: Iterator[bytes], seconds: int | None) -> None:
        self._requests, self._seconds = requests, seconds
        self._until = 0
        self._took: list[int] = []
        self._busy = 0
        self._ended = asyncio.get_running_loop().create_future()

    async def run(self, connections: Sequence[Connection]) -> Load:
        began = ticks_ns()
        if self._seconds is not None:
            self._until = began + self._seconds * 1_000_000_000
        for connection in connections:
            self._begin(connection)
        await self._ended
        return summary(self._took, (ticks_ns() - began) / 1e9)

    def _begin(self, connection: Connection) -> None:
        sent = 0

        def send() -> None:
            nonlocal sent
            request = None if self._until and ticks_ns() >= self._until else next(self._requests, None)
            if request is None:
                self._leave()
                return
            sent = ticks_ns()
            connection.send(request)

        def told(status: int, _: int) -> None:
            self._took.append(ticks_ns() - sent)
            if status >= 300:
                self._fail(f"status {status} under load")
                return
            send()

        connection.told = told
        connection.lost = lambda: self._fail("the server closed a connection under load")
        self._busy += 1
        send()

    def _leave(self) -> None:
        self._busy -= 1
        if self._busy == 0 and not self._ended.done():
            self._ended.set_result(None)

    def _fail(self, why: str) -> None:
        if not self._ended.done():
            self._ended.set_exception(Broken(why))


def summary(took_ns: Sequence[int], seconds: float) -> Load:
    """Rate and percentiles of requests that took so long. Raises Broken when there was none."""
    if not took_ns:
        raise Broken("no request was answered")
    ordered = sorted(took_ns)
    at = [ordered[min(len(ordered) - 1, int(len(ordered) * part))] / 1e6 for part in (0.5, 0.99)]
    return Load(len(ordered) / seconds, at[0], at[1])
