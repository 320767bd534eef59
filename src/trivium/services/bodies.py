"""The bytes of small objects, which rest in their rows: are they still what was written?

An entry tells the checksum of its bytes, as what reads blobs back is told by the blob's row. A bucket that is
deleted while it is looked at may be left out.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Final

import msgspec

from trivium.base.digests import ALGORITHMS, FULL_OBJECT, encode
from trivium.buckets.entry import ENTRIES, Entry
from trivium.buckets.mount.notes import NOTES
from trivium.buckets.record import BUCKETS, BucketRecord
from trivium.storage import keys
from trivium.storage.engine import Engine, Read
from trivium.storage.records import Unreadable
from trivium.storage.walk import walk

_TABLES: Final = ((keys.CURRENT, ENTRIES), (keys.OLD, ENTRIES), (keys.FILE, NOTES))


class Version(msgspec.Struct, frozen=True):
    """A version of an object, by the name of its bucket, its key and its version id."""

    bucket: str
    key: str
    version: str


class DamagedRow(msgspec.Struct, frozen=True):
    """A row that cannot be read, by its key; why not. `record` is None where it is a bucket's own."""

    key: bytes
    error: Unreadable
    record: BucketRecord | None = None


async def rotten(engine: Engine) -> AsyncIterator[Version | DamagedRow]:
    """The versions whose bytes rest in their rows and are no longer what was written, bucket by bucket, and
    the rows of buckets, versions and files that cannot be read.
    """
    async for name, data in walk(engine, keys.CATALOG):
        try:
            record = BUCKETS.decode(data)
        except Unreadable as error:
            yield DamagedRow(name, error)
            continue
        for table, records in _TABLES:
            async for row, value in walk(engine, keys.of_bucket(table, record.id)):
                try:
                    found, loaded = records.decode(value), None
                    if isinstance(found, Entry) and found.content is None:
                        loaded = await engine.read(partial(_load, row))
                except Unreadable as error:
                    yield DamagedRow(row, error, record)
                    continue
                if loaded is not None and is_rotten(*loaded):
                    yield Version(record.name, loaded[0].key, loaded[0].version)


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
