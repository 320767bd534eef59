"""The sweep lets go of what nobody owns, never of anything else, and may be cut off anywhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import TypeVar

import pytest

from tests.parts import layout_of
from trivium.base.clock import SetClock
from trivium.base.faults import Fault
from trivium.base.ids import SeededIds
from trivium.storage import blobs as owners
from trivium.storage import keys
from trivium.storage.blobs import Blob, BlobSpan, LayoutPart
from trivium.storage.blobstores.memory import MemoryBlobs
from trivium.storage.engine import Write
from trivium.storage.engines.memory import MemoryEngine
from trivium.storage.sweep import GRACE_MS, Swept, sweep


class House:
    """An engine and a blob store with a clock between them."""

    def __init__(self) -> None:
        self.clock = SetClock()
        self.engine = MemoryEngine()
        self.blobs = MemoryBlobs(self.clock, SeededIds())

    async def blob(self, content: bytes = b"content", *, name: bool = True) -> Blob:
        async def chunks() -> AsyncIterator[bytes]:
            yield content

        blob = await self.blobs.write(chunks())
        if name:
            await self.engine.write(partial(_name, blob))
        return blob

    async def layout(self, id: str, *parts: Blob) -> None:
        layout = layout_of(tuple(
            LayoutPart(number, blob.size, "etag", "", (BlobSpan(blob.id, 0, blob.size),))
            for number, blob in enumerate(parts, 1)))
        await self.engine.write(lambda tx: owners.put_layout(tx, id, layout))

    async def share(self, id: str) -> None:
        await self.engine.write(lambda tx: owners.share(tx, id))

    async def release(self, id: str) -> None:
        await self.engine.write(lambda tx: owners.release(tx, id, now_ms=self.clock.now_ms()))

    async def sweep(self) -> Swept:
        return await sweep(self.engine, self.blobs, now_ms=self.clock.now_ms())

    async def later(self) -> Swept:
        """Sweep after the grace time."""
        self.clock.advance(ms=GRACE_MS + 1)
        return await self.sweep()

    async def kept(self) -> set[str]:
        return {id async for id in self.blobs.ids(older_than_ms=self.clock.now_ms() + 1)}

    async def rows(self) -> int:
        return await self.engine.read(
            lambda rows: sum(1 for table in keys.TABLES for _ in rows.scan(table, keys.after(table))))


def _name(blob: Blob, tx: Write) -> None:
    owners.name(tx, blob)


def in_house(story: Callable[[House], Awaitable[None]]) -> None:
    async def inside() -> None:
        await story(House())

    asyncio.run(inside())


def test_a_named_blob_stays() -> None:
    async def story(house: House) -> None:
        blob = await house.blob()

        assert await house.later() == Swept(0, 0)
        assert await house.kept() == {blob.id}

    in_house(story)


def test_a_blob_without_a_name_goes_after_the_grace_time() -> None:
    async def story(house: House) -> None:
        blob = await house.blob(name=False)

        assert await house.sweep() == Swept(0, 0)
        assert await house.kept() == {blob.id}
        assert await house.later() == Swept(0, 1)
        assert await house.kept() == set()

    in_house(story)


def test_a_blob_without_an_owner_goes_after_the_grace_time_with_all_its_rows() -> None:
    async def story(house: House) -> None:
        blob = await house.blob()
        await house.release(blob.id)

        assert await house.sweep() == Swept(0, 0)
        assert await house.kept() == {blob.id}
        assert await house.later() == Swept(1, 0)
        assert await house.kept() == set()
        assert await house.rows() == 0

    in_house(story)


def test_a_shared_blob_stays_until_its_last_owner_lets_go() -> None:
    async def story(house: House) -> None:
        blob = await house.blob()
        await house.share(blob.id)
        await house.share(blob.id)
        await house.release(blob.id)
        await house.release(blob.id)

        assert await house.later() == Swept(0, 0)
        await house.release(blob.id)
        assert await house.later() == Swept(1, 0)
        assert await house.rows() == 0

    in_house(story)


def test_a_blob_that_finds_an_owner_again_stays_for_as_long_as_it_has_one() -> None:
    async def story(house: House) -> None:
        blob = await house.blob()
        await house.release(blob.id)
        await house.share(blob.id)

        assert await house.later() == Swept(0, 0)
        assert await house.kept() == {blob.id}
        await house.release(blob.id)
        assert await house.later() == Swept(1, 0)
        assert await house.rows() == 0

    in_house(story)


def test_the_grace_time_starts_anew_when_a_blob_loses_its_owner_again() -> None:
    async def story(house: House) -> None:
        blob = await house.blob()
        await house.release(blob.id)
        await house.share(blob.id)
        house.clock.advance(ms=GRACE_MS)
        await house.release(blob.id)
        house.clock.advance(ms=1)

        assert await house.sweep() == Swept(0, 0)
        assert await house.kept() == {blob.id}

    in_house(story)


def test_what_was_swept_cannot_be_shared() -> None:
    async def story(house: House) -> None:
        blob = await house.blob()
        await house.release(blob.id)
        await house.later()

        with pytest.raises(Fault, match="does not exist"):
            await house.share(blob.id)

    in_house(story)


@pytest.mark.parametrize("parts", [1, 300])
def test_a_layout_without_an_owner_takes_the_blobs_of_its_parts_along(parts: int) -> None:
    async def story(house: House) -> None:
        await house.layout("layout", *[await house.blob(b"%d" % number) for number in range(parts)])
        other = await house.blob()
        await house.release("layout")

        assert await house.later() == Swept(parts, 0)
        assert await house.kept() == {other.id}
        assert await house.rows() == 1

    in_house(story)


def test_a_part_that_a_copied_range_shares_outlives_its_layout() -> None:
    async def story(house: House) -> None:
        own, shared = await house.blob(), await house.blob()
        await house.layout("layout", own, shared, shared)
        await house.share(shared.id)  # for its second place in the layout
        await house.share(shared.id)  # for another object
        await house.release("layout")

        assert await house.later() == Swept(1, 0)
        assert await house.kept() == {shared.id}
        await house.release(shared.id)
        assert await house.later() == Swept(1, 0)
        assert await house.rows() == 0

    in_house(story)


def test_a_shared_layout_stays() -> None:
    async def story(house: House) -> None:
        blob = await house.blob()
        await house.layout("layout", blob)
        await house.share("layout")
        await house.release("layout")

        assert await house.later() == Swept(0, 0)
        assert await house.engine.read(lambda rows: len(owners.get_layout(rows, "layout").parts)) == 1

    in_house(story)


def test_two_sweeps_at_once_remove_each_blob_once() -> None:
    async def story(house: House) -> None:
        for number in range(200):
            blob = await house.blob(b"%d" % number)
            await house.release(blob.id)
        house.clock.advance(ms=GRACE_MS + 1)
        both = await asyncio.gather(house.sweep(), house.sweep())

        assert sum(swept.disowned for swept in both) == 200
        assert await house.kept() == set()
        assert await house.rows() == 0

    in_house(story)


T = TypeVar("T")


class Killed(Exception):
    pass


class Dying(MemoryEngine):
    """An engine whose process dies before its n-th write."""

    def __init__(self, house: House, writes: int) -> None:
        self.__dict__ = house.engine.__dict__
        self.writes_left = writes

    async def write(self, change: Callable[[Write], T]) -> T:
        self.writes_left -= 1
        if self.writes_left < 0:
            raise Killed
        return await super().write(change)


@pytest.mark.parametrize("writes", range(8))
def test_a_sweep_that_was_cut_off_is_finished_by_the_next(writes: int) -> None:
    async def story(house: House) -> None:
        await house.layout("layout", await house.blob(), await house.blob())
        await house.release("layout")
        for _ in range(3):
            await house.release((await house.blob()).id)
        house.clock.advance(ms=GRACE_MS + 1)
        try:
            await sweep(Dying(house, writes), house.blobs, now_ms=house.clock.now_ms())
        except Killed:
            pass
        await house.sweep()

        assert await house.kept() == set()
        assert await house.rows() == 0

    in_house(story)


@pytest.mark.parametrize(("table", "damaged"), [
    (keys.GARBAGE, b"\x01\xc1"), (keys.LAYOUT, b"\x01\xc1"), (keys.LAYOUT, b"\x01\x91\xdd\0\0\0\x01\xa1x"),
    (keys.LAYOUT, b"\x01\x91\x91\x95\x01\x01\xa1\xff\xa0\x90")])
def test_a_damaged_row_holds_nothing_up_and_is_kept_with_what_it_owned(table: bytes, damaged: bytes) -> None:
    async def story(house: House) -> None:
        first, second = await house.blob(), await house.blob()
        await house.layout("layout", first)
        await house.release("layout")
        row, _ = await house.engine.read(lambda rows: next(rows.scan(table, keys.after(table))))
        await house.engine.write(lambda tx: tx.put(row, damaged))
        house.clock.advance(ms=1)
        await house.release(second.id)

        assert await house.later() == Swept(1, 0)
        assert await house.kept() == {first.id}
        assert [(row, damaged)] == await house.engine.read(
            lambda rows: [(keys.read_aside(at), data) for at, data in rows.scan(keys.ASIDE, keys.after(keys.ASIDE))])

    in_house(story)
