"""The mounts of a house: one store a directory, shared by all that open the bucket."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from trivium.buckets.mount.bucket import MountBucket
from trivium.buckets.record import BucketRecord, Ground
from trivium.under.store import UnderStore

StoreOf = Callable[[Mapping[str, str]], UnderStore]


class Mounts:
    """Opens mounts. `store_of` makes the store that facts of a record describe, once for the same facts.

    Locks live in the stores: two stores of one directory in one process would not see each other's writers.
    """

    def __init__(self, ground: Ground, store_of: StoreOf) -> None:
        self._ground, self._store_of = ground, store_of
        self._stores: dict[tuple[str, str], UnderStore] = {}

    def bucket(self, record: BucketRecord) -> MountBucket:
        facts = record.facts
        place = (facts["path"], facts.get("readonly", ""))
        store = self._stores.get(place)
        if store is None:
            store = self._stores[place] = self._store_of(facts)
        return MountBucket(self._ground, record, store)
