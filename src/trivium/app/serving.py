"""`trivium serve`: claim ports and data folder, start the workers, say where all is, wait for the end."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final, TextIO

import msgspec

from trivium.app import logs
from trivium.app.accounts import KEY_FILE, RootKey, root_key, users_of
from trivium.app.checking import checked
from trivium.app.greeting import Endpoint, Greeting, event_of, lines_of
from trivium.app.listeners import Opening, address_of
from trivium.app.mounts import declare_mounts
from trivium.app.orders import Orders, write_orders
from trivium.app.settings import Settings
from trivium.base.clock import SystemClock
from trivium.base.ids import RandomIds
from trivium.door.sockets import Address, Claimed, claim
from trivium.door.supervisor import Supervisor
from trivium.services.access.users import Users
from trivium.storage.engines.sqlite import SqliteEngine
from trivium.storage.folder import DataFolder, FolderRefused

_KILL_AFTER_SECONDS: Final = 5  # beyond the drain: closing the engine, ending threads
_log = logging.getLogger("trivium.serving")
# glibc gives the memory of each chunk of a body back to the kernel and takes it again,
# a tenth of what an upload costs. A worker may keep 32 MiB instead. Other allocators do not know these names.
_ALLOCATOR: Final = {"MALLOC_MMAP_THRESHOLD_": str(32 << 20), "MALLOC_TRIM_THRESHOLD_": str(32 << 20)}
# a worker takes 4,096 connections, and an answer may hold a file and a pipe; many systems give 1,024
_DESCRIPTORS: Final = 32_768


class Stage(msgspec.Struct, frozen=True):
    """All that workers are started with."""

    settings: Settings
    root: RootKey
    run: Path
    openings: list[Opening]
    listening: list[Claimed]
    metrics: Claimed


def serve(settings: Settings, *, show_secret: bool, out: TextIO) -> int:
    """Serve until a signal ends it; the exit code.

    Raises ConfigurationError, PortTaken before anything is made, FolderRefused before anything is started.
    """
    logs.set_up(settings.log_level, settings.log_format)
    settings = msgspec.structs.replace(settings, data=settings.data.absolute())
    doors = checked(settings)
    allow_descriptors()
    with ExitStack() as stack:
        listening = [_claimed(stack, opening.address, settings) for opening in doors]
        metrics: Claimed = []
        if settings.metrics:
            metrics = _claimed(stack, address_of(settings.metrics, "metrics"), settings)
        folder = DataFolder(settings.data)  # made last: a start that fails before leaves none behind
        stack.enter_context(folder.served())
        run = stack.enter_context(_run_folder(settings.data))
        root = root_key(settings, RandomIds())
        asyncio.run(_prepare(folder, settings, users_of(settings, root)))
        stage = Stage(settings, root, run, doors, listening, metrics)
        _warn(stage)
        return Supervisor(
            lambda index, ready: _start(stage, index, ready), settings.workers,
            all_ready=lambda: _greet(stage, out, show_secret=show_secret),
            stopping=lambda: _close(listening, metrics),
            patience_seconds=settings.drain_seconds + _KILL_AFTER_SECONDS).run()


def allow_descriptors() -> None:
    """Let this process and its workers have `_DESCRIPTORS` descriptors each, or what the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(_DESCRIPTORS, hard)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    with suppress(ValueError, OSError):  # macOS has a bound that it does not tell
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


@contextmanager
def _run_folder(data: Path) -> Iterator[Path]:
    """The folder for what lasts as long as we do. Raises FolderRefused while a dead server's workers live."""
    run = data / "run"
    run.mkdir(mode=0o700, exist_ok=True)
    with (run / "workers").open("ab") as alive:
        try:
            fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise FolderRefused(
                f"{data} is still served by workers whose server is gone; they end when their requests"
                " have.") from error
        for old in run.glob("counts-*"):
            old.unlink()
    yield run


async def _prepare(folder: DataFolder, settings: Settings, users: Users) -> None:
    """Make the database, and what the configuration wants to be in it."""
    engine = SqliteEngine(folder.rows)
    try:
        await declare_mounts(engine, settings, users, SystemClock())
    finally:
        await engine.close()


def _claimed(stack: ExitStack, address: Address, settings: Settings) -> Claimed:
    sockets = claim(address, settings.workers, wait_seconds=settings.client_wait_seconds)
    for one in sockets:
        stack.callback(one.close)
    return sockets


def _close(listening: list[Claimed], metrics: Claimed) -> None:
    """Stop listening: workers close their own, and nobody must wait in ours."""
    for one in (*(one for claimed in listening for one in claimed), *metrics):
        one.close()


def _start(stage: Stage, index: int, ready: int) -> subprocess.Popen[bytes]:
    sockets = [claimed[index].fileno() for claimed in stage.listening]
    metrics = stage.metrics[index].fileno() if stage.metrics else -1
    orders = Orders(index, stage.settings, stage.root, stage.run, sockets, metrics, ready)
    passed = [*sockets, ready] + ([metrics] if metrics >= 0 else [])
    process = subprocess.Popen(
        [sys.executable, "-m", "trivium.app.worker"], stdin=subprocess.PIPE, pass_fds=passed,
        env=_environment())
    assert process.stdin is not None, "it was asked for"
    process.stdin.write(write_orders(orders))
    process.stdin.flush()  # and it stays open: its end is ours
    return process


def _environment() -> dict[str, str]:
    """What workers get: secrets come in their orders, not in an environment that others may look at."""
    path = os.pathsep.join(one for one in sys.path if one)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TRIVIUM_")}
    return {**_ALLOCATOR, **kept, "PYTHONPATH": path}


def _warn(stage: Stage) -> None:
    for opening in stage.openings:
        if opening.listener.authentication == "simple" and not opening.address.loopback:
            _log.warning(
                "%s checks no signatures and can be reached from other machines: whoever reaches it may do"
                " everything",
                opening.address)
        elif not opening.tls and not opening.address.loopback:
            _log.info("%s is plain HTTP: what is sent can be read on the way", opening.address)


def _greet(stage: Stage, out: TextIO, *, show_secret: bool) -> None:
    """Say where everything is: as a log event where logs are for programs, else as text.

    The text shows the secret when it was made just now, or asked for. Logs are kept and sent around: there it
    is shown only when it was asked for.
    """
    if stage.settings.log_format == "json":
        greeting = _greeting(stage, show_secret=show_secret)
        _log.info("serving at %s", greeting.endpoints[0].url, extra=event_of(greeting))
        return
    greeting = _greeting(stage, show_secret=show_secret or stage.root.new)
    out.write("\n".join(lines_of(greeting)) + "\n")
    out.flush()


def _greeting(stage: Stage, *, show_secret: bool) -> Greeting:
    endpoints = [
        Endpoint(
            opening.at(claimed[0].getsockname()[1]), opening.listener.dialect.name,
            opening.listener.authentication)
        for opening, claimed in zip(stage.openings, stage.listening, strict=True)]
    metrics = ""
    if stage.metrics:
        address = Address(address_of(stage.settings.metrics, "").host, stage.metrics[0].getsockname()[1])
        metrics = f"http://{address}/metrics"
    return Greeting(
        endpoints, metrics, stage.settings.data, stage.settings.region, stage.root.access_key,
        secret_key=stage.root.secret_key if show_secret else "",
        secret_in=None if stage.settings.root_secret_key else stage.settings.data / KEY_FILE)
