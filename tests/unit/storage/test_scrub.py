"""The scrub finds what is no longer what was written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest

from trivium.base.clock import SetClock
from trivium.base.ids import SeededIds
from trivium.storage import keys
from trivium.storage.blobs import Blob, BlobSpan, name
from trivium.storage.blobstores.files import FileBlobs
from trivium.storage.engine import Write
from trivium.storage.engines.memory import MemoryEngine
from trivium.storage.scrub import Finding, Kind, Pace, bodies, scrub

SIZE = 1_500_000


class House:
    def __init__(self, folder: Path) -> None:
        self.clock = SetClock()
        self.engine = MemoryEngine()
        self.blobs = FileBlobs(folder, self.clock, SeededIds())

    async def blob(self, *, named: bool = True) -> Blob:
        async def chunks() -> AsyncIterator[bytes]:
            yield bytes(SIZE)

        blob = await self.blobs.write(chunks())
        if named:
            await self.engine.write(lambda tx: name(tx, blob))
        return blob

    def file(self, blob: Blob) -> Path:
        return Path(self.blobs.locate(BlobSpan(blob.id, 0, 1)).path)

    async def findings(self, pace: Pace | None = None) -> list[Finding]:
        before_ms = self.clock.now_ms() + 1
        findings = scrub(self.engine, self.blobs, unnamed_before_ms=before_ms, pace=pace)
        return [found async for found in findings]


def in_house(folder: Path, story: Callable[[House], Awaitable[None]]) -> None:
    async def inside() -> None:
        await story(House(folder))

    asyncio.run(inside())


def test_what_is_whole_is_not_reported(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.blob()
        await house.blob()

        assert await house.findings() == []

    in_house(tmp_path, story)


def _rot(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[SIZE - 1] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize(("harm", "kind"), [
    (_rot, Kind.ROT),
    (Path.unlink, Kind.MISSING),
    (lambda file: file.write_bytes(bytes(SIZE - 1)), Kind.WRONG_SIZE),
    (lambda file: file.write_bytes(bytes(SIZE + 1)), Kind.WRONG_SIZE),
])
def test_each_harm_is_found(tmp_path: Path, harm: Callable[[Path], object], kind: Kind) -> None:
    async def story(house: House) -> None:
        await house.blob()
        harmed = await house.blob()
        await house.blob()
        harm(house.file(harmed))

        assert await house.findings() == [Finding(kind, harmed.id)]

    in_house(tmp_path, story)


def test_a_blob_that_no_row_names_is_reported_once_it_is_old(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        unnamed = await house.blob(named=False)

        assert await house.findings() == [Finding(Kind.UNNAMED, unnamed.id)]
        early = scrub(house.engine, house.blobs, unnamed_before_ms=house.clock.now_ms())
        assert [found async for found in early] == []

    in_house(tmp_path, story)


def test_a_paced_scrub_rests_as_long_as_its_reading_should_take(tmp_path: Path) -> None:
    rests: list[float] = []

    async def sleep(seconds: float) -> None:
        rests.append(seconds)

    async def story(house: House) -> None:
        await house.blob()
        await house.blob()
        await house.findings(Pace(1_000_000, sleep=sleep))

        assert sum(rests) == pytest.approx(3.0)

    in_house(tmp_path, story)


def _put(key: bytes, body: bytes | None, tx: Write) -> None:
    tx.put(key, b"value", body)


def test_bodies_in_rows_are_handed_out_for_whoever_knows_their_checksums(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        for number in range(150):
            body = None if number % 3 == 0 else b"body %d" % number
            key = keys.current(1, f"{number:03d}")
            await house.engine.write(partial(_put, key, body))
        found = [row async for row in bodies(house.engine, keys.CURRENT)]

        assert len(found) == 100
        assert found[0] == (keys.current(1, "001"), b"value", b"body 1")

    in_house(tmp_path, story)
