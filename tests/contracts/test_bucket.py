"""What every bucket promises, asked of each kind. A new kind is one row of KINDS."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from trivium.base import faults
from trivium.base.body import Body, FileSpan, Pieces
from trivium.base.clock import SetClock
from trivium.base.faults import Fault
from trivium.base.ids import SeededIds
from trivium.base.incoming import Given, Incoming, Receipt
from trivium.base.span import Span
from trivium.buckets.acl import READ, Grant
from trivium.buckets.bucket import Bucket, Deletion, Gone
from trivium.buckets.conditions import WriteIf
from trivium.buckets.entry import Attributes, Entry
from trivium.buckets.mount.mounts import Mounts
from trivium.buckets.objects.bucket import ObjectsBucket
from trivium.buckets.record import BUCKETS, BucketRecord, Ground
from trivium.buckets.repo.bucket import BranchBucket
from trivium.buckets.repo.repository import Repositories
from trivium.services.access.guarded import GuardedBucket, Watch
from trivium.services.access.users import Account
from trivium.storage import keys
from trivium.storage.blobstores.memory import MemoryBlobs
from trivium.storage.engine import Write
from trivium.storage.engines.memory import MemoryEngine
from trivium.under.local import LocalStore

Open = Callable[[Path, SetClock], Awaitable[Bucket]]


def objects(versioning: str, *, inline_bytes: int) -> Open:
    async def opened(_folder: Path, clock: SetClock) -> Bucket:
        ids, engine = SeededIds(), MemoryEngine()
        ground = Ground(engine, MemoryBlobs(clock, ids), clock, ids, inline_bytes)
        record = BucketRecord(1, "bucket", "objects", "owner", clock.now_ms(), versioning)
        await engine.write(lambda tx: tx.put(keys.text(keys.CATALOG, record.name), BUCKETS.encode(record)))
        return ObjectsBucket(ground, record, engine.generation)

    return opened


async def guarded(folder: Path, clock: SetClock) -> Bucket:
    """An objects bucket as its owner sees it where others may own some of it."""
    bucket = await objects("", inline_bytes=64)(folder, clock)
    record = BucketRecord(1, "bucket", "objects", "owner", clock.now_ms())
    return GuardedBucket(bucket, Watch(Account("owner", "Owner"), "s3:GetObject", record))


async def mount(folder: Path, clock: SetClock) -> Bucket:
    ids, engine = SeededIds(), MemoryEngine()
    ground = Ground(engine, MemoryBlobs(clock, ids), clock, ids)
    (folder / "mounted").mkdir()
    record = BucketRecord(1, "bucket", "mount", "owner", clock.now_ms(), facts={"path": str(folder / "mounted")})
    await engine.write(lambda tx: tx.put(keys.text(keys.CATALOG, record.name), BUCKETS.encode(record)))
    return Mounts(ground, lambda facts: LocalStore(facts["path"], clock, ids)).bucket(record)


def branch(*, forked: bool, inline_bytes: int = 64) -> Open:
    async def opened(_folder: Path, clock: SetClock) -> Bucket:
        ids, engine = SeededIds(), MemoryEngine()
        ground = Ground(engine, MemoryBlobs(clock, ids), clock, ids, inline_bytes)
        repositories = Repositories(ground)
        record = await repositories.create("master.images", "owner")
        if forked:
            parent = BranchBucket(ground, record, engine.generation)
            await parent.put("gone", upload(b"x"), PLAIN)
            await parent.delete([Deletion("gone")], actor="me")
            record = await repositories.fork("images", "master", "fork")
            await parent.put("later", upload(b"x"), PLAIN)
            clock.advance(ms=1000)
        return BranchBucket(ground, record, engine.generation)

    return opened


class Kind(NamedTuple):
    """How a bucket of the kind is opened, empty, and which features it declares."""

    open: Open
    features: frozenset[str]


_OBJECTS = frozenset({"writes", "shares", "versions", "annotations", "acls", "renames", "past"})
_BRANCH = _OBJECTS - {"acls"} | {"history"}
KINDS: dict[str, Kind] = {
    "objects": Kind(objects("", inline_bytes=64), _OBJECTS),
    "objects with versions": Kind(objects("Enabled", inline_bytes=64), _OBJECTS),
    "objects without versions any more": Kind(objects("Suspended", inline_bytes=64), _OBJECTS),
    "objects, guarded": Kind(guarded, _OBJECTS),
    "objects, nothing in rows": Kind(objects("", inline_bytes=-1), _OBJECTS),
    "mount": Kind(mount, frozenset({"writes", "annotations", "acls"})),
    "branch": Kind(branch(forked=False), _BRANCH),
    "branch, nothing in rows": Kind(branch(forked=False, inline_bytes=-1), _BRANCH),
    "branch, forked": Kind(branch(forked=True), _BRANCH),
}

PLAIN = Attributes()
Story = Callable[[Bucket, SetClock], Awaitable[None]]
Run = Callable[[Story], None]


def having(*features: str) -> list[str]:
    """The kinds that declare all these features."""
    return [name for name, kind in KINDS.items() if kind.features >= set(features)]


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def run(kind: str, tmp_path: Path) -> Run:
    """Runs a story with an empty bucket of this run's kind."""

    def whole(story: Story) -> None:
        async def inside() -> None:
            clock = SetClock()
            await story(await KINDS[kind].open(tmp_path, clock), clock)

        asyncio.run(inside())

    return whole


