"""Byte ranges against a naive model that lists the bytes one by one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivium.base import faults
from trivium.base.faults import Fault
from trivium.base.span import Span, read_range

UNSATISFIABLE = "unsatisfiable"
Outcome = list[int] | str


def outcome(header: str, size: int) -> Outcome:
    """The bytes that are sent."""
    try:
        span = read_range(header, size)
    except Fault as fault:
        assert faults.InvalidRange is fault.kind
        return UNSATISFIABLE
    return list(range(size)) if span is None else list(range(span.first, span.last + 1))


def naive(first: str, last: str, size: int) -> Outcome:
    """RFC 9110 section 14.1.2, byte by byte. A range that contradicts itself is ignored."""
    every = list(range(size))
    if first == last == "":
        return every
    if first == "":
        found = every[-int(last) :] if int(last) else []
    elif last == "":
        found = [at for at in every if at >= int(first)]
    elif int(last) < int(first):
        return every
    else:
        found = [at for at in every if int(first) <= at <= int(last)]
    return found or UNSATISFIABLE


NUMBERS = st.one_of(st.just(""), st.integers(0, 12).map(str), st.just("0003"), st.just("9" * 25))


@given(NUMBERS, NUMBERS, st.integers(0, 10))
def test_a_range_means_what_the_naive_model_says(first: str, last: str, size: int) -> None:
    assert naive(first, last, size) == outcome(f"bytes={first}-{last}", size)


@given(st.text(), st.integers(0, 10))
def test_whatever_is_no_range_is_ignored(header: str, size: int) -> None:
    found = outcome(header, size)

    assert found == UNSATISFIABLE or set(found) <= set(range(size))


@pytest.mark.parametrize(
    "header",
    [
        "bytes=0-1,3-4",
        "bytes=a-b",
        "bytes 0-1",
        "Bytes=",
        "items=0-1",
        "bytes=1",
        "bytes=--1",
        "bytes=-",
        "bytes=0-1;",
        "",
        "bytes=\u0661-\u0662",
        "bytes=" + "9" * 5000 + "-",
        "bytes=-" + "9" * 5000,
    ],
)
def test_ranges_that_s3_does_not_know_mean_the_whole(header: str) -> None:
    assert read_range(header, 10) is None


def test_a_span_knows_its_size() -> None:
    assert 3 == Span(2, 4).size
