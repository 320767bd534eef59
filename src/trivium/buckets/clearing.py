"""Removing the rows of deleted buckets, some at a time, so that no transaction is long.

Theory of operation. The transaction that deletes a bucket leaves a mark, or takes all rows away if they are
few. Whoever clears takes the rows of the marked buckets away and lets go of their contents, and the mark
last. A crash leaves the mark: the next to clear goes on. A bucket's number is never used again, so that
nobody sees the rows meanwhile.
"""

from __future__ import annotations

from itertools import islice
from typing import Final

from trivium.buckets import contents
from trivium.buckets.entry import ENTRIES
from trivium.buckets.record import BucketRecord, Ground, strike
from trivium.storage import keys
from trivium.storage.aside import set_aside
from trivium.storage.engine import Write

_ROWS_AT_ONCE: Final = 500
_PLAIN: Final = (keys.LOG, keys.DOCUMENT, keys.COMMIT, keys.FILE, keys.TOKEN)


def raze(tx: Write, record: BucketRecord) -> None:
    """The bucket's name goes in this transaction; its rows are marked, to be cleared. Raises NoSuchBucket."""
    _mark(tx, strike(tx, record).id)


def leave(tx: Write, bucket: int) -> None:
    """Say that a bucket without entries is gone. Its other rows go now if they are few, else marked."""
    if _remove_others(tx, bucket) == _ROWS_AT_ONCE:
        _mark(tx, bucket)


async def clear(ground: Ground) -> None:
    """Remove all rows of all buckets that are gone. To be called at start, too: a crash may have left some.

    Running uploads are left to the sweep, which finds that their bucket is gone.
    """
    while await ground.engine.write(lambda tx: _clear_some(tx, now_ms=ground.clock.now_ms())):
        pass


def _mark(tx: Write, bucket: int) -> None:
    tx.put(keys.of_bucket(keys.GONE, bucket), b"")


def _clear_some(tx: Write, *, now_ms: int) -> bool:
    """Remove some rows; False when there were none."""
    for row, _ in islice(tx.scan(keys.GONE, keys.after(keys.GONE)), 1):
        bucket = keys.read_number(row[len(keys.GONE) :])
        if not _remove_entries(tx, bucket, now_ms) and not _remove_others(tx, bucket):
            tx.delete(row)
        return True
    return False


def _remove_entries(tx: Write, bucket: int, now_ms: int) -> bool:
    for table in (keys.CURRENT, keys.OLD):
        rows = _some(tx, table, bucket, _ROWS_AT_ONCE)
        for row, data in rows:
            entry = ENTRIES.read(data)
            if entry is None:
                set_aside(tx, row)
                continue
            contents.release(tx, entry, now_ms=now_ms)
            tx.delete(row)
        if rows:
            return True
    return False


def _remove_others(tx: Write, bucket: int) -> int:
    removed = 0
    for table in _PLAIN:
        for row, _ in _some(tx, table, bucket, _ROWS_AT_ONCE - removed):
            tx.delete(row)
            removed += 1
    return removed


def _some(tx: Write, table: bytes, bucket: int, limit: int) -> list[tuple[bytes, bytes]]:
    prefix = keys.of_bucket(table, bucket)
    return list(islice(tx.scan(prefix, keys.after(prefix)), limit))
