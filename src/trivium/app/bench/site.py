"""What a run of the bench works with: where, how much of everything, and how measurements take turns."""

from __future__ import annotations

import statistics
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from trivium.app.bench.client import Answer, Broken, Connection
from trivium.app.bench.presigned import request
from trivium.app.bench.servers import Server
from trivium.base.clock import Clock

T = TypeVar("T")

KIB: Final = 1 << 10
MIB: Final = 1 << 20
GIB: Final = 1 << 30


class Scale(msgspec.Struct, frozen=True):
    """How much of everything. Sizes in bytes; `seconds` is how long a server is under load each time.

    `rounds` of what takes seconds each; `turns` of what takes milliseconds; `listed` and `few` are the keys
    of a large and a small bucket, `versions` how many each key of a bucket with a past has.
    `sharing` is how many connections press the workers that share one writer.
    `windows` of some milliseconds are tried for the least processor time.
    """

    rounds: int = 7
    seconds: int = 1
    turns: int = 7
    connections: tuple[int, ...] = (8, 32)
    sharing: int = 32  # the target speaks of 32, --quick too
    listed: int = 1_000_000
    few: int = 10_000
    versions: int = 100
    stream_bytes: int = 5 * GIB
    copy_bytes: int = GIB
    parts: int = 1_000
    windows: int = 1_000


QUICK: Final = Scale(
    rounds=3, turns=3, connections=(16,), listed=100_000, versions=10, stream_bytes=GIB, copy_bytes=GIB // 4,
    windows=300)


class Site(msgspec.Struct, frozen=True):
    """Where a run happens: a folder that goes at its end, how much, and the time."""

    folder: Path
    scale: Scale
    clock: Clock

    def request(
        self, server: Server, method: str, path: str, query: Mapping[str, str] | None = None,
        body: bytes = b"", *, size: int | None = None, headers: Mapping[str, str] | None = None,
    ) -> bytes:
        """A request to the server, presigned now; as `presigned.request`."""
        now = datetime.fromtimestamp(self.clock.now_ms() / 1000, UTC)
        return request(server.endpoint, method, path, query, body, now=now, size=size, headers=headers)


async def call(
    connection: Connection, request: bytes, chunks: Iterable[bytes] = (), *, keep: bool = True,
) -> Answer:
    """The answer to a request that has to succeed. Raises Broken."""
    answer = await connection.exchange(request, chunks, keep=keep)
    if answer.status >= 300:
        line = request[: request.find(b"?")].decode()
        raise Broken(f"{line} was answered with {answer.status} {answer.body[:300].decode(errors='replace')}")
    return answer


async def latency(connection: Connection, requests: Iterable[bytes]) -> float:
    """Seconds from sending a request to having its answer: the median of the requests."""
    return statistics.median([(await call(connection, one, keep=False)).took_seconds for one in requests])


async def take_turns(rounds: int, *runs: Callable[[], Awaitable[T]]) -> list[list[T]]:
    """What each run gave in each round. One after the other, the other way round every second round."""
    found: list[list[T]] = [[] for _ in runs]
    for number in range(rounds):
        order = list(zip(runs, found, strict=True))
        for run, figures in reversed(order) if number % 2 else order:
            figures.append(await run())
    return found


def sized(size: int) -> str:
    """A size in words, such as 64 KiB."""
    for unit, name in ((GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")):
        if size >= unit:
            return f"{size / unit:g} {name}"
    return f"{size} bytes"
