"""Deleting keys and versions of the objects bucket, many in one transaction. Runs inside transactions."""

from __future__ import annotations

from collections.abc import Sequence

from trivium.base.faults import Fault
from trivium.buckets import contents
from trivium.buckets.bucket import Deletion, Gone
from trivium.buckets.entry import ENTRIES, Attributes, Entry
from trivium.buckets.objects import chain
from trivium.buckets.objects.opened import Opened
from trivium.buckets.record import BucketRecord
from trivium.storage import journal, keys
from trivium.storage.engine import Write
from trivium.storage.journal import DELETE, REMOVE, Change


def delete_all(tx: Write, opened: Opened, deletions: Sequence[Deletion], actor: str) -> list[Gone | Fault]:
    """Do each deletion, in order. One that is refused has written nothing, and undoes none of the others."""
    record = opened.confirmed(tx)
    return [_attempt(tx, opened, record, deletion, actor) for deletion in deletions]


def write_marker(
    tx: Write, opened: Opened, record: BucketRecord, key: str, top: Entry | None, actor: str, *, now_ms: int,
) -> Entry:
    """Write a delete marker above `top`, the newest entry of the key, and its Change."""
    seq = tx.sequence()
    null_seq = 0 if top is None else chain.make_room(tx, record.id, top, record.versioning, now_ms=now_ms)
    version = opened.version_at(seq, record.versioning)
    marker = Entry(key, seq, now_ms, 0, "", version, True, Attributes(owner=actor), null_seq=null_seq)
    tx.put(keys.current(record.id, key), ENTRIES.encode(marker))
    journal.append(tx, record.id, Change(seq, DELETE, key, version, now_ms, actor=actor))
    return marker


def _attempt(tx: Write, opened: Opened, record: BucketRecord, deletion: Deletion, actor: str) -> Gone | Fault:
    try:
        if deletion.version is not None:
            return _remove_version(tx, opened, record, deletion.version, deletion, actor)
        return _delete_key(tx, opened, record, deletion, actor)
    except Fault as fault:
        return fault


def _delete_key(tx: Write, opened: Opened, record: BucketRecord, deletion: Deletion, actor: str) -> Gone:
    key = deletion.key
    top = chain.newest(tx, record.id, key)
    deletion.only_if.check_deletion(top)
    now_ms = opened.time_above(top)
    if record.versioning:
        marker = write_marker(tx, opened, record, key, top, actor, now_ms=now_ms)
        return Gone(key, marker.version, marker_made=True)
    if top is not None:
        contents.release(tx, top, now_ms=now_ms)
        tx.delete(keys.current(record.id, key))
        journal.append(tx, record.id, Change(
            tx.sequence(), DELETE, key, top.version, now_ms, top.size, top.etag, actor=actor))
    return Gone(key)


def _remove_version(
    tx: Write, opened: Opened, record: BucketRecord, version: str, deletion: Deletion, actor: str,
) -> Gone:
    """Remove one version for good. One that is not there is a success, whatever the condition, as in AWS."""
    place = chain.find(tx, record.id, deletion.key, version)
    if place is None:
        return Gone(deletion.key, version)
    entry = place.entry
    deletion.only_if.check_deletion(entry)
    now_ms = opened.time_above(entry)
    chain.remove(tx, record.id, place, now_ms=now_ms)
    journal.append(tx, record.id, Change(
        tx.sequence(), REMOVE, entry.key, version, now_ms, entry.size, entry.etag, actor=actor))
    return Gone(entry.key, version, marker=entry.marker)
