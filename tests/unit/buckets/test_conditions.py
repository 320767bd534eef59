"""Conditions of reads, writes and deletions: which hold for what is there."""

from __future__ import annotations

import pytest

from trivium.base import faults
from trivium.base.faults import Fault, FaultKind
from trivium.buckets.conditions import ALWAYS, ANY, ReadIf, WriteIf
from trivium.buckets.entry import Entry

THERE = Entry("key", 1, 5_500, 10, "abc")
MARKER = Entry("key", 2, 5_500, 0, "", marker=True)
OK = None


def outcome_of_write(only_if: WriteIf, entry: Entry | None) -> FaultKind | None:
    try:
        only_if.check(entry)
    except Fault as fault:
        return fault.kind
    return OK


def outcome_of_deletion(only_if: WriteIf, entry: Entry | None) -> FaultKind | None:
    try:
        only_if.check_deletion(entry)
    except Fault as fault:
        return fault.kind
    return OK


def outcome_of_read(only_if: ReadIf) -> FaultKind | None:
    try:
        only_if.check(THERE)
    except Fault as fault:
        return fault.kind
    return OK


@pytest.mark.parametrize(("only_if", "there", "absent"), [
    (ALWAYS, OK, OK),
    (WriteIf(none_match="*"), faults.PreconditionFailed, OK),
    (WriteIf(none_match='"abc"'), faults.PreconditionFailed, OK),
    (WriteIf(none_match='"other"'), OK, OK),
    (WriteIf(match="*"), OK, faults.NoSuchKey),
    (WriteIf(match='"abc"'), OK, faults.NoSuchKey),
    (WriteIf(match="abc"), OK, faults.NoSuchKey),
    (WriteIf(match='"x", "abc"'), OK, faults.NoSuchKey),
    (WriteIf(match='"other"'), faults.PreconditionFailed, faults.NoSuchKey),
    (WriteIf(size=10), OK, faults.PreconditionFailed),
    (WriteIf(size=11), faults.PreconditionFailed, faults.PreconditionFailed),
    (WriteIf(modified_ms=5_999), OK, faults.PreconditionFailed),
    (WriteIf(modified_ms=4_999), faults.PreconditionFailed, faults.PreconditionFailed),
    (WriteIf(modified_since_ms=4_999), OK, faults.PreconditionFailed),
    (WriteIf(modified_since_ms=5_000), faults.PreconditionFailed, faults.PreconditionFailed),
    (WriteIf(unmodified_since_ms=5_000), OK, faults.PreconditionFailed),
    (WriteIf(unmodified_since_ms=4_999), faults.PreconditionFailed, faults.PreconditionFailed),
    (WriteIf(match="abc", none_match="abc"), faults.PreconditionFailed, faults.NoSuchKey),
])
def test_a_write_happens_only_if_its_condition_holds(
    only_if: WriteIf, there: FaultKind | None, absent: FaultKind | None,
) -> None:
    assert outcome_of_write(only_if, THERE) is there
    assert outcome_of_write(only_if, None) is absent
    assert outcome_of_write(only_if, MARKER) is absent


@pytest.mark.parametrize(("only_if", "there", "marker", "absent"), [
    (ALWAYS, OK, OK, OK),
    (WriteIf(match="*"), OK, faults.PreconditionFailed, faults.NoSuchKey),
    (WriteIf(match="abc"), OK, faults.PreconditionFailed, faults.NoSuchKey),
    (WriteIf(match="other"), faults.PreconditionFailed, faults.PreconditionFailed, faults.NoSuchKey),
    (WriteIf(size=10), OK, faults.PreconditionFailed, OK),
    (WriteIf(size=11), faults.PreconditionFailed, faults.PreconditionFailed, OK),
    (WriteIf(modified_ms=5_000), OK, faults.PreconditionFailed, OK),
    (WriteIf(modified_ms=6_000), faults.PreconditionFailed, faults.PreconditionFailed, OK),
])
def test_a_deletion_happens_only_if_its_condition_holds(
    only_if: WriteIf, there: FaultKind | None, marker: FaultKind | None, absent: FaultKind | None,
) -> None:
    assert outcome_of_deletion(only_if, THERE) is there
    assert outcome_of_deletion(only_if, MARKER) is marker
    assert outcome_of_deletion(only_if, None) is absent


@pytest.mark.parametrize(("only_if", "expected"), [
    (ANY, OK),
    (ReadIf(match="abc"), OK),
    (ReadIf(match="*"), OK),
    (ReadIf(match="other"), faults.PreconditionFailed),
    (ReadIf(none_match="abc"), faults.NotModified),
    (ReadIf(none_match="other"), OK),
    (ReadIf(modified_since_ms=5_000), faults.NotModified),
    (ReadIf(modified_since_ms=4_999), OK),
    (ReadIf(unmodified_since_ms=5_000), OK),
    (ReadIf(unmodified_since_ms=4_999), faults.PreconditionFailed),
    # RFC 9110 §13.2.2: the ETag outweighs the time
    (ReadIf(match="abc", unmodified_since_ms=0), OK),
    (ReadIf(none_match="other", modified_since_ms=9_000), OK),
    (ReadIf(match="abc", none_match="abc"), faults.NotModified),
])
def test_a_read_happens_only_if_its_condition_holds(only_if: ReadIf, expected: FaultKind | None) -> None:
    assert outcome_of_read(only_if) is expected


def test_a_copy_source_that_is_not_modified_is_a_failed_precondition() -> None:
    with pytest.raises(Fault) as caught:
        ReadIf(none_match="abc").check(THERE, modified=faults.PreconditionFailed)

    assert caught.value.kind is faults.PreconditionFailed
