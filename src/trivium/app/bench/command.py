"""The command `trivium bench`: which measurements are taken, in which order, and what is printed."""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec
import uvloop

from trivium.app.bench import load
from trivium.app.bench.client import Broken
from trivium.app.bench.figures import Line, summary
from trivium.app.bench.inside import inside
from trivium.app.bench.large import large
from trivium.app.bench.listing import listing
from trivium.app.bench.sharing import sharing
from trivium.app.bench.site import QUICK, Scale, Site
from trivium.app.bench.small import small, workers
from trivium.app.bench.streaming import streaming
from trivium.base.clock import Clock, SystemClock

Measure = Callable[[Site], AsyncIterator[Line]]

MEASURES: Final[dict[str, Measure]] = {
    "inside": inside, "small": small, "workers": workers, "large": large, "listing": listing,
    "sharing": sharing, "streaming": streaming,
}
_VAR_TMP: Final = Path("/var/tmp")  # noqa: S108 - what is made there is a folder of a name that nobody has


class Report(msgspec.Struct, frozen=True):
    """What `--json` writes. `at_ms` is when the run began; `broken` says what was not measured, and why."""

    at_ms: int
    machine: str
    load: str
    scale: Scale
    lines: list[Line] = []
    broken: dict[str, str] = {}


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print. Returns 1 when something could not be measured, else 0: missed targets too."""
    options = _parser().parse_args(argv)
    unknown = sorted(set(options.only) - MEASURES.keys())
    if unknown:
        known = ", ".join(MEASURES)
        sys.stderr.write(f"trivium bench: no measurement is called {', '.join(unknown)}; there are {known}\n")
        return 2
    clock = SystemClock()
    scale = QUICK if options.quick else Scale()
    report = Report(clock.now_ms(), _machine(), load.NAME, scale)
    with tempfile.TemporaryDirectory(prefix="trivium-bench-", dir=options.folder) as folder:
        uvloop.run(_measure(options.only or list(MEASURES), Path(folder), clock, report))
    if options.json:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=1))
    return 1 if report.broken else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="trivium bench", description="Measure this house against floors.")
    parser.add_argument("--quick", action="store_true", help="about a minute: smaller, and fewer rounds")
    parser.add_argument("--only", type=lambda text: text.split(","), default=[], metavar="NAME,...",
                        help=f"only these measurements, of {', '.join(MEASURES)}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every figure to this file")
    parser.add_argument("--folder", type=Path, default=_VAR_TMP if _VAR_TMP.is_dir() else None, metavar="DIR",
                        help="where data is kept meanwhile: on a disk, not in memory (default: %(default)s)")
    return parser


async def _measure(names: Sequence[str], folder: Path, clock: Clock, report: Report) -> None:
    _say(f"{report.machine}; load by {report.load}; data in {folder.parent}")
    for name in names:
        site = Site(folder / name, report.scale, clock)
        site.folder.mkdir()
        try:
            async for line in MEASURES[name](site):
                report.lines.append(line)
                _say(str(line))
        except (Broken, OSError, TimeoutError) as error:
            report.broken[name] = f"{type(error).__name__}: {error}"
            _say(f"{name} is broken: {error}")
        finally:
            await asyncio.to_thread(shutil.rmtree, site.folder)  # so that the next one has the disk
    _say(summary(report.lines))


def _machine() -> str:
    system = f"{platform.system()} {platform.release()}"
    return f"{os.cpu_count()} processors, {system}, Python {platform.python_version()}"


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
