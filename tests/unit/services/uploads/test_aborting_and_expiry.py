"""Uploads that are given up, forgotten or long over leave nothing behind."""

from __future__ import annotations

import pytest

from tests.unit.services.uploads.uploads_ward import HOUR_MS, Ward, blob, interrupted, refused, told
from trivium.base import faults
from trivium.buckets.record import BUCKETS, BucketRecord
from trivium.services.uploads import expiry
from trivium.services.uploads.expiry import REMEMBERED_MS
from trivium.storage import keys
from trivium.storage.records import UnknownFormat


def test_an_aborted_upload_lets_go_of_everything() -> None:
    async def story(ward: Ward) -> None:
        upload = await ward.begin()
        part = await ward.add(upload, 1, b"part")

        await ward.uploads.abort(ward.record, "key", upload.id)

        assert {blob(part): 0} == await ward.owners()
        assert (0, 0) == (await ward.rows(keys.UPLOAD), await ward.rows(keys.PART))
        await refused(faults.NoSuchUpload, ward.uploads.abort(ward.record, "key", upload.id))

    told(story)


def test_an_upload_of_many_parts_is_aborted_in_steps() -> None:
    async def story(ward: Ward) -> None:
        upload = await ward.begin()
        for number in range(1, 600):
            await ward.add(upload, number, b"")

        await ward.uploads.abort(ward.record, "key", upload.id)

        assert (0, 0) == (await ward.rows(keys.UPLOAD), await ward.rows(keys.PART))

    told(story)


