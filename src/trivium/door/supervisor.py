"""Worker processes: started, watched, started again when they die, and stopped together.

Theory of operation. One loop sleeps until a signal or a worker has something to say. A worker writes one byte
when it accepts connections and holds its standard input, whose end tells it that the supervisor is gone. A
worker that dies is started again, at once the first time, then after a pause that doubles; when one dies
before it was ever ready, nothing will change by trying again and the server gives up. SIGTERM and SIGINT stop
everything gracefully, a second one at once.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import subprocess
from collections.abc import Callable
from typing import Final

from trivium.base.clock import ticks_ns

_SECOND_NS: Final = 1_000_000_000
_LONGEST_PAUSE_SECONDS: Final = 30.0
_FIRST_PAUSE_SECONDS: Final = 0.1
_SOUND_SECONDS: Final = 60  # who lived so long begins with a short pause again
_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)
_log = logging.getLogger("trivium.supervisor")

Start = Callable[[int, int], "subprocess.Popen[bytes]"]


class Worker:
    """One of the workers, through all its lives."""

    def __init__(self, index: int) -> None:
        self.index = index
        self.process: subprocess.Popen[bytes] | None = None
        self.ready_end = -1
        self.ready = False
        self.started_ns = 0
        self.pause_seconds = 0.0
        self.start_at_ns = 0

    def begin(self, start: Start) -> None:
        self.ready_end, child_end = os.pipe()
        try:
            self.process = start(self.index, child_end)
        finally:
            os.close(child_end)
        self.ready, self.started_ns = False, ticks_ns()

    def end(self) -> None:
        """Note that the process is gone, and when to start the next."""
        os.close(self.ready_end)
        self.ready_end, self.process = -1, None
        lived_seconds = (ticks_ns() - self.started_ns) / _SECOND_NS
        sound = lived_seconds > _SOUND_SECONDS
        self.pause_seconds = 0.0 if sound else min(
            _LONGEST_PAUSE_SECONDS, max(_FIRST_PAUSE_SECONDS, self.pause_seconds * 2))
        self.start_at_ns = ticks_ns() + int(self.pause_seconds * _SECOND_NS)


class Supervisor:
    """Runs `workers` processes. `start(index, ready_fd)` starts one, which writes a byte there when ready.

    `all_ready` is called once, when every worker is; `stopping` when a signal asks to stop, before workers
    are told. Workers that have not ended `patience_seconds` after that are killed.
    """

    def __init__(
        self, start: Start, workers: int, *, all_ready: Callable[[], None], stopping: Callable[[], None],
        patience_seconds: float,
    ) -> None:
        self._start, self._all_ready, self._stopping_hook = start, all_ready, stopping
        self._workers = [Worker(index) for index in range(workers)]
        self._patience_seconds = patience_seconds
        self._told = False
        self._kill_at_ns = 0
        self._failed = False

    def run(self) -> int:
        """Run until a signal ends it; the exit code. Call it in the main thread."""
        wake_end, write_end = os.pipe()
        os.set_blocking(wake_end, False)
        os.set_blocking(write_end, False)
        for one in _SIGNALS:
            signal.signal(one, _ignore)
        signal.set_wakeup_fd(write_end)
        try:
            while self._step(wake_end):
                pass
        finally:
            signal.set_wakeup_fd(-1)
            os.close(wake_end)
            os.close(write_end)
        return 1 if self._failed else 0

    def _step(self, wake_end: int) -> bool:
        """Start what is due, wait for news, react. False when all is over."""
        for worker in self._workers:
            if worker.process is None and not self._kill_at_ns and worker.start_at_ns <= ticks_ns():
                worker.begin(self._start)
        if self._kill_at_ns and all(worker.process is None for worker in self._workers):
            return False
        waiting = {
            worker.ready_end: worker for worker in self._workers if worker.process and not worker.ready}
        readable, _, _ = select.select([wake_end, *waiting], [], [], self._sleep_seconds())
        for end in readable:
            if end == wake_end:
                self._react(os.read(wake_end, 64))
            elif os.read(end, 1):
                waiting[end].ready = True
        self._bury()
        if not self._told and all(worker.ready for worker in self._workers):
            self._told = True
            self._all_ready()
        if self._kill_at_ns and ticks_ns() > self._kill_at_ns:
            self._signal(signal.SIGKILL)
        return True

    def _sleep_seconds(self) -> float | None:
        times = [worker.start_at_ns for worker in self._workers if worker.process is None]
        if self._kill_at_ns:
            times = [self._kill_at_ns]
        return max(0.0, (min(times) - ticks_ns()) / _SECOND_NS) + 0.001 if times else None

    def _react(self, signals: bytes) -> None:
        for number in signals:
            if number == signal.SIGCHLD:
                continue
            if self._kill_at_ns:
                self._kill_at_ns = 1  # asked a second time: at once
                continue
            self._stop()

    def _stop(self) -> None:
        self._stopping_hook()
        self._kill_at_ns = ticks_ns() + int(self._patience_seconds * _SECOND_NS)
        self._signal(signal.SIGTERM)

    def _signal(self, number: signal.Signals) -> None:
        for worker in self._workers:
            if worker.process is not None:
                worker.process.send_signal(number)

    def _bury(self) -> None:
        for worker in self._workers:
            if worker.process is None or worker.process.poll() is None:
                continue
            code, ready = worker.process.returncode, worker.ready
            worker.end()
            if self._kill_at_ns:
                continue
            if not ready and not self._told:
                _log.error("worker %d could not start (exit code %d)", worker.index, code)
                self._failed = True
                self._stop()
                continue
            _log.error(
                "worker %d died (exit code %d); starting another in %.1f seconds", worker.index, code,
                worker.pause_seconds)


def _ignore(number: int, frame: object) -> None:
    """The signal is read from the wake-up descriptor."""
