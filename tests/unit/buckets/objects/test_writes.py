"""Writes and deletions of the objects bucket: their journal, their blobs, and those that are refused."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec
import pytest

from tests.unit.buckets.objects.objects_room import BIG, Room, refused, run
from trivium.base import faults
from trivium.base.faults import Fault
from trivium.base.incoming import Given, Incoming
from trivium.buckets.bucket import Deletion, Gone, Renaming
from trivium.buckets.conditions import WriteIf
from trivium.buckets.entry import NULL, Attributes, Entry
from trivium.buckets.objects import bucket as objects
from trivium.buckets.record import ENABLED
from trivium.storage.engine import Write
from trivium.storage.journal import ATTRIBUTES, DELETE, PUT, REMOVE, Change


def test_many_keys_are_deleted_in_short_transactions_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "_DELETED_TOGETHER", 3)

    async def story(room: Room) -> None:
        for key in "abcdefgh":
            await room.put(key)
        version = (await room.bucket.head("a")).version
        wrong = Deletion("c", only_if=WriteIf(match="other"))
        done = await room.bucket.delete(
            [Deletion("a"), Deletion("b"), wrong, *map(Deletion, "defgh"), Deletion("a", version), Deletion("a")],
            actor="me")

        assert [isinstance(one, Gone) for one in done] == [True, True, False] + [True] * 7
        assert [one.key for one in done if isinstance(one, Gone)] == list("abdefghaa")
        assert [entry.key for entry in await room.bucket.list("", "", 10)] == ["c"]
        first, last = (str(getattr(done[at], "version", None))[:4] for at in (0, -1))
        assert (await room.versions())[:2] == [f"a {last}-*", f"a {first}-"]

    run(story, ENABLED)


def test_what_was_deleted_before_the_bucket_went_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "_DELETED_TOGETHER", 2)

    async def story(room: Room) -> None:
        for key in "abc":
            await room.put(key)
        deletion = asyncio.ensure_future(room.bucket.delete([*map(Deletion, "abc")], actor="me"))
        write, calls = room.engine.write, 0

        async def going(change: Callable[[Write], object]) -> object:
            nonlocal calls
            calls += 1
            if calls == 2:
                await room.save(None)
            return await write(change)

        monkeypatch.setattr(room.engine, "write", going)
        a, b, c = await deletion

        assert (a, b) == (Gone("a"), Gone("b"))
        assert isinstance(c, Fault)
        assert c.kind is faults.NoSuchBucket
        assert (await refused(room.bucket.delete([Deletion("a")], actor="me"))).kind is faults.NoSuchBucket

    run(story)


def test_each_write_is_told_in_the_journal() -> None:
    async def story(room: Room) -> None:
        assert room.bucket.features.annotations is not None
        assert room.bucket.features.renames is not None
        put = await room.put("key", b"12345")
        await room.bucket.features.annotations.tag("key", None, {"a": "b"})
        marker = await room.delete("key")
        await room.delete("key", marker.version)
        renamed = await room.bucket.features.renames.rename(Renaming("key", "new"), actor="me")
        assert renamed is not None
        told = await room.changes()

        assert [(change.kind, change.key) for change in told] == [
            (PUT, "key"), (ATTRIBUTES, "key"), (DELETE, "key"), (REMOVE, "key"), (PUT, "new"),
            (DELETE, "key"),
        ]
        assert told[0] == Change(put.seq, PUT, "key", put.version, put.modified_ms, 5, put.etag, actor="me")
        assert (told[2].version, told[3].version) == (marker.version, marker.version)
        assert told[4].seq == renamed.seq
        assert [change.seq for change in told] == sorted({change.seq for change in told})

    run(story, ENABLED)


def test_a_write_to_a_bucket_that_was_deleted_meanwhile_is_refused_and_leaves_no_blob() -> None:
    async def story(room: Room) -> None:
        await room.save(room.record)
        stale = room.bucket = room.opened()
        await room.save(None)

        assert (await refused(room.put("key"))).kind is faults.NoSuchBucket
        assert (await refused(room.put("key", BIG))).kind is faults.NoSuchBucket
        assert (await refused(stale.delete([Deletion("key")], actor="me"))).kind is faults.NoSuchBucket
        assert await room.stored_blobs() == 0

    run(story)


def test_a_write_through_a_stale_bucket_obeys_the_versioning_of_now() -> None:
    async def story(room: Room) -> None:
        await room.put("key", b"1")
        await room.save(msgspec.structs.replace(room.record, versioning=ENABLED))
        entry = await room.put("key", b"2")

        assert entry.version != NULL
        assert await room.content("key", NULL) == b"1"
        assert (await room.delete("key")).marker_made

    run(story)


def test_a_large_upload_whose_condition_fails_is_refused_before_its_bytes_travel() -> None:
    class Untouchable:
        async def whole(self) -> bytes:
            raise AssertionError

        def chunks(self) -> object:
            raise AssertionError

    async def story(room: Room) -> None:
        await room.put("key")
        upload = Incoming(Untouchable(), 1_000_000)  # type: ignore[arg-type]  # it must not be touched
        work = room.bucket.put("key", upload, Attributes(), only_if=WriteIf(none_match="*"))

        assert (await refused(work)).kind is faults.PreconditionFailed

    run(story)


def test_a_refused_write_takes_its_blob_back() -> None:
    async def story(room: Room) -> None:
        def companion(tx: Write, entry: Entry) -> None:
            raise faults.NoSuchUpload()

        upload = Incoming(Given(BIG), len(BIG))
        work = room.bucket.put("key", upload, Attributes(), companion=companion)

        assert (await refused(work)).kind is faults.NoSuchUpload
        assert await room.stored_blobs() == 0

    run(story)


def test_a_blob_is_left_to_the_sweep_when_nobody_knows_whether_it_is_named() -> None:
    async def story(room: Room) -> None:
        def companion(tx: Write, entry: Entry) -> None:
            raise faults.InternalError()  # as an engine says whose disk failed while it committed

        upload = Incoming(Given(BIG), len(BIG))
        work = room.bucket.put("key", upload, Attributes(), companion=companion)

        assert (await refused(work)).kind is faults.InternalError
        assert await room.stored_blobs() == 1

    run(story)
