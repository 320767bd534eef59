"""The objects bucket as it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.buckets.objects.objects_room import BIG, Room, refused, run
from trivium.base import faults
from trivium.base.body import FileSpan
from trivium.buckets.bucket import VersionEntry, Versions
from trivium.buckets.objects import past
from trivium.buckets.record import ENABLED, SUSPENDED


def test_times_of_a_key_never_go_backwards() -> None:
    async def story(room: Room) -> None:
        first = await room.put("key")
        room.clock.advance(ms=-10_000)
        second = await room.put("key")
        await room.delete("key")

        assert second.modified_ms == first.modified_ms
        assert room.bucket.features.past is not None
        now = await room.bucket.features.past.at(room.clock.now_ms())
        assert await now.list("", "", 10) == []

    run(story, ENABLED)


@pytest.mark.parametrize("count", [1, 2, 4, 5, 6, 7, 60])
@pytest.mark.parametrize("others", [0, 1, 20])
def test_every_moment_of_a_long_chain_can_be_read(count: int, others: int) -> None:
    async def story(room: Room) -> None:
        moments = []
        for number in range(count):
            for _ in range(others):
                await room.put("other")
            await room.put("key", b"%d" % number)
            moments.append(room.clock.now_ms())
            room.clock.advance(ms=3)
        assert room.bucket.features.past is not None

        for number, moment in enumerate(moments):
            then = await room.bucket.features.past.at(moment + 1)
            entry, = await then.list("key", "", 10)
            assert await (await then.read("key")).body() == b"%d" % number
            assert entry == await then.head("key", entry.version)
        before = await room.bucket.features.past.at(moments[0] - 1)
        assert (await refused(before.head("key"))).kind is faults.NoSuchKey
        assert (await refused(before.head("key", entry.version))).kind is faults.NoSuchVersion

    run(story, ENABLED)


async def pages(versions: Versions, prefix: str, size: int) -> list[VersionEntry]:
    """All versions, that many at a time."""
    found = list[VersionEntry]()
    start, marker = prefix, None
    while page := await versions.list(prefix, start, marker, size):
        found += page
        start, marker = page[-1].entry.key, page[-1].entry.version
    return found


@pytest.mark.parametrize("state", [ENABLED, SUSPENDED])
@given(
    writes=st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=12), size=st.integers(1, 5),
    read=st.integers(1, 4))
def test_the_versions_of_every_moment_are_listed_as_they_were(
    state: str, writes: list[tuple[str, bool]], size: int, read: int,
) -> None:
    async def story(room: Room) -> None:
        then = list[tuple[int, list[VersionEntry]]]()
        assert room.bucket.features.versions is not None
        assert room.bucket.features.past is not None
        for key, removes in writes:
            await (room.delete(key) if removes else room.put(key))
            then.append((room.clock.now_ms(), await room.bucket.features.versions.list("", "", None, 100)))
            room.clock.advance(ms=1)
        now = {one.entry.seq for one in await room.bucket.features.versions.list("", "", None, 100)}

        for moment, versions in then:
            bucket = await room.bucket.features.past.at(moment)
            assert bucket.features.versions is not None
            seen = await pages(bucket.features.versions, "", size)
            kept = [one for one in versions if one.entry.seq in now]
            assert [one.entry.seq for one in seen] == [one.entry.seq for one in kept]
            if state == ENABLED:
                assert [one.latest for one in seen] == [one.latest for one in kept]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(past, "_VERSIONS_A_READ", read)
        run(story, state)


def test_a_marker_that_came_later_is_no_version_of_then() -> None:
    async def story(room: Room) -> None:
        await room.put("key")
        then = room.clock.now_ms()
        room.clock.advance(ms=1)
        marker = await room.delete("key")
        assert room.bucket.features.past is not None
        before = await room.bucket.features.past.at(then)
        after = await room.bucket.features.past.at(then + 1)

        assert (await refused(before.head("key", marker.version))).kind is faults.NoSuchVersion
        assert (await refused(after.head("key", marker.version))).kind is faults.VersionIsDeleteMarker

    run(story, ENABLED)


def test_the_versioning_of_the_past_cannot_be_changed() -> None:
    async def story(room: Room) -> None:
        assert room.bucket.features.past is not None
        versions = (await room.bucket.features.past.at(room.clock.now_ms())).features.versions
        assert versions is not None

        assert versions.state == ENABLED
        assert await versions.list("", "", None, 0) == []
        await versions.set_state(ENABLED)
        assert (await refused(versions.set_state(SUSPENDED))).kind is faults.NotImplemented_

    run(story, ENABLED)


def test_a_listing_of_the_past_takes_pauses_among_what_is_newer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(past, "_SEARCHES_A_READ", 3)

    async def story(room: Room) -> None:
        for number in range(0, 40, 2):
            await room.put(f"{number:02d}")
        then = room.clock.now_ms()
        room.clock.advance(ms=1)
        for number in range(40):
            await room.put(f"{number:02d}")
        assert room.bucket.features.past is not None
        bucket = await room.bucket.features.past.at(then)

        assert [entry.key for entry in await bucket.list("", "", 100)] == [f"{n:02d}" for n in range(0, 40, 2)]
        assert [entry.key for entry in await bucket.list("", "05", 2)] == ["06", "08"]
        assert await bucket.list("", "", 0) == []

    run(story, ENABLED)


def test_a_key_that_was_deleted_then_is_hidden_in_the_past() -> None:
    async def story(room: Room) -> None:
        await room.put("key", BIG)
        room.clock.advance(ms=1)
        await room.delete("key")
        then = room.clock.now_ms()
        room.clock.advance(ms=1)
        await room.put("key", b"again")
        assert room.bucket.features.past is not None
        deleted = await room.bucket.features.past.at(then)
        before = await room.bucket.features.past.at(then - 1)

        assert (await refused(deleted.read("key"))).kind is faults.KeyIsDeleteMarker
        assert await deleted.list("", "", 10) == []
        assert isinstance(await (await before.read("key")).body(), FileSpan)

    run(story, ENABLED)
