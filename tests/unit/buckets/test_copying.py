"""Copies: by sharing where that can be, by streaming where it cannot."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from trivium.base import faults
from trivium.base.body import Body, FileSpan, Pieces
from trivium.base.clock import SetClock
from trivium.base.faults import Fault
from trivium.base.ids import SeededIds
from trivium.base.incoming import Given, Incoming
from trivium.base.span import Span
from trivium.buckets.bucket import Companion, Content, Features, Resting, nothing
from trivium.buckets.conditions import ALWAYS, ReadIf, WriteIf
from trivium.buckets.copying import CHUNK_BYTES, chunks_of, copy, incoming
from trivium.buckets.entry import Attributes, Entry
from trivium.buckets.objects.bucket import ObjectsBucket
from trivium.buckets.record import BucketRecord, Ground
from trivium.storage.blobstores.memory import MemoryBlobs
from trivium.storage.engines.memory import MemoryEngine


class Watched(ObjectsBucket):
    """A bucket that tells what it was given, and that shares only when it is told to."""

    def __init__(self, ground: Ground, id: int, *, shares: bool = True) -> None:
        super().__init__(ground, BucketRecord(id, str(id), "objects", "me", 0), ground.engine.generation)
        self.given: list[Content] = []
        self.shares = shares

    @property
    def features(self) -> Features:
        return Features(shares=self.shares)

    async def put(
        self, key: str, content: Content, attributes: Attributes, *, only_if: WriteIf = ALWAYS,
        companion: Companion = nothing,
    ) -> Entry:
        self.given.append(content)
        return await super().put(key, content, attributes, only_if=only_if, companion=companion)


def ground() -> Ground:
    clock, ids = SetClock(), SeededIds()
    return Ground(MemoryEngine(), MemoryBlobs(clock, ids), clock, ids, inline_bytes=16)


def run(story: Callable[[Watched, Watched], Awaitable[None]], *, shares: bool = True) -> None:
    """A story with a source and a target."""

    async def inside() -> None:
        place = ground()
        await story(Watched(place, 1), Watched(place, 2, shares=shares))

    asyncio.run(inside())


async def put(bucket: Watched, data: bytes) -> Entry:
    return await bucket.put("key", Incoming(Given(data), len(data)), Attributes("text/plain"))


async def content(bucket: Watched, key: str) -> bytes:
    return b"".join([chunk async for chunk in chunks_of(await (await bucket.read(key)).body())])


@pytest.mark.parametrize("size", [0, 3, 3_000_000])
def test_a_copy_shares_what_rests_in_the_house(size: int) -> None:
    async def story(source: Watched, target: Watched) -> None:
        entry = await put(source, b"x" * size)
        copied = await copy(await source.read("key"), target, "copy", Attributes("image/png"))

        assert isinstance(target.given[0], Resting)
        assert (copied.key, copied.etag, copied.checksum) == ("copy", entry.etag, entry.checksum)
        assert copied.attributes == Attributes("image/png")
        assert await content(target, "copy") == b"x" * size

    run(story)


@pytest.mark.parametrize("size", [0, 3, 3_000_000])
def test_a_copy_moves_the_bytes_to_a_bucket_that_cannot_share(size: int) -> None:
    async def story(source: Watched, target: Watched) -> None:
        entry = await put(source, b"x" * size)
        copied = await copy(await source.read("key"), target, "copy", Attributes())

        assert isinstance(target.given[0], Incoming)
        assert (copied.etag, copied.checksum) == (entry.etag, entry.checksum)
        assert await content(target, "copy") == b"x" * size

    run(story, shares=False)


def test_a_copy_with_another_checksum_is_read_and_written() -> None:
    async def story(source: Watched, target: Watched) -> None:
        await put(source, b"hello")
        same = await copy(await source.read("key"), target, "same", Attributes(), checksum="CRC64NVME")
        other = await copy(await source.read("key"), target, "other", Attributes(), checksum="SHA256")

        assert [type(content) for content in target.given] == [Resting, Incoming]
        assert same.checksum is not None
        assert other.checksum is not None
        assert (same.checksum.algorithm, other.checksum.algorithm) == ("CRC64NVME", "SHA256")

    run(story)


def test_a_copy_keeps_the_conditions_of_both_sides() -> None:
    async def story(source: Watched, target: Watched) -> None:
        entry = await put(source, b"hello")
        reading = await source.read("key")

        with pytest.raises(Fault) as unchanged:
            await copy(reading, target, "copy", Attributes(), source_if=ReadIf(none_match=entry.etag))
        await copy(reading, target, "copy", Attributes(), source_if=ReadIf(match=entry.etag))
        with pytest.raises(Fault) as there:
            await copy(reading, target, "copy", Attributes(), only_if=WriteIf(none_match="*"))
        assert unchanged.value.kind is faults.PreconditionFailed
        assert there.value.kind is faults.PreconditionFailed

    run(story)


def test_a_span_of_an_object_can_be_uploaded_again() -> None:
    async def story(source: Watched, target: Watched) -> None:
        data = bytes(range(256)) * 10_000
        await put(source, data)
        upload = incoming(await source.read("key"), Span(1_000, 2_000_999))
        entry = await target.put("part", upload, Attributes())

        assert entry.size == 2_000_000
        assert entry.etag == hashlib.md5(data[1_000:2_001_000]).hexdigest()

    run(story)


def test_every_kind_of_body_gives_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"0123456789" * 300_000)
    span = FileSpan(str(path), 5, 2_500_004)

    async def collect(body: Body) -> list[bytes]:
        return [chunk async for chunk in chunks_of(body)]

    async def story() -> None:
        whole = await collect(span)
        assert b"".join(whole) == (b"0123456789" * 300_000)[5:2_500_005]
        assert max(map(len, whole)) <= CHUNK_BYTES
        assert await collect(b"bytes") == [b"bytes"]
        assert await collect(b"") == []
        assert b"".join(await collect(Pieces((FileSpan(str(path), 1, 2), FileSpan(str(path), 9, 10))))) == b"1290"

    asyncio.run(story())


@pytest.mark.parametrize(("name", "last"), [("file", 10), ("missing", 0)])
def test_a_file_that_is_short_or_gone_is_a_fault(tmp_path: Path, name: str, last: int) -> None:
    (tmp_path / "file").write_bytes(b"0123456789")

    async def story() -> None:
        async for _ in chunks_of(FileSpan(str(tmp_path / name), 0, last)):
            pass

    with pytest.raises(Fault) as caught:
        asyncio.run(story())

    assert caught.value.kind is faults.InternalError
