"""Uploads over the memory engine: parts, completion, races, abort and expiry, and who owns which blob."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from trivium.base import faults
from trivium.base.clock import SetClock
from trivium.base.faults import Fault, FaultKind
from trivium.base.ids import SeededIds
from trivium.base.incoming import Given, Incoming
from trivium.base.span import Span
from trivium.buckets.bucket import Companion, Content, Deletion, Features, nothing
from trivium.buckets.conditions import ALWAYS, WriteIf
from trivium.buckets.copying import chunks_of
from trivium.buckets.entry import Attributes, Entry
from trivium.buckets.objects.bucket import ObjectsBucket
from trivium.buckets.record import BUCKETS, BucketRecord, Ground
from trivium.services.access.users import ANONYMOUS
from trivium.services.catalog import Opened
from trivium.services.uploads import Asked, Completed, Part, Rules, Upload, Uploads, Wanted, expiry
from trivium.services.uploads.expiry import REMEMBERED_MS
from trivium.storage import keys
from trivium.storage.blobstores.memory import MemoryBlobs
from trivium.storage.engine import Read
from trivium.storage.engines.memory import MemoryEngine

RULES = Rules(min_part_bytes=1, max_parts=10_000)
HOUR_MS = 3_600_000


class Ward:
    """An empty objects bucket with its uploads, and what a test wants to know of the rows below."""

    def __init__(self) -> None:
        self.clock = SetClock()
        ids = SeededIds()
        self.engine = MemoryEngine()
        self.blobs = MemoryBlobs(self.clock, ids)
        self.ground = Ground(self.engine, self.blobs, self.clock, ids, 8)
        self.record = BucketRecord(1, "bucket", "objects", "owner", self.clock.now_ms())
        self.uploads = Uploads(self.ground)

    async def open(self) -> None:
        await self.engine.write(
            lambda tx: tx.put(keys.text(keys.CATALOG, self.record.name), BUCKETS.encode(self.record)))
        self.bucket = ObjectsBucket(self.ground, self.record, self.engine.generation)
        self.opened = Opened(self.record, self.bucket)

    async def begin(self, key: str = "key", algorithm: str = "", type: str = "") -> Upload:
        return await self.uploads.create(
            self.record, key, Attributes("text/plain", owner="me"), initiator="me", algorithm=algorithm,
            type=type)

    async def add(self, upload: Upload, number: int, data: bytes) -> Part:
        incoming = Incoming(Given(data), len(data))
        return await self.uploads.put_part(upload, number, incoming)

    async def complete(self, upload: Upload, *parts: Part, only_if: WriteIf = ALWAYS) -> Completed:
        asked = Asked(tuple(Wanted(part.number, part.md5) for part in parts), only_if=only_if)
        return await self.uploads.complete(self.opened, upload.key, upload.id, asked, RULES)

    async def content(self, key: str) -> bytes:
        return b"".join([chunk async for chunk in chunks_of(await (await self.bucket.read(key)).body())])

    async def owners(self) -> dict[str, int]:
        """The number of owners of every named blob."""

        def look(tx: Read) -> dict[str, int]:
            found = {}
            for row, _ in tx.scan(keys.BLOB, keys.after(keys.BLOB)):
                count = tx.get(keys.SHARE + row[1:])
                found[row[1:].decode()] = 1 if count is None else keys.read_number(count)
            return found

        return await self.engine.read(look)

    async def rows(self, table: bytes) -> int:
        return await self.engine.read(lambda tx: sum(1 for _ in tx.scan(table, keys.after(table))))


Story = Callable[[Ward], Awaitable[None]]


def told(story: Story) -> None:
    """Run the story with a fresh ward."""

    async def whole() -> None:
        ward = Ward()
        await ward.open()
        await story(ward)

    asyncio.run(whole())


async def refused(kind: FaultKind, doing: Awaitable[object]) -> Fault:
    with pytest.raises(Fault) as caught:
        await doing
    assert caught.value.kind is kind
    return caught.value


def blob(part: Part) -> str:
    return part.spans[0].id


# Parts


def test_an_object_is_not_there_before_its_upload_is_completed() -> None:
    async def story(ward: Ward) -> None:
        await ward.add(await ward.begin(), 1, b"one")

        await refused(faults.NoSuchKey, ward.bucket.head("key"))
        assert [] == await ward.bucket.list("", "", 10)

    told(story)


def test_a_completed_upload_is_an_object_of_its_listed_parts() -> None:
    async def story(ward: Ward) -> None:
        upload = await ward.begin()
        two, one = await ward.add(upload, 2, b"two"), await ward.add(upload, 1, b"one")

        done = await ward.complete(upload, one, two)

        entry = await ward.bucket.head("key")
        digests = bytes.fromhex(one.md5) + bytes.fromhex(two.md5)
        assert hashlib.md5(digests).hexdigest() + "-2" == entry.etag == done.etag
        assert b"onetwo" == await ward.content("key")
        assert ("text/plain", 6) == (entry.attributes.content_type, entry.size)

    told(story)


def test_parts_of_the_object_are_known_by_their_numbers() -> None:
    async def story(ward: Ward) -> None:
        upload = await ward.begin()
        await ward.complete(upload, await ward.add(upload, 3, b"one"), await ward.add(upload, 7, b"three"))

        parts = (await ward.bucket.read("key")).parts
        assert [(3, 3), (7, 5)] == [(part.number, part.size) for part in parts]

    told(story)


def test_the_same_number_again_replaces_a_part_and_lets_go_of_its_blob() -> None:
    async def story(ward: Ward) -> None:
        upload = await ward.begin()
        first, second = await ward.add(upload, 1, b"first"), await ward.add(upload, 1, b"second")

        assert {blob(first): 0, blob(second): 1} == await ward.owners()
        await refused(faults.InvalidPart, ward.complete(upload, first))
        await ward.complete(upload, second)
        assert b"second" == await ward.content("key")

    told(story)


def test_an_empty_part_has_no_blob() -> None:
    async def story(ward: Ward) -> None:
        upload = await ward.begin()
        empty = await ward.add(upload, 1, b"")

        await ward.complete(upload, empty)

        assert () == empty.spans
        assert b"" == await ward.content("key")
        assert {} == await ward.owners()

    told(story)


def test_an_empty_part_of_unknown_size_leaves_no_blob() -> None:
    async def story(ward: Ward) -> None:
        upload = await ward.begin()

        part = await ward.uploads.put_part(upload, 1, Incoming(Given(b""), None))

        assert () == part.spans
        assert [] == [id async for id in ward.blobs.ids(older_than_ms=ward.clock.now_ms() + 1)]

    told(story)


def test_an_upload_of_another_key_or_with_another_id_is_not_found() -> None:
    async def story(ward: Ward) -> None:
        upload = await ward.begin()
        done = await ward.begin("done")
        await ward.complete(done, await ward.add(done, 1, b"part"))

        for key, id in (("another", upload.id), ("key", ""), ("key", "x" * 3000), ("key", done.id)):
            await refused(faults.NoSuchUpload, ward.uploads.find(ward.record, key, id))
        await refused(faults.NoSuchUpload, ward.uploads.complete(
            ward.opened, "key", done.id, Asked((Wanted(1, "x"),)), RULES))

    told(story)


def test_an_upload_whose_bucket_went_cannot_begin() -> None:
    async def story(ward: Ward) -> None:
        await ward.engine.write(lambda tx: tx.delete(keys.text(keys.CATALOG, "bucket")))

        await refused(faults.NoSuchBucket, ward.begin())

    told(story)


def test_a_part_with_a_checksum_of_another_kind_is_refused() -> None:
    async def story(ward: Ward) -> None:
        upload = await ward.begin(algorithm="SHA256", type="COMPOSITE")

        await refused(faults.InvalidRequest, ward.uploads.put_part(
            upload, 1, Incoming(Given(b"x"), 1, checksum="CRC32")))

    told(story)


def test_a_part_keeps_the_checksum_that_it_came_with() -> None:
    async def story(ward: Ward) -> None:
        upload = await ward.begin()
        part = await ward.uploads.put_part(
            upload, 1, Incoming(Given(b"x"), 1, checksum="SHA1"))

        assert part.sent is not None
        asked = Asked((Wanted(1, part.md5, {"SHA1": part.sent.value}),))
        done = await ward.uploads.complete(ward.opened, "key", upload.id, asked, RULES)
        assert done.checksum is not None
        assert "CRC64NVME" == done.checksum.algorithm

    told(story)


def test_a_part_that_comes_too_late_leaves_nothing() -> None:
    async def story(ward: Ward) -> None:
        upload = await ward.begin()

        class Late:
            async def whole(self) -> bytes:
                return b"late"

            async def chunks(self) -> AsyncIterator[bytes]:
                await ward.uploads.abort(ward.record, "key", upload.id)
                yield b"late"

        await refused(faults.NoSuchUpload, ward.uploads.put_part(
            upload, 1, Incoming(Late(), 4)))
        assert [] == [id async for id in ward.blobs.ids(older_than_ms=ward.clock.now_ms() + 1)]
        assert 0 == await ward.rows(keys.PART)

    told(story)


# Copies


async def put(ward: Ward, key: str, data: bytes) -> Entry:
    return await ward.bucket.put(key, Incoming(Given(data), len(data)), Attributes())


def test_a_copied_part_shares_the_blob_of_its_source() -> None:
    async def story(ward: Ward) -> None:
        await put(ward, "source", b"0123456789")
        upload = await ward.begin()

        part = await ward.uploads.copy_part(
            upload, 1, await ward.bucket.read("source"), Span(2, 5))

        assert {blob(part): 2} == await ward.owners()
        assert hashlib.md5(b"2345").hexdigest() == part.md5
        await ward.bucket.delete([Deletion("source")], actor="me")
        await ward.complete(upload, part)
        assert b"2345" == await ward.content("key")
        assert {blob(part): 1} == await ward.owners()

    told(story)


def test_a_copied_whole_object_is_not_read_again() -> None:
    async def story(ward: Ward) -> None:
        entry = await put(ward, "source", b"0123456789")
        reading = await ward.bucket.read("source")
        upload = await ward.begin()
        for id in await ward.owners():
            await ward.blobs.remove(id)

        part = await ward.uploads.copy_part(upload, 1, reading)

        assert entry.checksum is not None
        assert (entry.etag, entry.checksum.value) == (part.md5, part.checksum)

    told(story)


def test_a_copy_of_a_multipart_object_cuts_its_parts() -> None:
    async def story(ward: Ward) -> None:
        first = await ward.begin("source")
        parts = [await ward.add(first, number, b"part%d" % number) for number in (1, 2, 3)]
        await ward.complete(first, *parts)
        upload = await ward.begin(algorithm="SHA256", type="COMPOSITE")

        part = await ward.uploads.copy_part(
            upload, 1, await ward.bucket.read("source"), Span(3, 11))

        assert [blob(one) for one in parts] == [span.id for span in part.spans]
        await ward.complete(upload, part)
        assert b"t1part2pa" == await ward.content("key")

    told(story)


@pytest.mark.parametrize(("data", "span", "expected"), [
    (b"tiny", None, b"tiny"), (b"tiny", Span(1, 2), b"in"), (b"", None, b"")])
def test_a_copy_of_what_rests_in_a_row_is_written_as_a_blob(
    data: bytes, span: Span | None, expected: bytes,
) -> None:
    async def story(ward: Ward) -> None:
        await put(ward, "source", data)
        upload = await ward.begin()

        reading = await ward.bucket.read("source")

        part = await ward.uploads.copy_part(upload, 1, reading, span)

        await ward.complete(upload, part)
        assert expected == await ward.content("key")

    told(story)


# Completing


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


class Interrupted(ObjectsBucket):
    """A bucket where something happens just before a put."""

    __slots__ = ("before",)

    before: Callable[[], Awaitable[object]]

    async def put(
        self, key: str, content: Content, attributes: Attributes, *, only_if: WriteIf = ALWAYS,
        companion: Companion = nothing,
    ) -> Entry:
        await self.before()
        return await super().put(key, content, attributes, only_if=only_if, companion=companion)


def interrupted(ward: Ward, before: Callable[[], Awaitable[object]]) -> Opened:
    bucket = Interrupted(ward.ground, ward.record, ward.engine.generation)
    bucket.before = before
    return Opened(ward.record, bucket)


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


class Copying:
    """A bucket that cannot share: what the wrapped one would have shared comes as bytes."""

    def __init__(self, bucket: ObjectsBucket) -> None:
        self._bucket = bucket
        self.features = Features()

    def __getattr__(self, name: str) -> object:
        return getattr(self._bucket, name)


def test_a_bucket_that_cannot_share_gets_the_bytes() -> None:
    async def story(ward: Ward) -> None:
        upload = await ward.begin()
        parts = [await ward.add(upload, number, b"part%d" % number) for number in (1, 2)]
        ward.opened = Opened(ward.record, Copying(ward.bucket))  # type: ignore[arg-type]

        done = await ward.complete(upload, *parts)

        assert b"part1part2" == await ward.content("key")
        assert hashlib.md5(b"part1part2").hexdigest() == done.etag
        await ward.uploads.expire(ward.clock.now_ms(), older_than_ms=HOUR_MS)
        assert [0, 0] == [(await ward.owners())[blob(part)] for part in parts]
        assert b"part1part2" == await ward.content("key")

    told(story)


# Aborting and expiry


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
        parts = [await ward.add(upload, number, b"part") for number in (1, 2, 3)]
        monkeypatch.setattr(expiry, "_PARTS_A_WRITE", 1)

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
        parts = [await ward.add(upload, number, b"part") for number in (1, 2, 3)]
        monkeypatch.setattr(expiry, "_PARTS_A_WRITE", 1)
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


# Looking


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