def upload(data: bytes, size: int | None = -1) -> Incoming:
    return Incoming(Given(data), len(data) if size == -1 else size)


async def put(bucket: Bucket, key: str, data: bytes = b"data", said: Attributes = PLAIN) -> Entry:
    return await bucket.put(key, upload(data), said)


async def content(bucket: Bucket, key: str, version: str | None = None, span: Span | None = None) -> bytes:
    return bytes_of(await (await bucket.read(key, version)).body(span))


def bytes_of(body: Body) -> bytes:
    if isinstance(body, Pieces):
        return b"".join(map(bytes_of, body.pieces))
    if isinstance(body, FileSpan):
        with Path(body.path).open("rb") as file:
            return os.pread(file.fileno(), body.size, body.first)
    assert isinstance(body, bytes)
    return body


async def listed(bucket: Bucket, prefix: str = "", start: str = "", limit: int = 1000) -> list[str]:
    return [entry.key for entry in await bucket.list(prefix, start, limit)]


async def refused(work: Awaitable[object]) -> faults.FaultKind:
    with pytest.raises(Fault) as caught:
        await work
    return caught.value.kind


def test_a_kind_has_the_features_that_it_declares(kind: str, run: Run) -> None:
    async def story(bucket: Bucket, clock: SetClock) -> None:
        features = bucket.features
        found = {name for name in features.__struct_fields__ if getattr(features, name)}

        assert found == KINDS[kind].features

    run(story)


def test_what_was_put_is_read_back(run: Run) -> None:
    async def story(bucket: Bucket, clock: SetClock) -> None:
        sent = Attributes("text/plain", headers={"cache-control": "no-cache"}, metadata={"a": "b"}, owner="o")
        entry = await bucket.put("dir/key", upload(b"hello world"), sent)

        assert (entry.key, entry.size, entry.etag) == ("dir/key", 11, "5eb63bbbe01eeed093cb22bb8f5acdc3")
        assert (await bucket.head("dir/key")).etag == entry.etag
        assert (await bucket.read("dir/key")).entry.attributes == sent
        assert await content(bucket, "dir/key") == b"hello world"

    run(story)


