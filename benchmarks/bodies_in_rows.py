"""What a small body costs inside its row, and in a file of its own: PUT, GET and a page of a listing.

Run: PYTHONPATH=src python benchmarks/bodies_in_rows.py --keys 2000 --flying 16 --rounds 5
For each size a bucket of `--keys` objects on the SQLite engine, in turn with all bodies in rows and with all
in files: PUTs of new keys with `--flying` under way, GETs of random keys one behind the other (a file is opened,
read and closed), pages of 1,000 keys. Of `--rounds` the least time of each is printed, per operation, and how
many bytes the folder takes for a byte put: others use the machine too. `BENCH_FOLDER` is where data is kept: on
a disk.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvloop

from trivium.base.body import FileSpan
from trivium.base.clock import SystemClock
from trivium.base.ids import RandomIds
from trivium.base.incoming import Given, Incoming
from trivium.buckets.entry import Attributes
from trivium.buckets.objects.bucket import ObjectsBucket
from trivium.buckets.record import OBJECTS, Ground, enroll
from trivium.storage.blobstores.files import FileBlobs
from trivium.storage.engines.sqlite import SqliteEngine

KIB = 1024
SIZES = (4, 16, 32, 64, 96, 128, 192, 256)  # KiB
ROWS, FILES = 1 << 30, -1
PAGES = 20
Costs = dict[str, float]


def key(number: int) -> str:
    return f"a{number % 97:02d}/some/path/object-{number:08d}"


async def timed(work: Callable[[], Awaitable[object]], count: int) -> float:
    """Microseconds each."""
    begun = time.perf_counter()
    await work()
    return (time.perf_counter() - begun) / count * 1e6


async def measure(folder: Path, inline_bytes: int, size: int, options: argparse.Namespace) -> Costs:
    clock, ids = SystemClock(), RandomIds()
    engine = SqliteEngine(folder / "rows.db")
    ground = Ground(engine, FileBlobs(folder / "blobs", clock, ids), clock, ids, inline_bytes)
    record = await engine.write(lambda tx: enroll(tx, "bucket", OBJECTS, "me", now_ms=clock.now_ms()))
    bucket = ObjectsBucket(ground, record, engine.generation)
    numbers = iter(range(options.keys))

    async def put_some() -> None:
        for number in numbers:
            body = os.urandom(64) * (size // 64)
            await bucket.put(key(number), Incoming(Given(body), size), Attributes())

    async def get_all() -> None:
        for _ in range(options.keys):
            body = await (await bucket.read(key(random.randrange(options.keys)))).body()
            data = read_file(body) if isinstance(body, FileSpan) else body
            assert isinstance(data, bytes)
            assert size == len(data)

    async def list_page() -> None:
        assert len(await bucket.list("", "", 1000)) == 1000

    put = await timed(lambda: asyncio.gather(*(put_some() for _ in range(options.flying))), options.keys)
    costs = {
        "put": put, "get": await timed(get_all, options.keys),
        "list": min([await timed(list_page, 1) for _ in range(PAGES)])}
    await engine.close()
    taken = sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())
    return {**costs, "space": taken / (size * options.keys)}


def read_file(span: FileSpan) -> bytes:
    with Path(span.path).open("rb", buffering=0) as file:
        return os.pread(file.fileno(), span.size, span.first)


def least(size: int, options: argparse.Namespace) -> tuple[Costs, Costs]:
    """The least costs in rows, and in files."""
    found: dict[int, list[Costs]] = {ROWS: [], FILES: []}
    for _ in range(options.rounds):
        for where, costs in found.items():
            with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_FOLDER")) as folder:
                costs.append(uvloop.run(measure(Path(folder), where, size, options)))
    rows, files = ({name: min(one[name] for one in costs) for name in costs[0]} for costs in found.values())
    return rows, files


def main() -> None:
    parser = argparse.ArgumentParser()
    for name, default in {"keys": 2_000, "flying": 16, "rounds": 5}.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    heads = [f"{what}, {where}" for what in ("PUT", "GET", "LIST", "space") for where in ("row", "file")]
    print("| size |", " | ".join(heads), "|")
    print("|---|---|---|---|---|---|---|---|---|")
    for size in SIZES:
        rows, files = least(size * KIB, options)
        figures = [f"{costs[name]:,.0f} µs" for name in ("put", "get") for costs in (rows, files)]
        figures += [f"{costs['list'] / 1e3:.2f} ms" for costs in (rows, files)]
        figures += [f"{costs['space']:.2f}" for costs in (rows, files)]
        print(f"| {size} KiB |", " | ".join(figures), "|", flush=True)


if __name__ == "__main__":
    main()
