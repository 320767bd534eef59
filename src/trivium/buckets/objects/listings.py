"""Pages of the bucket's entries and versions, in key order. Their cost follows the page, not the bucket."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import chain as one_behind_the_other
from itertools import islice
from typing import Final

from trivium.buckets.bucket import VersionEntry
from trivium.buckets.entry import ENTRIES, NULL, Entry
from trivium.buckets.objects import chain
from trivium.buckets.objects.opened import Opened
from trivium.buckets.objects.versions import read_version_id, seq_of
from trivium.storage import keys
from trivium.storage.engine import Read

_ROWS_A_READ: Final = 2_000  # markers are read to be skipped: others get their turn after so many rows
_FEWEST_ROWS: Final = 64  # that are read at a time behind a marker: there may be many


async def entries(opened: Opened, prefix: str, start: str, limit: int) -> list[Entry]:
    """As `Bucket.list`. One read, unless very many markers lie between the entries."""
    bucket, found = opened.record.id, list[Entry]()
    row, stop = keys.current(bucket, max(prefix, start)), keys.after(keys.current(bucket, prefix))

    def look(rows: Read) -> bytes:
        """Add what is found to the page; the row to go on from, empty when the page is done."""
        scanned, seen, fewest = rows.scan(row, stop), 0, 0
        while seen < _ROWS_A_READ:
            wanted = min(max(limit - len(found), fewest), _ROWS_A_READ)
            some = list(islice(scanned, wanted))
            read = ENTRIES.decode_all([data for _, data in some])
            found.extend([entry for entry in read if not entry.marker])
            if len(some) < wanted or len(found) >= limit:
                return b""
            seen, fewest = seen + wanted, _FEWEST_ROWS
        return some[-1][0] + b"\x00"

    while row and limit > 0:
        row = await opened.ground.engine.read(look)
        if row:
            await asyncio.sleep(0)
    return found[:limit]


async def versions(
    opened: Opened, prefix: str, start: str, marker: str | None, limit: int,
) -> list[VersionEntry]:
    """As `Versions.list`: one read."""
    bucket = opened.record.id
    behind = None if marker is None or marker == NULL else read_version_id(marker)

    def look(rows: Read) -> list[VersionEntry]:
        if marker is None or not start.startswith(prefix):
            return list(islice(_chains(rows, bucket, prefix, start), max(0, limit)))
        rest, others = _rest(rows, bucket, start, behind), _chains(rows, bucket, prefix, start + "\x00")
        return list(islice(one_behind_the_other(rest, others), max(0, limit)))

    return await opened.ground.engine.read(look)


def _chains(rows: Read, bucket: int, prefix: str, start: str) -> Iterator[VersionEntry]:
    """All versions from the key `start` on: every key has its newest in CURRENT, some have more in OLD."""
    current = keys.current(bucket, prefix)
    earlier = keys.olds_with(bucket, prefix)
    olds = rows.scan(max(earlier, keys.olds(bucket, start)), keys.after(earlier))
    old = _next(olds)
    for _, data in rows.scan(max(current, keys.current(bucket, start)), keys.after(current)):
        newest = ENTRIES.decode(data)
        yield VersionEntry(newest, latest=True)
        while old is not None and old.key == newest.key:
            yield VersionEntry(old, latest=False)
            old = _next(olds)


def _next(olds: Iterator[tuple[bytes, bytes]]) -> Entry | None:
    found = next(olds, None)
    return None if found is None else ENTRIES.decode(found[1])


def _rest(rows: Read, bucket: int, key: str, behind: int | None) -> Iterator[VersionEntry]:
    """The versions of one key behind that seq, or behind its null version.

    Where the null version has gone meanwhile nobody knows where it stood: then all are given, rather a few
    twice than one never.
    """
    newest = chain.newest(rows, bucket, key)
    if newest is None:
        return
    seq = (seq_of(NULL, newest) if behind is None else behind) or newest.seq + 1
    if newest.seq < seq:
        yield VersionEntry(newest, latest=True)
    for _, data in rows.scan(keys.old(bucket, key, seq - 1), keys.after(keys.olds(bucket, key))):
        yield VersionEntry(ENTRIES.decode(data), latest=False)
