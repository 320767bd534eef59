"""Pages of the bucket's entries and versions, in key order. Their cost follows the page, not the bucket."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from itertools import chain as one_behind_the_other
from itertools import islice
from typing import Final

import msgspec
from msgspec.structs import force_setattr

from trivium.buckets.bucket import VersionEntry
from trivium.buckets.entry import ENTRIES, NULL, Entry
from trivium.buckets.objects import chain
from trivium.buckets.objects.opened import Opened
from trivium.buckets.objects.versions import read_version_id, seq_of
from trivium.storage import keys
from trivium.storage.engine import Read
from trivium.storage.records import Records

_ROWS_A_READ: Final = 2_000  # markers are read to be skipped: others get their turn after so many rows
_FEWEST_ROWS: Final = 64  # that are read at a time behind a marker: there may be many
_TOGETHER: Final = 64  # versions that are decoded at a time; some may be read in vain
_SAMPLE_ROWS: Final = 8


class _Row(Entry, frozen=True, array_like=True, gc=False):
    """An entry whose attributes are still as stored; `_read` puts decoded ones in their place."""

    # the type is another only until then
    attributes: msgspec.Raw = msgspec.Raw(b"\x90")  # type: ignore[assignment]


_ROWS: Final = Records(_Row)


async def entries(opened: Opened, prefix: str, start: str, limit: int) -> list[Entry]:
    """As `Bucket.list`. One read, unless very many markers lie between the entries."""
    bucket, found = opened.record.id, list[Entry]()
    row, stop = keys.current(bucket, max(prefix, start)), keys.after(keys.current(bucket, prefix))

    def look(rows: Read) -> bytes:
        """Add what is found to the page; the row to go on from, empty when the page is done."""
        values, seen, fewest = rows.values(row, stop), 0, 0
        while seen < _ROWS_A_READ:
            wanted = min(max(limit - len(found), fewest), _ROWS_A_READ)
            some = _read(list(islice(values, wanted)))
            found.extend([entry for entry in some if not entry.marker])
            if len(some) < wanted or len(found) >= limit:
                return b""
            seen, fewest = seen + wanted, _FEWEST_ROWS
        behind = keys.current(bucket, some[-1].key) + b"\x00"
        assert behind > row, "a row says that it is of an earlier key: the listing would never end"
        return behind

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
    olds = _entries(rows.values(max(earlier, keys.olds(bucket, start)), keys.after(earlier)))
    old = next(olds, None)
    for newest in _entries(rows.values(max(current, keys.current(bucket, start)), keys.after(current))):
        yield VersionEntry(newest, latest=True)
        assert old is None or old.key >= newest.key, "an earlier version of a key that has no newest"
        while old is not None and old.key == newest.key:
            yield VersionEntry(old, latest=False)
            old = next(olds, None)


def _entries(values: Iterator[bytes]) -> Iterator[Entry]:
    while some := list(islice(values, _TOGETHER)):
        yield from _read(some)


def _read(values: list[bytes]) -> Sequence[Entry]:
    """The entries of these rows. Neighbours often say the same of themselves: where some do, it is tried to
    decode that once, a third faster. Raises as `Records.decode`.
    """
    step = len(values) // _SAMPLE_ROWS
    if step > 1 and _alike(_ROWS.decode_all(values[::step])):
        found = _ROWS.decode_all(values)
        if _alike(found):
            attributes = ENTRIES.decode(values[0]).attributes
            for row in found:
                force_setattr(row, "attributes", attributes)
            return found
    return ENTRIES.decode_all(values)


def _alike(rows: list[_Row]) -> bool:
    return [row.attributes for row in rows].count(rows[0].attributes) == len(rows)


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
    for old in _entries(rows.values(keys.old(bucket, key, seq - 1), keys.after(keys.olds(bucket, key)))):
        yield VersionEntry(old, latest=False)
