"""Figures about requests, counted in each process and shown as the sum of all, as Prometheus text.

Theory of operation. Every worker counts in plain lists: one row per S3 action, one number per fault name.
Once a second it writes what it has to a file of its own, when that changed. Whoever is asked for the page
reads the files of all workers and adds them up; a worker that restarts begins its file from what it left
behind, so that counters never go back.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
from prometheus_client.core import CollectorRegistry, CounterMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

BOUNDS_NS: Final = (
    100_000, 300_000, 1_000_000, 3_000_000, 10_000_000, 30_000_000, 100_000_000, 1_000_000_000,
    10_000_000_000)
_REQUESTS, _BYTES_IN, _BYTES_OUT, _SUM_NS, _FIRST_BUCKET = range(5)
_ROW: Final = [0] * (_FIRST_BUCKET + len(BOUNDS_NS) + 1)
# requests of one action that wait to be counted; more than come between two publications
MAX_NOTED: Final = 20_000
UNROUTED: Final = "none"  # what stands for the action of a request that never got one

_Noted = tuple[int, int, int]  # bytes in, bytes out, nanoseconds


class Counts(msgspec.Struct):
    """What one worker has counted: rows by action; how often each fault was answered, by (action, fault)."""

    actions: dict[str, list[int]] = {}
    faults: dict[str, int] = {}

    def note(self, action: str, requests: Sequence[_Noted]) -> None:
        """Count requests of one action."""
        row = self.actions.setdefault(action, _ROW.copy())
        bytes_in, bytes_out, took_ns = zip(*requests, strict=True)
        row[_REQUESTS] += len(requests)
        row[_BYTES_IN] += sum(bytes_in)
        row[_BYTES_OUT] += sum(bytes_out)
        row[_SUM_NS] += sum(took_ns)
        ordered, below = sorted(took_ns), 0
        for number, bound in enumerate(BOUNDS_NS, _FIRST_BUCKET):
            up_to = bisect_right(ordered, bound)
            row[number] += up_to - below
            below = up_to
        row[-1] += len(ordered) - below

    def refuse(self, action: str, fault: str) -> None:
        """Count a fault that a request was answered with."""
        name = f"{action or UNROUTED} {fault}"
        self.faults[name] = self.faults.get(name, 0) + 1

    def add(self, other: Counts) -> None:
        """Add what another worker has counted."""
        for action, row in other.actions.items():
            mine = self.actions.get(action, _ROW)
            self.actions[action] = [a + b for a, b in zip(mine, row, strict=True)]
        for name, number in other.faults.items():
            self.faults[name] = self.faults.get(name, 0) + number

    @property
    def total(self) -> int:
        return sum(row[_REQUESTS] for row in self.actions.values())


class Tally:
    """Requests as they come: noted one by one and counted later, many at once, which costs each a fifth."""

    __slots__ = ("_counts", "_noted")

    def __init__(self, counts: Counts | None = None) -> None:
        self._counts = counts or Counts()
        self._noted: dict[str, list[_Noted]] = {}

    def note(self, action: str, fault: str, bytes_in: int, bytes_out: int, elapsed_ns: int) -> None:
        """Remember a request; on the hot path."""
        noted = self._noted.get(action)
        if noted is None:
            noted = self._noted[action] = []
        noted.append((bytes_in, bytes_out, elapsed_ns))
        if fault:
            self._counts.refuse(action, fault)
        if len(noted) >= MAX_NOTED:
            self.counts()

    def counts(self) -> Counts:
        """What was counted up to now."""
        noted, self._noted = self._noted, {}
        for action, requests in noted.items():
            self._counts.note(action, requests)
        return self._counts


class Ledger:
    """The counts of one worker and the files of all, in `folder`, which belongs to one run of the server."""

    def __init__(self, folder: Path, worker: int) -> None:
        self._folder, self._path = folder, folder / f"counts-{worker}"
        counts = _read(self._path)
        self._published = counts.total
        self.tally = Tally(counts)

    def publish(self) -> None:
        """Write the counts to this worker's file if they changed; takes a fraction of a millisecond."""
        counts = self.tally.counts()
        total = counts.total
        if total == self._published:
            return
        scratch = self._path.with_suffix(".new")
        scratch.write_bytes(msgspec.msgpack.encode(counts))
        scratch.replace(self._path)
        self._published = total

    def page(self) -> bytes:
        """The sum over all workers as Prometheus text; what other workers counted is up to a second old."""
        counts = Counts()
        counts.add(self.tally.counts())
        for path in self._folder.glob("counts-*"):
            if path != self._path and path.suffix != ".new":
                counts.add(_read(path))
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Sums(counts))
        return generate_latest(registry)


def _read(path: Path) -> Counts:
    try:
        return msgspec.msgpack.decode(path.read_bytes(), type=Counts)
    except FileNotFoundError:
        return Counts()


class _Sums(Collector):
    """Counts in the words of Prometheus."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts

    def collect(self) -> list[CounterMetricFamily | HistogramMetricFamily]:
        """The metric families, as prometheus_client asks for them."""
        label = ["action"]
        requests = CounterMetricFamily(
            "trivium_requests", "Requests that were answered, by S3 action.", labels=label)
        bytes_in = CounterMetricFamily(
            "trivium_received_bytes", "Bytes of request bodies, by S3 action.", labels=label)
        bytes_out = CounterMetricFamily(
            "trivium_sent_bytes", "Bytes of answers' bodies, by S3 action.", labels=label)
        seconds = HistogramMetricFamily(
            "trivium_request_seconds", "Time until the answer was handed to the HTTP server, by S3 action.",
            labels=label)
        for action, row in sorted(self._counts.actions.items()):
            labels = [action or UNROUTED]
            requests.add_metric(labels, row[_REQUESTS])
            bytes_in.add_metric(labels, row[_BYTES_IN])
            bytes_out.add_metric(labels, row[_BYTES_OUT])
            seconds.add_metric(labels, _buckets(row), row[_SUM_NS] / 1e9)
        refused = CounterMetricFamily(
            "trivium_faults", "Requests that were refused, by S3 action and fault.",
            labels=["action", "fault"])
        for name, number in sorted(self._counts.faults.items()):
            refused.add_metric(name.split(" "), number)
        return [requests, bytes_in, bytes_out, seconds, refused]


def _buckets(row: list[int]) -> list[tuple[str, float]]:
    """Cumulative numbers of requests by upper bound in seconds."""
    found: list[tuple[str, float]] = []
    sum_up = 0
    for bound, number in zip((*BOUNDS_NS, None), row[_FIRST_BUCKET:], strict=True):
        sum_up += number
        found.append(("+Inf" if bound is None else f"{bound / 1e9:g}", sum_up))
    return found
