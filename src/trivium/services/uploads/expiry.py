"""Letting go of uploads: those given up, those abandoned, those completed long ago, those whose bucket is
gone.

Theory of operation. An upload that is over is first marked so in its row, then loses its part rows a few
hundred a transaction, then its own row. Each transaction looks at the rows anew and does what it finds to do,
so that a crash between two of them, or another process that does the same, changes nothing. Damaged rows of
parts are set aside, with what they owned, and a damaged upload stays: neither holds others up.
"""

from __future__ import annotations

from functools import partial
from itertools import islice
from typing import Final

import msgspec
from msgspec.structs import replace

from trivium.buckets.record import BUCKETS, Ground
from trivium.services.uploads.groups import GROUPS
from trivium.services.uploads.records import (
    ABORTED,
    COMPLETED,
    RUNNING,
    UPLOADS,
    Upload,
    forget_revision,
    group_rows,
    put_upload,
    release,
)
from trivium.storage import keys
from trivium.storage.aside import set_aside
from trivium.storage.engine import Read, Write
from trivium.storage.records import readable

REMEMBERED_MS: Final = 86_400_000  # a day; clients that lost the answer of a Complete ask again at once

_ROWS_A_READ: Final = 500
_ROWS_A_WRITE: Final = 2  # of 64 parts each: about four milliseconds of the writer's time


class Deadline(msgspec.Struct, frozen=True):
    """When uploads are over, in ms since 1970: running ones that began, completed ones that ended by then."""

    began_ms: int
    completed_ms: int


async def expire(ground: Ground, now_ms: int, *, older_than_ms: int) -> int:
    """Let go of uploads that are over, and of part rows that completed ones left. How many uploads went."""
    deadline = Deadline(now_ms - older_than_ms, now_ms - REMEMBERED_MS)
    start, gone = keys.UPLOAD, 0
    while start:
        found, start = await ground.engine.read(partial(_survey, start=start, deadline=deadline))
        for row in found:
            gone += await finish(ground, row, now_ms=now_ms, deadline=deadline)
    return gone


async def finish(ground: Ground, row: bytes, *, now_ms: int, deadline: Deadline | None = None) -> bool:
    """Let go of the upload in `row`, and of its parts, as far as it is over. Did it go?"""

    def change(tx: Write) -> tuple[bool, bool]:
        data = tx.get(row)
        if data is None:
            return True, False
        upload = UPLOADS.decode(data)
        if is_over(tx, upload, deadline):
            done = give_up(tx, upload, now_ms=now_ms)
            return done, done
        return upload.state == RUNNING or _drop_parts(tx, upload, now_ms=now_ms), False

    while True:
        done, went = await ground.engine.write(change)
        if done:
            return went


def give_up(tx: Write, upload: Upload, *, now_ms: int) -> bool:
    """Let go of some parts. True when none is left: then the upload's row is gone; else it is marked."""
    if _drop_parts(tx, upload, now_ms=now_ms):
        tx.delete(upload.row)
        return True
    if upload.state == RUNNING:
        put_upload(tx, replace(upload, state=ABORTED))
    return False


def is_over(tx: Read, upload: Upload, deadline: Deadline | None) -> bool:
    """May the upload go? Without a deadline only one that was given up may."""
    if upload.state == ABORTED:
        return True
    if deadline is None:
        return False
    if upload.state == RUNNING and upload.initiated_ms <= deadline.began_ms:
        return True
    if upload.completed is not None and upload.completed.at_ms <= deadline.completed_ms:
        return True
    return not _bucket_stands(tx, upload)


def _survey(tx: Read, *, start: bytes, deadline: Deadline) -> tuple[list[bytes], bytes]:
    """Rows of uploads that want work among the first from `start` on, and where to go on; b"" at the end."""
    found: list[bytes] = []
    for read, (row, value) in enumerate(tx.scan(start, keys.after(keys.UPLOAD))):
        if read == _ROWS_A_READ:
            return found, row
        upload = UPLOADS.read(value)
        if upload is None:
            continue  # nobody knows whether it is over
        if is_over(tx, upload, deadline) or (upload.state == COMPLETED and _has_parts(tx, upload)):
            found.append(row)
    return found, b""


def _bucket_stands(tx: Read, upload: Upload) -> bool:
    data = tx.get(keys.text(keys.CATALOG, upload.bucket_name))
    return data is not None and BUCKETS.decode(data).id == upload.bucket


def _has_parts(tx: Read, upload: Upload) -> bool:
    return next(iter(group_rows(tx, upload)), None) is not None


def _drop_parts(tx: Write, upload: Upload, *, now_ms: int) -> bool:
    """Remove up to `_ROWS_A_WRITE` rows of parts, and what they own with them. True when none is left."""
    rows, unlisted = list(islice(group_rows(tx, upload), _ROWS_A_WRITE + 1)), set(upload.unlisted)
    for row, value in rows[:_ROWS_A_WRITE]:
        parts = readable(lambda value: GROUPS.decode(value).parts, value) if upload.owns or unlisted else ()
        if parts is None:
            set_aside(tx, row)
            continue
        for part in parts:
            if upload.owns or part.number in unlisted:
                release(tx, part, now_ms=now_ms)
        tx.delete(row)
    if len(rows) > _ROWS_A_WRITE:
        return False
    forget_revision(tx, upload)
    return True
