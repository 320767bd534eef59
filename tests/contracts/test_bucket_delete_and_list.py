"""What every bucket promises of deleting and listing, asked of each kind."""

from __future__ import annotations

import pytest

from tests.contracts.bucket_kinds import Run, listed, put, refused
from trivium.base import faults
from trivium.base.clock import SetClock
from trivium.base.faults import Fault
from trivium.buckets.bucket import Bucket, Deletion, Gone
from trivium.buckets.conditions import WriteIf
from trivium.buckets.entry import Attributes


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
