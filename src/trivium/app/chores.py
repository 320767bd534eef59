"""What a worker does beside serving: it counts seconds, writes figures and access log; one of them sweeps."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from functools import partial

from trivium.app.settings import Settings
from trivium.base.clock import Clock
from trivium.base.faults import Fault
from trivium.buckets import tokens
from trivium.buckets.clearing import clear
from trivium.door.access import AccessLog
from trivium.door.metrics import Ledger
from trivium.door.source import Patience
from trivium.services.house import House
from trivium.storage import journal
from trivium.storage.sweep import sweep
from trivium.under.local import sweep as sweep_mount

_FLUSH_SECONDS = 0.25
_log = logging.getLogger("trivium.chores")

Chore = Callable[[], Awaitable[None]]
Due = tuple[Chore, float, float]  # how many seconds after the start, and every how many from then on


def chores_of_all(
    patience: Patience, ledger: Ledger, access: AccessLog | None,
) -> Iterator[Due]:
    """What every worker does."""

    async def each_second() -> None:
        patience.tick()
        ledger.publish()

    yield each_second, 0, 1
    if access is not None:
        yield lambda: flush(access), 0, _FLUSH_SECONDS


def chores_of_one(house: House, settings: Settings) -> Iterator[Due]:
    """What exactly one worker does.

    What goes by the clock waits at first: the clock may still be wrong, and who has brought back half of a
    backup may see it in time. What was begun goes on: servers may be started more often than it is due.
    """
    ground, engine, now_ms = house.ground, house.ground.engine, house.ground.clock.now_ms

    async def expire() -> None:
        gone = await house.uploads.expire(now_ms(), older_than_ms=settings.upload_expiry_seconds * 1000)
        if gone:
            _log.info("%d uploads that were over are gone", gone)

    async def forget() -> None:
        await tokens.forget(engine, now_ms=now_ms())

    async def sweep_blobs() -> None:
        swept = await sweep(
            engine, ground.blobs, now_ms=now_ms(), grace_ms=settings.sweep_grace_seconds * 1000)
        if swept.disowned or swept.unnamed:
            _log.info(
                "swept %d blobs that nobody owned, %d that were never named", swept.disowned, swept.unnamed)

    async def trim() -> None:
        forgotten = await journal.trim(engine, now_ms=now_ms(), keep_ms=settings.journal_seconds * 1000)
        if forgotten:
            _log.info("forgot %d old changes", forgotten)

    # each by itself: one that meets a row it cannot read must not keep the others from freeing the disk
    seconds = settings.sweep_seconds
    yield from ((one, 0, seconds) for one in (
        partial(clear, ground), partial(sweep_mounts, settings, ground.clock)))
    yield from ((one, seconds, seconds) for one in (
        forget, sweep_blobs, *([expire] if settings.upload_expiry_seconds else ()),
        *([trim] if settings.journal_seconds else ())))


async def sweep_mounts(settings: Settings, clock: Clock) -> None:
    """Remove from every mount that may be written what crashes have left there more than a day ago."""
    for mount in settings.mounts:
        if mount.readonly:
            continue
        try:
            await asyncio.to_thread(sweep_mount, mount.path, clock.now_ms())
        except (Fault, OSError) as problem:  # a disk that is not there must not hold up others
            _log.warning("mount %s was not swept: %s", mount.bucket, problem)


async def flush(access: AccessLog) -> None:
    lost = await asyncio.to_thread(access.flush)
    if lost:
        _log.warning("the access log lost %d lines: the disk could not follow", lost)


async def repeat(chore: Chore, first: float, seconds: float) -> None:
    """Do the chore after `first` seconds, and for ever with a pause of `seconds` behind each time. When it
    fails, that is logged.
    """
    await asyncio.sleep(first)
    while True:
        (outcome,) = await asyncio.gather(chore(), return_exceptions=True)
        if isinstance(outcome, BaseException):
            _log.error("a chore failed", exc_info=outcome)
        await asyncio.sleep(seconds)
