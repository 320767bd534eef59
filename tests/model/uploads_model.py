"""What the uploads machine is made of: uploads as dictionaries, engines that fail or are overtaken, an audit."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec

from tests.parts import Wanted
from trivium.base import faults
from trivium.buckets.bucket import Companion, Content, nothing
from trivium.buckets.conditions import ALWAYS, WriteIf
from trivium.buckets.entry import ENTRIES, Attributes, Entry
from trivium.buckets.objects.bucket import ObjectsBucket
from trivium.services.uploads import Completed, Part, Upload
from trivium.services.uploads.groups import GROUPS, columns_of
from trivium.services.uploads.records import UPLOADS
from trivium.storage import blobs, keys
from trivium.storage.blobs import BLOBS, LAYOUTS
from trivium.storage.engine import Engine, Read, Write

T = TypeVar("T")
ID = 7
HOUR_MS = 3_600_000


@dataclass
class Running:
    """An upload as the model knows it: parts by number; what completing it answered; was it given up?"""

    id: str
    key: str
    began_ms: int
    parts: dict[int, bytes] = field(default_factory=dict)
    done: Completed | None = None
    asked: tuple[Wanted, ...] = ()
    gone: bool = False

    @property
    def runs(self) -> bool:
        return self.done is None and not self.gone


class Failing:
    """An engine whose commit fails when it is told so: after `spared` more writes."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.spared: int | None = None

    @property
    def generation(self) -> int:
        return self.engine.generation

    async def read(self, look: Callable[[Read], T]) -> T:
        return await self.engine.read(look)

    async def write(self, change: Callable[[Write], T]) -> T:
        def failing(tx: Write) -> T:
            result = change(tx)
            if self.spared == 0:
                self.spared = None
                raise faults.InternalError()
            if self.spared is not None:
                self.spared -= 1
            return result

        return await self.engine.write(failing)

    async def close(self) -> None:
        await self.engine.close()


class Interrupted(ObjectsBucket):
    """A bucket in which something happens just before the next put."""

    __slots__ = ("before",)

    before: Callable[[], Awaitable[object]] | None

    async def put(
        self, key: str, content: Content, attributes: Attributes, *, only_if: WriteIf = ALWAYS,
        companion: Companion = nothing,
    ) -> Entry:
        before, self.before = self.before, None
        if before is not None:
            await before()
        return await super().put(key, content, attributes, only_if=only_if, companion=companion)


class Late:
    """Bytes during whose coming something happens."""

    def __init__(self, data: bytes, meanwhile: Callable[[], Awaitable[None]]) -> None:
        self.data, self.meanwhile = data, meanwhile

    async def whole(self) -> bytes:
        await self.meanwhile()
        return self.data

    async def chunks(self) -> AsyncIterator[bytes]:
        yield await self.whole()


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


def remembered(id: str, rows: Read) -> bytes | None:
    return rows.get(keys.finished(id))


def part_by_part(tx: Write) -> None:
    """Write all parts as the second format has them."""
    for row, data in list(tx.scan(keys.PART, keys.after(keys.PART))):
        if not int.from_bytes(row[-2:], "big"):
            continue
        tx.delete(row)
        for part in GROUPS.decode(data).parts:
            tx.put(row[:-2] + part.number.to_bytes(2, "big"), b"\x02" + msgspec.msgpack.encode(part))


def audit(rows: Read) -> None:
    """Count who needs each blob and layout, and compare with the owners that the rows tell."""
    needed: Counter[str] = Counter()
    for _, data in rows.scan(keys.CURRENT, keys.after(keys.CURRENT)):
        content = ENTRIES.decode(data).content
        if content is not None:
            needed[content.id] += 1
    layouts = {row[1:].decode(): LAYOUTS.decode(data) for row, data in rows.scan(keys.LAYOUT, b"z")}
    for layout in layouts.values():
        needed.update(span.id for part in layout.parts for span in part.spans)
    uploads = {one.id: one for one in (
        UPLOADS.decode(data) for _, data in rows.scan(keys.UPLOAD, keys.after(keys.UPLOAD)))}
    for row, data in rows.scan(keys.PART, keys.after(keys.PART)):
        upload, number = uploads[row[1:-2].decode()], int.from_bytes(row[-2:], "big")
        for part in _parts(data, upload) if number else ():
            if upload.owns or part.number in upload.unlisted:
                needed.update(span.id for span in part.spans)
    named = {BLOBS.decode(data).id for _, data in rows.scan(keys.BLOB, keys.after(keys.BLOB))}
    garbage = {blobs.GARBAGE.decode(data).id for _, data in rows.scan(keys.GARBAGE, keys.after(keys.GARBAGE))}
    for id in named | layouts.keys():
        owners = rows.get(keys.text(keys.SHARE, id))
        count = 1 if owners is None else keys.read_number(owners)
        assert count == needed[id], f"{id} has {count} owners and needs {needed[id]}"
        assert count or id in garbage
    assert set(needed) <= named | layouts.keys()


def _parts(row: bytes, upload: Upload) -> tuple[Part, ...]:
    """The parts in a row. What it sums up of them, if anything, is so."""
    group = GROUPS.decode(row)
    parts = group.parts
    assert [part.number for part in parts] == sorted({part.number for part in parts})
    if group.columns is not None:
        assert group.columns == columns_of(parts, upload.kept_algorithm, upload.kept_type)
    return parts
