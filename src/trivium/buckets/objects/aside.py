"""What becomes of a key when one of its rows cannot be read: the row is set aside, the key goes on without.

All in a transaction. Why so: docs/decisions/damaged-rows-are-set-aside.md.
"""

from __future__ import annotations

from itertools import chain as one_behind_the_other

import msgspec

from trivium.buckets.conditions import ALWAYS, WriteIf
from trivium.buckets.entry import ENTRIES, NULL, Attributes, Entry
from trivium.buckets.objects.chain import entry_in, newest, rewrite
from trivium.buckets.objects.opened import Opened
from trivium.buckets.record import ENABLED
from trivium.storage import journal, keys
from trivium.storage.aside import set_aside
from trivium.storage.engine import Write
from trivium.storage.journal import DELETE, REMOVE, Change
from trivium.storage.records import UnknownFormat, Unreadable


def writable(opened: Opened, tx: Write, row: bytes, only_if: WriteIf) -> Entry | None:
    """The entry in the row of CURRENT, a marker too, for who writes over it. One that is damaged is taken
    out.

    Raises Unreadable where a condition asks how it is, or a newer house wrote it.
    """
    data = tx.get(row)
    if data is None:
        return None
    try:
        return entry_in(row, data)
    except Unreadable as error:
        if only_if is not ALWAYS or isinstance(error, UnknownFormat):
            raise
    take_out(opened, row, tx)
    return newest(tx, opened.record.id, keys.read_current(row))


def take_out(opened: Opened, row: bytes, tx: Write) -> None:
    """Set a row of CURRENT or OLD aside. The Change does not say which version that was.

    Raises Unreadable where it is one of OLD and the newest cannot be read.
    """
    bucket = opened.confirmed(tx).id
    set_aside(tx, row)
    if row[:1] == keys.CURRENT:
        key, kind = keys.read_current(row), DELETE
        _cover(opened, key, tx)
    else:
        (key, seq), kind = keys.read_old(row), REMOVE
        top = newest(tx, bucket, key)
        if top is not None and top.null_seq == seq:
            rewrite(tx, keys.current(bucket, key), msgspec.structs.replace(top, null_seq=0))
    journal.append(tx, bucket, Change(tx.sequence(), kind, key, "", opened.ground.clock.now_ms()))


def _cover(opened: Opened, key: str, tx: Write) -> None:
    """Write a delete marker over the earlier versions of a key, if there are any: nobody has said that one of
    them shall be shown again. Its version id is never "null", which one of them may have.
    """
    earlier = keys.olds(opened.record.id, key)
    rows = tx.scan(earlier, keys.after(earlier))
    left = (entry for _, data in rows if (entry := ENTRIES.read(data)) is not None)
    top = next(left, None)
    if top is None:
        return
    null_seq = next((one.seq for one in one_behind_the_other((top,), left) if one.version == NULL), 0)
    seq, now_ms = tx.sequence(), opened.time_above(top)
    marker = Entry(
        key, seq, now_ms, 0, "", opened.version_at(seq, ENABLED), True, Attributes(owner=opened.record.owner),
        null_seq=null_seq)
    tx.put(keys.current(opened.record.id, key), ENTRIES.encode(marker))
