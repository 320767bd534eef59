"""The rules of a key's versions: what they are called, what a write or a removal does to the others. Pure.

Theory of operation. The newest version of a key stands in CURRENT, a delete marker too; the earlier ones
stand in OLD, newest first. A key has at most one null version, the one that was written while the bucket kept
no versions; when it is not the newest, the newest entry says where it is (`Entry.null_seq`), so that nobody
has to search for it. Entries in OLD have a `null_seq` of 0. Source: Amazon S3 User Guide, "How S3 Versioning
works" and "Working with objects in a versioning-suspended bucket".
"""

from __future__ import annotations

from typing import Final

import msgspec

from trivium.base import faults
from trivium.base.ids import HIDING_DIGITS, hidden_in, hiding
from trivium.buckets.entry import NULL, Entry
from trivium.buckets.record import ENABLED

RANDOM_DIGITS: Final = HIDING_DIGITS  # hexadecimal digits that a version id takes from `Ids`


def version_id(seq: int, random: str) -> str:
    """The version id of what is written at `seq`: 32 hexadecimal digits, from which the seq can be had again.

    `random` is RANDOM_DIGITS hexadecimal digits. They hide the seq, so that an id tells nobody how busy the
    house is.
    """
    return hiding(seq, random)


def read_version_id(version: str) -> int:
    """The seq in a version id that is not "null". Raises InvalidVersionId when it cannot be one of ours.

    Whoever looks an entry up by this seq must compare the whole id with the entry's: anybody can make up an
    id.
    """
    seq = hidden_in(version)
    if seq is None:
        raise faults.InvalidVersionId(ArgumentName="versionId", ArgumentValue=version)
    return seq


def seq_of(version: str, newest: Entry) -> int:
    """Where in its key's chain a version would be: the seq of its entry, `newest.seq` when it is the newest.

    0 means that it is nowhere. Raises InvalidVersionId.
    """
    if version == newest.version:
        return newest.seq
    if version == NULL:
        return newest.null_seq
    seq = read_version_id(version)
    return seq if seq < newest.seq else 0


class Above(msgspec.Struct, frozen=True):
    """What writing an entry above the newest does to the others.

    `keeps`: the former newest moves to OLD (else it goes, and its content is released). `drops` is the seq of
    an older null version that goes; 0 when none does. `null_seq` is what the entry that is written says of
    older null versions.
    """

    keeps: bool
    null_seq: int = 0
    drops: int = 0


_REPLACED: Final = Above(keeps=False)
_KEPT: Final = Above(keeps=True)


def above(versioning: str, newest: Entry) -> Above:
    """What an object or a marker does that is written above `newest`, with the versioning as it is.

    Without versioning, and while it is suspended, what is written is the null version and replaces the one
    there was.
    """
    if versioning == ENABLED:
        null_seq = newest.seq if newest.version == NULL else newest.null_seq
        return Above(keeps=True, null_seq=null_seq) if null_seq else _KEPT
    if newest.version == NULL:
        return _REPLACED
    return Above(keeps=True, drops=newest.null_seq) if newest.null_seq else _KEPT


def promoted(removed: Entry, follower: Entry) -> Entry:
    """What stands in CURRENT once the newest entry was removed: the one behind it."""
    null_seq = 0 if removed.null_seq == follower.seq else removed.null_seq
    return msgspec.structs.replace(follower, null_seq=null_seq) if null_seq else follower


def retired(newest: Entry) -> Entry:
    """The newest entry as it stands in OLD."""
    return msgspec.structs.replace(newest, null_seq=0) if newest.null_seq else newest
