"""What happened to a bucket, durably and in order: written in the transaction that did it, read by services."""

from __future__ import annotations

from typing import Final

import msgspec

from trivium.storage import keys
from trivium.storage.engine import Write
from trivium.storage.records import Records

PUT: Final = 0
DELETE: Final = 1  # the key's newest entry became a marker, or went
REMOVE: Final = 2  # one version went for good
ATTRIBUTES: Final = 3  # tags or other facts beside the content changed


class Change(msgspec.Struct, frozen=True, array_like=True):
    """One change of one key. `seq` orders all changes of an engine; `commit` names it where the bucket keeps history."""

    seq: int
    kind: int
    key: str
    version: str
    at_ms: int
    size: int = 0
    etag: str = ""
    commit: str = ""
    actor: str = ""


CHANGES = Records(Change)


def append(tx: Write, bucket: int, change: Change) -> None:
    """Add the change to the bucket's journal."""
    tx.put(keys.numbered(keys.LOG, bucket, change.seq), CHANGES.encode(change))