@pytest.mark.parametrize("size", [0, 1, 64, 65, 3_000_000])
@pytest.mark.parametrize("announced", [True, False])
def test_bodies_of_all_sizes_come_back_as_they_were(run: Run, size: int, announced: bool) -> None:
    async def story(bucket: Bucket, clock: SetClock) -> None:
        data = bytes(range(251)) * (size // 251 + 1)
        data = data[:size]
        entry = await bucket.put("key", upload(data, size if announced else None), Attributes())

        assert entry.size == size
        assert await content(bucket, "key") == data

    run(story)


@pytest.mark.parametrize("size", [50, 500])
def test_any_span_can_be_read_alone(run: Run, size: int) -> None:
    async def story(bucket: Bucket, clock: SetClock) -> None:
        data = bytes(range(250)) * 2
        await put(bucket, "key", data[:size])

        assert await content(bucket, "key", span=Span(0, 0)) == data[:1]
        assert await content(bucket, "key", span=Span(10, 19)) == data[10:20]
        assert await content(bucket, "key", span=Span(size - 1, size - 1)) == data[size - 1 : size]
        assert await content(bucket, "key", span=Span(0, size - 1)) == data[:size]

    run(story)


def test_a_key_that_nobody_wrote_is_missing(run: Run) -> None:
    async def story(bucket: Bucket, clock: SetClock) -> None:
        assert await refused(bucket.head("nobody")) is faults.NoSuchKey
        assert await refused(bucket.read("nobody")) is faults.NoSuchKey
        assert await bucket.list("", "", 10) == []

    run(story)


def test_a_second_put_replaces_the_first(run: Run) -> None:
    async def story(bucket: Bucket, clock: SetClock) -> None:
        await put(bucket, "key", b"first" * 50)
        clock.advance(ms=5_000)
        second = await put(bucket, "key", b"second")

        assert await content(bucket, "key") == b"second"
        assert (await bucket.head("key")).modified_ms == second.modified_ms
        assert await listed(bucket) == ["key"]

    run(story)


@pytest.mark.parametrize("size", [5, 500])
def test_who_reads_while_the_key_is_overwritten_reads_one_version_whole(run: Run, size: int) -> None:
    async def story(bucket: Bucket, clock: SetClock) -> None:
        await put(bucket, "key", b"1" * size)
        reading = await bucket.read("key")
        await put(bucket, "key", b"2" * size)

        assert bytes_of(await reading.body()) == b"1" * size

    run(story)


class Lost(Exception):
    pass


@pytest.mark.parametrize("size", [5, 5_000_000])
def test_an_upload_that_breaks_off_leaves_the_old_object(run: Run, size: int) -> None:
    class Breaking:
        async def whole(self) -> bytes:
            raise Lost

        async def chunks(self) -> AsyncIterator[bytes]:
            for _ in range(max(1, size // 1_000_000)):
                yield b"x" * min(size, 1_000_000)
            raise Lost

    async def story(bucket: Bucket, clock: SetClock) -> None:
        await put(bucket, "key", b"old")
        with pytest.raises(Lost):
            await bucket.put("key", Incoming(Breaking(), size), Attributes())
        with pytest.raises(Lost):
            await bucket.put("other", Incoming(Breaking(), size), Attributes())

        assert await content(bucket, "key") == b"old"
        assert await listed(bucket) == ["key"]

    run(story)


@pytest.mark.parametrize("size", [5, 5_000])
def test_an_upload_that_fails_its_check_leaves_the_old_object(run: Run, size: int) -> None:
    def check(receipt: Receipt) -> None:
        raise faults.BadDigest()

    async def story(bucket: Bucket, clock: SetClock) -> None:
        await put(bucket, "key", b"old")
        bad = Incoming(Given(b"x" * size), size, check=check)
        short = Incoming(Given(b"x" * size), size + 1)

        assert await refused(bucket.put("key", bad, Attributes())) is faults.BadDigest
        assert await refused(bucket.put("key", short, Attributes())) is faults.IncompleteBody
        assert await content(bucket, "key") == b"old"

    run(story)


@pytest.mark.parametrize("size", [5, 500])
def test_a_put_with_a_condition_that_does_not_hold_is_refused(run: Run, size: int) -> None:
    async def story(bucket: Bucket, clock: SetClock) -> None:
        old = await put(bucket, "key", b"old")

        async def attempt(key: str, only_if: WriteIf) -> faults.FaultKind:
            return await refused(bucket.put(key, upload(b"x" * size), Attributes(), only_if=only_if))

        assert await attempt("key", WriteIf(none_match="*")) is faults.PreconditionFailed
        assert await attempt("key", WriteIf(none_match=old.etag)) is faults.PreconditionFailed
        assert await attempt("key", WriteIf(match="other")) is faults.PreconditionFailed
        assert await attempt("absent", WriteIf(match="*")) is faults.NoSuchKey
        assert await content(bucket, "key") == b"old"
        assert await listed(bucket) == ["key"]

    run(story)


def test_a_put_with_a_condition_that_holds_is_done(run: Run) -> None:
    async def story(bucket: Bucket, clock: SetClock) -> None:
        first = await bucket.put("key", upload(b"1"), Attributes(), only_if=WriteIf(none_match="*"))
        await bucket.put("key", upload(b"2"), Attributes(), only_if=WriteIf(match=f'"{first.etag}"'))
        await bucket.put("key", upload(b"3"), Attributes(), only_if=WriteIf(none_match=first.etag))

        assert await content(bucket, "key") == b"3"

    run(story)


def test_of_many_who_create_a_key_only_if_it_is_absent_one_wins(run: Run) -> None:
    async def story(bucket: Bucket, clock: SetClock) -> None:
        attempts = (bucket.put("key", upload(b"%d" % number), Attributes(), only_if=WriteIf(none_match="*"))
                    for number in range(20))
        results = await asyncio.gather(*attempts, return_exceptions=True)

        assert sum(isinstance(result, Entry) for result in results) == 1
        assert {repr(r.kind) for r in results if isinstance(r, Fault)} == {"FaultKind(PreconditionFailed)"}

    run(story)


@pytest.mark.parametrize("size", [5, 500])
def test_the_companion_sees_the_entry_and_may_undo_all(run: Run, size: int) -> None:
    seen: list[Entry] = []

    def remember(tx: Write, entry: Entry) -> None:
        seen.append(entry)

    def refuse(tx: Write, entry: Entry) -> None:
        raise faults.NoSuchUpload()

    async def story(bucket: Bucket, clock: SetClock) -> None:
        entry = await bucket.put("key", upload(b"x" * size), Attributes(), companion=remember)
        again = bucket.put("key", upload(b"y" * size), Attributes(), companion=refuse)

        assert await refused(again) is faults.NoSuchUpload
        assert seen == [entry]
        assert await content(bucket, "key") == b"x" * size

    run(story)


def test_a_deleted_key_is_gone_and_deleting_it_again_is_no_fault(run: Run) -> None:
    async def story(bucket: Bucket, clock: SetClock) -> None:
        await put(bucket, "kept")
        await put(bucket, "key")
        first = await bucket.delete([Deletion("key")], actor="me")
        again = await bucket.delete([Deletion("key"), Deletion("never")], actor="me")

        assert [isinstance(result, Gone) for result in first + again] == [True] * 3
        assert (await refused(bucket.head("key"))).code == "NoSuchKey"
        assert await listed(bucket) == ["kept"]

    run(story)


def test_a_deletion_that_is_refused_disturbs_no_other(run: Run) -> None:
    async def story(bucket: Bucket, clock: SetClock) -> None:
        for key in ("a", "b", "c"):
            await put(bucket, key)
        results = await bucket.delete(
            [Deletion("a"), Deletion("b", only_if=WriteIf(match="other")), Deletion("c")], actor="me")

        assert isinstance(results[1], Fault)
        assert results[1].kind is faults.PreconditionFailed
        assert [isinstance(result, Gone) for result in results] == [True, False, True]
        assert await listed(bucket) == ["b"]

    run(story)


def test_a_key_may_be_deleted_only_if_it_is_what_was_seen(run: Run) -> None:
    async def story(bucket: Bucket, clock: SetClock) -> None:
        entry = await put(bucket, "key")
        seen = WriteIf(match=entry.etag, size=entry.size, modified_ms=entry.modified_ms)
        missing, = await bucket.delete([Deletion("absent", only_if=WriteIf(match="*"))], actor="me")
        wrong, = await bucket.delete([Deletion("key", only_if=WriteIf(size=entry.size + 1))], actor="me")
        right, = await bucket.delete([Deletion("key", only_if=seen)], actor="me")

        assert isinstance(missing, Fault)
        assert missing.kind is faults.NoSuchKey
        assert isinstance(wrong, Fault)
        assert isinstance(right, Gone)
        assert await listed(bucket) == []

    run(story)


KEYS = ["a.txt", "b/1", "b/2", "b/2x", "b/c/1", "ba", "ä", "é/1", "z", "\U0001f600"]


def test_keys_are_listed_in_code_point_order(run: Run) -> None:
    async def story(bucket: Bucket, clock: SetClock) -> None:
        for key in sorted(KEYS, key=hash):
            await put(bucket, key)

        assert await listed(bucket) == sorted(KEYS)

    run(story)


@pytest.mark.parametrize(("prefix", "start"), [
    ("", "b/2"), ("b/", ""), ("b", ""), ("b/2", ""), ("b/", "a"), ("b/", "b/1\x00"), ("b/", "c"), ("x", ""),
    ("", "zz"), ("é", ""), ("b/2", "b/2x"),
])
def test_a_listing_starts_where_it_is_told_and_keeps_to_its_prefix(run: Run, prefix: str, start: str) -> None:
    async def story(bucket: Bucket, clock: SetClock) -> None:
        for key in KEYS:
            await put(bucket, key)
        expected = [key for key in sorted(KEYS) if key.startswith(prefix) and key >= start]

        assert await listed(bucket, prefix, start) == expected
        assert await listed(bucket, prefix, start, 2) == expected[:2]
        assert await listed(bucket, prefix, start, 0) == []

    run(story)


def test_a_listing_shows_what_a_listing_needs(run: Run) -> None:
    async def story(bucket: Bucket, clock: SetClock) -> None:
        await put(bucket, "a", b"12345", Attributes(owner="me", storage_class="STANDARD"))
        shown, head = (await bucket.list("", "", 1))[0], await bucket.head("a")

        assert (shown.key, shown.size, shown.etag) == ("a", 5, head.etag)
        assert (shown.modified_ms, shown.checksum) == (head.modified_ms, head.checksum)
        assert (shown.attributes.owner, shown.attributes.storage_class) == ("me", "STANDARD")

    run(story)


def test_the_version_that_a_put_names_can_be_asked_for(run: Run) -> None:
    async def story(bucket: Bucket, clock: SetClock) -> None:
        entry = await put(bucket, "key", b"data")

        assert await content(bucket, "key", entry.version) == b"data"
        assert (await bucket.head("key", entry.version)).etag == entry.etag

    run(story)


def test_a_version_id_that_cannot_be_one_is_refused(run: Run) -> None:
    async def story(bucket: Bucket, clock: SetClock) -> None:
        await put(bucket, "key")

        assert await refused(bucket.head("key", "no version id")) is faults.InvalidVersionId
        assert await refused(bucket.read("absent", "no version id")) is faults.InvalidVersionId
        fault, = await bucket.delete([Deletion("key", "no version id")], actor="me")
        assert isinstance(fault, Fault)
        assert await listed(bucket) == ["key"]

    run(story)


@pytest.mark.parametrize("kind", having("annotations"))
@pytest.mark.parametrize("size", [5, 500])
def test_tags_change_without_the_bytes(run: Run, size: int) -> None:
    async def story(bucket: Bucket, clock: SetClock) -> None:
        assert bucket.features.annotations is not None
        before = await put(bucket, "key", b"x" * size, Attributes("text/plain"))
        clock.advance(ms=60_000)
        await bucket.features.annotations.tag("key", None, {"colour": "red"})
        tagged = await bucket.head("key")
        await bucket.features.annotations.tag("key", tagged.version, {})
        bare = await bucket.head("key")

        assert (tagged.attributes.tags, bare.attributes.tags) == ({"colour": "red"}, {})
        assert (tagged.attributes.content_type, tagged.etag) == ("text/plain", before.etag)
        assert tagged.modified_ms == before.modified_ms
        assert await content(bucket, "key") == b"x" * size
        assert await refused(bucket.features.annotations.tag("absent", None, {})) is faults.NoSuchKey

    run(story)


@pytest.mark.parametrize("kind", having("acls"))
@pytest.mark.parametrize("size", [5, 500])
def test_an_access_control_list_changes_without_the_bytes(run: Run, size: int) -> None:
    acl = (Grant("friend", READ),)

    async def story(bucket: Bucket, clock: SetClock) -> None:
        assert bucket.features.acls is not None
        before = await put(bucket, "key", b"x" * size, Attributes("text/plain", owner="me", tags={"a": "b"}))
        clock.advance(ms=60_000)
        seen: list[Entry] = []
        await bucket.features.acls.grant("key", None, lambda entry: seen.append(entry) or acl, actor="me")
        shared = await bucket.head("key")
        await bucket.features.acls.grant("key", shared.version, lambda entry: None, actor="me")
        private = await bucket.head("key")

        assert [before.seq] == [entry.seq for entry in seen]
        assert (shared.attributes.acl, private.attributes.acl) == (acl, None)
        assert shared.attributes.tags == {"a": "b"}
        assert (shared.etag, shared.modified_ms) == (before.etag, before.modified_ms)
        assert await content(bucket, "key") == b"x" * size
        assert await refused(bucket.features.acls.grant("absent", None, lambda _: acl, actor="me")) is faults.NoSuchKey

    run(story)


@pytest.mark.parametrize("kind", having("acls"))
def test_a_rule_that_refuses_leaves_the_list_as_it_was(run: Run) -> None:
    def refuse(entry: Entry) -> None:
        raise faults.AccessDenied()

    async def story(bucket: Bucket, clock: SetClock) -> None:
        assert bucket.features.acls is not None
        before = await put(bucket, "key", b"data", Attributes(acl=(Grant("friend", READ),)))

        assert await refused(bucket.features.acls.grant("key", None, refuse, actor="me")) is faults.AccessDenied
        assert (await bucket.head("key")).attributes.acl == before.attributes.acl

    run(story)


@pytest.mark.parametrize("kind", having("renames"))
@pytest.mark.parametrize("size", [5, 500])
def test_a_renamed_key_is_at_its_new_place_only(run: Run, size: int) -> None:
    async def story(bucket: Bucket, clock: SetClock) -> None:
        assert bucket.features.renames is not None
        rename = bucket.features.renames.rename
        old = await bucket.put("from", upload(b"x" * size), Attributes("text/plain"))
        await put(bucket, "to", b"in the way")
        always = WriteIf()
        onto_nothing = rename("from", "to", source_if=always, only_if=WriteIf(none_match="*"), actor="me")
        of_another = rename("from", "to", source_if=WriteIf(match="other"), only_if=always, actor="me")
        of_nothing = rename("absent", "to", source_if=always, only_if=always, actor="me")

        assert await refused(onto_nothing) is faults.PreconditionFailed
        assert await refused(of_another) is faults.PreconditionFailed
        assert await refused(of_nothing) is faults.NoSuchKey
        clock.advance(ms=5_000)
        new = await rename("from", "to", source_if=WriteIf(match=old.etag), only_if=always, actor="me")
        assert (new.key, new.etag, new.attributes.content_type) == ("to", old.etag, "text/plain")
        assert (await bucket.head("to")).modified_ms == old.modified_ms
        assert await listed(bucket) == ["to"]
        assert await content(bucket, "to") == b"x" * size

    run(story)


@pytest.mark.parametrize("kind", having("shares"))
@pytest.mark.parametrize("size", [5, 500])
def test_resting_content_is_shared_and_outlives_its_source(run: Run, size: int) -> None:
    async def story(bucket: Bucket, clock: SetClock) -> None:
        await put(bucket, "source", b"x" * size)
        resting = (await bucket.read("source")).resting
        assert resting is not None
        copy = await bucket.put("copy", resting, Attributes("text/plain"))
        await bucket.delete([Deletion("source")], actor="me")

        assert (copy.size, copy.etag, copy.attributes.content_type) == (size, resting.etag, "text/plain")
        assert await content(bucket, "copy") == b"x" * size

    run(story)


@pytest.mark.parametrize("kind", having("shares"))
@pytest.mark.parametrize("size", [5, 500])
def test_an_object_can_be_copied_onto_itself(run: Run, size: int) -> None:
    async def story(bucket: Bucket, clock: SetClock) -> None:
        await put(bucket, "key", b"x" * size)
        resting = (await bucket.read("key")).resting
        assert resting is not None
        await bucket.put("key", resting, Attributes("text/plain"))

        assert (await bucket.head("key")).attributes.content_type == "text/plain"
        assert await content(bucket, "key") == b"x" * size

    run(story)


@pytest.mark.parametrize("kind", having("past"))
def test_the_past_shows_the_bucket_as_it_was_and_cannot_be_changed(run: Run) -> None:
    async def story(bucket: Bucket, clock: SetClock) -> None:
        assert bucket.features.past is not None
        before = clock.now_ms() - 1
        await put(bucket, "a", b"data")
        then = clock.now_ms()
        clock.advance(ms=1000)
        await put(bucket, "b", b"data")
        past = await bucket.features.past.at(then)

        assert await listed(past) == ["a"]
        assert await content(past, "a") == b"data"
        assert await refused(past.head("b")) is faults.NoSuchKey
        assert await listed(await bucket.features.past.at(before)) == []
        assert past.features.writes is False
        assert await refused(past.put("c", upload(b"x"), Attributes())) is faults.NotImplemented_
        assert await refused(past.delete([Deletion("a")], actor="me")) is faults.NotImplemented_

    run(story)


@pytest.mark.parametrize("kind", having("history"))
@pytest.mark.parametrize("size", [5, 500])
def test_a_commit_shows_the_bucket_as_it_was_and_cannot_be_changed(run: Run, size: int) -> None:
    async def story(bucket: Bucket, clock: SetClock) -> None:
        assert bucket.features.history is not None
        as_of = bucket.features.history.as_of
        said = Attributes("text/plain", metadata={"a": "b"})
        first = await put(bucket, "a", b"1" * size, said)
        second = await put(bucket, "b", b"2" * size)
        await put(bucket, "a", b"3" * size)
        await bucket.delete([Deletion("b")], actor="me")

        for commit in (second.version, "HEAD^^", "HEAD~2"):
            view = await as_of(commit)

            assert await listed(view) == ["a", "b"]
            assert await listed(view, "b") == await listed(view, "", "aa") == ["b"]
            assert await content(view, "a") == b"1" * size
            assert await content(view, "b", span=Span(1, 2)) == b"22"
            assert (await view.head("a")).attributes.metadata == {"a": "b"}
            assert await content(view, "a", first.version) == b"1" * size
            assert await refused(view.head("c")) is faults.NoSuchKey
            assert await refused(view.head("a", (await bucket.head("a")).version)) is faults.NoSuchVersion
            assert view.features.writes is False
            assert await refused(view.put("c", upload(b"x"), Attributes())) is faults.NotImplemented_
            assert await refused(view.delete([Deletion("a")], actor="me")) is faults.NotImplemented_
        assert await listed(await as_of("HEAD")) == ["a"]
        assert await refused(as_of("0" * 32)) is faults.NoSuchVersion
        assert await refused(as_of("master")) is faults.InvalidVersionId

    run(story)
