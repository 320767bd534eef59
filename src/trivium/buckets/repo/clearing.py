"""Removing the rows of deleted branches, a thousand at a time, so that no transaction is long.

Theory of operation. The transaction that deletes a branch leaves a mark. Whoever clears takes the rows of the marked
buckets away and lets go of their contents, and the mark last. A crash leaves the mark: the next to clear goes on.
"""

from __future__ import annotations

from itertools import islice
from typing import Final

import msgspec

from trivium.buckets import contents
from trivium.buckets.entry import ENTRIES
from trivium.buckets.record import Ground
from trivium.buckets.repo.commits import COMMITS
from trivium.storage import keys
from trivium.storage.engine import Write
from trivium.storage.records import Records

_ROWS_AT_ONCE: Final = 1_000
_PLAIN: Final = (keys.LOG, keys.DOCUMENT)


class Mark(msgspec.Struct, frozen=True, array_like=True):
    """A bucket that is gone, and the repository it was in."""

    bucket: int
    repository: str


MARKS: Final = Records(Mark)


def mark(tx: Write, bucket: int, repository: str) -> None:
    """Say that the bucket is gone: nobody can name it any more, and its rows are to be removed."""
    tx.put(keys.of_bucket(keys.GONE, bucket), MARKS.encode(Mark(bucket, repository)))


async def clear(ground: Ground) -> None:
    """Remove all rows of all buckets that are gone. To be called at start, too."""
    while await ground.engine.write(lambda tx: _clear_some(tx, now_ms=ground.clock.now_ms())):
        pass


def _clear_some(tx: Write, *, now_ms: int) -> bool:
    """Remove some rows; False when there were none."""
    for row, data in islice(tx.scan(keys.GONE, keys.after(keys.GONE)), 1):
        gone = MARKS.decode(data)
        if not _remove_entries(tx, gone, now_ms) and not _remove_commits(tx, gone) and not _remove_plain(tx, gone):
            tx.delete(row)
        return True
    return False


def _remove_entries(tx: Write, gone: Mark, now_ms: int) -> bool:
    for table in (keys.CURRENT, keys.OLD):
        rows = _some(tx, table, gone.bucket)
        for row, data in rows:
            contents.release(tx, ENTRIES.decode(data), now_ms=now_ms)
            tx.delete(row)
        if rows:
            return True
    return False


def _remove_commits(tx: Write, gone: Mark) -> bool:
    rows = _some(tx, keys.LINE, gone.bucket)
    for row, data in rows:
        tx.delete(keys.commit(gone.repository, COMMITS.decode(data).id))
        tx.delete(row)
    return bool(rows)


def _remove_plain(tx: Write, gone: Mark) -> bool:
    for table in _PLAIN:
        rows = _some(tx, table, gone.bucket)
        for row, _ in rows:
            tx.delete(row)
        if rows:
            return True
    return False


def _some(tx: Write, table: bytes, bucket: int) -> list[tuple[bytes, bytes]]:
    prefix = keys.of_bucket(table, bucket)
    return list(islice(tx.scan(prefix, keys.after(prefix)), _ROWS_AT_ONCE))
