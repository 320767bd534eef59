"""Validators of what a reader has: If-Range, and what a 304 tells."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivium.base import faults
from trivium.base.faults import Fault
from trivium.buckets.conditions import ReadIf
from trivium.buckets.entry import Entry
from trivium.s3.conditions import check_read, still_is
from trivium.s3.fields import http_time

NOON_MS = 1_793_534_400_000
THERE = Entry("k", 1, NOON_MS + 700, 5, "e")


@pytest.mark.parametrize(
    ("if_range", "expected"),
    [
        ('"e"', True),
        (' "e" ', True),
        ("e", True),
        ('"f"', False),
        ('W/"e"', False),
        ('"e", "f"', False),
        ("*", False),
        ("", False),
        ("Sun, 01 Nov 2026 12:00:00 GMT", True),
        ("Sun, 01 Nov 2026 12:00:01 GMT", False),
        ("Sun, 01 Nov 2026 11:59:59 GMT", False),
        ("soon", False),
    ],
)
def test_a_range_continues_what_has_the_same_strong_validator(if_range: str, expected: bool) -> None:
    assert expected is still_is(if_range, THERE)


@given(st.integers(0, 4_000_000_000_000), st.integers(0, 4_000_000_000_000))
def test_a_date_must_be_the_very_second_of_last_modified(modified_ms: int, said_ms: int) -> None:
    entry = Entry("k", 1, modified_ms, 5, "e")

    assert still_is(http_time(modified_ms), entry)
    assert (modified_ms // 1000 == said_ms // 1000) is still_is(http_time(said_ms), entry)


@given(st.text())
def test_whatever_an_if_range_says_is_answered(if_range: str) -> None:
    assert still_is(if_range, THERE) in (True, False)


def not_modified(headers: dict[str, str], version: str | None = None) -> dict[str, str | int]:
    with pytest.raises(Fault) as raised:
        check_read(ReadIf(none_match="*"), THERE, version=version, headers=headers)
    assert faults.NotModified is raised.value.kind
    return raised.value.facts


def test_a_304_tells_what_the_reader_needs_to_go_on_with_its_copy() -> None:
    headers = {"cache-control": "no-cache", "expires": "tomorrow", "content-language": "de"}

    assert {"ETag": '"e"', "LastModified": NOON_MS + 700} == not_modified({})
    assert {
        "ETag": '"e"', "LastModified": NOON_MS + 700, "CacheControl": "no-cache", "Expires": "tomorrow",
        "VersionId": "v",
    } == not_modified(headers, "v")


def test_a_condition_that_fails_is_told_as_it_is() -> None:
    with pytest.raises(Fault) as raised:
        check_read(ReadIf(match='"f"'), THERE, version=None)

    assert faults.PreconditionFailed is raised.value.kind
