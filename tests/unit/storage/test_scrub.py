"""The scrub finds what is no longer what was written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from trivium.base.clock import SetClock
from trivium.base.ids import SeededIds
from trivium.storage.blobs import Blob, BlobSpan, name
from trivium.storage.blobstores.files import FileBlobs
from trivium.storage.engines.memory import MemoryEngine
from trivium.storage.scrub import Finding, Kind, scrub

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

    async def findings(self) -> list[Finding]:
        before_ms = self.clock.now_ms() + 1
        findings = scrub(self.engine, self.blobs, unnamed_before_ms=before_ms)
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
