"""Commits: what makes one, and what is read as of one."""

from __future__ import annotations

import pytest

from tests.unit.buckets.repo.branch_house import (
    LARGE,
    House,
    as_of,
    content,
    delete,
    listed,
    put,
    refusal,
    run,
)
from trivium.base import faults
from trivium.base.faults import Fault
from trivium.base.incoming import Given, Incoming
from trivium.buckets.bucket import Deletion, Gone
from trivium.buckets.entry import Attributes, Entry
from trivium.storage.engine import Write
from trivium.storage.journal import ATTRIBUTES, DELETE, PUT


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
        await delete(bucket, "missing", "c")
        log = await house.repositories.log(await house.record("master"))
        assert [commit.message for commit in log] == ["delete c", "delete 2 keys", "put c", "put b", "put a"]

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
