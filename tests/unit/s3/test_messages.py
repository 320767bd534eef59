"""Query strings as clients send them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.s3.requests_for_tests import request
from trivium.base import faults
from trivium.base.faults import Fault
from trivium.s3.messages import read_query


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("acl", {"acl": ""}),
        ("acl=", {"acl": ""}),
        ("a=1&b=2", {"a": "1", "b": "2"}),
        ("a=1&a=2", {"a": "1"}),
        ("&&a=1&", {"a": "1"}),
        ("=1", {}),
        ("a=b=c", {"a": "b=c"}),
        ("a+b=c+d", {"a b": "c d"}),
        ("a=%2B%26%3D", {"a": "+&="}),
        ("%61=%C3%A9", {"a": "\u00e9"}),
        ("a=%zz&b=%", {"a": "%zz", "b": "%"}),
        ("a=\u00e9", {"a": "\u00e9"}),
    ],
)
def test_what_a_query_says(text: str, expected: dict[str, str]) -> None:
    assert expected == read_query(text)


def test_escapes_that_are_no_utf_8_are_an_invalid_uri() -> None:
    with pytest.raises(Fault) as raised:
        _ = request(query="prefix=%ff").query

    assert faults.InvalidURI is raised.value.kind


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a=1&X-Amz-Signature=abc", {"a": "1"}),
        ("a=1&X-Amz-Signature=abc&versionId=v", {"a": "1", "X-Amz-Signature": "abc", "versionId": "v"}),
        ("X-Amz-Signature=abc&a=1", {"X-Amz-Signature": "abc", "a": "1"}),
    ],
)
def test_a_signature_at_the_end_of_a_query_is_left_out_and_nothing_else(text: str, expected: dict[str, str]) -> None:
    assert expected == request(query=text).query


def test_long_values_are_not_kept() -> None:
    text = "prefix=%41" + "a" * 60_000

    assert read_query(text)["prefix"] is not read_query(text)["prefix"]


@given(st.text())
def test_whatever_is_sent_is_a_query_or_an_invalid_uri(text: str) -> None:
    try:
        read_query(text)
    except Fault as fault:
        assert faults.InvalidURI is fault.kind
