"""Uploads into a mounted directory and onto a branch, and parts copied out of them."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from trivium.base.clock import SetClock
from trivium.base.digests import multipart_etag
from trivium.base.ids import SeededIds
from trivium.base.incoming import Given, Incoming
from trivium.base.span import Span
from trivium.buckets.copying import chunks_of
from trivium.buckets.entry import Attributes
from trivium.buckets.mount.mounts import Mounts
from trivium.buckets.record import BUCKETS, BucketRecord, Ground
from trivium.buckets.repo.bucket import BranchBucket
from trivium.buckets.repo.repository import Repositories
from trivium.services.catalog import Opened
from trivium.services.uploads import Asked, Completed, Part, Rules, Upload, Uploads, Wanted
from trivium.storage import keys
from trivium.storage.blobstores.memory import MemoryBlobs
from trivium.storage.engines.memory import MemoryEngine
from trivium.under.local import LocalStore

RULES = Rules(min_part_bytes=1, max_parts=10)
HOUR_MS = 3_600_000


async def mount(ground: Ground, folder: Path) -> Opened:
    record = BucketRecord(1, "bucket", "mount", "owner", ground.clock.now_ms(), facts={"path": str(folder)})
    await ground.engine.write(lambda tx: tx.put(keys.text(keys.CATALOG, record.name), BUCKETS.encode(record)))
    mounts = Mounts(ground, lambda facts: LocalStore(facts["path"], ground.clock, ground.ids))
    return Opened(record, mounts.bucket(record))


async def branch(ground: Ground, _folder: Path) -> Opened:
    record = await Repositories(ground).create("master.images", "owner")
    return Opened(record, BranchBucket(ground, record, ground.engine.generation))


class Place:
    """A bucket with uploads."""

    def __init__(self, ground: Ground, opened: Opened) -> None:
        self.ground, self.opened, self.uploads = ground, opened, Uploads(ground)

    async def begin(self) -> Upload:
        return await self.uploads.create(self.opened.record, "key", Attributes("text/x"), initiator="me")

    async def add(self, upload: Upload, number: int, data: bytes) -> Part:
        return await self.uploads.put_part(upload, number, Incoming(Given(data), len(data)))

    async def complete(self, upload: Upload, *parts: Part) -> Completed:
        asked = Asked(tuple(Wanted(part.number, part.md5) for part in parts))
        return await self.uploads.complete(self.opened, upload.key, upload.id, asked, RULES)

    async def content(self, key: str) -> bytes:
        body = await (await self.opened.bucket.read(key)).body()
        return b"".join([chunk async for chunk in chunks_of(body)])


Story = Callable[[Place], Awaitable[None]]


@pytest.fixture(params=[mount, branch])
def told(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Story], None]:
    """Runs a story with an empty bucket of each kind."""

    def whole(story: Story) -> None:
        async def inside() -> None:
            clock, ids = SetClock(), SeededIds()
            ground = Ground(MemoryEngine(), MemoryBlobs(clock, ids), clock, ids, 8)
            await story(Place(ground, await request.param(ground, tmp_path)))

        asyncio.run(inside())

    return whole


def test_a_completed_upload_is_an_object(told: Callable[[Story], None]) -> None:
    async def story(place: Place) -> None:
        upload = await place.begin()
        parts = [await place.add(upload, number, b"part number %d" % number) for number in (1, 2)]

        done = await place.complete(upload, *parts)

        entry = await place.opened.bucket.head("key")
        content = b"part number 1part number 2"
        assert content == await place.content("key")
        shares = place.opened.bucket.features.shares
        etag = multipart_etag(part.md5 for part in parts) if shares else hashlib.md5(content).hexdigest()
        assert etag == done.etag == entry.etag
        assert "text/x" == entry.attributes.content_type
        assert done == await place.complete(upload, *parts)

    told(story)


def test_the_expiry_leaves_the_object_alone(told: Callable[[Story], None]) -> None:
    async def story(place: Place) -> None:
        upload = await place.begin()
        await place.complete(upload, await place.add(upload, 1, b"a part"))

        await place.uploads.expire(place.ground.clock.now_ms(), older_than_ms=HOUR_MS)

        assert b"a part" == await place.content("key")

    told(story)


@pytest.mark.parametrize("span", [None, Span(2, 30)])
def test_a_part_is_copied_out_of_it(told: Callable[[Story], None], span: Span | None) -> None:
    async def story(place: Place) -> None:
        data = b"more bytes than a row may have, and then some"
        bucket = place.opened.bucket
        await bucket.put("source", Incoming(Given(data), len(data)), Attributes())
        upload = await place.begin()

        part = await place.uploads.copy_part(upload, 1, await bucket.read("source"), span)

        expected = data if span is None else data[2:31]
        assert hashlib.md5(expected).hexdigest() == part.md5
        await place.complete(upload, part)
        assert expected == await place.content("key")

    told(story)
