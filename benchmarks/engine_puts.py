"""Durable puts against the SQLite engine: rate and latencies, from one process or from several on the same
file.

Run: PYTHONPATH=src python benchmarks/engine_puts.py --processes 2 --flying 16 --seconds 20 --spin 60
`--flying` is how many puts each process keeps under way, `--spin` the microseconds of Python that stand for
the rest of a request, on the same event loop. Each put reads its row, takes a number, writes a row of 230
bytes with a body of 4 KiB and a row of the journal. Only ratios between runs on the same machine mean
something.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import random
import sys
import tempfile
import time
from multiprocessing.queues import Queue
from pathlib import Path

import uvloop

from trivium.storage import keys
from trivium.storage.engine import Engine, Write
from trivium.storage.engines.sqlite import SqliteEngine

VALUE, LOGGED = os.urandom(230), os.urandom(80)


async def put(engine: Engine, number: int, body: bytes) -> None:
    row = keys.current(1, f"a{number % 97:02d}/some/path/object-{number:08d}")

    def change(tx: Write) -> None:
        tx.get(row)
        seq = tx.sequence()
        tx.put(row, VALUE, body)
        tx.put(keys.numbered(keys.LOG, 1, seq), LOGGED)

    await engine.write(change)


async def client(engine: Engine, until: float, spin: float, span: int, took: list[float]) -> None:
    while (begun := time.perf_counter()) < until:
        while time.perf_counter() - begun < spin:
            pass
        body = os.urandom(64) * 64
        begun = time.perf_counter()
        await put(engine, random.randrange(span), body)
        took.append(time.perf_counter() - begun)


async def drive(folder: Path, options: argparse.Namespace) -> list[float]:
    engine = SqliteEngine(folder / "rows.db")
    took: list[float] = []
    until = time.perf_counter() + options.seconds
    await asyncio.gather(
        *(client(engine, until, options.spin / 1e6, options.keys, took) for _ in range(options.flying))
    )
    await engine.close()
    return took


def process(folder: Path, options: argparse.Namespace, results: Queue[list[float]]) -> None:
    if options.switch:
        sys.setswitchinterval(options.switch / 1e6)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        results.put(runner.run(drive(folder, options)))


def measure(folder: Path, options: argparse.Namespace) -> None:
    results: Queue[list[float]] = multiprocessing.Queue()
    given = (folder, options, results)
    running = [multiprocessing.Process(target=process, args=given) for _ in range(options.processes)]
    for one in running:
        one.start()
    log_bytes = 0
    until = time.monotonic() + options.seconds
    while time.monotonic() < until:
        time.sleep(0.25)
        log = folder / "rows.db-wal"
        log_bytes = max(log_bytes, log.stat().st_size if log.exists() else 0)
    shares = [results.get() for _ in running]
    for one in running:
        one.join()
    took = sorted(second for share in shares for second in share)
    at = [took[min(len(took) - 1, int(len(took) * part))] * 1e3 for part in (0.5, 0.99, 0.999, 1)]
    print(
        f"processes {options.processes} flying {options.flying} spin {options.spin}us:"
        f" {len(took) / options.seconds:.0f} puts/s {[len(share) for share in shares]},"
        f" ms p50 {at[0]:.2f} p99 {at[1]:.2f} p99.9 {at[2]:.2f} max {at[3]:.2f},"
        f" log {log_bytes / 1e6:.0f} MB"
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    defaults = {"processes": 1, "flying": 16, "seconds": 10, "spin": 0, "keys": 200_000, "switch": 0}
    for name, default in defaults.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_FOLDER")) as folder:
        measure(Path(folder), options)


if __name__ == "__main__":
    main()
