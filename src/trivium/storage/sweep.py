"""The sweep: lets go of bytes that nobody owns any more, and of those that nobody ever named.

Theory of operation. Every step is a small transaction that leaves the house in order, so that a sweep can be
cut off at any point, and several can run at once: what one has not done, the next one finds. Rows go before
the file, since a file without a row is found again by its age, and a row without a file would be a loss. A
layout that goes is replaced by garbage rows that hold its blobs, a handful each. The grace time covers
readers who still send the bytes, and uploads whose row is yet to be written: it must be longer than any of
those may last. A damaged row is set aside, with what it owned, so that it does not hold up what comes behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from itertools import islice
from typing import Final

import msgspec

from trivium.storage import keys
from trivium.storage.aside import set_aside
from trivium.storage.blobs import GARBAGE, LAYOUTS, Blobs, Garbage, is_owned_by_nobody, release
from trivium.storage.engine import Engine, Read, Write
from trivium.storage.records import readable

GRACE_MS: Final = 3_600_000
_TOGETHER: Final = 64  # rows in one go; their changes share a commit
_RELEASED_TOGETHER: Final = 128


class Swept(msgspec.Struct, frozen=True):
    """How many blobs a sweep has removed: those that lost their last owner, and those that never had one."""

    disowned: int
    unnamed: int


async def sweep(engine: Engine, blobs: Blobs, *, now_ms: int, grace_ms: int = GRACE_MS) -> Swept:
    """Remove what has had no owner or name for longer than the grace time. Raises what both raise."""
    before_ms = now_ms - grace_ms
    disowned = await _remove_disowned(engine, blobs, before_ms)
    return Swept(disowned, await _remove_unnamed(engine, blobs, before_ms))


async def unnamed(engine: Engine, blobs: Blobs, *, older_than_ms: int) -> AsyncIterator[str]:
    """Blobs whose bytes were last written before that time (ms since 1970), but that no row names."""
    asked: list[str] = []
    async for id in blobs.ids(older_than_ms=older_than_ms):
        asked.append(id)
        if len(asked) == _TOGETHER:
            for found in await engine.read(partial(without_name, asked)):
                yield found
            asked = []
    for found in await engine.read(partial(without_name, asked)):
        yield found


async def _remove_disowned(engine: Engine, blobs: Blobs, before_ms: int) -> int:
    removed = 0
    while due := await engine.read(partial(_due, before_ms)):
        for id in await asyncio.gather(*(engine.write(partial(_collect, row)) for row in due)):
            if id is not None:
                await blobs.remove(id)
                removed += 1
    return removed


async def _remove_unnamed(engine: Engine, blobs: Blobs, before_ms: int) -> int:
    removed = 0
    async for id in unnamed(engine, blobs, older_than_ms=before_ms):
        await blobs.remove(id)
        removed += 1
    return removed


def _due(before_ms: int, rows: Read) -> list[bytes]:
    return [row for row, _ in islice(rows.scan(keys.GARBAGE, keys.garbage(before_ms, 0)), _TOGETHER)]


def _collect(row: bytes, tx: Write) -> str | None:
    """Carry out what a garbage row asks for; the blob whose file can go now."""
    record = tx.get(row)
    if record is None:
        return None  # another sweep was here
    garbage = GARBAGE.read(record)
    if garbage is None:
        set_aside(tx, row)
        return None
    tx.delete(row)
    for id in garbage.owned:
        release(tx, id, now_ms=garbage.since_ms)
    if not garbage.id or not is_owned_by_nobody(tx, garbage):
        return None
    tx.delete(keys.text(keys.SHARE, garbage.id))
    place = keys.text(keys.LAYOUT, garbage.id)
    data = tx.get(place)
    if data is None:
        tx.delete(keys.text(keys.BLOB, garbage.id))
        return garbage.id
    parts = readable(lambda data: LAYOUTS.decode(data).parts, data)
    if parts is None:
        set_aside(tx, place)
        return None
    tx.delete(place)
    owned = (span.id for part in parts for span in part.spans)
    while some := tuple(islice(owned, _RELEASED_TOGETHER)):
        seq = tx.sequence()
        tx.put(keys.garbage(garbage.since_ms, seq), GARBAGE.encode(Garbage("", garbage.since_ms, seq, some)))
    return None


def without_name(ids: list[str], rows: Read) -> list[str]:
    """Those of the blobs that no row names."""
    return [id for id in ids if rows.get(keys.text(keys.BLOB, id)) is None]
