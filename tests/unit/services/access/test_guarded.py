"""The guard is everything that the bucket is: it forwards what it does not watch, and declares what the bucket can."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import cast

import msgspec
import pytest

from tests.contracts.bucket_kinds import KINDS, having, refused, upload
from trivium.base import faults
from trivium.base.clock import SetClock
from trivium.base.faults import Fault, FaultKind
from trivium.base.ids import SeededIds
from trivium.base.incoming import Incoming
from trivium.buckets.acl import WRITE, Grant
from trivium.buckets.bucket import Bucket, Deletion, Features
from trivium.buckets.conditions import WriteIf
from trivium.buckets.entry import Attributes
from trivium.buckets.objects.bucket import ObjectsBucket
from trivium.buckets.record import BucketRecord, Ground
from trivium.services.access.guarded import GuardedAcls, GuardedBucket, GuardedRenames, Watch
from trivium.services.access.users import Account
from trivium.storage.blobstores.memory import MemoryBlobs
from trivium.storage.engines.memory import MemoryEngine

WATCH = Watch(Account("bob", "Bob"), "s3:GetObject", BucketRecord(1, "bucket", "objects", "alice", 0))


SHARED = msgspec.structs.replace(WATCH.record, acl=(Grant("bob", WRITE),))
WRITING = Watch(WATCH.account, "s3:PutObject", SHARED)
ALICES = b"what alice wrote, and shows to nobody"


class Bare:
    """A bucket that can do nothing beyond the five verbs."""

    features = Features(writes=False)


def test_features_are_forwarded_but_for_those_that_are_watched():
    clock, ids = SetClock(), SeededIds()
    ground = Ground(MemoryEngine(), MemoryBlobs(clock, ids), clock, ids)
    bucket = ObjectsBucket(ground, WATCH.record, 0)
    features = GuardedBucket(bucket, WATCH).features

    assert isinstance(features.acls, GuardedAcls)
    assert isinstance(features.renames, GuardedRenames)
    assert bucket.features == msgspec.structs.replace(
        features, acls=bucket.features.acls, renames=bucket.features.renames)


def test_what_a_bucket_cannot_its_guard_cannot():
    assert Bare.features == GuardedBucket(cast(Bucket, Bare()), WATCH).features


class Overtaken:
    """An upload while which somebody else writes the same key."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    async def whole(self) -> bytes:
        await self._bucket.put("key", upload(ALICES), Attributes(owner="alice"))
        return b"new"

    async def chunks(self) -> AsyncIterator[bytes]:
        yield await self.whole()


@pytest.mark.parametrize("kind", [name for name in having("writes") if name != "objects, guarded"])
@pytest.mark.parametrize("etag", [hashlib.md5(ALICES).hexdigest(), "0" * 32], ids=["hers", "not hers"])
def test_a_condition_tells_nothing_of_an_object_that_came_meanwhile(kind, etag, tmp_path):
    """One bit an upload: is what is there now that content? It was asked of the object that was there before."""

    async def story() -> FaultKind:
        bucket = await KINDS[kind].open(tmp_path, SetClock(), MemoryEngine())
        await bucket.put("key", upload(b"bob's"), Attributes(owner="bob"))
        guard = GuardedBucket(bucket, WRITING)
        new = guard.put("key", Incoming(Overtaken(bucket), 3), Attributes(owner="bob"), only_if=WriteIf(none_match=etag))
        return await refused(new)

    assert faults.AccessDenied == asyncio.run(story())


@pytest.mark.parametrize("kind", [name for name in having("writes") if name != "objects, guarded"])
def test_who_may_not_list_learns_nothing_by_deleting_on_a_condition(kind, tmp_path):
    async def story() -> list[FaultKind | None]:
        bucket = await KINDS[kind].open(tmp_path, SetClock(), MemoryEngine())
        for key, owner in (("his", "bob"), ("hers", "alice")):
            await bucket.put(key, upload(ALICES), Attributes(owner=owner))
        asked = [
            Deletion(key, only_if=WriteIf(match=etag))
            for key in ("his", "hers", "nobody's") for etag in ("0" * 32, hashlib.md5(ALICES).hexdigest())]
        done = await GuardedBucket(bucket, WRITING).delete(asked, actor="bob")
        return [one.kind if isinstance(one, Fault) else None for one in done]

    assert [faults.PreconditionFailed, None, *[faults.AccessDenied] * 4] == asyncio.run(story())
