"""What every bucket promises of putting and reading, asked of each kind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.contracts.bucket_kinds import Run, bytes_of, content, listed, put, refused, upload
from trivium.base import faults
from trivium.base.clock import SetClock
from trivium.base.faults import Fault
from trivium.base.incoming import Given, Incoming, Receipt
from trivium.base.span import Span
from trivium.buckets.bucket import Bucket
from trivium.buckets.conditions import WriteIf
from trivium.buckets.entry import Attributes, Entry
from trivium.storage.engine import Write


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
