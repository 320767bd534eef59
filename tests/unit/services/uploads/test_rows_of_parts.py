"""Parts that share rows, at the borders of rows and over rows of earlier formats: nobody outside sees which share one."""

from __future__ import annotations

import asyncio
import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.model.uploads_model import audit, part_by_part
from tests.parts import Wanted, asking
from tests.unit.services.uploads.uploads_ward import HOUR_MS, Ward, refused, told
from trivium.base import faults
from trivium.services.uploads import Part, Rules
from trivium.services.uploads.groups import GROUPS
from trivium.storage import keys

BORDERS = (1, 2, 63, 64, 65, 127, 128, 129, 130, 9984, 9985, 10_000)
RULES = Rules(min_part_bytes=3, max_parts=10_000)


@settings(max_examples=40)
@given(
    st.lists(st.sampled_from(BORDERS), min_size=1, max_size=24), st.integers(0, 24),
    st.integers(1, 5), st.sets(st.sampled_from(BORDERS)))
def test_parts_come_in_any_order_again_and_beside_rows_of_earlier_formats(
    order: list[int], upgraded: int, page: int, left_out: set[int],
) -> None:
    async def story(ward: Ward) -> None:
        upload = await ward.begin()
        expected: dict[int, bytes] = {}
        for at, number in enumerate(order):
            if at == upgraded:
                await ward.engine.write(part_by_part)
            expected[number] = b"%d of %d" % (number, at)
            await ward.add(upload, number, expected[number])
        found = await paged(ward, upload.id, page)
        listed = [part for part in found if part.number not in left_out] or found

        assert {n: hashlib.md5(data).hexdigest() for n, data in sorted(expected.items())} == {
            part.number: part.etag for part in found}
        assert sorted(expected) == [part.number for part in found]
        await ward.complete(upload, *listed)
        assert b"".join(expected[part.number] for part in listed) == await ward.content("key")
        await ward.engine.read(audit)
        await ward.uploads.expire(ward.clock.now_ms(), older_than_ms=HOUR_MS)
        await ward.engine.read(audit)
        assert sum(1 for count in (await ward.owners()).values() if count) == len(listed)

    told(story)


async def paged(ward: Ward, upload_id: str, limit: int) -> list[Part]:
    found: list[Part] = []
    while True:
        after = found[-1].number if found else 0
        _, page = await ward.uploads.parts(ward.record, "key", upload_id, after=after, limit=limit)
        if not page:
            return found
        found += page


def test_parts_behind_any_number_are_found() -> None:
    async def story(ward: Ward) -> None:
        upload = await ward.begin()
        for number in BORDERS:
            await ward.add(upload, number, b"part")

        for after in {0, *BORDERS, *(number - 1 for number in BORDERS), 10_001, 65_535, 65_536, 2**31 - 1}:
            _, found = await ward.uploads.parts(ward.record, "key", upload.id, after=after)
            assert [number for number in BORDERS if number > after] == [part.number for part in found]

    told(story)


def test_a_row_is_full_with_its_last_part_whichever_that_is() -> None:
    async def story(ward: Ward) -> None:
        upload = await ward.begin(algorithm="SHA256", type="COMPOSITE")
        for number in [*range(65, 129)][::-1]:
            full = await is_full(ward, keys.part(upload.id, 65))
            await ward.add(upload, number, b"part")

        assert not full
        assert await is_full(ward, keys.part(upload.id, 65))

    told(story)


async def is_full(ward: Ward, row: bytes) -> bool:
    data = await ward.engine.read(lambda tx: tx.get(row))
    return data is not None and GROUPS.decode(data).columns is not None


@pytest.mark.parametrize("small", [1, 63, 64, 65, 70, 128, 129])
def test_a_part_that_is_too_small_is_named_wherever_it_stands(small: int) -> None:
    async def story(ward: Ward) -> None:
        upload = await ward.begin()
        parts = [await ward.add(upload, n, b"x" if n == small else b"part") for n in range(1, 131)]
        asked = asking([Wanted(part.number, part.etag) for part in parts], bare=True)

        fault = await refused(
            faults.EntityTooSmall, ward.uploads.complete(ward.opened, "key", upload.id, asked, RULES))

        assert {"ProposedSize": 1, "MinSizeAllowed": 3, "PartNumber": small,
                "ETag": hashlib.md5(b"x").hexdigest()} == fault.facts

    told(story)


@pytest.mark.parametrize("last", [64, 65, 128, 129])
def test_the_last_part_may_be_small_or_empty_at_the_border_of_a_row(last: int) -> None:
    async def story(ward: Ward) -> None:
        upload = await ward.begin()
        parts = [await ward.add(upload, n, b"" if n == last else b"part") for n in range(1, last + 1)]
        asked = asking([Wanted(part.number, part.etag) for part in parts], bare=True)

        done = await ward.uploads.complete(ward.opened, "key", upload.id, asked, RULES)

        assert (4 * (last - 1), f"-{last}") == (done.size, done.etag[32:])
        assert b"part" * (last - 1) == await ward.content("key")

    told(story)


def test_parts_that_come_at_once_lose_none() -> None:
    async def story(ward: Ward) -> None:
        upload = await ward.begin()

        await asyncio.gather(*(ward.add(upload, number, b"%d" % number) for number in range(1, 200)))

        _, found = await ward.uploads.parts(ward.record, "key", upload.id)
        assert [*range(1, 200)] == [part.number for part in found]
        await ward.engine.read(audit)

    told(story)
