"""How branches and repositories are made, and what goes with them."""

from __future__ import annotations

import pytest

from tests.unit.buckets.repo.branch_house import LARGE, House, content, delete, listed, put, refusal, run
from trivium.base import faults
from trivium.buckets import clearing
from trivium.buckets.bucket import Renaming
from trivium.buckets.entry import Attributes
from trivium.buckets.record import BucketRecord, Ground, enroll
from trivium.buckets.repo.repository import Repositories
from trivium.storage import keys


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


@pytest.mark.parametrize("taken", ["master.images", "images"])
def test_history_3_the_name_may_be_another_buckets(taken: str) -> None:
    async def story(house: House) -> None:
        await house.engine.write(lambda tx: enroll(tx, taken, "objects", "other", now_ms=0))

        assert await refusal(house.repositories.create("images", "owner")) is faults.BucketAlreadyExists
        assert await house.repositories.branches("images") == []

    run(story)


@pytest.mark.parametrize("name", ["health", "master.health", "dev.minio"])
def test_no_branch_answers_to_a_name_that_is_reserved(name: str) -> None:
    async def story(house: House) -> None:
        assert await refusal(house.repositories.create(name, "owner")) is faults.InvalidBucketName

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
    assert faults.BranchHasForks.code == "InvalidBucketState"  # what clients are shown


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
        await features.renames.rename(Renaming("a", "b"), actor="me")
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


def test_clearing_sets_damaged_rows_aside_and_goes_on() -> None:
    async def story(house: House) -> None:
        master = await house.create()
        for key in ("a", "b"):
            await put(master, key, LARGE)
        row = keys.current((await house.record("master")).id, "a")
        await house.ground.engine.write(lambda tx: tx.move(row, row, b"\x01\xc1"))
        await house.repositories.raze(await house.record("master"))
        await clearing.clear(house.ground)

        assert await house.rows(keys.CURRENT) == await house.rows(keys.GONE) == []
        assert await house.rows(keys.ASIDE) == [b"\x01\xc1"]

    run(story)