def test_an_abort_that_is_cut_off_is_finished_by_the_expiry(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(ward: Ward) -> None:
        upload = await ward.begin()
        parts = [await ward.add(upload, number, b"part") for number in (1, 100, 200)]
        monkeypatch.setattr(expiry, "_ROWS_A_WRITE", 1)

        await ward.engine.write(lambda tx: expiry.give_up(tx, upload, now_ms=ward.clock.now_ms()))

        assert [] == await ward.uploads.list(ward.record, "", "", None, 10)
        await refused(faults.NoSuchUpload, ward.complete(upload, *parts[1:]))
        await refused(faults.NoSuchUpload, ward.add(upload, 1, b"again"))
        assert 1 == await ward.uploads.expire(ward.clock.now_ms(), older_than_ms=HOUR_MS)
        assert {blob(part): 0 for part in parts} == await ward.owners()
        assert 0 == await ward.rows(keys.PART)

    told(story)


def test_an_abort_that_is_half_done_stops_a_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(ward: Ward) -> None:
        upload = await ward.begin()
        parts = [await ward.add(upload, number, b"part") for number in (1, 100, 200)]
        monkeypatch.setattr(expiry, "_ROWS_A_WRITE", 1)
        ward.opened = interrupted(ward, lambda: ward.engine.write(
            lambda tx: expiry.give_up(tx, upload, now_ms=ward.clock.now_ms())))

        await refused(faults.NoSuchUpload, ward.complete(upload, *parts))

    told(story)


def test_an_abort_may_name_the_second_in_which_the_upload_began() -> None:
    async def story(ward: Ward) -> None:
        upload = await ward.begin()

        await refused(faults.PreconditionFailed, ward.uploads.abort(
            ward.record, "key", upload.id, initiated_ms=upload.initiated_ms - 1000))
        await ward.uploads.abort(ward.record, "key", upload.id, initiated_ms=upload.initiated_ms)

    told(story)


def test_abandoned_uploads_expire_by_age() -> None:
    async def story(ward: Ward) -> None:
        old = await ward.begin("old")
        await ward.add(old, 1, b"part")
        ward.clock.advance(ms=HOUR_MS)
        young = await ward.begin("young")

        assert 1 == await ward.uploads.expire(ward.clock.now_ms(), older_than_ms=HOUR_MS)

        assert [young] == await ward.uploads.list(ward.record, "", "", None, 10)
        assert [0] == list((await ward.owners()).values())
        assert 0 == await ward.rows(keys.PART)

    told(story)


def test_completed_uploads_are_remembered_for_a_day_without_their_part_rows() -> None:
    async def story(ward: Ward) -> None:
        upload = await ward.begin()
        part = await ward.add(upload, 1, b"part")
        done = await ward.complete(upload, part)

        assert 0 == await ward.uploads.expire(ward.clock.now_ms(), older_than_ms=HOUR_MS)
        assert 0 == await ward.rows(keys.PART)
        assert done == await ward.complete(upload, part)
        ward.clock.advance(ms=REMEMBERED_MS)
        assert 1 == await ward.uploads.expire(ward.clock.now_ms(), older_than_ms=HOUR_MS)
        await refused(faults.NoSuchUpload, ward.complete(upload, part))
        assert {blob(part): 1} == await ward.owners()
        assert b"part" == await ward.content("key")

    told(story)


def test_uploads_of_a_bucket_that_went_expire_at_once() -> None:
    async def story(ward: Ward) -> None:
        upload = await ward.begin()
        part = await ward.add(upload, 1, b"part")
        another = BUCKETS.encode(BucketRecord(2, "bucket", "objects", "other", 0))
        await ward.engine.write(lambda tx: tx.put(keys.text(keys.CATALOG, "bucket"), another))

        assert 1 == await ward.uploads.expire(ward.clock.now_ms(), older_than_ms=HOUR_MS)

        assert {blob(part): 0} == await ward.owners()

    told(story)


def test_expiry_walks_over_many_uploads() -> None:
    async def story(ward: Ward) -> None:
        for number in range(1100):
            await ward.begin(f"{number}")
        ward.clock.advance(ms=1)

        assert 1100 == await ward.uploads.expire(ward.clock.now_ms(), older_than_ms=1)
        assert 0 == await ward.rows(keys.UPLOAD)

    told(story)


NO_TEXT = b"\x03\x93\x01\xc4\x08\x96\x01\x01\xa1\xff\xa0\x90\0\xc0"  # a row of one part, whose ETag is no UTF-8


@pytest.mark.parametrize("damaged", [b"\x03\xc1", b"\x02\xc1", NO_TEXT])
def test_damaged_rows_of_parts_hold_nothing_up_and_are_kept_with_what_they_owned(damaged: bytes) -> None:
    async def story(ward: Ward) -> None:
        first, second = await ward.begin(), await ward.begin()
        parts = [await ward.add(one, number, b"part") for one in (first, second) for number in (1, 65)]
        row = keys.part(first.id, 1)
        await ward.engine.write(lambda tx: tx.put(row, damaged))

        assert 2 == await ward.uploads.expire(ward.clock.now_ms(), older_than_ms=0)
        assert [1, 0, 0, 0] == [(await ward.owners())[blob(one)] for one in parts]
        assert (0, 0, 1) == (await ward.rows(keys.UPLOAD), await ward.rows(keys.PART), await ward.rows(keys.ASIDE))

    told(story)


def test_an_upload_with_damaged_parts_can_be_aborted() -> None:
    async def story(ward: Ward) -> None:
        upload = await ward.begin()
        await ward.engine.write(lambda tx: tx.put(keys.part(upload.id, 1), b"\x03\xc1"))

        await ward.uploads.abort(ward.record, "key", upload.id)

        assert (0, 1) == (await ward.rows(keys.UPLOAD), await ward.rows(keys.ASIDE))

    told(story)


def test_a_damaged_upload_stays_and_holds_nothing_up() -> None:
    async def story(ward: Ward) -> None:
        damaged, upload = await ward.begin(), await ward.begin()
        await ward.add(upload, 1, b"part")
        await ward.engine.write(lambda tx: tx.put(damaged.row, b"\x01\xc1"))

        assert 1 == await ward.uploads.expire(ward.clock.now_ms(), older_than_ms=0)
        assert (1, 0) == (await ward.rows(keys.UPLOAD), await ward.rows(keys.PART))

    told(story)


def test_nobody_decides_for_a_newer_house() -> None:
    async def story(ward: Ward) -> None:
        upload = await ward.begin()
        await ward.engine.write(lambda tx: tx.put(keys.part(upload.id, 1), b"\x04new"))

        with pytest.raises(UnknownFormat):
            await ward.uploads.expire(ward.clock.now_ms(), older_than_ms=0)

    told(story)
