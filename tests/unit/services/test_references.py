"""Which objects, versions and parts a blob belongs to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

import pytest

from tests.parts import Wanted, asking
from trivium.base.clock import SetClock
from trivium.base.ids import SeededIds
from trivium.base.incoming import Given, Incoming
from trivium.buckets import copying
from trivium.buckets.bucket import Bucket
from trivium.buckets.entry import Attributes, BlobContent
from trivium.buckets.objects.bucket import ObjectsBucket
from trivium.buckets.record import BRANCH, ENABLED, OBJECTS, Ground
from trivium.buckets.repo.bucket import BranchBucket
from trivium.buckets.repo.repository import Repositories
from trivium.services.catalog import Catalog, Kind, NewBucket
from trivium.services.references import Reference, references
from trivium.services.uploads import Part, Rules, Upload, Uploads
from trivium.storage import keys, walk
from trivium.storage.blobstores.memory import MemoryBlobs
from trivium.storage.engines.memory import MemoryEngine


class House:
    """Buckets whose objects all lie in blobs."""

    def __init__(self) -> None:
        clock, ids = SetClock(), SeededIds()
        self.ground = ground = Ground(MemoryEngine(), MemoryBlobs(clock, ids), clock, ids, -1)
        repositories = Repositories(ground)
        self.uploads = Uploads(ground)
        self.catalog = Catalog(ground, lambda record, generation: ObjectsBucket(ground, record, generation), {
            BRANCH: Kind(
                lambda record, generation: BranchBucket(ground, record, generation), repositories.create,
                repositories.delete, repositories.raze)})

    async def bucket(self, name: str, kind: str = OBJECTS) -> Bucket:
        await self.catalog.create(kind, NewBucket(name, "owner"))
        return (await self.catalog.open(name)).bucket

    async def put(self, bucket: Bucket, key: str, data: bytes = b"data") -> tuple[str, str]:
        """The blob and the version of a new object."""
        entry = await bucket.put(key, Incoming(Given(data), len(data)), Attributes())
        assert isinstance(entry.content, BlobContent)
        return entry.content.id, entry.version

    async def begin(self, bucket: str, key: str) -> Upload:
        return await self.uploads.create((await self.catalog.open(bucket)).record, key, Attributes(), initiator="me")

    async def part(self, upload: Upload, number: int) -> Part:
        return await self.uploads.put_part(upload, number, Incoming(Given(b"part"), 4))

    async def complete(self, bucket: str, upload: Upload, *parts: Part) -> None:
        asked = asking(tuple(Wanted(part.number, part.etag) for part in parts))
        await self.uploads.complete(await self.catalog.open(bucket), upload.key, upload.id, asked, Rules(1, 10))

    async def found(self, *ids: str) -> list[Reference]:
        return [one async for one in references(self.ground.engine, frozenset(ids))]


def run(story: Callable[[House], Coroutine[None, None, None]]) -> None:
    asyncio.run(story(House()))


def test_objects_and_the_copies_that_share_their_bytes_are_named() -> None:
    async def story(house: House) -> None:
        one, two = await house.bucket("one"), await house.bucket("two")
        await house.put(one, "other")
        blob, _ = await house.put(one, "a")
        await copying.copy(await one.read("a"), two, "b", Attributes())

        assert await house.found(blob) == [Reference(blob, "one", "a", "null"), Reference(blob, "two", "b", "null")]
        assert await house.found("none") == []

    run(story)


def test_every_version_is_named_by_its_id() -> None:
    async def story(house: House) -> None:
        bucket = await house.bucket("bucket")
        assert bucket.features.versions is not None
        await bucket.features.versions.set_state(ENABLED)
        bucket = (await house.catalog.open("bucket")).bucket
        (old, first), (new, second) = [await house.put(bucket, "a", data) for data in (b"1", b"2")]

        assert set(await house.found(old, new)) == {
            Reference(old, "bucket", "a", first), Reference(new, "bucket", "a", second)}

    run(story)


def test_an_object_on_a_branch_is_named_by_its_commit() -> None:
    async def story(house: House) -> None:
        branch = await house.bucket("master.images", BRANCH)
        blob, commit = await house.put(branch, "a")
        await house.put(branch, "a", b"later")

        assert await house.found(blob) == [Reference(blob, "master.images", "a", commit)]

    run(story)


def test_an_object_made_of_parts_is_named_once_and_not_by_its_upload() -> None:
    async def story(house: House) -> None:
        await house.bucket("bucket")
        upload = await house.begin("bucket", "whole")
        parts = [await house.part(upload, number) for number in (1, 2)]
        await house.complete("bucket", upload, *parts)
        blobs = sorted(part.spans[0].id for part in parts)

        assert await house.found(*blobs) == [Reference(blob, "bucket", "whole", "null") for blob in blobs]

    run(story)


def test_parts_of_running_uploads_are_named() -> None:
    async def story(house: House) -> None:
        await house.bucket("bucket")
        upload = await house.begin("bucket", "a\x00b")
        await house.part(upload, 1)
        blob = (await house.part(upload, 2)).spans[0].id

        assert await house.found(blob) == [Reference(blob, "bucket", "a\x00b", upload=upload.id, part=2)]
        await house.uploads.abort((await house.catalog.open("bucket")).record, "a\x00b", upload.id)
        assert await house.found(blob) == []

    run(story)


def test_rows_are_walked_to_their_end_a_page_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "_ROWS_A_READ", 2)

    async def story(house: House) -> None:
        bucket = await house.bucket("bucket")
        blobs = [(await house.put(bucket, f"key {number}"))[0] for number in range(5)]

        assert [one.key for one in await house.found(*blobs)] == [f"key {number}" for number in range(5)]

    run(story)


def test_an_entry_whose_layout_went_meanwhile_is_passed_over() -> None:
    async def story(house: House) -> None:
        await house.bucket("bucket")
        upload = await house.begin("bucket", "whole")
        part = await house.part(upload, 1)
        await house.complete("bucket", upload, part)
        (row,) = await house.ground.engine.read(
            lambda rows: [row for row, _ in rows.scan(keys.LAYOUT, keys.after(keys.LAYOUT))])
        await house.ground.engine.write(lambda tx: tx.delete(row))

        assert await house.found(part.spans[0].id) == []

    run(story)
