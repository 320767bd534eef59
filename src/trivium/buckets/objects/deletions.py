"""Deleting keys and versions of the objects bucket, many in one transaction. Runs inside transactions."""

from __future__ import annotations

from collections.abc import Sequence

from trivium.base.faults import Fault
from trivium.buckets import contents
from trivium.buckets.bucket import Deletion, Gone
from trivium.buckets.entry import ENTRIES, Attributes, Entry
from trivium.buckets.objects import chain
from trivium.buckets.objects.aside import writable
from trivium.buckets.objects.opened import Acting, Opened
from trivium.storage import journal, keys
from trivium.storage.engine import Write
from trivium.storage.journal import DELETE, REMOVE, Change


def delete_all(opened: Opened, deletions: Sequence[Deletion], actor: str, tx: Write) -> list[Gone | Fault]:
    """Do each deletion, in order. One that is refused has written nothing, and undoes none of the others."""
    acting = Acting(tx, opened, opened.confirmed(tx), actor)
    return [_attempt(acting, deletion) for deletion in deletions]


def write_marker(acting: Acting, key: str, top: Entry | None, *, now_ms: int) -> Entry:
    """Write a delete marker above `top`, the newest entry of the key, and its Change."""
    tx, record, actor = acting.tx, acting.record, acting.actor
    seq = tx.sequence()
    null_seq = 0 if top is None else chain.make_room(tx, record.id, top, record.versioning, now_ms=now_ms)
    version = acting.opened.version_at(seq, record.versioning)
    marker = Entry(key, seq, now_ms, 0, "", version, True, Attributes(owner=actor), null_seq=null_seq)
    tx.put(keys.current(record.id, key), ENTRIES.encode(marker))
    journal.append(tx, record.id, Change(seq, DELETE, key, version, now_ms, actor=actor))
    return marker


def tell(acting: Acting, kind: int, entry: Entry, *, now_ms: int) -> None:
    """Write the Change of an entry that went (DELETE, REMOVE) or whose attributes changed."""
    journal.append(acting.tx, acting.record.id, Change(
        acting.tx.sequence(), kind, entry.key, entry.version, now_ms, entry.size, entry.etag,
        actor=acting.actor))


def _attempt(acting: Acting, deletion: Deletion) -> Gone | Fault:
    try:
        if deletion.version is not None:
            return _remove_version(acting, deletion.version, deletion)
        return _delete_key(acting, deletion)
    except Fault as fault:
        return fault


def _delete_key(acting: Acting, deletion: Deletion) -> Gone:
    tx, record, key = acting.tx, acting.record, deletion.key
    top = writable(acting.opened, tx, keys.current(record.id, key), deletion.only_if)
    deletion.only_if.check_deletion(top)
    now_ms = acting.opened.time_above(top)
    if record.versioning:
        marker = write_marker(acting, key, top, now_ms=now_ms)
        return Gone(key, marker.version, marker_made=True)
    if top is not None:
        contents.release(tx, top, now_ms=now_ms)
        tx.delete(keys.current(record.id, key))
        tell(acting, DELETE, top, now_ms=now_ms)
    return Gone(key)


def _remove_version(acting: Acting, version: str, deletion: Deletion) -> Gone:
    """Remove one version for good. One that is not there is a success, whatever the condition, as in AWS."""
    place = chain.find(acting.tx, acting.record.id, deletion.key, version)
    if place is None:
        return Gone(deletion.key, version)
    entry = place.entry
    deletion.only_if.check_deletion(entry)
    now_ms = acting.opened.time_above(entry)
    chain.remove(acting.tx, acting.record.id, place, now_ms=now_ms)
    tell(acting, REMOVE, entry, now_ms=now_ms)
    return Gone(entry.key, version, marker=entry.marker)
