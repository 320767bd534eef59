"""What rows say of bytes: do those that rest in a row match it still, and do others lie where it says?

An entry tells the checksum of its bytes, as what reads blobs back is told by the blob's row. A bucket that is
deleted while it is looked at may be left out.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Final

import msgspec

from trivium.base.digests import ALGORITHMS, FULL_OBJECT, encode
from trivium.buckets.entry import ENTRIES, BlobContent, Entry
from trivium.buckets.mount.notes import NOTES
from trivium.buckets.record import BUCKETS, BucketRecord
from trivium.services.references import Reference
from trivium.services.uploads.records import UPLOADS
from trivium.storage import keys
from trivium.storage.blobs import BLOBS, LAYOUTS
from trivium.storage.engine import Engine, Read
from trivium.storage.records import UnknownFormat, Unreadable
from trivium.storage.walk import walk

_TABLES: Final = (
    (keys.CURRENT, ENTRIES), (keys.OLD, ENTRIES), (keys.FILE, NOTES), (keys.UPLOAD, UPLOADS))


class DamagedRow(msgspec.Struct, frozen=True):
    """A row that cannot be read, by its key; why not. `record` is None where it is a bucket's own."""

    key: bytes
    error: Unreadable
    record: BucketRecord | None = None


async def rotten(engine: Engine) -> AsyncIterator[Reference | DamagedRow]:
    """The versions whose bytes rest in their rows and are no longer what was written, or are not to be found
    by what the rows say; and the rows of buckets, versions, files and uploads that cannot be read.
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
                    found = records.decode(value)
                    lost = await engine.read(partial(_lost, row)) if isinstance(found, Entry) else None
                except Unreadable as error:
                    yield DamagedRow(row, error, record)
                    continue
                if lost is not None:
                    yield Reference("", record.name, lost.key, lost.version)


def _lost(row: bytes, rows: Read) -> Entry | None:
    """The entry in the row, if its bytes are not as it says. Raises Unreadable for one of another key."""
    found = rows.load(row)
    if found is None:
        return None
    entry = ENTRIES.decode(found[0])
    key, seq = keys.read_old(row) if row[:1] == keys.OLD else (keys.read_current(row), entry.seq)
    if (entry.key, entry.seq) != (key, seq):
        raise Unreadable(found[0], f"it says that it is of {entry.key!r}")
    return entry if is_rotten(entry, found[1]) or is_torn(rows, entry) else None


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


def is_torn(rows: Read, entry: Entry) -> bool:
    """Whether the rows that say where the entry's bytes lie are gone, damaged or of another size."""
    content = entry.content
    if content is None:
        return False
    whole = isinstance(content, BlobContent)
    data = rows.get(keys.text(keys.BLOB if whole else keys.LAYOUT, content.id))
    if data is None:
        return True
    try:
        if whole:
            return BLOBS.decode(data).size != entry.size
        parts = LAYOUTS.decode(data).parts
    except Unreadable as error:
        return not isinstance(error, UnknownFormat)
    spans = [span for part in parts for span in part.spans]
    named = all(rows.get(keys.text(keys.BLOB, span.id)) is not None for span in spans)
    return not named or sum(span.size for span in spans) != entry.size
