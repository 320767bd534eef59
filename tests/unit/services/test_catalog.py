"""How names are opened: buckets, and views of their past."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial

import pytest
from msgspec.structs import replace

from trivium.base import faults
from trivium.base.clock import SetClock
from trivium.base.faults import Fault
from trivium.base.ids import SeededIds
from trivium.base.incoming import Given, Incoming
from trivium.buckets.acl import READ, Grant
from trivium.buckets.bucket import Bucket, Deletion
from trivium.buckets.clearing import clear
from trivium.buckets.entry import Attributes
from trivium.buckets.objects.bucket import ObjectsBucket
from trivium.buckets.record import BRANCH, ENABLED, OBJECTS, BucketRecord, Ground, settle
from trivium.buckets.repo.bucket import BranchBucket
from trivium.buckets.repo.repository import BRANCHES, BranchRow, Repositories
from trivium.services.catalog import Catalog, Kind, NewBucket
from trivium.storage import journal, keys
from trivium.storage.blobstores.memory import MemoryBlobs
from trivium.storage.engine import Write
from trivium.storage.engines.memory import MemoryEngine
from trivium.storage.journal import PUT, Change

ID = "0123456789abcdef" * 2


class House:
    """A catalog of objects and branches, with the branch `master.images` and two commits of its key `a`."""

    def __init__(self) -> None:
        self.clock = SetClock()
        self.ids = SeededIds()
        self.ground = ground = Ground(MemoryEngine(), MemoryBlobs(self.clock, self.ids), self.clock, self.ids)
        self.repositories = Repositories(ground)
        self.catalog = Catalog(ground, lambda record, generation: ObjectsBucket(ground, record, generation), {
            BRANCH: Kind(
                lambda record, generation: BranchBucket(ground, record, generation), self.repositories.create,
                self.repositories.delete, self.repositories.raze)})
        self.commits: list[str] = []

    async def create(self, name: str, kind: str) -> BucketRecord:
        await self.catalog.create(kind, NewBucket(name, "owner"))
        return (await self.catalog.open(name)).record

    async def open(self, name: str) -> Bucket:
        return (await self.catalog.open(name)).bucket

    async def rows(self, table: bytes) -> int:
        return await self.ground.engine.read(lambda rows: sum(1 for _ in rows.scan(table, keys.after(table))))

    async def text(self, name: str) -> object:
        return await (await (await self.open(name)).read("a")).body()

    async def put(self, name: str, data: bytes) -> str:
        put = (await self.open(name)).put
        return (await put("a", Incoming(Given(data), len(data)), Attributes())).version


def run(story: Callable[[House], Awaitable[None]]) -> None:
    async def inside() -> None:
        house = House()
        await house.create("master.images", BRANCH)
        house.commits = [await house.put("master.images", data) for data in (b"1", b"2")]
        await story(house)

    asyncio.run(inside())


def test_history_12_a_commit_of_a_branch_is_opened_by_its_name() -> None:
    async def story(house: House) -> None:
        first, second = house.commits
        found = {name: await house.text(f"{name}.master.images")
                 for name in (first, second, "HEAD", "HEAD^", f"{second}~1")}

        assert found == {first: b"1", second: b"2", "HEAD": b"2", "HEAD^": b"1", f"{second}~1": b"1"}
        opened = await house.catalog.open(f"{first}.master.images")
        assert opened.record.name == "master.images"
        assert opened.bucket.features.writes is False

    run(story)


def test_a_commit_before_the_newest_is_found_anew_each_time() -> None:
    async def story(house: House) -> None:
        before = await house.text("HEAD^.master.images")
        await house.put("master.images", b"3")

        assert (before, await house.text("HEAD^.master.images")) == (b"1", b"2")

    run(story)


def test_a_branch_that_is_called_by_its_repository_alone_has_commits_too() -> None:
    async def story(house: House) -> None:
        await house.create("words", BRANCH)
        commit = await house.put("words", b"w")

        assert await house.text(f"{commit}.words") == await house.text("HEAD~0.words") == b"w"

    run(story)


@pytest.mark.parametrize("made", ["words", "master.words"])
def test_history_1_a_repository_alone_is_its_master_whichever_name_it_was_made_with(made: str) -> None:
    async def story(house: House) -> None:
        await house.create(made, BRANCH)
        commit = await house.put("words", b"w")
        names = ["words", "master.words", f"{commit}.words", "HEAD~0.words", "HEAD.master.words", "words@2099-01-01T00:00:00Z"]

        assert {name: await house.text(name) for name in names} == dict.fromkeys(names, b"w")
        assert {(await house.catalog.open(name)).record.name for name in names} == {"master.words"}
        assert [one.name for one in await house.catalog.list("owner")] == ["master.images", "master.words"]

    run(story)


def test_history_1_a_repository_without_a_master_has_no_bucket_of_its_name() -> None:
    async def story(house: House) -> None:
        await house.create("dev.words", BRANCH)

        for name in ("words", "HEAD", "HEAD^.words", "a.b.c", "-.-"):
            with pytest.raises(Fault) as refused:
                await house.open(name)
            assert faults.NoSuchBucket is refused.value.kind

    run(story)


def test_history_1_a_branch_that_was_entered_under_its_repository_alone_answers_to_both_names() -> None:
    async def story(house: House) -> None:
        record = await house.create("words", BRANCH)

        def as_it_once_was(tx: Write) -> None:
            tx.delete(keys.text(keys.CATALOG, record.name))
            settle(tx, replace(record, name="words"))
            tx.put(keys.branch("words", "master"), BRANCHES.encode(BranchRow(record.id, "words")))

        await house.ground.engine.write(as_it_once_was)
        await house.put("master.words", b"w")

        assert await house.text("words") == await house.text("HEAD.master.words") == b"w"

    run(story)


def test_history_1_the_name_alone_is_gone_with_the_branch_and_means_the_next_one() -> None:
    async def story(house: House) -> None:
        await house.create("words", BRANCH)
        await house.catalog.delete((await house.catalog.open("words")).record)
        with pytest.raises(Fault) as refused:
            await house.open("words")
        await house.create("master.words", BRANCH)
        await house.put("words", b"new")

        assert faults.NoSuchBucket is refused.value.kind
        assert await house.text("master.words") == b"new"

    run(story)


@pytest.mark.parametrize("name", ["{commit}.master.images", "dev.images", "head.images", "images"])
def test_nobody_takes_the_name_of_a_branch_or_commit(name: str) -> None:
    async def story(house: House) -> None:
        with pytest.raises(Fault) as refused:
            await house.create(name.format(commit=house.commits[0]), OBJECTS)

        assert faults.BucketAlreadyExists is refused.value.kind

    run(story)


def test_a_bucket_that_was_there_before_the_repository_comes_first() -> None:
    async def story(house: House) -> None:
        await house.create("head.master.later", OBJECTS)
        await house.put("head.master.later", b"an object")
        await house.repositories.create("master.later", "me")
        await house.put("master.later", b"a commit")

        assert await house.text("head.master.later") == b"an object"

    run(story)


def test_history_3_a_bucket_that_is_called_as_the_repository_and_was_there_before_comes_first() -> None:
    async def story(house: House) -> None:
        bucket = await house.create("later", OBJECTS)
        await house.put("later", b"an object")
        with pytest.raises(Fault) as refused:
            await house.create("later", BRANCH)
        await house.create("master.later", BRANCH)
        await house.put("master.later", b"a commit")

        assert faults.BucketAlreadyOwnedByYou is refused.value.kind
        assert await house.text("later") == b"an object"
        await (await house.open("later")).delete([Deletion("a")], actor="owner")
        await house.catalog.delete(bucket)
        assert await house.text("later") == b"a commit"

    run(story)


def test_a_fork_opens_the_commits_that_it_was_forked_with() -> None:
    async def story(house: House) -> None:
        first, second = house.commits
        await house.repositories.fork("images", "master", "dev", at=first)

        assert await house.text(f"{first}.dev.images") == b"1"
        with pytest.raises(Fault):
            await house.open(f"{second}.dev.images")

    run(story)


@pytest.mark.parametrize("name", [
    f"{ID}.master.images", "HEAD~2.master.images", "HEAD^.nobody.images", "HEAD^.plain", "HEAD^", "HEAD^.",
    "HEAD^.HEAD^.master.images", ".".join(["HEAD^"] * 2000), "master^.images", f"{ID}.nobody",
    "master.images@2026-13-01T00:00:00Z", "x" + "@2026-01-01T00:00:00Z" * 2000,
])
def test_a_name_that_means_no_commit_is_no_buckets(name: str) -> None:
    async def story(house: House) -> None:
        await house.create("plain", OBJECTS)
        with pytest.raises(Fault) as refused:
            await house.open(name)

        assert refused.value.kind is faults.NoSuchBucket
        assert refused.value.facts == {"BucketName": name}

    run(story)


def test_the_past_of_a_commit_is_not_read_by_time() -> None:
    async def story(house: House) -> None:
        with pytest.raises(Fault) as refused:
            await house.open("HEAD^.master.images@2026-01-01T00:00:00Z")

        assert refused.value.kind is faults.NotImplemented_

    run(story)


def test_the_past_does_not_need_the_journal() -> None:
    async def story(house: House) -> None:
        await house.create("plain", OBJECTS)
        versions = (await house.open("plain")).features.versions
        assert versions is not None
        await versions.set_state("Enabled")
        await house.put("plain", b"1")
        then = datetime.fromtimestamp(house.clock.now_ms() / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
        house.clock.advance(ms=1000)
        await house.put("plain", b"2")
        for _ in range(2):
            await journal.trim(house.ground.engine, now_ms=house.clock.now_ms(), keep_ms=1)
            house.clock.advance(ms=1)

        assert await house.rows(keys.LOG) == 2  # the branch keeps its own
        assert await house.text(f"plain@{then}Z") == b"1"
        assert await house.text("HEAD^.master.images") == b"1"
        assert await house.text(f"master.images@{then}Z") == b"2"

    run(story)


@pytest.mark.parametrize("changes", [3, 1_200])
def test_a_bucket_with_a_long_journal_is_deleted_in_short_transactions(changes: int) -> None:
    async def story(house: House) -> None:
        record = await house.create("plain", OBJECTS)
        await house.catalog.put_document(record, "tagging", b"tags")
        for number in range(changes):
            await house.ground.engine.write(
                partial(journal.append, bucket=record.id, change=Change(number + 1000, PUT, "a", "", 0)))
        await house.catalog.delete(record)

        with pytest.raises(Fault):
            await house.open("plain")
        left = await house.rows(keys.LOG) - 2
        assert left == max(0, changes - 500)
        assert await house.rows(keys.GONE) == (1 if left else 0)
        again = await house.create("plain", OBJECTS)
        assert await house.catalog.document(again, "tagging") is None
        await clear(house.ground)
        assert [await house.rows(table) for table in (keys.LOG, keys.DOCUMENT, keys.GONE)] == [2, 0, 0]

    run(story)


@pytest.mark.parametrize("kind", [OBJECTS, BRANCH])
def test_a_bucket_is_made_with_all_that_it_is_given_in_one_transaction(kind: str) -> None:
    async def story(house: House) -> None:
        write, calls = house.ground.engine.write, 0

        async def counted(change: Callable[[Write], object]) -> object:
            nonlocal calls
            calls += 1
            return await write(change)

        house.ground.engine.write = counted  # type: ignore[method-assign,assignment]
        new = NewBucket("new.one", "owner", "eu-west-1", (Grant("other", READ),), "ObjectWriter", {"tagging": b"tags"})
        await house.catalog.create(kind, new)

        assert calls == 1
        record = (await house.catalog.open("new.one")).record
        assert (record.owner, record.region, record.acl, record.ownership) == (
            "owner", "eu-west-1", (Grant("other", READ),), "ObjectWriter")
        assert record.versioning == (ENABLED if kind == BRANCH else "")
        assert await house.catalog.document(record, "tagging") == b"tags"

    run(story)


def test_a_record_is_changed_as_it_is_and_everybody_hears_of_it() -> None:
    acl = (Grant("friend", READ),)

    async def story(house: House) -> None:
        stale = (await house.catalog.open("master.images")).record
        await house.catalog.change(stale, lambda now: replace(now, ownership="ObjectWriter"))
        generation = house.ground.engine.generation
        changed = await house.catalog.change(stale, lambda now: replace(now, acl=acl))
        announced = house.ground.engine.generation != generation

        assert announced
        assert (acl, "ObjectWriter") == (changed.acl, changed.ownership)
        assert changed == (await house.catalog.open("master.images")).record

    run(story)


def test_a_record_that_stays_as_it_is_disturbs_nobody() -> None:
    async def story(house: House) -> None:
        record = (await house.catalog.open("master.images")).record
        generation = house.ground.engine.generation
        await house.catalog.change(record, lambda now: now)

        assert generation == house.ground.engine.generation

    run(story)


def test_a_record_whose_change_is_refused_or_whose_bucket_went_is_not_changed() -> None:
    def refuse(now: BucketRecord) -> BucketRecord:
        raise faults.AccessDenied()

    async def story(house: House) -> None:
        record = (await house.catalog.open("master.images")).record
        gone = replace(record, name="gone")
        for change in (house.catalog.change(record, refuse), house.catalog.change(gone, lambda now: now)):
            with pytest.raises(Fault):
                await change

        assert record == (await house.catalog.open("master.images")).record

    run(story)
