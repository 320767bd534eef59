"""Forks: what they show of their parents."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.unit.buckets.repo.branch_house import LARGE, House, content, delete, listed, put, refusal, run
from trivium.base import faults
from trivium.base.incoming import Given, Incoming
from trivium.buckets.acl import FULL_CONTROL, READ, Acl, Grant
from trivium.buckets.conditions import WriteIf
from trivium.buckets.entry import Attributes
from trivium.buckets.record import BUCKETS
from trivium.storage import keys


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
        assert await refusal(house.fork("master", "x")) is faults.BucketAlreadyExists

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
        assert await refusal(versions.list("", "a", "no id", 10)) is faults.InvalidVersionId

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
