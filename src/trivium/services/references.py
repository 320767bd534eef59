"""What refers to a blob: the objects, versions and parts that are hit when its bytes are damaged.

Theory of operation. Rows lead from objects to blobs and never back, so all rows of all buckets are walked, a
page a transaction: writers go on meanwhile. What was written or removed while they are walked may be named or
not. Parts of completed uploads are not named, since their object is; nor is what deleted buckets have left.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from typing import TypeVar

import msgspec

from trivium.buckets.entry import ENTRIES, BlobContent, Entry
from trivium.buckets.record import BUCKETS
from trivium.services.uploads.groups import GROUPS, Part
from trivium.services.uploads.records import RUNNING, UPLOADS, Upload, group_rows
from trivium.storage import keys
from trivium.storage.blobs import LAYOUTS, BlobSpan
from trivium.storage.engine import Engine
from trivium.storage.records import Unreadable
from trivium.storage.walk import walk

T = TypeVar("T")


class Reference(msgspec.Struct, frozen=True):
    """A version of an object that has bytes in `blob` ("": in its row); with an `upload`, a part of that."""

    blob: str
    bucket: str
    key: str
    version: str = ""
    upload: str = ""
    part: int = 0


async def references(engine: Engine, ids: frozenset[str]) -> AsyncIterator[Reference]:
    """All that refers to one of these blobs, bucket by bucket. Memory use is that of a page of rows."""
    async for _, data in walk(engine, keys.CATALOG):
        record = _read(BUCKETS.decode, data)
        if record is None:
            continue
        for table in (keys.CURRENT, keys.OLD):
            async for _, value in walk(engine, keys.of_bucket(table, record.id)):
                entry = _read(ENTRIES.decode, value)
                if entry is None:
                    continue
                for id in await _hit(engine, ids, entry):
                    yield Reference(id, record.name, entry.key, entry.version)
        async for _, value in walk(engine, keys.of_bucket(keys.UPLOAD, record.id)):
            upload = _read(UPLOADS.decode, value)
            if upload is None:
                continue
            for part in await _parts(engine, upload):
                for id in _among(ids, part.spans):
                    yield Reference(id, record.name, upload.key, upload=upload.id, part=part.number)


async def _hit(engine: Engine, ids: frozenset[str], entry: Entry) -> list[str]:
    """Those of the blobs in which bytes of the entry lie."""
    if entry.content is None:
        return []
    if isinstance(entry.content, BlobContent):
        return [entry.content.id] if entry.content.id in ids else []
    row = keys.text(keys.LAYOUT, entry.content.id)
    data = await engine.read(lambda rows: rows.get(row))
    if data is None:  # the entry went meanwhile, and its layout with it
        return []
    parts = _read(lambda data: LAYOUTS.decode(data).parts, data) or ()
    return _among(ids, (span for part in parts for span in part.spans))


def _among(ids: frozenset[str], spans: Iterable[BlobSpan]) -> list[str]:
    return sorted({span.id for span in spans} & ids)


async def _parts(engine: Engine, upload: Upload) -> list[Part]:
    """The parts of the upload, if it is running."""
    if upload.state != RUNNING:
        return []
    values = await engine.read(lambda rows: [value for _, value in group_rows(rows, upload)])
    return [part for value in values for part in _read(lambda data: GROUPS.decode(data).parts, value) or ()]


def _read(decode: Callable[[bytes], T], value: bytes) -> T | None:
    """What the record says; None for one that cannot be read, which refers to nothing that we know."""
    try:
        return decode(value)
    except Unreadable:
        return None
