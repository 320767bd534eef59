"""One promise, one transaction: what each kind of bucket writes together, and checks where it writes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from tests.contracts.bucket_kinds import KINDS, content, having, listed, put, upload
from tests.contracts.watched_engine import WatchedEngine
from trivium.base.clock import SetClock
from trivium.base.faults import Fault
from trivium.base.incoming import Incoming
from trivium.buckets.acl import READ, Grant
from trivium.buckets.bucket import Bucket, Deletion, Gone, Renaming
from trivium.buckets.conditions import WriteIf
from trivium.buckets.entry import Attributes, Entry
from trivium.storage import keys

Story = Callable[[Bucket, WatchedEngine], Awaitable[None]]
CROWD = 8
ENTRY = {keys.CURRENT, keys.FILE}


def watch(kind: str, folder: Path, story: Story) -> None:
    async def inside() -> None:
        engine = WatchedEngine()
        await story(await KINDS[kind].open(folder, SetClock(), engine), engine)

    asyncio.run(inside())


async def written(engine: WatchedEngine, work: Awaitable[object]) -> None:
    """Demand that the work writes one transaction, with an entry and its journal row."""
    engine.transactions.clear()
    await work

    assert len(engine.transactions) == 1
    assert engine.transactions[0] & ENTRY
    assert keys.LOG in engine.transactions[0]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [5, 500, 2_000_000])
def test_a_put_and_a_deletion_are_one_transaction_with_their_journal_row(
    tmp_path: Path, kind: str, size: int,
) -> None:
    async def story(bucket: Bucket, engine: WatchedEngine) -> None:
        await written(engine, put(bucket, "key", b"1" * size))
        await written(engine, put(bucket, "key", b"2" * size))
        await written(engine, bucket.delete([Deletion("key")], actor="me"))

    watch(kind, tmp_path, story)


@pytest.mark.parametrize("kind", having("annotations"))
def test_tags_are_one_transaction_with_their_journal_row(tmp_path: Path, kind: str) -> None:
    async def story(bucket: Bucket, engine: WatchedEngine) -> None:
        await put(bucket, "key")
        assert bucket.features.annotations is not None
        await written(engine, bucket.features.annotations.tag("key", None, {"a": "b"}))

    watch(kind, tmp_path, story)


@pytest.mark.parametrize("kind", having("acls"))
def test_grants_are_one_transaction_with_their_journal_row(tmp_path: Path, kind: str) -> None:
    async def story(bucket: Bucket, engine: WatchedEngine) -> None:
        await put(bucket, "key")
        assert bucket.features.acls is not None
        await written(
            engine, bucket.features.acls.grant("key", None, lambda _: (Grant("friend", READ),), actor="me"))

    watch(kind, tmp_path, story)


@pytest.mark.parametrize("kind", having("renames"))
def test_a_rename_is_one_transaction_with_its_journal_rows(tmp_path: Path, kind: str) -> None:
    async def story(bucket: Bucket, engine: WatchedEngine) -> None:
        await put(bucket, "key")
        assert bucket.features.renames is not None
        await written(
            engine, bucket.features.renames.rename(Renaming("key", "other", token="once"), actor="me"))

    watch(kind, tmp_path, story)


class Together:
    """A body whose end nobody sees before all of the crowd have begun to send."""

    def __init__(self, data: bytes, all_here: asyncio.Barrier) -> None:
        self._data, self._all_here = data, all_here

    async def whole(self) -> bytes:
        await self._all_here.wait()
        return self._data

    async def chunks(self) -> AsyncIterator[bytes]:
        await self._all_here.wait()
        yield self._data


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [5, 500, 2_000_000])
@pytest.mark.parametrize("announced", [True, False])
def test_a_condition_that_held_when_the_bytes_came_is_asked_again_where_they_are_written(
    tmp_path: Path, kind: str, size: int, announced: bool,
) -> None:
    async def story(bucket: Bucket, engine: WatchedEngine) -> None:
        seen = await put(bucket, "old")
        for key, only_if in (("new", WriteIf(none_match="*")), ("old", WriteIf(match=seen.etag))):
            all_here = asyncio.Barrier(CROWD)
            bodies = [b"%d" % number * size for number in range(CROWD)]
            told = await asyncio.gather(*(
                bucket.put(key, Incoming(Together(body, all_here), len(body) if announced else None),
                           Attributes(), only_if=only_if) for body in bodies), return_exceptions=True)

            won = [body for body, one in zip(bodies, told, strict=True) if isinstance(one, Entry)]
            lost = [one.kind.code for one in told if isinstance(one, Fault)]
            assert (len(won), lost) == (1, ["PreconditionFailed"] * (CROWD - 1))
            assert await content(bucket, key) == won[0]

    watch(kind, tmp_path, story)


@pytest.mark.parametrize("kind", KINDS)
def test_a_deletion_takes_only_what_its_condition_saw(tmp_path: Path, kind: str) -> None:
    async def story(bucket: Bucket, engine: WatchedEngine) -> None:
        for number in range(20):
            seen = await put(bucket, "key", b"old %d" % number)
            overwrite = bucket.put("key", upload(b"new %d" % number), Attributes())
            deletion = bucket.delete([Deletion("key", only_if=WriteIf(match=seen.etag))], actor="me")
            first, second = (overwrite, deletion) if number % 2 else (deletion, overwrite)
            told = await asyncio.gather(first, second)

            assert await listed(bucket) == ["key"], told
            assert await content(bucket, "key") == b"new %d" % number

    watch(kind, tmp_path, story)


@pytest.mark.parametrize("kind", KINDS)
def test_of_many_who_delete_what_they_saw_one_wins(tmp_path: Path, kind: str) -> None:
    async def story(bucket: Bucket, engine: WatchedEngine) -> None:
        seen = await put(bucket, "key")
        doomed = Deletion("key", only_if=WriteIf(match=seen.etag))
        told = await asyncio.gather(*(bucket.delete([doomed], actor="me") for _ in range(CROWD)))

        assert sum(isinstance(one, Gone) for (one,) in told) == 1
        assert await listed(bucket) == []

    watch(kind, tmp_path, story)
