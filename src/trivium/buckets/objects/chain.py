"""The rows of one key: finding a version, making room for a new entry, removing one. All in a transaction."""

from __future__ import annotations

import msgspec

from trivium.base import faults
from trivium.buckets import contents
from trivium.buckets.entry import ENTRIES, NULL, Entry, hidden
from trivium.buckets.objects import versions
from trivium.storage import keys
from trivium.storage.engine import Read, Write
from trivium.storage.records import Unreadable


class Place(msgspec.Struct, frozen=True):
    """An entry and the key of its row; `newest` is the newest entry of the same object key."""

    row: bytes
    entry: Entry
    newest: Entry


def newest(rows: Read, bucket: int, key: str) -> Entry | None:
    """The newest entry of the key, a marker too."""
    row = keys.current(bucket, key)
    data = rows.get(row)
    return None if data is None else entry_in(row, data)


def entry_in(row: bytes, data: bytes) -> Entry:
    """The entry that a row of CURRENT holds. Raises Unreadable, also where it says that it is of another key:
    who writes over it would move or remove the row of that key.
    """
    entry = ENTRIES.decode(data)
    if entry.key != keys.read_current(row):
        raise Unreadable(data, f"it says that it is of {entry.key!r}")
    return entry


def find(rows: Read, bucket: int, key: str, version: str) -> Place | None:
    """The entry with that version id, a marker too. Raises InvalidVersionId."""
    top = newest(rows, bucket, key)
    if top is None:
        if version != NULL:
            versions.read_version_id(version)
        return None
    seq = versions.seq_of(version, top)
    if seq == top.seq:
        return Place(keys.current(bucket, key), top, top)
    row = keys.old(bucket, key, seq)
    data = rows.get(row) if seq else None
    entry = None if data is None else ENTRIES.decode(data)
    return Place(row, entry, top) if entry is not None and entry.version == version else None


def visible(rows: Read, bucket: int, key: str, version: str | None) -> Place:
    """The object asked for: the newest, or the one with the version id. Raises as `Bucket.head` does."""
    if version is not None:
        place = find(rows, bucket, key, version)
        if place is None:
            raise faults.NoSuchVersion(Key=key, VersionId=version)
    else:
        entry = newest(rows, bucket, key)
        if entry is None:
            raise faults.NoSuchKey(Key=key)
        place = Place(keys.current(bucket, key), entry, entry)
    if place.entry.marker:
        raise hidden(place.entry, asked_for=version is not None)
    return place


def make_room(tx: Write, bucket: int, top: Entry, versioning: str, *, now_ms: int) -> int:
    """Move the newest entry of a key out of the way of a new one, or let go of what the new one replaces.

    Returns the new entry's `null_seq`. The caller writes the new entry to CURRENT, where a replaced one still
    stands.
    """
    rule = versions.above(versioning, top)
    if rule.drops:
        _remove_old(tx, bucket, top.key, rule.drops, now_ms=now_ms)
    if rule.keeps:
        retired = ENTRIES.encode(versions.retired(top))
        tx.move(keys.current(bucket, top.key), keys.old(bucket, top.key, top.seq), retired)
    else:
        contents.release(tx, top, now_ms=now_ms)
    return rule.null_seq


def remove(tx: Write, bucket: int, place: Place, *, now_ms: int) -> None:
    """Remove one version for good. When it was the newest, the one behind it becomes the newest."""
    entry, top = place.entry, place.newest
    contents.release(tx, entry, now_ms=now_ms)
    tx.delete(place.row)
    if entry is top:
        _promote(tx, bucket, entry)
    elif top.null_seq == entry.seq:
        rewrite(tx, keys.current(bucket, top.key), msgspec.structs.replace(top, null_seq=0))


def rewrite(tx: Write, row: bytes, entry: Entry) -> None:
    """Change what a row says, not its body."""
    tx.move(row, row, ENTRIES.encode(entry))


def _promote(tx: Write, bucket: int, removed: Entry) -> None:
    earlier = keys.olds(bucket, removed.key)
    for row, data in tx.scan(earlier, keys.after(earlier)):
        follower = versions.promoted(removed, ENTRIES.decode(data))
        tx.move(row, keys.current(bucket, removed.key), ENTRIES.encode(follower))
        return


def _remove_old(tx: Write, bucket: int, key: str, seq: int, *, now_ms: int) -> None:
    row = keys.old(bucket, key, seq)
    data = tx.get(row)
    assert data is not None, f"the newest entry of {key!r} speaks of a null version that is not there"
    contents.release(tx, ENTRIES.decode(data), now_ms=now_ms)
    tx.delete(row)
