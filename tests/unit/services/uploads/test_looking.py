"""Uploads and their parts as they are listed and known."""

from __future__ import annotations

from tests.unit.services.uploads.uploads_ward import Ward, refused, told
from trivium.base import faults
from trivium.buckets.entry import Attributes
from trivium.services.access.users import ANONYMOUS


def test_parts_are_listed_from_a_marker_on() -> None:
    async def story(ward: Ward) -> None:
        upload = await ward.begin()
        parts = [await ward.add(upload, number, b"part") for number in (1, 2, 5, 9)]

        first = await ward.uploads.parts(ward.record, "key", upload.id, after=2, limit=1)
        rest = await ward.uploads.parts(ward.record, "key", upload.id, after=3)

        assert ((upload, parts[2:3]), (upload, parts[2:])) == (first, rest)

    told(story)


def test_uploads_are_listed_by_key_then_time() -> None:
    async def story(ward: Ward) -> None:
        made = []
        for key in ("b", "a/2", "a/1", "b", "c\x00", "c"):
            ward.clock.advance(ms=1)
            made.append(await ward.begin(key))
        b1, a2, a1, b2, c0, c = made

        assert [a1, a2, b1, b2, c, c0] == await ward.uploads.list(ward.record, "", "", None, 10)
        assert [a1, a2] == await ward.uploads.list(ward.record, "a/", "", None, 10)
        assert [b2, c] == await ward.uploads.list(ward.record, "", "b", b1.id, 2)
        assert [c, c0] == await ward.uploads.list(ward.record, "", "b", b2.id, 10)
        assert [b1] == await ward.uploads.list(ward.record, "b", "a", "marker of another key", 1)

    told(story)


def test_nobody_begins_an_upload() -> None:
    async def story(ward: Ward) -> None:
        nobody = ward.uploads.create(ward.record, "key", Attributes(), initiator=ANONYMOUS.id)

        await refused(faults.AnonymousAccessForbidden, nobody)

    told(story)


def test_an_upload_is_known_in_any_state() -> None:
    async def story(ward: Ward) -> None:
        upload = await ward.begin()
        part = await ward.add(upload, 1, b"x")
        running = await ward.uploads.known(ward.record, "key", upload.id)
        await ward.complete(upload, part)
        completed = await ward.uploads.known(ward.record, "key", upload.id)

        assert ("me", "me") == (running.initiator, completed.initiator)
        await refused(faults.NoSuchUpload, ward.uploads.known(ward.record, "other", upload.id))

    told(story)
