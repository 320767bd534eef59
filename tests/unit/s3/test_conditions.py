"""Conditions: what RFC 9110 section 13.2.2 and AWS say of every combination."""

from __future__ import annotations

import pytest

from tests.unit.s3.requests_for_tests import request
from trivium.base import faults
from trivium.base.faults import Fault, FaultKind
from trivium.buckets.conditions import ALWAYS, ANY, WriteIf
from trivium.buckets.entry import Entry
from trivium.s3 import conditions

ETAG, OTHER = '"e"', '"f"'
BEFORE, THEN, AFTER = (f"Sun, 01 Nov 2026 {hour}:00:00 GMT" for hour in (11, 12, 13))
MODIFIED_MS = 1_793_534_400_700  # noon, and a bit: LastModified has whole seconds
OBJECT = Entry("k", 1, MODIFIED_MS, 5, "e")
MARKER = Entry("k", 2, MODIFIED_MS, 0, "", "v", marker=True)
OK = None


def read(**headers: str) -> FaultKind | None:
    """What a GET with these headers meets."""
    asked = conditions.read_if(
        request(headers={name.replace("_", "-"): value for name, value in headers.items()})
    )
    return _outcome(lambda: asked.check(OBJECT))


def copy(**headers: str) -> FaultKind | None:
    """What a copy with these conditions on its source meets."""
    named = {"x-amz-copy-source-" + name.replace("_", "-"): value for name, value in headers.items()}
    asked = conditions.source_if(request(headers=named))
    return _outcome(lambda: asked.check(OBJECT, modified=faults.PreconditionFailed))


def write(entry: Entry | None, **headers: str) -> FaultKind | None:
    """What a PUT with these headers meets."""
    asked = conditions.write_if(
        request(headers={name.replace("_", "-"): value for name, value in headers.items()})
    )
    return _outcome(lambda: asked.check(entry))


def delete(entry: Entry | None, **headers: str) -> FaultKind | None:
    """What a DELETE with these headers meets."""
    asked = conditions.delete_if(
        request(headers={name.replace("_", "-"): value for name, value in headers.items()})
    )
    return _outcome(lambda: asked.check_deletion(entry))


def rename(entry: Entry | None, **headers: str) -> FaultKind | None:
    """What a rename with these conditions on its destination meets."""
    asked = conditions.rename_if(
        request(headers={name.replace("_", "-"): value for name, value in headers.items()})
    )
    return _outcome(lambda: asked.check(entry))


def _outcome(check: object) -> FaultKind | None:
    try:
        check()  # type: ignore[operator]  # a function without arguments
    except Fault as fault:
        return fault.kind
    return OK


FAILED, NOT_MODIFIED = faults.PreconditionFailed, faults.NotModified
TRUE_MATCH, FALSE_MATCH = {"if_match": ETAG}, {"if_match": OTHER}
TRUE_NONE, FALSE_NONE = {"if_none_match": OTHER}, {"if_none_match": ETAG}
TRUE_UNTIL, FALSE_UNTIL = {"if_unmodified_since": AFTER}, {"if_unmodified_since": BEFORE}
TRUE_SINCE, FALSE_SINCE = {"if_modified_since": BEFORE}, {"if_modified_since": AFTER}


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, OK),
        (TRUE_MATCH, OK),
        (FALSE_MATCH, FAILED),
        ({"if_match": "*"}, OK),
        ({"if_match": f"{OTHER}, {ETAG}"}, OK),
        ({"if_match": "e"}, OK),
        ({"if_match": ""}, FAILED),
        (TRUE_NONE, OK),
        (FALSE_NONE, NOT_MODIFIED),
        ({"if_none_match": "*"}, NOT_MODIFIED),
        ({"if_none_match": 'W/"e"'}, NOT_MODIFIED),
        (TRUE_UNTIL, OK),
        (FALSE_UNTIL, FAILED),
        ({"if_unmodified_since": THEN}, OK),
        ({"if_unmodified_since": "soon"}, OK),
        (TRUE_SINCE, OK),
        (FALSE_SINCE, NOT_MODIFIED),
        ({"if_modified_since": THEN}, NOT_MODIFIED),
        ({"if_modified_since": ""}, OK),
        # the first of two that speak of the same thing decides (AWS, GetObject, "Additional considerations about request headers")
        ({**TRUE_MATCH, **FALSE_UNTIL}, OK),
        ({**FALSE_MATCH, **TRUE_UNTIL}, FAILED),
        ({**FALSE_NONE, **TRUE_SINCE}, NOT_MODIFIED),
        ({**TRUE_NONE, **FALSE_SINCE}, OK),
        # 412 comes before 304
        ({**FALSE_MATCH, **FALSE_NONE}, FAILED),
        ({**TRUE_MATCH, **FALSE_NONE}, NOT_MODIFIED),
        ({**FALSE_UNTIL, **FALSE_NONE}, FAILED),
        ({**FALSE_UNTIL, **FALSE_SINCE}, FAILED),
        ({**TRUE_MATCH, **FALSE_SINCE}, NOT_MODIFIED),
    ],
)
def test_conditions_of_reads_and_of_copy_sources(headers: dict[str, str], expected: FaultKind | None) -> None:
    assert expected == read(**headers)
    assert (FAILED if expected is NOT_MODIFIED else expected) == copy(**headers)


