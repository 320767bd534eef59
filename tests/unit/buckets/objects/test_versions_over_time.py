"""What becomes of the versions of a key, and how they are listed."""

from __future__ import annotations

import pytest

from tests.unit.buckets.objects.objects_room import Room, refused, run
from trivium.base import faults
from trivium.buckets.bucket import Gone
from trivium.buckets.entry import NULL
from trivium.buckets.objects import listings
from trivium.buckets.record import ENABLED, SUSPENDED


def test_a_bucket_that_never_kept_versions_has_null_versions_only() -> None:
    async def story(room: Room) -> None:
        await room.put("key", b"1")
        entry = await room.put("key", b"2")
        gone = await room.delete("absent")

        assert entry.version == NULL
        assert await room.versions() == ["key null*"]
        assert await room.content("key", NULL) == b"2"
        assert await room.delete("key") == Gone("key")
        assert gone == Gone("absent")
        assert await room.versions() == []

    run(story)


def test_with_versions_every_write_stays() -> None:
    async def story(room: Room) -> None:
        first, second = await room.put("key", b"1"), await room.put("key", b"2")

        assert first.version != second.version
        assert await room.content("key") == b"2"
        assert await room.content("key", first.version) == b"1"
        assert await room.versions() == [f"key {second.version[:4]}*", f"key {first.version[:4]}"]

    run(story, ENABLED)


def test_a_delete_marker_hides_the_key_until_it_is_removed() -> None:
    async def story(room: Room) -> None:
        entry = await room.put("key")
        marker = await room.delete("key")
        assert marker.version is not None
        newest = await refused(room.bucket.head("key"))
        asked = await refused(room.bucket.head("key", marker.version))

        assert marker == Gone("key", marker.version, marker_made=True)
        assert (newest.kind, asked.kind) == (faults.KeyIsDeleteMarker, faults.VersionIsDeleteMarker)
        assert newest.facts == {"Key": "key", "VersionId": marker.version, "DeleteMarker": "true"}
        assert await room.bucket.list("", "", 10) == []
        assert await room.content("key", entry.version) == b"data"
        assert await room.delete("key", marker.version) == Gone("key", marker.version, marker=True)
        assert await room.content("key") == b"data"

    run(story, ENABLED)


def test_deleting_a_missing_key_makes_a_marker_where_versions_are_kept() -> None:
    async def story(room: Room) -> None:
        gone = await room.delete("absent")
        again = await room.delete("absent")

        assert gone.marker_made
        assert again.marker_made
        assert len(await room.versions()) == 2

    run(story, ENABLED)


def test_the_null_version_survives_enabling_and_is_replaced_when_suspended() -> None:
    async def story(room: Room) -> None:
        await room.put("key", b"null")
        await room.switch(ENABLED)
        kept = await room.put("key", b"kept")
        assert await room.versions() == [f"key {kept.version[:4]}*", "key null"]
        assert await room.content("key", NULL) == b"null"

        await room.switch(SUSPENDED)
        await room.put("key", b"new null")
        assert await room.versions() == ["key null*", f"key {kept.version[:4]}"]
        assert await room.content("key", NULL) == b"new null"

        assert await room.delete("key") == Gone("key", NULL, marker_made=True)
        assert await room.versions() == ["key null-*", f"key {kept.version[:4]}"]
        assert await room.delete("key", NULL) == Gone("key", NULL, marker=True)
        assert await room.content("key") == b"kept"

    run(story)


def test_removing_a_version_that_is_not_there_is_a_success_and_changes_nothing() -> None:
    async def story(room: Room) -> None:
        first, second = await room.put("key", b"1"), await room.put("key", b"2")
        await room.delete("key", first.version)
        before = await room.changes()

        assert await room.delete("key", first.version) == Gone("key", first.version)
        assert await room.delete("other", first.version) == Gone("other", first.version)
        assert await room.delete("key", NULL) == Gone("key", NULL)
        assert await room.versions() == [f"key {second.version[:4]}*"]
        assert await room.changes() == before

    run(story, ENABLED)


