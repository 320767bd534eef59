"""Filling buckets without the server: what is written is what the bucket reads."""

import asyncio

import pytest

from trivium.app.bench.fill import Filling, fill, key_of, shuffled
from trivium.base.clock import SetClock
from trivium.base.ids import SeededIds
from trivium.buckets.objects.bucket import ObjectsBucket
from trivium.buckets.record import BUCKETS, ENABLED, OBJECTS, BucketRecord, Ground
from trivium.storage import keys
from trivium.storage.blobstores.memory import MemoryBlobs
from trivium.storage.engines.memory import MemoryEngine


@pytest.mark.parametrize("count", [1, 10, 1_000])
def test_every_number_is_visited_once(count):
    assert list(range(count)) == sorted(shuffled(count))


def test_keys_order_as_their_numbers_do():
    names = [key_of(number, 250) for number in range(250)]

    assert names == sorted(names)
    assert len({name.partition("/")[0] for name in names}) == 100


def test_a_filled_bucket_lists_every_key_once():
    bucket = asyncio.run(_filled(Filling("full", 120)))

    found = asyncio.run(bucket.list("", "", 1_000))

    assert [key_of(number, 120) for number in range(120)] == [entry.key for entry in found]


def test_a_filled_bucket_has_a_past():
    bucket = asyncio.run(_filled(Filling("full", 5, versions=3)))

    found = asyncio.run(bucket.features.versions.list("", "", None, 100))

    assert [one.latest for one in found] == [True, False, False] * 5
    assert len({one.entry.version for one in found}) == 15


async def _filled(filling):
    clock, ids = SetClock(), SeededIds()
    ground = Ground(MemoryEngine(), MemoryBlobs(clock, ids), clock, ids)
    versioning = ENABLED if filling.versions > 1 else ""
    record = BucketRecord(1, filling.bucket, OBJECTS, "owner", 0, versioning)
    row = keys.text(keys.CATALOG, filling.bucket)
    await ground.engine.write(lambda tx: tx.put(row, BUCKETS.encode(record)))
    await fill(ground.engine, filling, ids, now_ms=clock.now_ms())
    return ObjectsBucket(ground, record, ground.engine.generation)
