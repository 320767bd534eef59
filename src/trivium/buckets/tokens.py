"""Tokens of changes: what was done under a client's token is not done again.

Theory of operation. A client that lost the answer asks again, with the token of the first time. The change
writes a row for its token in its own transaction, and one that finds such a row does nothing. A row counts
for a day, like the answer to a completed upload; then it is swept. Source: Amazon S3 API Reference,
RenameObject, x-amz-client-token.
"""

from __future__ import annotations

import asyncio
from functools import partial
from itertools import islice
from typing import Final

import msgspec

from trivium.base import faults
from trivium.buckets.bucket import Renaming
from trivium.storage import keys
from trivium.storage.engine import Engine, Read, Write
from trivium.storage.records import Records

REMEMBERED_MS: Final = 86_400_000  # a day; clients that lost an answer ask again at once

_ROWS_A_READ: Final = 500


class Done(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What was done under a token: a digest of what was `asked`, and when (ms since 1970)."""

    asked: bytes
    at_ms: int


DONE: Final = Records(Done)


def first_rename(tx: Write, bucket: int, renaming: Renaming, actor: str, *, now_ms: int) -> bool:
    """As `first_time`, for a rename in the bucket. Without a token it is always the first time."""
    if not renaming.token:
        return True
    row = keys.token(bucket, actor, renaming.token)
    return first_time(tx, row, renaming.fingerprint, now_ms=now_ms)


def first_time(tx: Write, row: bytes, asked: bytes, *, now_ms: int) -> bool:
    """Is it to be done now? Then `row`, which stands for the token, says so when this transaction ends.

    False: it was done before. Raises IdempotencyParameterMismatch when something else was done under the
    token.
    """
    data = tx.get(row)
    done = None if data is None else DONE.decode(data)
    if done is not None and not _is_over(done, now_ms):
        if done.asked != asked:
            raise faults.IdempotencyParameterMismatch()
        return False
    tx.put(row, DONE.encode(Done(asked, now_ms)))
    return True


async def forget(engine: Engine, *, now_ms: int) -> int:
    """Remove the rows of tokens that are over; how many went. It may be cut off anywhere."""
    start, gone = keys.TOKEN, 0
    while start:
        found, start = await engine.read(partial(_survey, start, now_ms))
        if found:
            gone += await engine.write(partial(_remove, found, now_ms))
        await asyncio.sleep(0)
    return gone


def _is_over(done: Done, now_ms: int) -> bool:
    return done.at_ms <= now_ms - REMEMBERED_MS


def _survey(start: bytes, now_ms: int, rows: Read) -> tuple[list[bytes], bytes]:
    """Rows that are over among the first from `start` on, and where to go on; b"" at the end."""
    seen = list(islice(rows.scan(start, keys.after(keys.TOKEN)), _ROWS_A_READ))
    found = [row for row, data in seen if _is_over(DONE.decode(data), now_ms)]
    return found, seen[-1][0] + b"\x00" if len(seen) == _ROWS_A_READ else b""


def _remove(found: list[bytes], now_ms: int, tx: Write) -> int:
    """Remove those of the rows that are over still: a token may have come again meanwhile."""
    gone = 0
    for row in found:
        data = tx.get(row)
        if data is not None and _is_over(DONE.decode(data), now_ms):
            tx.delete(row)
            gone += 1
    return gone
