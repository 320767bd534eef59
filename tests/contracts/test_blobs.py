"""What every blob store promises, asked of each of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from awscrt import checksums

from trivium.base.clock import SetClock
from trivium.base.faults import Fault
from trivium.base.ids import SeededIds
from trivium.storage.blobs import Blob, Blobs, BlobSpan
from trivium.storage.blobstores.files import FileBlobs
from trivium.storage.blobstores.memory import MemoryBlobs

BLOB_STORES: dict[str, Callable[[Path, SetClock], Blobs]] = {
    "memory": lambda folder, clock: MemoryBlobs(clock, SeededIds()),
    "files": lambda folder, clock: FileBlobs(folder, clock, SeededIds()),
}
Story = Callable[[Blobs], Awaitable[None]]
Run = Callable[[Story], None]


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture(params=BLOB_STORES)
def run(request: pytest.FixtureRequest, tmp_path: Path, clock: SetClock) -> Run:
    """Runs a story with the blob store of this run."""

    def whole(story: Story) -> None:
        async def inside() -> None:
            await story(BLOB_STORES[request.param](tmp_path, clock))

        asyncio.run(inside())

    return whole


async def chunks(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        await asyncio.sleep(0)
        yield piece


def whole(blob: Blob) -> BlobSpan:
    return BlobSpan(blob.id, 0, blob.size)


async def ids(blobs: Blobs, clock: SetClock) -> list[str]:
    return [id async for id in blobs.ids(older_than_ms=clock.now_ms() + 1)]


def test_a_written_blob_states_its_facts(run: Run, clock: SetClock) -> None:
    async def story(blobs: Blobs) -> None:
        blob = await blobs.write(chunks(b"hello ", b"", b"world"))

        expected = (11, checksums.crc64nvme(b"hello world"), clock.now_ms())
        assert expected == (blob.size, blob.crc64, blob.written_ms)
        assert len(blob.id) == 32
        assert set(blob.id) <= set("0123456789abcdef")

    run(story)


def test_a_blob_is_read_back_whole_or_in_part(run: Run) -> None:
    async def story(blobs: Blobs) -> None:
        blob = await blobs.write(chunks(b"hello ", b"world"))

        assert await blobs.read(whole(blob)) == b"hello world"
        assert await blobs.read(BlobSpan(blob.id, 4, 3)) == b"o w"

    run(story)


def test_the_door_finds_the_same_bytes(run: Run) -> None:
    async def story(blobs: Blobs) -> None:
        blob = await blobs.write(chunks(b"hello world"))
        found = blobs.locate(BlobSpan(blob.id, 4, 3))

        assert (found.first, found.last) == (4, 6)
        assert Path(found.path).read_bytes()[found.first : found.last + 1] == b"o w"

    run(story)


@pytest.mark.parametrize("pieces", [1, 7, 40])
def test_a_long_blob_arrives_in_order(run: Run, pieces: int) -> None:
    sent = [bytes([number]) * 417_792 for number in range(pieces)]

    async def story(blobs: Blobs) -> None:
        blob = await blobs.write(chunks(*sent))

        assert blob.crc64 == checksums.crc64nvme(b"".join(sent))
        assert await blobs.read(whole(blob)) == b"".join(sent)

    run(story)


def test_the_store_knows_how_many_bytes_it_keeps(run: Run) -> None:
    async def story(blobs: Blobs) -> None:
        blob = await blobs.write(chunks(b"hello ", b"world"))

        assert await blobs.size(blob.id) == 11
        assert await blobs.size("0" * 32) is None

    run(story)


def test_an_empty_blob_is_a_blob(run: Run, clock: SetClock) -> None:
    async def story(blobs: Blobs) -> None:
        blob = await blobs.write(chunks())

        assert (blob.size, blob.crc64) == (0, checksums.crc64nvme(b""))
        assert await ids(blobs, clock) == [blob.id]

    run(story)


def test_nothing_stays_of_a_blob_whose_sender_fails(run: Run, clock: SetClock) -> None:
    async def broken() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 417_792
        raise ConnectionResetError

    async def story(blobs: Blobs) -> None:
        with pytest.raises(ConnectionResetError):
            await blobs.write(broken())
        assert await ids(blobs, clock) == []

    run(story)


def test_nothing_stays_of_a_blob_whose_writer_is_cancelled(run: Run, clock: SetClock) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(0.001)
            yield b"x" * 417_792

    async def story(blobs: Blobs) -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(blobs.write(endless()), 0.05)
        assert await ids(blobs, clock) == []

    run(story)


def test_a_removed_blob_is_gone_and_removing_nothing_is_nothing(run: Run, clock: SetClock) -> None:
    async def story(blobs: Blobs) -> None:
        kept, gone = await blobs.write(chunks(b"kept")), await blobs.write(chunks(b"gone"))
        await blobs.remove(gone.id)
        await blobs.remove(gone.id)

        assert await ids(blobs, clock) == [kept.id]
        with pytest.raises(Fault):
            await blobs.read(whole(gone))

    run(story)


def test_a_span_behind_the_end_is_a_fault(run: Run) -> None:
    async def story(blobs: Blobs) -> None:
        blob = await blobs.write(chunks(b"short"))

        with pytest.raises(Fault):
            await blobs.read(BlobSpan(blob.id, 2, 4))

    run(story)


def test_ids_are_asked_for_by_age(run: Run, clock: SetClock) -> None:
    async def story(blobs: Blobs) -> None:
        early = await blobs.write(chunks(b"early"))
        clock.advance(ms=1000)
        await blobs.write(chunks(b"late"))

        assert [id async for id in blobs.ids(older_than_ms=clock.now_ms())] == [early.id]

    run(story)


def test_two_blobs_are_written_side_by_side(run: Run) -> None:
    async def story(blobs: Blobs) -> None:
        contents = [bytes([number]) * 100_000 for number in range(8)]
        written = await asyncio.gather(
            *(blobs.write(chunks(content[:1000], content[1000:])) for content in contents)
        )

        assert [await blobs.read(whole(blob)) for blob in written] == contents

    run(story)
