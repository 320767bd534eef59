"""The rules of one key's chain, without rows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivium.base import faults
from trivium.base.faults import Fault
from trivium.buckets.entry import NULL, Entry
from trivium.buckets.objects.versions import (
    Above,
    above,
    promoted,
    read_version_id,
    retired,
    seq_of,
    version_id,
)
from trivium.buckets.record import ENABLED, SUSPENDED

RANDOM = st.text("0123456789abcdef", min_size=16, max_size=16)


def entry(seq: int, version: str = NULL, *, null_seq: int = 0) -> Entry:
    return Entry("key", seq, 0, 0, "", version, null_seq=null_seq)


def numbered(seq: int, *, null_seq: int = 0) -> Entry:
    return entry(seq, version_id(seq, "0123456789abcdef"), null_seq=null_seq)


@given(st.integers(1, 2**63), RANDOM)
def test_a_version_id_gives_back_its_seq(seq: int, random: str) -> None:
    version = version_id(seq, random)

    assert len(version) == 32
    assert read_version_id(version) == seq


@pytest.mark.parametrize(
    "version", ["", "x", "Null", "0" * 31, "0" * 33, "G" * 32, "A" * 32, "0" * 31 + "\n", "\u0663" * 32])
def test_what_cannot_be_a_version_id_is_refused(version: str) -> None:
    with pytest.raises(Fault) as caught:
        read_version_id(version)

    assert caught.value.kind is faults.InvalidVersionId


def test_a_version_is_looked_for_where_its_id_says() -> None:
    newest = numbered(9, null_seq=4)

    assert seq_of(newest.version, newest) == 9
    assert seq_of(NULL, newest) == 4
    assert seq_of(numbered(7).version, newest) == 7
    assert seq_of(NULL, numbered(9)) == 0
    assert seq_of(NULL, entry(9)) == 9


def test_no_version_is_looked_for_above_the_newest() -> None:
    assert seq_of(numbered(9).version, entry(9)) == 0
    assert seq_of(numbered(12).version, entry(9)) == 0


@pytest.mark.parametrize(("versioning", "newest", "expected"), [
    # a bucket that never kept versions has only null versions
    ("", entry(5), Above(keeps=False)),
    # enabled: everything stays, and where the null version is remains known
    (ENABLED, entry(5), Above(keeps=True, null_seq=5)),
    (ENABLED, numbered(5), Above(keeps=True)),
    (ENABLED, numbered(5, null_seq=3), Above(keeps=True, null_seq=3)),
    # suspended: the null version is replaced, wherever it is; others stay
    (SUSPENDED, entry(5), Above(keeps=False)),
    (SUSPENDED, numbered(5), Above(keeps=True)),
    (SUSPENDED, numbered(5, null_seq=3), Above(keeps=True, drops=3)),
])
def test_what_a_write_does_to_the_versions_below(versioning: str, newest: Entry, expected: Above) -> None:
    assert above(versioning, newest) == expected


def test_behind_a_removed_entry_the_next_is_the_newest_and_knows_the_null_version() -> None:
    assert promoted(numbered(9), numbered(7)).null_seq == 0
    assert promoted(numbered(9, null_seq=3), numbered(7)).null_seq == 3
    assert promoted(numbered(9, null_seq=7), entry(7)).null_seq == 0
    assert promoted(entry(9), numbered(7)).null_seq == 0


def test_only_the_newest_entry_knows_the_null_version() -> None:
    assert retired(numbered(9, null_seq=3)) == numbered(9)
    assert retired(numbered(9)) == numbered(9)
