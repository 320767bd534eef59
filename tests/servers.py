"""Real servers for tests: started as a user would start them, on free ports, and ended by whoever started them."""

from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT_ACCESS_KEY = "TRIVIUMROOTACCESSKEY"
ROOT_SECRET_KEY = "root/secret+key-of-the-tests-0123456789"
_START_SECONDS = 30


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment() -> dict[str, str]:
    """The environment of a server process: the root key is ours, nothing else of Trivium's is set."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TRIVIUM_")}
    return {**kept, "TRIVIUM_ROOT_ACCESS_KEY": ROOT_ACCESS_KEY, "TRIVIUM_ROOT_SECRET_KEY": ROOT_SECRET_KEY}


@dataclass
class Server:
    """A running server and how to reach it."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path
    access_key: str = ROOT_ACCESS_KEY
    secret_key: str = ROOT_SECRET_KEY

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @classmethod
    def start(
        cls, data: Path, *, workers: int = 1, config: str = "", arguments: tuple[str, ...] = (), descriptors: int = 0,
    ) -> Server:
        """Start a server on the data folder and wait until it is ready. `config` is the text of a TOML file.

        Listeners in the file are served beside the one that the server is asked at. Each of its processes can open
        `descriptors` files, where that is not 0.
        """
        data.parent.mkdir(parents=True, exist_ok=True)
        port, log = free_port(), data.parent / f"{data.name}.log"
        command = [sys.executable, "-m", "trivium", "serve", "--data", str(data), "--listen", f"127.0.0.1:{port}",
                   "--workers", str(workers), *arguments]
        if config:
            path = data.parent / f"{data.name}.toml"
            path.write_text(config)
            command += ["--config", str(path)]
        with log.open("ab") as output:
            process = subprocess.Popen(
                command, env=environment(), stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)
        if descriptors:  # the workers, which are started later, have what it has
            resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (descriptors, descriptors))
        server = cls(process, port, log)
        server._wait_until_ready()
        return server

    def stop(self) -> int:
        """Ask it to stop, wait for it, and give its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self) -> None:
        """Kill the server and its workers, at once."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def kill_under(self, load: Sequence[threading.Thread], *, after_seconds: float) -> None:
        """Let the load run for so long, kill the server in the middle of it, and wait until the load has ended.

        The moment of death is chosen by chance: there is nothing to wait for.
        """
        for thread in load:
            thread.start()
        time.sleep(after_seconds)
        self.kill()
        for thread in load:
            thread.join()

    def _wait_until_ready(self) -> None:
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end:
            assert self.process.poll() is None, f"the server ended: {self.log.read_text()}"
            try:
                with urllib.request.urlopen(f"{self.endpoint}/health/ready", timeout=2) as answer:
                    if answer.status == 200:
                        return
            except (OSError, urllib.error.URLError):
                time.sleep(0.05)
        self.kill()
        raise AssertionError(f"the server did not start: {self.log.read_text()}")


def run_scrub(data: Path) -> str:
    """What `trivium scrub` says against the data folder: nothing when all is well."""
    done = subprocess.run(
        [sys.executable, "-m", "trivium", "scrub", "--data", str(data), "--quiet"], env=environment(), capture_output=True,
        text=True, timeout=300, check=False)
    return done.stdout + done.stderr