@pytest.mark.parametrize(
    ("entry", "headers", "expected"),
    [
        (OBJECT, {"if_none_match": "*"}, FAILED),
        (None, {"if_none_match": "*"}, OK),
        (MARKER, {"if_none_match": "*"}, OK),
        (OBJECT, TRUE_MATCH, OK),
        (OBJECT, FALSE_MATCH, FAILED),
        (OBJECT, {"if_match": "*"}, OK),
        (None, TRUE_MATCH, faults.NoSuchKey),
        (MARKER, TRUE_MATCH, faults.NoSuchKey),
        (None, {"if_match": "*"}, faults.NoSuchKey),
        (OBJECT, FALSE_NONE, FAILED),
        (OBJECT, TRUE_NONE, OK),
    ],
)
def test_conditions_of_writes(entry: Entry | None, headers: dict[str, str], expected: FaultKind | None) -> None:
    assert expected == write(entry, **headers)


@pytest.mark.parametrize(
    ("entry", "headers", "expected"),
    [
        (OBJECT, {}, OK),
        (None, {}, OK),
        (MARKER, {}, OK),
        (OBJECT, TRUE_MATCH, OK),
        (OBJECT, FALSE_MATCH, FAILED),
        (None, TRUE_MATCH, faults.NoSuchKey),
        (MARKER, TRUE_MATCH, FAILED),
        (OBJECT, {"x_amz_if_match_size": "5"}, OK),
        (OBJECT, {"x_amz_if_match_size": "6"}, FAILED),
        (None, {"x_amz_if_match_size": "6"}, OK),
        (OBJECT, {"x_amz_if_match_last_modified_time": THEN}, OK),
        (OBJECT, {"x_amz_if_match_last_modified_time": AFTER}, FAILED),
        (OBJECT, {"x_amz_if_match_last_modified_time": "2026-11-01T12:00:00Z"}, OK),
        (OBJECT, {**TRUE_MATCH, "x_amz_if_match_size": "6"}, FAILED),
    ],
)
def test_conditions_of_deletes(entry: Entry | None, headers: dict[str, str], expected: FaultKind | None) -> None:
    assert expected == delete(entry, **headers)


@pytest.mark.parametrize(
    "headers",
    [
        {"x-amz-if-match-size": "many"},
        {"x-amz-if-match-size": ""},
        {"x-amz-if-match-last-modified-time": "soon"},
        {"x-amz-if-match-last-modified-time": ""},
    ],
)
def test_a_delete_whose_condition_cannot_be_read_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(Fault) as raised:
        conditions.delete_if(request(headers=headers))

    assert faults.InvalidHeaderValue is raised.value.kind


@pytest.mark.parametrize(
    ("entry", "headers", "expected"),
    [
        (OBJECT, {"if_none_match": "*"}, FAILED),
        (None, {"if_none_match": "*"}, OK),
        (OBJECT, TRUE_MATCH, OK),
        (OBJECT, TRUE_SINCE, OK),
        (OBJECT, FALSE_SINCE, FAILED),
        (None, TRUE_SINCE, FAILED),
        (OBJECT, TRUE_UNTIL, OK),
        (OBJECT, FALSE_UNTIL, FAILED),
        (None, TRUE_UNTIL, FAILED),
    ],
)
def test_conditions_of_renames(entry: Entry | None, headers: dict[str, str], expected: FaultKind | None) -> None:
    assert expected == rename(entry, **headers)


def test_without_conditions_the_common_values_are_given() -> None:
    plain = request(headers={"host": "h"})

    assert conditions.read_if(plain) is ANY
    assert conditions.source_if(plain) is ANY
    assert conditions.write_if(plain) is ALWAYS
    assert conditions.delete_if(plain) is ALWAYS
    assert conditions.rename_source_if(plain) is ALWAYS


def test_the_conditions_on_the_source_of_a_rename_have_names_of_their_own() -> None:
    asked = request(headers={"x-amz-rename-source-if-match": ETAG, "if-match": OTHER})

    assert WriteIf(match=ETAG) == conditions.rename_source_if(asked)
