"""Fills buckets with many keys fast, without the server: rows as the objects bucket writes them.

Keys are written in an order that has nothing to do with theirs, as real buckets grow: neighbours in a listing
then lie on different pages of the database. The journal is left out; a listing does not look at it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec

from trivium.base.ids import Ids
from trivium.buckets.entry import ENTRIES, Attributes, Entry
from trivium.buckets.objects.versions import RANDOM_DIGITS, version_id
from trivium.buckets.record import BUCKETS, BucketRecord
from trivium.storage import keys
from trivium.storage.engine import Engine, Write

FOLDERS: Final = 100
COMMIT_KEYS: Final = 5_000
BODY: Final = b"a small object"
_ETAG: Final = "6b2d9aab84fd34ac0ba1b2d83b9ab56d"
_STRIDE: Final = 7_368_787  # a prime: steps of it visit every number below any count that it does not divide


class Filling(msgspec.Struct, frozen=True):
    """A bucket to be filled: so many keys, each with so many versions (1: the bucket keeps none)."""

    bucket: str
    keys: int
    versions: int = 1


def key_of(number: int, count: int) -> str:
    """The key at that place of the order of `count` keys, spread over folders."""
    return f"folder-{number * FOLDERS // count:03d}/object-{number:09d}"


def shuffled(count: int) -> Iterator[int]:
    """The numbers below `count`, each once, far from their order."""
    at = 0
    for _ in range(count):
        yield at
        at = (at + _STRIDE) % count


async def fill(engine: Engine, filling: Filling, ids: Ids, *, now_ms: int) -> None:
    """Write the rows of all keys, oldest versions first."""
    data = await engine.read(lambda rows: rows.get(keys.text(keys.CATALOG, filling.bucket)))
    assert data is not None, "the bucket was created before"
    record = BUCKETS.decode(data)
    for earlier in reversed(range(filling.versions)):
        numbers = list(shuffled(filling.keys))
        for first in range(0, filling.keys, COMMIT_KEYS):
            some = [key_of(number, filling.keys) for number in numbers[first : first + COMMIT_KEYS]]
            await engine.write(_writing(record, some, ids, now_ms=now_ms - earlier, newest=not earlier))


def _writing(
    record: BucketRecord, names: Sequence[str], ids: Ids, *, now_ms: int, newest: bool,
) -> Callable[[Write], None]:
    attributes = Attributes(content_type="binary/octet-stream", owner=record.owner)

    def change(tx: Write) -> None:
        for key in names:
            seq = tx.sequence()
            version = version_id(seq, ids.hexadecimal(RANDOM_DIGITS)) if record.versioning else "null"
            entry = Entry(key, seq, now_ms, len(BODY), _ETAG, version, attributes=attributes)
            row = keys.current(record.id, key) if newest else keys.old(record.id, key, seq)
            tx.put(row, ENTRIES.encode(entry), BODY)

    return change
