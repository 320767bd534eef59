"""The scrub: reads every blob back and reports what is no longer what was written.

It changes nothing. A finding about a blob that is removed while the scrub looks at it is not reported.
"""

from __future__ import annotations

import asyncio
import enum
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from itertools import islice
from typing import Final

import msgspec
from awscrt import checksums

from trivium.base.faults import Fault
from trivium.storage import keys
from trivium.storage.blobs import BLOBS, Blob, Blobs, BlobSpan
from trivium.storage.engine import Engine, Read
from trivium.storage.sweep import unnamed

_PIECE_BYTES: Final = 1 << 20
_TOGETHER: Final = 100


class Kind(enum.Enum):
    """What is wrong with a blob."""

    MISSING = "missing"  # a row names it, but its bytes are not there
    WRONG_SIZE = "wrong size"
    ROT = "rot"  # its bytes cannot be read or have another checksum
    UNNAMED = "unnamed"  # its bytes are there, but no row names it: the sweep will remove it


class Finding(msgspec.Struct, frozen=True):
    """One blob, by its id, and what is wrong with it."""

    kind: Kind
    id: str


class Pace:
    """Keeps a scrub from taking the disk for itself: at most `bytes_per_second`, or as fast as it goes when
    None.
    """

    def __init__(
        self, bytes_per_second: int | None = None, *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._bytes_per_second, self._sleep = bytes_per_second, sleep

    async def rest(self, read_bytes: int) -> None:
        """Wait as long as reading so many bytes should have taken."""
        if self._bytes_per_second is not None:
            await self._sleep(read_bytes / self._bytes_per_second)


async def scrub(
    engine: Engine, blobs: Blobs, *, unnamed_before_ms: int, pace: Pace | None = None
) -> AsyncIterator[Finding]:
    """All findings, as they are found. Blobs last written before `unnamed_before_ms` (ms since 1970) should
    have a name.
    """
    async for blob in named(engine):
        kind = await _examine(blobs, blob, pace or Pace())
        if kind is not None and await engine.read(partial(_is_named, blob.id)):
            yield Finding(kind, blob.id)
    async for id in unnamed(engine, blobs, older_than_ms=unnamed_before_ms):
        yield Finding(Kind.UNNAMED, id)


async def named(engine: Engine) -> AsyncIterator[Blob]:
    """The facts of every blob that is named, in the order of their ids."""
    start = keys.BLOB
    while some := await engine.read(partial(_some, start)):
        for _, record in some:
            yield BLOBS.decode(record)
        start = some[-1][0] + b"\x00"


async def bodies(engine: Engine, table: bytes) -> AsyncIterator[tuple[bytes, bytes, bytes]]:
    """Key, value and body of every row of the table that has a body: whoever knows their checksums may
    compare.
    """
    start = table
    while some := await engine.read(partial(_some, start)):
        for key, _ in some:
            row = await engine.read(partial(_load, key))
            if row is not None and row[1] is not None:
                yield key, row[0], row[1]
        start = some[-1][0] + b"\x00"


async def _examine(blobs: Blobs, blob: Blob, pace: Pace) -> Kind | None:
    size = await blobs.size(blob.id)
    if size is None:
        return Kind.MISSING
    if size != blob.size:
        return Kind.WRONG_SIZE
    crc64 = 0
    for offset in range(0, size, _PIECE_BYTES):
        span = BlobSpan(blob.id, offset, min(_PIECE_BYTES, size - offset))
        try:
            piece = await blobs.read(span)
        except Fault:
            return Kind.ROT
        crc64 = checksums.crc64nvme(piece, crc64)
        await pace.rest(span.size)
    return None if crc64 == blob.crc64 else Kind.ROT


def _some(start: bytes, rows: Read) -> list[tuple[bytes, bytes]]:
    return list(islice(rows.scan(start, keys.after(start[:1])), _TOGETHER))


def _load(key: bytes, rows: Read) -> tuple[bytes, bytes | None] | None:
    return rows.load(key)


def _is_named(id: str, rows: Read) -> bool:
    return rows.get(keys.text(keys.BLOB, id)) is not None
