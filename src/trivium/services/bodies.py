"""The bytes of small objects, which rest in their rows: are they still what was written?

An entry tells the checksum of its bytes, as what reads blobs back is told by the blob's row. A bucket that is
deleted while it is looked at may be left out.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial

import msgspec

from trivium.base.digests import ALGORITHMS, FULL_OBJECT, encode
from trivium.buckets.entry import ENTRIES, Entry
from trivium.buckets.record import BUCKETS
from trivium.storage import keys
from trivium.storage.engine import Engine, Read
from trivium.storage.walk import walk


class Version(msgspec.Struct, frozen=True):
    """A version of an object, by the name of its bucket, its key and its version id."""

    bucket: str
    key: str
    version: str


async def rotten(engine: Engine) -> AsyncIterator[Version]:
    """The versions whose bytes rest in their rows and are no longer what was written, bucket by bucket."""
    async for _, data in walk(engine, keys.CATALOG):
        record = BUCKETS.decode(data)
        for table in (keys.CURRENT, keys.OLD):
            async for row, value in walk(engine, keys.of_bucket(table, record.id)):
                if ENTRIES.decode(value).content is not None:
                    continue
                loaded = await engine.read(partial(_load, row))
                if loaded is not None and is_rotten(*loaded):
                    entry = loaded[0]
                    yield Version(record.name, entry.key, entry.version)


def is_rotten(entry: Entry, body: bytes | None) -> bool:
    """Whether the bytes in the entry's row are others than the entry says."""
    if entry.content is not None or entry.marker:
        return False
    if body is None or len(body) != entry.size:
        return True
    checksum = entry.checksum
    if checksum is not None and checksum.type == FULL_OBJECT:
        return encode(ALGORITHMS[checksum.algorithm].of(body)) != checksum.value
    return ALGORITHMS["MD5"].of(body).hex() != entry.etag


def _load(row: bytes, rows: Read) -> tuple[Entry, bytes | None] | None:
    found = rows.load(row)
    return None if found is None else (ENTRIES.decode(found[0]), found[1])
