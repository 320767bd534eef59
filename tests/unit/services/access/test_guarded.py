"""The guard is everything that the bucket is: it forwards what it does not watch, and declares what the bucket can."""

from __future__ import annotations

from typing import cast

import msgspec

from trivium.base.clock import SetClock
from trivium.base.ids import SeededIds
from trivium.buckets.bucket import Bucket, Features
from trivium.buckets.objects.bucket import ObjectsBucket
from trivium.buckets.record import BucketRecord, Ground
from trivium.services.access.guarded import GuardedAcls, GuardedBucket, GuardedRenames, Watch
from trivium.services.access.users import Account
from trivium.storage.blobstores.memory import MemoryBlobs
from trivium.storage.engines.memory import MemoryEngine

WATCH = Watch(Account("bob", "Bob"), "s3:GetObject", BucketRecord(1, "bucket", "objects", "alice", 0))


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
