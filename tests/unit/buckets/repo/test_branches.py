"""What only branches show: commits, forks, the journal, and how they are made and deleted."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from msgspec.structs import replace

from trivium.base import faults
from trivium.base.clock import SetClock
from trivium.base.faults import Fault
from trivium.base.ids import SeededIds
from trivium.base.incoming import Given, Incoming
from trivium.buckets import clearing
from trivium.buckets.acl import FULL_CONTROL, READ, Acl, Grant
from trivium.buckets.bucket import Bucket, Deletion, Gone
from trivium.buckets.conditions import WriteIf
from trivium.buckets.entry import Attributes, Entry
from trivium.buckets.record import BUCKETS, BucketRecord, Ground, enroll
from trivium.buckets.repo.bucket import BranchBucket
from trivium.buckets.repo.repository import Repositories
from trivium.storage import keys
from trivium.storage.blobstores.memory import MemoryBlobs
from trivium.storage.engine import Write
from trivium.storage.engines.memory import MemoryEngine
from trivium.storage.journal import ATTRIBUTES, CHANGES, DELETE, PUT, Change

LARGE = b"more than what a row takes"


class House:
    """Repositories on a fresh ground."""

    def __init__(self) -> None:
        self.clock, ids, self.engine = SetClock(), SeededIds(), MemoryEngine()
        self.ground = Ground(self.engine, MemoryBlobs(self.clock, ids), self.clock, ids, inline_bytes=8)
        self.repositories = Repositories(self.ground)

    async def create(self, name: str = "master.images") -> BranchBucket:
        return self.bucket(await self.repositories.create(name, "owner"))

    async def fork(self, branch: str, new: str, *, at: str = "HEAD") -> BranchBucket:
        return self.bucket(await self.repositories.fork("images", branch, new, at=at))

    async def record(self, branch: str) -> BucketRecord:
        return next(one for one in await self.repositories.branches("images") if one.facts["branch"] == branch)

    def bucket(self, record: BucketRecord) -> BranchBucket:
        return BranchBucket(self.ground, record, self.engine.generation)

    async def rows(self, table: bytes) -> list[bytes]:
        return await self.engine.read(lambda rows: [value for _, value in rows.scan(table, keys.after(table))])

    async def changes(self, branch: str) -> list[Change]:
        prefix = keys.of_bucket(keys.LOG, (await self.record(branch)).id)
        return await self.engine.read(
            lambda rows: [CHANGES.decode(value) for _, value in rows.scan(prefix, keys.after(prefix))])


Story = Callable[[House], Awaitable[None]]


def run(story: Story) -> None:
    asyncio.run(_run(story))


async def _run(story: Story) -> None:
    await story(House())


async def put(bucket: BranchBucket, key: str, data: bytes = b"data") -> str:
    return (await bucket.put(key, Incoming(Given(data), len(data)), Attributes(owner="writer"))).version


async def delete(bucket: BranchBucket, *doomed: str) -> list[Gone | Fault]:
    return await bucket.delete([Deletion(key) for key in doomed], actor="actor")


async def content(bucket: BranchBucket, key: str, version: str | None = None) -> object:
    return await (await bucket.read(key, version)).body()


async def listed(bucket: BranchBucket) -> list[str]:
    return [entry.key for entry in await bucket.list("", "", 1000)]


async def as_of(bucket: BranchBucket, commit: str) -> Bucket:
    assert bucket.features.history is not None
    return await bucket.features.history.as_of(commit)


async def refusal(work: Awaitable[object]) -> faults.FaultKind:
    with pytest.raises(Fault) as refused:
        await work
    return refused.value.kind


def test_history_4_every_put_is_a_commit_that_says_who_and_what() -> None:
    async def story(house: House) -> None:
        bucket = await house.create()
        first, second = await put(bucket, "a"), await put(bucket, "b")
        newest, oldest = await house.repositories.log(await house.record("master"))

        assert (oldest.id, oldest.parents, oldest.message, oldest.author) == (first, (), "put a", "writer")
        assert (newest.id, newest.parents, newest.branch, newest.number) == (second, (first,), "master", 2)
        assert newest.at_ms == house.clock.now_ms()
        assert await house.repositories.head(await house.record("master")) == newest

    run(story)


def test_history_5_a_batch_of_deletions_is_one_commit_and_of_nothing_none() -> None:
    async def story(house: House) -> None:
        bucket = await house.create()
        for key in "abc":
            await put(bucket, key)
        one, two, nothing, again = await delete(bucket, "a", "b", "missing", "a")

        assert isinstance(one, Gone)
        assert one.version
        assert one == Gone("a", one.version, marker_made=True)
        assert two == Gone("b", one.version, marker_made=True)
        assert (nothing, again) == (Gone("missing"), Gone("a"))
        assert await delete(bucket, "a", "missing") == [Gone("a"), Gone("missing")]
        log = await house.repositories.log(await house.record("master"))
        assert [commit.message for commit in log] == ["delete 4 keys", "put c", "put b", "put a"]

    run(story)


def test_history_6_the_journal_names_the_commit() -> None:
    async def story(house: House) -> None:
        bucket = await house.create()
        made = await put(bucket, "a")
        annotations = bucket.features.annotations
        assert annotations is not None
        tagged = (await annotations.tag("a", None, {"t": "1"})).version
        (gone,) = await delete(bucket, "a")

        assert isinstance(gone, Gone)
        assert [(change.kind, change.key, change.commit, change.version) for change in await house.changes("master")] == [
            (PUT, "a", made, made), (ATTRIBUTES, "a", tagged, tagged), (DELETE, "a", gone.version, gone.version)]

    run(story)


@pytest.mark.parametrize(("version", "expected"), [
    ("HEAD", b"4"), ("HEAD^", b"3"), ("HEAD~", b"3"), ("HEAD^^", b"2"), ("HEAD~~", b"2"), ("HEAD^2", b"2"),
    ("HEAD~2", b"2"), ("HEAD^3", b"1"), ("HEAD~0", b"4"),
])
def test_history_8_versions_by_ancestry(version: str, expected: bytes) -> None:
    async def story(house: House) -> None:
        bucket = await house.create()
        for data in (b"1", b"2", b"3", b"4"):
            await put(bucket, "a", data)

        assert await content(bucket, "a", version) == expected

    run(story)


def test_history_8_a_key_is_shown_as_of_the_commit_whichever_wrote_it() -> None:
    async def story(house: House) -> None:
        bucket = await house.create()
        first = await put(bucket, "a", b"1")
        other = await put(bucket, "b")
        await put(bucket, "a", b"2")

        assert (await bucket.head("a", other)).version == first
        assert await content(bucket, "a", other) == b"1"
        assert await content(bucket, "a", f"{other}^") == b"1"

    run(story)


@pytest.mark.parametrize(("version", "fault"), [
    ("HEAD^9", faults.NoSuchVersion), ("HEAD~999999999999999999", faults.NoSuchVersion), ("0" * 32, faults.NoSuchVersion),
    ("HEAD^~", faults.InvalidVersionId), ("head", faults.InvalidVersionId), ("", faults.InvalidVersionId),
    ("0" * 31, faults.InvalidVersionId), ("A" * 32, faults.InvalidVersionId), ("null", faults.InvalidVersionId),
    ("HEAD^-1", faults.InvalidVersionId), ("HEAD\n", faults.InvalidVersionId), ("HEAD^\u0661", faults.InvalidVersionId),
    ("HEAD^" + "1" * 19, faults.InvalidVersionId),
])
def test_history_9_what_means_no_commit_of_the_branch(version: str, fault: faults.FaultKind) -> None:
    async def story(house: House) -> None:
        bucket = await house.create()
        await put(bucket, "a")

        assert await refusal(bucket.head("a", version)) is fault

    run(story)


def test_history_9_an_empty_branch_has_no_head() -> None:
    async def story(house: House) -> None:
        bucket = await house.create()

        assert await refusal(bucket.head("a", "HEAD")) is faults.NoSuchVersion
        assert await refusal(as_of(bucket, "HEAD")) is faults.NoSuchVersion
        assert await house.repositories.head(await house.record("master")) is None

    run(story)


def test_history_10_a_commit_in_which_the_key_is_not_there() -> None:
    async def story(house: House) -> None:
        bucket = await house.create()
        before = await put(bucket, "other")
        await put(bucket, "a")
        (gone,) = await delete(bucket, "a")
        after = await put(bucket, "other")

        assert isinstance(gone, Gone)
        assert await refusal(bucket.head("a", before)) is faults.NoSuchKey
        assert await refusal(bucket.head("a", gone.version)) is faults.VersionIsDeleteMarker
        assert await refusal(bucket.head("a", after)) is faults.KeyIsDeleteMarker
        assert await refusal(bucket.head("a")) is faults.KeyIsDeleteMarker

    run(story)


def test_history_11_the_past_cannot_be_changed() -> None:
    async def story(house: House) -> None:
        bucket = await house.create()
        old = await put(bucket, "a")
        await put(bucket, "a")
        (fault,) = await bucket.delete([Deletion("a", old)], actor="actor")
        annotations, versions = bucket.features.annotations, bucket.features.versions
        assert annotations is not None
        assert versions is not None

        assert isinstance(fault, Fault)
        assert fault.kind is faults.NotImplemented_
        assert await refusal(annotations.tag("a", old, {})) is faults.NotImplemented_
        assert await refusal(versions.set_state("Suspended")) is faults.NotImplemented_
        await versions.set_state("Enabled")
        assert versions.state == "Enabled"

    run(story)


def test_history_12_the_bucket_of_a_commit_is_read_only_and_its_head_is_that_commit() -> None:
    async def story(house: House) -> None:
        bucket = await house.create()
        first = await put(bucket, "a", b"1")
        await put(bucket, "a", b"2")
        view = await as_of(bucket, first)

        assert not view.features.writes
        assert (await view.head("a", "HEAD")).version == first
        assert await refusal(view.head("a", "HEAD^")) is faults.NoSuchVersion
        assert await refusal(view.put("a", Incoming(Given(b""), 0), Attributes())) is faults.NotImplemented_
        assert await refusal(view.delete([Deletion("a")], actor="")) is faults.NotImplemented_
        assert view.features.versions is not None
        assert [one.entry.version for one in await view.features.versions.list("", "", None, 10)] == [first]

    run(story)


def test_history_13_a_fork_is_a_copy_that_costs_two_rows() -> None:
    async def story(house: House) -> None:
        master = await house.create()
        for number in range(20):
            await put(master, f"{number:02}", LARGE)
        before = len(house.engine._rows)
        fork = await house.fork("master", "dev")

        assert len(house.engine._rows) - before == 2
        assert await listed(fork) == await listed(master)
        assert await content(fork, "07", "HEAD~3") is not None
        log = await house.repositories.log(await house.record("dev"))
        assert log == await house.repositories.log(await house.record("master"))

    run(story)


def test_history_14_parent_and_fork_do_not_see_each_others_writes() -> None:
    async def story(house: House) -> None:
        master = await house.create()
        await put(master, "both", b"old")
        await put(master, "gone", b"old")
        fork = await house.fork("master", "dev")
        await put(master, "both", b"master")
        await put(master, "later")
        await put(fork, "both", b"fork")
        await delete(fork, "gone")

        assert await listed(fork) == ["both"]
        assert await content(fork, "both") == b"fork"
        assert await content(fork, "both", "HEAD~2") == b"old"
        assert await listed(master) == ["both", "gone", "later"]
        assert await content(master, "both") == b"master"
        assert await refusal(fork.head("both", (await master.head("both")).version)) is faults.NoSuchVersion

    run(story)


def test_history_14_conditions_look_through_to_the_parent() -> None:
    async def story(house: House) -> None:
        master = await house.create()
        entry = await master.put("a", Incoming(Given(b"x"), 1), Attributes())
        fork = await house.fork("master", "dev")
        absent, match = WriteIf(none_match="*"), WriteIf(match=entry.etag)
        content = Incoming(Given(b"y"), 1)

        assert await refusal(fork.put("a", content, Attributes(), only_if=absent)) is faults.PreconditionFailed
        await fork.put("a", Incoming(Given(b"y"), 1), Attributes(), only_if=match)

    run(story)


def test_history_15_a_fork_may_start_from_an_older_commit() -> None:
    async def story(house: House) -> None:
        master = await house.create()
        await put(master, "a", b"1")
        second = await put(master, "a", b"2")
        await put(master, "a", b"3")

        assert await content(await house.fork("master", "x", at="HEAD^^"), "a") == b"1"
        assert await content(await house.fork("master", "y", at=second), "a") == b"2"
        assert await refusal(house.fork("master", "z", at="HEAD~7")) is faults.NoSuchVersion
        assert await refusal(house.fork("nowhere", "z")) is faults.NoSuchBucket
        assert await refusal(house.fork("master", "x")) is faults.BucketAlreadyOwnedByYou

    run(story)


def test_history_16_versions_of_a_fork_go_on_in_its_parent() -> None:
    async def story(house: House) -> None:
        master = await house.create()
        first = await put(master, "a", b"1")
        fork = await house.fork("master", "dev")
        await put(master, "a", b"unseen")
        second = await put(fork, "a", b"2")
        versions = fork.features.versions
        assert versions is not None

        page = await versions.list("", "", None, 10)
        assert [(one.entry.version, one.latest) for one in page] == [(second, True), (first, False)]
        assert [one.entry.version for one in await versions.list("", "a", second, 10)] == [first]
        assert await versions.list("", "a", first, 10) == []
        assert await refusal(versions.list("", "a", "0" * 32, 10)) is faults.InvalidVersionId

    run(story)


def test_history_3_a_branch_is_made_once_and_only_in_a_repository_of_ones_own() -> None:
    async def story(house: House) -> None:
        create = house.repositories.create
        await create("master.images", "owner")

        assert await refusal(create("master.images", "owner")) is faults.BucketAlreadyOwnedByYou
        assert await refusal(create("images", "owner")) is faults.BucketAlreadyOwnedByYou
        assert await refusal(create("master.images", "other")) is faults.BucketAlreadyExists
        assert await refusal(create("dev.images", "other")) is faults.AccessDenied
        assert await refusal(create("0" * 32 + ".images", "owner")) is faults.InvalidBucketName
        await create("dev.images", "owner")
        await create("dev.others", "other")
        assert [one.name for one in await house.repositories.branches("images")] == ["dev.images", "master.images"]

    run(story)


def test_history_3_the_name_may_be_another_buckets() -> None:
    async def story(house: House) -> None:
        await house.engine.write(lambda tx: enroll(tx, "master.images", "objects", "other", now_ms=0))

        assert await refusal(house.create()) is faults.BucketAlreadyExists
        assert await house.repositories.branches("images") == []

    run(story)


def test_history_17_a_branch_that_shows_keys_or_has_forks_is_not_deleted() -> None:
    async def story(house: House) -> None:
        master = await house.create()
        await put(master, "a")
        fork = await house.fork("master", "dev")
        await house.fork("dev", "dev2")
        record = await house.record("master")

        assert await refusal(house.repositories.delete(record)) is faults.BucketNotEmpty
        await delete(master, "a")
        assert await refusal(house.repositories.delete(record)) is faults.BranchHasForks
        await delete(fork, "a")
        await put(fork, "b")
        await delete(fork, "b")
        await house.repositories.delete(await house.record("dev"))
        assert await refusal(house.repositories.delete(record)) is faults.BranchHasForks
        assert await listed(house.bucket(await house.record("dev2"))) == ["a"]

    run(story)


def test_history_17_the_last_branch_takes_the_repository_and_all_rows_with_it() -> None:
    async def story(house: House) -> None:
        master = await house.create()
        await put(master, "a", LARGE)
        await put(master, "a", b"x")
        await delete(master, "a")
        await house.repositories.delete(await house.record("master"))

        assert await house.repositories.branches("images") == []
        for table in (keys.CATALOG, keys.CURRENT, keys.OLD, keys.LOG, keys.COMMIT, keys.BRANCH, keys.GONE):
            assert await house.rows(table) == []
        assert len(await house.rows(keys.GARBAGE)) == 1
        assert await refusal(put(master, "a")) is faults.NoSuchBucket
        assert await refusal(delete(master, "a")) is faults.NoSuchBucket
        again = await house.create()
        assert await listed(again) == []

    run(story)


def test_history_17_content_that_entries_share_is_let_go_once() -> None:
    async def story(house: House) -> None:
        master = await house.create()
        await put(master, "a", LARGE)
        features = master.features
        assert features.annotations is not None
        assert features.renames is not None
        await features.annotations.tag("a", None, {"t": "1"})
        await features.renames.rename("a", "b", source_if=WriteIf(), only_if=WriteIf(), actor="me")
        resting = (await master.read("b")).resting
        await master.put("c", resting, Attributes())
        await delete(master, "b", "c")
        assert await content(master, "a", "HEAD~4") is not None
        assert await house.rows(keys.GARBAGE) == []
        await house.repositories.delete(await house.record("master"))

        assert len(await house.rows(keys.GARBAGE)) == 1

    run(story)


def test_history_17_a_write_between_the_look_and_the_deletion_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(house: House) -> None:
        master = await house.create()
        head, calls = Repositories.head, [0]

        async def racing(self: Repositories, record: BucketRecord) -> object:
            found = await head(self, record)
            calls[0] += 1
            if calls[0] == 1:
                await put(master, "a")
                await delete(master, "a")
            return found

        monkeypatch.setattr(Repositories, "head", racing)
        await house.repositories.delete(await house.record("master"))
        assert calls[0] == 2

    run(story)


def test_clearing_goes_on_after_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clearing, "_ROWS_AT_ONCE", 2)

    async def crash(ground: Ground) -> None:
        pass

    async def story(house: House) -> None:
        master = await house.create()
        for number in range(5):
            await put(master, f"{number}", LARGE)
            await delete(master, f"{number}")
        with monkeypatch.context() as crashed:
            crashed.setattr(clearing, "clear", crash)
            await house.repositories.delete(await house.record("master"))
        assert len(await house.rows(keys.GONE)) == 1
        await clearing.clear(house.ground)

        assert await house.rows(keys.GONE) == []
        assert await house.rows(keys.CURRENT) == await house.rows(keys.OLD) == []

    run(story)


def test_a_companion_that_refuses_undoes_the_commit() -> None:
    def refuse(tx: Write, entry: Entry) -> None:
        raise faults.NoSuchUpload()

    async def story(house: House) -> None:
        master = await house.create()
        first = await put(master, "a", b"old")
        assert await refusal(
            master.put("a", Incoming(Given(LARGE), len(LARGE)), Attributes(), companion=refuse)) is faults.NoSuchUpload

        assert (await master.head("a", "HEAD")).version == first
        assert [change.commit for change in await house.changes("master")] == [first]

    run(story)


def test_listing_goes_on_over_many_keys_that_do_not_show() -> None:
    async def story(house: House) -> None:
        master = await house.create()
        await put(master, "z")
        fork = await house.fork("master", "dev")
        for number in range(2100):
            await put(master, f"{number:04}")
        await delete(master, *(f"{number:04}" for number in range(2100)))
        await put(fork, "y")

        assert await listed(fork) == ["y", "z"]
        assert await listed(master) == ["z"]
        versions = fork.features.versions
        assert versions is not None
        assert [one.entry.key for one in await versions.list("", "", None, 10)] == ["y", "z"]

    run(story)


@pytest.mark.parametrize(("acl", "expected"), [(None, None), ((Grant("friend", READ),), (Grant("owner", FULL_CONTROL),))])
def test_a_fork_is_private_but_what_others_own_stays_theirs(acl: Acl, expected: Acl) -> None:
    async def story(house: House) -> None:
        await house.create()
        shared = replace(await house.record("master"), acl=acl, ownership="BucketOwnerEnforced")
        await house.engine.write(lambda tx: tx.put(keys.text(keys.CATALOG, shared.name), BUCKETS.encode(shared)))
        await house.fork("master", "fork")
        fork = await house.record("fork")

        assert (expected, "BucketOwnerEnforced") == (fork.acl, fork.ownership)

    run(story)
