"""A bucket as it was opened: what all parts of the objects bucket work with."""

from __future__ import annotations

import msgspec

from trivium.buckets.entry import NULL, Entry
from trivium.buckets.objects.versions import RANDOM_DIGITS, version_id
from trivium.buckets.record import ENABLED, BucketRecord, Ground, confirm
from trivium.storage.engine import Read, Write


class Opened(msgspec.Struct, frozen=True):
    """The bucket's record, true as long as the engine has this `generation`."""

    ground: Ground
    record: BucketRecord
    generation: int

    def confirmed(self, tx: Read) -> BucketRecord:
        """The record as it is in this transaction. Raises NoSuchBucket."""
        if self.ground.engine.generation == self.generation:
            return self.record
        return confirm(tx, self.record)

    def version_at(self, seq: int, versioning: str) -> str:
        """The version id of what is written at `seq` while the bucket's versioning is this."""
        return version_id(seq, self.ground.ids.hexadecimal(RANDOM_DIGITS)) if versioning == ENABLED else NULL

    def time_above(self, top: Entry | None) -> int:
        """The time of what is written above `top`, in ms since 1970: now, but never before `top` began.

        So the times of a key's chain order as its seqs do, whatever the machine's clock does.
        """
        now_ms = self.ground.clock.now_ms()
        return now_ms if top is None or top.began_ms < now_ms else top.began_ms


class Acting(msgspec.Struct, frozen=True):
    """Somebody (`actor`, a canonical id) who changes the bucket, with its record, in a transaction."""

    tx: Write
    opened: Opened
    record: BucketRecord
    actor: str