def test_a_made_up_version_id_finds_nothing() -> None:
    async def story(room: Room) -> None:
        first = await room.put("key", b"1")
        await room.put("key", b"2")
        seq, random = int(first.version[:16], 16), int(first.version[16:], 16)
        flipped = f"{seq ^ 1:016x}{random ^ 1:016x}"  # it stands for the same seq

        assert flipped != first.version
        assert (await refused(room.bucket.head("key", flipped))).kind is faults.NoSuchVersion
        assert await room.delete("key", flipped) == Gone("key", flipped)
        assert len(await room.versions()) == 2

    run(story, ENABLED)


def test_versions_are_listed_in_pages_that_start_behind_a_marker() -> None:
    async def story(room: Room) -> None:
        for key in ("a", "b", "b\x00", "c"):
            for _ in range(3):
                await room.put(key)
        await room.delete("b")
        whole = await room.versions()
        assert room.bucket.features.versions is not None
        rows = await room.bucket.features.versions.list("", "", None, 1000)

        for number, row in enumerate(rows):
            assert await room.versions(row.entry.key, row.entry.version) == whole[number + 1 :]
            assert await room.versions(row.entry.key, row.entry.version, 2) == whole[number + 1 : number + 3]
        assert await room.versions("b") == whole[3:]

    run(story, ENABLED)


def test_a_version_marker_works_after_its_version_was_removed() -> None:
    async def story(room: Room) -> None:
        entries = [await room.put("key", b"%d" % number) for number in range(4)]
        await room.put("last")
        whole = await room.versions()
        newest, third, second, first = whole[:4]
        await room.delete("key", entries[3].version)
        await room.delete("key", entries[1].version)

        assert await room.versions("key", entries[3].version) == [third + "*", first, whole[4]]
        assert await room.versions("key", entries[1].version) == [first, whole[4]]

    run(story, ENABLED)


def test_a_null_marker_that_was_removed_shows_the_key_again_rather_than_too_little() -> None:
    async def story(room: Room) -> None:
        await room.put("key")
        await room.switch(ENABLED)
        entry = await room.put("key")
        assert await room.versions("key", NULL) == []
        await room.delete("key", NULL)

        assert await room.versions("key", NULL) == [f"key {entry.version[:4]}*"]
        await room.delete("key", entry.version)
        assert await room.versions("key", NULL) == []

    run(story)


def test_a_marker_that_cannot_be_a_version_id_is_refused() -> None:
    async def story(room: Room) -> None:
        assert (await refused(room.versions("key", "no id"))).kind is faults.InvalidVersionId

    run(story, ENABLED)


def test_a_listing_reads_past_many_markers_with_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listings, "_ROWS_A_READ", 7)

    async def story(room: Room) -> None:
        for number in range(100):
            await room.delete(f"gone{number:03d}")
        await room.put("kept")

        assert [entry.key for entry in await room.bucket.list("", "", 5)] == ["kept"]
        assert await room.bucket.list("gone", "", 5) == []

    run(story, ENABLED)


@pytest.mark.parametrize("rows_a_read", [1, 2, 7, 2_000])
def test_a_listing_of_entries_among_markers_has_as_many_as_asked_for(
    monkeypatch: pytest.MonkeyPatch, rows_a_read: int,
) -> None:
    monkeypatch.setattr(listings, "_ROWS_A_READ", rows_a_read)
    monkeypatch.setattr(listings, "_FEWEST_ROWS", 3)

    async def story(room: Room) -> None:
        kept = [f"{number:02d}" for number in range(0, 30, 3)]
        for number in range(30):
            await (room.put(f"{number:02d}") if number % 3 == 0 else room.delete(f"{number:02d}"))

        for limit in range(12):
            assert [entry.key for entry in await room.bucket.list("", "", limit)] == kept[:limit]
            assert [entry.key for entry in await room.bucket.list("", "01", limit)] == kept[1 : limit + 1]

    run(story, ENABLED)
