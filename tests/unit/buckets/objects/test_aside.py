"""A row that cannot be read: who writes over its key sets it aside, and nothing of it is lost."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import msgspec
import pytest

from tests.unit.buckets.objects.objects_room import BIG, Room, run
from trivium.base.incoming import Given, Incoming
from trivium.buckets.bucket import Deletion
from trivium.buckets.conditions import WriteIf
from trivium.buckets.entry import ENTRIES, Attributes
from trivium.buckets.objects import listings
from trivium.buckets.objects.aside import take_out
from trivium.buckets.objects.opened import Opened
from trivium.buckets.record import ENABLED, SUSPENDED
from trivium.storage import keys
from trivium.storage.engine import Write
from trivium.storage.journal import DELETE, REMOVE
from trivium.storage.records import Unreadable

DAMAGED = b"\x01\xc1"
Row = tuple[bytes, bytes | None]


async def damage(room: Room, row: bytes, value: bytes = DAMAGED) -> bytes | None:
    """Let the row make no sense; its body, which stays as it was."""

    def change(tx: Write) -> bytes | None:
        tx.move(row, row, value)
        found = tx.load(row)
        return found and found[1]

    return await room.engine.write(change)


async def newest(room: Room, key: str = "a", value: bytes = DAMAGED) -> bytes | None:
    return await damage(room, keys.current(1, key), value)


async def kept(room: Room) -> dict[bytes, Row]:
    """What was set aside, by the keys that the rows had."""
    return await room.engine.read(lambda rows: {
        keys.read_aside(row): found for row, _ in rows.scan(keys.ASIDE, keys.after(keys.ASIDE))
        if (found := rows.load(row)) is not None})


async def taken_out(room: Room, row: bytes) -> None:
    opened = Opened(room.ground, room.record, room.engine.generation)
    await room.engine.write(lambda tx: take_out(opened, row, tx))


def test_whichever_byte_of_a_row_was_changed_it_is_read_or_unreadable() -> None:
    async def story(room: Room) -> None:
        attributes = Attributes("image/jpeg", {"expires": "0"}, {"\u00e4": "b"}, {"tag": "v"}, owner="me")
        for key in ("a", "b", "c"):
            await room.bucket.put(key, Incoming(Given(b"x"), 1), attributes)
        value = await room.engine.read(lambda rows: rows.get(keys.current(1, "b"))) or b""
        assert room.bucket.features.versions is not None
        for at in range(len(value)):
            for byte in (0, 0x7F, 0xC1, 0xFF):
                await newest(room, "b", value[:at] + bytes((byte,)) + value[at + 1:])
                for work in (
                    room.bucket.head("b"), room.bucket.list("", "", 10),
                    room.bucket.features.versions.list("", "", None, 10),
                ):
                    with suppress(Unreadable):
                        await work

    run(story)


def test_a_put_replaces_it_and_its_row_is_kept() -> None:
    async def story(room: Room) -> None:
        await room.put("a", b"before")
        body = await newest(room)
        await room.put("a", b"after")

        assert await room.content("a") == b"after"
        assert await kept(room) == {keys.current(1, "a"): (DAMAGED, b"before")} == {keys.current(1, "a"): (DAMAGED, body)}

    run(story)


def test_a_deletion_removes_it_and_its_row_and_blob_are_kept() -> None:
    async def story(room: Room) -> None:
        await room.put("a", BIG)
        await room.put("b")
        await newest(room)
        gone = await room.delete("a")
        room.clock.advance(ms=100_000_000)

        assert not gone.marker_made
        assert ["b"] == [one.key for one in await room.bucket.list("", "", 10)]
        assert list(await kept(room)) == [keys.current(1, "a")]
        assert await room.stored_blobs() == 1
        assert [(one.kind, one.key) for one in await room.changes()][-1] == (DELETE, "a")

    run(story)


def test_rows_of_one_key_are_kept_beside_each_other() -> None:
    async def story(room: Room) -> None:
        for value in (b"\x01\xc1", b"\x01\xc0"):
            await room.put("a")
            await newest(room, value=value)
        await room.put("a")

        assert 2 == await room.engine.read(lambda rows: sum(1 for _ in rows.scan(keys.ASIDE, keys.after(keys.ASIDE))))

    run(story)


@pytest.mark.parametrize("only_if", [WriteIf(none_match="*"), WriteIf(match='"x"')])
def test_who_asks_how_it_is_is_not_answered(only_if: WriteIf) -> None:
    async def story(room: Room) -> None:
        await room.put("a")
        await newest(room)
        with pytest.raises(Unreadable):
            await room.bucket.put("a", Incoming(Given(b"x"), 1), Attributes(), only_if=only_if)
        with pytest.raises(Unreadable):
            await room.bucket.delete([Deletion("a", only_if=only_if)], actor="me")

        assert await kept(room) == {}

    run(story)


def test_what_a_newer_house_wrote_is_not_written_over() -> None:
    async def story(room: Room) -> None:
        await room.put("a")
        await newest(room, value=b"\x02tomorrow")
        with pytest.raises(Unreadable):
            await room.put("a")

        assert await kept(room) == {}

    run(story)


@pytest.mark.parametrize("state", [ENABLED, SUSPENDED])
def test_earlier_versions_stay_behind_a_marker_and_none_is_shown_in_its_stead(state: str) -> None:
    async def story(room: Room) -> None:
        await room.put("a", b"null")
        await room.switch(ENABLED)
        await room.put("a", b"first")
        await room.put("a", b"second")
        before = await room.versions()
        await newest(room)
        await room.switch(state)
        await taken_out(room, keys.current(1, "a"))
        after = await room.versions()

        assert after[1:] == before[1:]
        assert after[0].endswith("-*")
        assert not after[0].startswith("a null")
        assert await room.content("a", "null") == b"null"
        assert await kept(room) == {keys.current(1, "a"): (DAMAGED, b"second")}
        await room.put("a", b"third")
        assert len(await room.versions()) == (4 if state == ENABLED else 3)  # suspended, the null version is replaced
        assert await room.content("a", "null") == (b"null" if state == ENABLED else b"third")

    run(story)


def test_a_put_in_a_bucket_with_versions_goes_above_the_marker() -> None:
    async def story(room: Room) -> None:
        await room.put("a", b"first")
        await room.put("a", b"second")
        await newest(room)
        await room.put("a", b"third")
        versions = await room.versions()

        assert versions[0].endswith("*")
        assert ["-" in one for one in versions] == [False, True, False]
        assert await room.content("a") == b"third"

    run(story, ENABLED)


def test_a_key_without_other_versions_is_gone() -> None:
    async def story(room: Room) -> None:
        await room.put("a")
        await newest(room)
        await taken_out(room, keys.current(1, "a"))

        assert await room.versions() == []

    run(story, ENABLED)


def test_an_earlier_version_goes_by_itself() -> None:
    async def story(room: Room) -> None:
        entries = [await room.put("a", data) for data in (b"first", b"second", b"third")]
        row = keys.old(1, "a", entries[1].seq)
        await damage(room, row)
        await taken_out(room, row)

        assert [f"a {entries[2].version[:4]}*", f"a {entries[0].version[:4]}"] == await room.versions()
        assert await kept(room) == {row: (DAMAGED, b"second")}
        assert [(one.kind, one.key) for one in await room.changes()][-1] == (REMOVE, "a")

    run(story, ENABLED)


def test_the_newest_speaks_of_a_null_version_no_more_that_was_taken_out() -> None:
    async def story(room: Room) -> None:
        entry = await room.put("a", b"null")
        await room.switch(ENABLED)
        await room.put("a", b"first")
        row = keys.old(1, "a", entry.seq)
        await damage(room, row)
        await taken_out(room, row)
        await room.switch(SUSPENDED)
        await room.put("a", b"another null")

        assert await room.content("a", "null") == b"another null"
        assert len(await room.versions()) == 2

    run(story)


def test_of_several_damaged_rows_the_newest_is_taken_out_first() -> None:
    async def story() -> None:
        room = Room(ENABLED)
        entries = [await room.put("a", data) for data in (b"first", b"second", b"third")]
        old = keys.old(1, "a", entries[1].seq)
        await damage(room, old)
        await newest(room)
        with pytest.raises(Unreadable):
            await taken_out(room, old)
        await taken_out(room, keys.current(1, "a"))
        await taken_out(room, old)

        assert ["-" in one for one in await room.versions()] == [True, False]
        assert len(await kept(room)) == 2

    asyncio.run(story())


async def renamed(room: Room, row: bytes, key: str) -> None:
    """Let the row say that it is of another key, as a changed byte does that leaves it readable."""
    value = await room.engine.read(lambda rows: rows.get(row)) or b""
    entry = ENTRIES.decode(value)
    await damage(room, row, ENTRIES.encode(msgspec.structs.replace(entry, key=key)))


def test_a_listing_of_rows_of_the_wrong_keys_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listings, "_ROWS_A_READ", 2)

    async def story(room: Room) -> None:
        for key in ("b", "c", "d", "e"):
            await room.delete(key)
        await renamed(room, keys.current(1, "c"), "a")
        with pytest.raises(AssertionError):
            await room.bucket.list("", "b", 10)

    run(story, ENABLED)


def test_no_earlier_version_is_left_out_of_a_listing_in_silence() -> None:
    async def story(room: Room) -> None:
        entries = [await room.put(key) for key in ("b", "b", "c", "c")]
        await renamed(room, keys.old(1, "b", entries[0].seq), "a")
        with pytest.raises(AssertionError):
            await room.versions()

    run(story, ENABLED)


def test_writing_over_a_row_of_the_wrong_key_harms_nothing_of_that_key() -> None:
    async def story(room: Room) -> None:
        for key in ("a", "b"):
            await room.put(key, key.encode())
        await renamed(room, keys.current(1, "a"), "b")
        await room.put("a", b"after")

        assert [b"after", b"b"] == [await room.content(key) for key in ("a", "b")]
        assert list(await kept(room)) == [keys.current(1, "a")]

    run(story, ENABLED)
