"""Completing an upload: its object, the same request again, and who comes in between."""

from __future__ import annotations

import pytest

from tests.unit.services.uploads.uploads_ward import HOUR_MS, Ward, blob, interrupted, put, refused, told
from trivium.base import faults
from trivium.buckets.conditions import ALWAYS, WriteIf
from trivium.storage import keys


def test_the_expiry_lets_go_of_unlisted_parts_and_not_of_listed_ones() -> None:
    async def story(ward: Ward) -> None:
        upload = await ward.begin()
        parts = [await ward.add(upload, number, b"part") for number in (1, 2, 3)]

        await ward.complete(upload, parts[1])
        await ward.uploads.expire(ward.clock.now_ms(), older_than_ms=HOUR_MS)

        assert {blob(parts[0]): 0, blob(parts[1]): 1, blob(parts[2]): 0} == await ward.owners()

    told(story)


def test_a_completed_upload_is_not_there_any_more() -> None:
    async def story(ward: Ward) -> None:
        upload = await ward.begin()
        await ward.complete(upload, await ward.add(upload, 1, b"part"))

        await refused(faults.NoSuchUpload, ward.add(upload, 2, b"more"))
        await refused(faults.NoSuchUpload, ward.uploads.parts(ward.record, "key", upload.id))
        await refused(faults.NoSuchUpload, ward.uploads.abort(ward.record, "key", upload.id))
        assert [] == await ward.uploads.list(ward.record, "", "", None, 10)

    told(story)


def test_the_same_complete_again_gets_the_same_answer() -> None:
    async def story(ward: Ward) -> None:
        upload = await ward.begin()
        part = await ward.add(upload, 1, b"part")
        done = await ward.complete(upload, part, only_if=WriteIf(none_match="*"))
        await put(ward, "key", b"something else")

        assert done == await ward.complete(upload, part, only_if=WriteIf(none_match="*"))
        assert b"something else" == await ward.content("key")

    told(story)


def test_another_complete_of_a_completed_upload_finds_no_upload() -> None:
    async def story(ward: Ward) -> None:
        upload = await ward.begin()
        parts = [await ward.add(upload, number, b"part") for number in (1, 2)]
        await ward.complete(upload, *parts)

        await refused(faults.NoSuchUpload, ward.complete(upload, parts[0]))

    told(story)


def test_a_failed_condition_leaves_the_upload_running() -> None:
    async def story(ward: Ward) -> None:
        await put(ward, "key", b"before")
        upload = await ward.begin()
        part = await ward.add(upload, 1, b"part")

        await refused(faults.PreconditionFailed, ward.complete(upload, part, only_if=WriteIf(none_match="*")))

        assert b"before" == await ward.content("key")
        await ward.complete(upload, part)
        assert b"part" == await ward.content("key")

    told(story)


def test_a_part_that_is_replaced_while_completing_is_seen() -> None:
    async def story(ward: Ward) -> None:
        upload = await ward.begin()
        part = await ward.add(upload, 1, b"part")
        ward.opened = interrupted(ward, lambda: ward.add(upload, 1, b"newer"))

        await refused(faults.InvalidPart, ward.complete(upload, part))

        await refused(faults.NoSuchKey, ward.bucket.head("key"))

    told(story)


def test_parts_that_change_all_the_time_end_in_a_conflict() -> None:
    async def story(ward: Ward) -> None:
        upload = await ward.begin()
        part = await ward.add(upload, 1, b"part")

        async def another() -> None:
            ward.clock.advance(ms=1)
            await ward.add(upload, 2, b"another")

        ward.opened = interrupted(ward, another)

        await refused(faults.OperationAborted, ward.complete(upload, part))

    told(story)


def test_an_abort_that_comes_while_completing_wins() -> None:
    async def story(ward: Ward) -> None:
        upload = await ward.begin()
        part = await ward.add(upload, 1, b"part")
        ward.opened = interrupted(ward, lambda: ward.uploads.abort(ward.record, "key", upload.id))

        await refused(faults.NoSuchUpload, ward.complete(upload, part))

        await refused(faults.NoSuchKey, ward.bucket.head("key"))
        assert {blob(part): 0} == await ward.owners()

    told(story)


@pytest.mark.parametrize("only_if", [ALWAYS, WriteIf(none_match="*")], ids=["always", "when there is none"])
def test_two_completes_at_once_make_one_object_and_answer_the_same(only_if: WriteIf) -> None:
    async def story(ward: Ward) -> None:
        upload = await ward.begin()
        part = await ward.add(upload, 1, b"part")
        plain, answers = ward.opened, []

        async def other() -> None:
            ward.opened = plain
            answers.append(await ward.complete(upload, part, only_if=only_if))

        ward.opened = interrupted(ward, other)

        answers.append(await ward.complete(upload, part, only_if=only_if))
        assert answers[0] == answers[1]
        assert {blob(part): 1} == await ward.owners()
        assert 1 == await ward.rows(keys.LAYOUT)

    told(story)
