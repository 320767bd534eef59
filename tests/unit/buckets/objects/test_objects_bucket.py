"""What is the objects bucket's own: versions over time, its past, its rows, its journal, its blobs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import msgspec
import pytest

from trivium.base import faults
from trivium.base.body import FileSpan, Pieces
from trivium.base.clock import SetClock
from trivium.base.faults import Fault
from trivium.base.ids import SeededIds
from trivium.base.incoming import Given, Incoming
from trivium.base.span import Span
from trivium.buckets.bucket import Deletion, Gone, Resting
from trivium.buckets.conditions import WriteIf
from trivium.buckets.copying import chunks_of
from trivium.buckets.entry import NULL, Attributes, Entry
from trivium.buckets.objects import bucket as objects
from trivium.buckets.objects import listings, past
from trivium.buckets.objects.bucket import ObjectsBucket
from trivium.buckets.record import BUCKETS, ENABLED, SUSPENDED, BucketRecord, Ground
from trivium.storage import blobs, keys
from trivium.storage.blobs import BlobSpan, Layout, LayoutPart
from trivium.storage.blobstores.memory import MemoryBlobs
from trivium.storage.engine import Write
from trivium.storage.engines.memory import MemoryEngine
from trivium.storage.journal import ATTRIBUTES, CHANGES, DELETE, PUT, REMOVE, Change

BIG = b"does not fit into a row" * 10


class Room:
    """A bucket and the ground under it."""

    def __init__(self, versioning: str = "") -> None:
        self.clock, self.ids, self.engine = SetClock(), SeededIds(), MemoryEngine()
        self.blobs = MemoryBlobs(self.clock, self.ids)
        self.ground = Ground(self.engine, self.blobs, self.clock, self.ids, inline_bytes=16)
        self.record = BucketRecord(1, "bucket", "objects", "me", 0, versioning)
        self.bucket = self.opened()

    def opened(self) -> ObjectsBucket:
        return ObjectsBucket(self.ground, self.record, self.engine.generation)

    async def save(self, record: BucketRecord | None) -> None:
        """Change the bucket's record behind the opened bucket's back."""

        def change(tx: Write) -> None:
            row = keys.text(keys.CATALOG, "bucket")
            if record is None:
                tx.delete(row)
            else:
                tx.put(row, BUCKETS.encode(record))
            tx.announce()

        await self.engine.write(change)

    async def switch(self, versioning: str) -> None:
        """Change the versioning and open the bucket again."""
        self.record = msgspec.structs.replace(self.record, versioning=versioning)
        await self.save(self.record)
        self.bucket = self.opened()

    async def put(self, key: str, data: bytes = b"data") -> Entry:
        return await self.bucket.put(key, Incoming(Given(data), len(data)), Attributes(owner="me"))

    async def delete(self, key: str, version: str | None = None) -> Gone:
        gone, = await self.bucket.delete([Deletion(key, version)], actor="me")
        assert isinstance(gone, Gone)
        return gone

    async def content(self, key: str, version: str | None = None) -> bytes:
        body = await (await self.bucket.read(key, version)).body()
        return b"".join([chunk async for chunk in chunks_of(body)])

    async def versions(self, start: str = "", marker: str | None = None, limit: int = 1000) -> list[str]:
        """`key version` of each, markers with a minus; the newest of a key with a star."""
        assert self.bucket.features.versions is not None
        rows = await self.bucket.features.versions.list("", start, marker, limit)
        return [
            f"{row.entry.key} {row.entry.version[:4]}{'-' * row.entry.marker}{'*' * row.latest}"
            for row in rows
        ]

    async def stored_blobs(self) -> int:
        return len([id async for id in self.blobs.ids(older_than_ms=self.clock.now_ms() + 1)])

    async def changes(self) -> list[Change]:
        prefix = keys.of_bucket(keys.LOG, 1)
        return await self.engine.read(
            lambda rows: [CHANGES.decode(data) for _, data in rows.scan(prefix, keys.after(prefix))])


def run(story: Callable[[Room], Awaitable[None]], versioning: str = "") -> None:
    async def inside() -> None:
        await story(Room(versioning))

    asyncio.run(inside())


async def refused(work: Awaitable[object]) -> Fault:
    with pytest.raises(Fault) as caught:
        await work
    return caught.value


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
        assert (await room.versions())[:2] == [f"a {done[-1].version[:4]}-*", f"a {done[0].version[:4]}-"]

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


def test_each_write_is_told_in_the_journal() -> None:
    async def story(room: Room) -> None:
        assert room.bucket.features.annotations is not None
        assert room.bucket.features.renames is not None
        put = await room.put("key", b"12345")
        await room.bucket.features.annotations.tag("key", None, {"a": "b"})
        marker = await room.delete("key")
        await room.delete("key", marker.version)
        always = WriteIf()
        renamed = await room.bucket.features.renames.rename(
            "key", "new", source_if=always, only_if=always, actor="me")
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


def test_a_copy_of_what_the_sweep_has_removed_is_refused() -> None:
    async def story(room: Room) -> None:
        gone = Resting(5, "etag", blob="0" * 32)

        assert (await refused(room.bucket.put("key", gone, Attributes()))).kind is faults.NoSuchKey

    run(story)


async def _layout(room: Room, *contents: tuple[bytes, ...]) -> Layout:
    """Parts whose spans are blobs of more than their own bytes."""
    parts = []
    for number, pieces in enumerate(contents, 1):
        spans = []
        for piece in pieces:
            blob = await room.blobs.write(Given(b"<" + piece + b">").chunks())
            await room.engine.write(partial(blobs.name, blob=blob))
            spans.append(BlobSpan(blob.id, 1, len(piece)))
        parts.append(LayoutPart(number, sum(map(len, pieces)), "", "", tuple(spans)))
    return Layout(tuple(parts))


def test_any_span_of_many_parts_can_be_read() -> None:
    async def story(room: Room) -> None:
        layout = await _layout(room, (b"ab", b"cde"), (b"f",), (b"ghi", b"jkl"))
        await room.bucket.put("key", Resting(12, "etag-3", layout=layout, owned=True), Attributes())
        reading = await room.bucket.read("key")

        assert reading.parts == layout.parts
        for first in range(12):
            for last in range(first, 12):
                body = await reading.body(Span(first, last))
                found = b"".join([chunk async for chunk in chunks_of(body)])
                assert found == b"abcdefghijkl"[first : last + 1]
        assert isinstance(await reading.body(Span(5, 5)), FileSpan)
        assert isinstance(await reading.body(), Pieces)

    run(story)


def test_a_layout_that_nobody_hands_over_shares_its_blobs() -> None:
    async def story(room: Room) -> None:
        layout = await _layout(room, (b"ab",), (b"cd",))
        whole = Resting(4, "etag-2", layout=layout)
        await room.bucket.put("one", whole, Attributes())
        await room.bucket.put("two", whole, Attributes())
        owners = await room.engine.read(
            lambda rows: [rows.get(keys.text(keys.SHARE, part.spans[0].id)) for part in layout.parts])

        assert await room.content("one") == await room.content("two") == b"abcd"
        assert owners == [keys.number(3), keys.number(3)]

    run(story)


def test_a_blob_that_is_handed_over_has_no_more_owners_than_before() -> None:
    async def story(room: Room) -> None:
        blob = await room.blobs.write(Given(BIG).chunks())
        await room.engine.write(partial(blobs.name, blob=blob))
        await room.bucket.put("key", Resting(blob.size, "etag", blob=blob.id, owned=True), Attributes())

        assert await room.content("key") == BIG
        assert await room.engine.read(lambda rows: rows.get(keys.text(keys.SHARE, blob.id))) is None

    run(story)


def test_a_copy_of_many_parts_is_one_row_and_says_how_many_parts_it_has() -> None:
    async def story(room: Room) -> None:
        layout = await _layout(room, (b"ab",), (b"cd",))
        source = await room.bucket.put(
            "key", Resting(4, "etag-2", layout=layout, owned=True), Attributes())
        resting = (await room.bucket.read("key")).resting
        copy = await room.bucket.put("copy", resting, Attributes())
        await room.delete("key")

        assert copy.content == source.content
        assert (resting.parts, len((await room.bucket.read("copy")).parts)) == (2, 2)
        assert await room.content("copy") == b"abcd"

    run(story)
