"""What happened to a bucket, durably and in order: written in the transaction that did it, read by services.

Theory of operation. The journal is trimmed by age, but not by the times in it: these follow the entries, and
a clock that was ahead for a while would keep all that stands behind. Instead, marks say which seq it was at
what time, and what stands before a mark that is old enough goes, some rows in a transaction. A bucket with
commits keeps its whole journal, which says what each of them has changed.
"""

from __future__ import annotations

import asyncio
from functools import partial
from itertools import islice
from typing import Final

import msgspec

from trivium.storage import keys
from trivium.storage.engine import Engine, Read, Write
from trivium.storage.records import Records

PUT: Final = 0
DELETE: Final = 1  # the key's newest entry became a marker, or went
REMOVE: Final = 2  # one version went for good
ATTRIBUTES: Final = 3  # tags or other facts beside the content changed


class Change(msgspec.Struct, frozen=True, array_like=True):
    """One change of one key. `seq` orders all of an engine; `commit` names it where there is history."""

    seq: int
    kind: int
    key: str
    version: str
    at_ms: int
    size: int = 0
    etag: str = ""
    commit: str = ""
    actor: str = ""


CHANGES = Records(Change)


def append(tx: Write, bucket: int, change: Change) -> None:
    tx.put(keys.numbered(keys.LOG, bucket, change.seq), CHANGES.encode(change))


class Mark(msgspec.Struct, frozen=True, array_like=True):
    """All changes that were written before that time (ms since 1970) have a smaller seq."""

    at_ms: int
    seq: int


MARKS = Records(tuple[Mark, ...])
_MARKS_ROW: Final = keys.text(keys.META, "journal marks")
_MARKS_IN_TIME: Final = 32  # how many are made in the time that the journal is kept
_MARKS_KEPT: Final = 64  # whatever the clock does
_ROWS_AT_ONCE: Final = 250
_BUCKETS_A_READ: Final = 100


async def trim(engine: Engine, *, now_ms: int, keep_ms: int) -> int:
    """Forget the changes that are older than `keep_ms`, some of them a little later; how many went.

    It may be cut off anywhere, and several may run at once. The first call in a journal's life forgets
    nothing.
    """
    before = await engine.write(partial(_mark, now_ms, keep_ms))
    trimmed = start = 0
    while (found := await engine.read(partial(_next_bucket, start, before))) is not None:
        bucket, due = found
        while due and (gone := await engine.write(partial(_trim_some, bucket, before))):
            trimmed += gone
        start = bucket + 1
        await asyncio.sleep(0)
    return trimmed


def _mark(now_ms: int, keep_ms: int, tx: Write) -> int:
    """The seq before which all changes are old enough. Makes a mark if the last one is some time ago."""
    data = tx.get(_MARKS_ROW)
    marks = MARKS.decode(data) if data is not None else ()
    before = max((mark.seq for mark in marks if mark.at_ms <= now_ms - keep_ms), default=0)
    if not marks or abs(now_ms - marks[-1].at_ms) >= keep_ms // _MARKS_IN_TIME:
        kept = [*(mark for mark in marks if mark.seq >= before), Mark(now_ms, tx.sequence())]
        tx.put(_MARKS_ROW, MARKS.encode(tuple(kept[-_MARKS_KEPT:])))
    return before


def _next_bucket(start: int, before: int, rows: Read) -> tuple[int, bool] | None:
    """The next bucket from `start` on whose journal is to be trimmed, and True; None when there is no more.

    After many buckets that keep theirs, the last of those and False.
    """
    for _ in range(_BUCKETS_A_READ):
        first = next(rows.scan(keys.of_bucket(keys.LOG, start), keys.after(keys.LOG)), None)
        if first is None:
            return None
        bucket, seq = keys.read_numbered(first[0])
        if seq < before and not _has_commits(rows, bucket):
            return bucket, True
        start = bucket + 1
    return start - 1, False


def _has_commits(rows: Read, bucket: int) -> bool:
    commits = keys.of_bucket(keys.COMMIT, bucket)
    return next(rows.scan(commits, keys.after(commits)), None) is not None


def _trim_some(bucket: int, before: int, tx: Write) -> int:
    gone = 0
    start, stop = keys.of_bucket(keys.LOG, bucket), keys.numbered(keys.LOG, bucket, before)
    for row, _ in islice(tx.scan(start, stop), _ROWS_AT_ONCE):
        tx.delete(row)
        gone += 1
    return gone
