"""Uploads into a mounted directory and onto a branch, and parts copied out of them."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.parts import Wanted, asking
from trivium.base import faults
from trivium.base.clock import SetClock
from trivium.base.digests import ALGORITHMS, COMPOSITE, Checksum, composite, multipart_etag
from trivium.base.faults import Fault
from trivium.base.ids import SeededIds
from trivium.base.incoming import Given, Incoming
from trivium.base.span import Span
from trivium.buckets.conditions import ALWAYS, WriteIf
from trivium.buckets.copying import chunks_of
from trivium.buckets.entry import Attributes
from trivium.buckets.mount.mounts import Mounts
from trivium.buckets.record import BUCKETS, BucketRecord, Ground
from trivium.buckets.repo.bucket import BranchBucket
from trivium.buckets.repo.repository import Repositories
from trivium.services.catalog import Opened
from trivium.services.uploads import Completed, Part, Rules, Upload, Uploads
from trivium.storage import keys
from trivium.storage.blobstores.memory import MemoryBlobs
from trivium.storage.engines.memory import MemoryEngine
from trivium.under.local import LocalStore

RULES = Rules(min_part_bytes=1, max_parts=100)
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

    async def complete(self, upload: Upload, *parts: Part, only_if: WriteIf = ALWAYS) -> Completed:
        name = upload.kept_algorithm
        asked = asking(
            tuple(Wanted(part.number, part.etag, {name: part.checksum}) for part in parts), only_if=only_if)
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
        contents = [b"part number %d" % number for number in range(1, 67)]  # of a full row, and of another
        parts = [await place.add(upload, number, data) for number, data in enumerate(contents, 1)]

        done = await place.complete(upload, *parts)

        entry = await place.opened.bucket.head("key")
        assert b"".join(contents) == await place.content("key")
        assert multipart_etag(bytes.fromhex(part.etag) for part in parts) == done.etag == entry.etag
        assert done.checksum == entry.checksum
        assert "text/x" == entry.attributes.content_type
        assert done == await place.complete(upload, *parts)

    told(story)


def test_the_checksum_of_the_whole_is_kept_as_it_was_asked_for(told: Callable[[Story], None]) -> None:
    async def story(place: Place) -> None:
        upload = await place.uploads.create(
            place.opened.record, "key", Attributes(), initiator="me", algorithm="CRC32", type=COMPOSITE)
        part = await place.uploads.put_part(upload, 1, Incoming(Given(b"part"), 4, checksum="CRC32"))

        await place.complete(upload, part)

        value = composite(ALGORITHMS["CRC32"], [ALGORITHMS["CRC32"].of(b"part")])
        assert Checksum("CRC32", value, COMPOSITE) == (await place.opened.bucket.head("key")).checksum

    told(story)


def test_conditions_are_about_the_etag_of_the_whole(told: Callable[[Story], None]) -> None:
    async def story(place: Place) -> None:
        for only_if in (WriteIf(none_match="*"), WriteIf(match=multipart_etag([hashlib.md5(b"part").digest()]))):
            upload = await place.begin()
            await place.complete(upload, await place.add(upload, 1, b"part"), only_if=only_if)

        upload = await place.begin()
        part = await place.add(upload, 1, b"other")
        with pytest.raises(Fault) as refused:
            await place.complete(upload, part, only_if=WriteIf(match=hashlib.md5(b"part").hexdigest()))
        assert refused.value.kind is faults.PreconditionFailed
        assert b"part" == await place.content("key")

    told(story)


def test_a_mount_has_the_bytes_and_the_blobs_go_with_the_part_rows(tmp_path: Path) -> None:
    async def story() -> None:
        clock, ids = SetClock(), SeededIds()
        ground = Ground(MemoryEngine(), MemoryBlobs(clock, ids), clock, ids)
        place = Place(ground, await mount(ground, tmp_path))
        upload = await place.begin()
        await place.complete(upload, *[await place.add(upload, number, b"a part") for number in (1, 2)])
        garbage = keys.GARBAGE, keys.after(keys.GARBAGE)

        assert [] == await ground.engine.read(lambda rows: list(rows.scan(*garbage)))
        await place.uploads.expire(clock.now_ms(), older_than_ms=HOUR_MS)
        assert 2 == len(await ground.engine.read(lambda rows: list(rows.scan(*garbage))))
        assert b"a parta part" == (tmp_path / "key").read_bytes()

    asyncio.run(story())


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
        assert hashlib.md5(expected).hexdigest() == part.etag
        await place.complete(upload, part)
        assert expected == await place.content("key")

    told(story)
