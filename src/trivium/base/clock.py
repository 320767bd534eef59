"""Time, from one place: tests pass a clock that stands still."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Milliseconds since 1970-01-01T00:00:00Z."""

    def now_ms(self) -> int: ...


class SystemClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000


class SetClock:
    """A clock that shows what it was set to."""

    def __init__(self, now_ms: int = 1_700_000_000_000) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        return self._now_ms

    def advance(self, *, ms: int) -> None:
        self._now_ms += ms


def ticks_ns() -> int:
    """Nanoseconds on a clock that never goes back; only differences mean something."""
    return time.perf_counter_ns()
