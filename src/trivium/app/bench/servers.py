"""Servers as processes of their own, started as users start them, and what they cost in memory."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import msgspec

from trivium.app.bench.client import Broken, connect
from trivium.app.bench.floor import SECRET as FLOOR_SECRET
from trivium.app.bench.presigned import Endpoint

HOST: Final = "127.0.0.1"
ACCESS_KEY: Final = "benchbenchbench"
SECRET_KEY: Final = "benchsecretbenchsecretbench"  # noqa: S105 - of servers that live for minutes
START_SECONDS: Final = 30
STOP_SECONDS: Final = 30


class Server(msgspec.Struct, frozen=True):
    """A running server."""

    name: str
    endpoint: Endpoint
    process_id: int


async def free_port() -> int:
    """A port that nobody listens on now."""
    listening = await asyncio.start_server(_refuse, HOST, 0)
    port: int = listening.sockets[0].getsockname()[1]
    listening.close()
    await listening.wait_closed()
    return port


@asynccontextmanager
async def house(data: Path, *flags: str, config: str = "", port: int = 0) -> AsyncIterator[Server]:
    """`trivium serve` on this data folder, with more flags. `config`: the text of a configuration file."""
    port = port or await free_port()
    if config:
        path = data.with_suffix(".toml")
        path.write_text(config)
        flags = ("--config", str(path), *flags)
    else:
        flags = ("--listen", f"{HOST}:{port}", *flags)
    command = (sys.executable, "-m", "trivium", "serve", "--data", str(data), *flags)
    keys = {"TRIVIUM_ROOT_ACCESS_KEY": ACCESS_KEY, "TRIVIUM_ROOT_SECRET_KEY": SECRET_KEY}
    greeting = f"http://{HOST}:{port}"  # said when all workers serve
    async with _running("trivium", command, keys, port, data.with_suffix(".log"), says=greeting) as server:
        yield server


@asynccontextmanager
async def floor(data: Path) -> AsyncIterator[Server]:
    """The floor server on this folder."""
    data.mkdir(exist_ok=True)
    port = await free_port()
    command = (sys.executable, "-m", "trivium.app.bench.floor", "--data", str(data), "--port", str(port))
    secret = {FLOOR_SECRET: SECRET_KEY}
    async with _running("floor", command, secret, port, data.with_suffix(".log")) as server:
        yield server


@asynccontextmanager
async def _running(
    name: str, command: Sequence[str], extra: Mapping[str, str], port: int, log: Path, *, says: str = "",
) -> AsyncIterator[Server]:
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            *command, env={**os.environ, **extra}, stdin=asyncio.subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        server = Server(name, Endpoint(HOST, port, ACCESS_KEY, SECRET_KEY), process.pid)
        await _started(server, process, log, says)
        yield server
    finally:
        await _stop(process)


async def _started(server: Server, process: asyncio.subprocess.Process, log: Path, says: str) -> None:
    for _ in range(START_SECONDS * 20):
        if process.returncode is not None:
            raise Broken(f"{server.name} ended at its start: {_end_of(log)}")
        if says in log.read_text(errors="replace") and await _listens(server):
            return
        await asyncio.sleep(0.05)
    raise Broken(f"{server.name} does not listen after {START_SECONDS} seconds: {_end_of(log)}")


async def _listens(server: Server) -> bool:
    try:
        connection = await connect(server.endpoint)
    except OSError:
        return False
    connection.close()
    return True


def _end_of(log: Path) -> str:
    return log.read_text(errors="replace")[-2000:]


async def _stop(process: asyncio.subprocess.Process) -> None:
    """Ask it to stop, and end it and its workers when it does not."""
    if process.returncode is not None:
        return
    workers = family(process.pid)
    process.terminate()
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        for one in workers:
            try:
                os.kill(one, signal.SIGKILL)
            except ProcessLookupError:
                continue
        await process.wait()


def family(process_id: int) -> list[int]:
    """The process and all that descend from it; only itself where there is no /proc."""
    found = [process_id]
    for task in Path(f"/proc/{process_id}/task").glob("*/children"):
        for child in task.read_text().split():
            found += family(int(child))
    return found


class Memory(msgspec.Struct, frozen=True):
    """Bytes of memory of a server's processes together: now, the most there ever were, and now without mapped
    files.
    """

    resident: int
    most: int
    private: int


def memory(server: Server) -> Memory:
    """What the server's processes hold. Raises Broken where there is no /proc."""
    sums = {"VmRSS": 0, "VmHWM": 0, "RssAnon": 0}
    for one in family(server.process_id):
        try:
            text = Path(f"/proc/{one}/status").read_text()
        except FileNotFoundError:
            raise Broken("memory can be looked at only where there is a /proc") from None
        for line in text.splitlines():
            name, _, value = line.partition(":")
            if name in sums:
                sums[name] += int(value.split()[0]) * 1024
    return Memory(sums["VmRSS"], sums["VmHWM"], sums["RssAnon"])


def cpu_seconds(server: Server) -> float:
    """Processor time that the server's processes have used; 0 where there is no /proc."""
    ticks = 0
    for one in family(server.process_id):
        try:
            text = Path(f"/proc/{one}/stat").read_text()
        except FileNotFoundError:
            continue
        fields = text.rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])  # utime and stime: proc_pid_stat(5)
    return ticks / os.sysconf("SC_CLK_TCK")


def _refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()
