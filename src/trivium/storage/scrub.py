"""The scrub: reads every blob back and reports what is no longer what was written.

It changes nothing. A finding about a blob that is removed while the scrub looks at it is not reported.
"""

from __future__ import annotations

import enum
from collections.abc import AsyncIterator
from functools import partial
from typing import Final

import msgspec
from awscrt import checksums

from trivium.base.faults import Fault
from trivium.storage import keys
from trivium.storage.blobs import BLOBS, Blob, Blobs, BlobSpan
from trivium.storage.engine import Engine
from trivium.storage.records import Unreadable
from trivium.storage.sweep import unnamed, without_name
from trivium.storage.walk import walk

_PIECE_BYTES: Final = 1 << 20


class Kind(enum.Enum):
    """What is wrong with a blob."""

    MISSING = "missing"  # a row names it, but its bytes are not there
    WRONG_SIZE = "wrong size"
    ROT = "rot"  # its bytes cannot be read or have another checksum
    UNREADABLE = "unreadable"  # a row that tells of bytes makes no sense
    UNNAMED = "unnamed"  # its bytes are there, but no row names it: the sweep will remove it


class Finding(msgspec.Struct, frozen=True):
    """One blob, by its id, and what is wrong with it."""

    kind: Kind
    id: str


async def scrub(
    engine: Engine, blobs: Blobs, *, unnamed_before_ms: int,
) -> AsyncIterator[Finding]:
    """All findings, as found. Blobs last written before `unnamed_before_ms` (since 1970) must have names."""
    async for row, record in walk(engine, keys.BLOB):
        try:
            blob = BLOBS.decode(record)
        except Unreadable:
            yield Finding(Kind.UNREADABLE, row[1:].decode("utf-8", "replace"))
            continue
        kind = await _examine(blobs, blob)
        if kind is not None and not await engine.read(partial(without_name, [blob.id])):
            yield Finding(kind, blob.id)
    async for id in unnamed(engine, blobs, older_than_ms=unnamed_before_ms):
        yield Finding(Kind.UNNAMED, id)


async def _examine(blobs: Blobs, blob: Blob) -> Kind | None:
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
    return None if crc64 == blob.crc64 else Kind.ROT
