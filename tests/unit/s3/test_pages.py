"""Parameters of listings: limits, encodings, tokens."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivium.base import faults
from trivium.base.faults import Fault
from trivium.s3.dialects import DIALECTS
from trivium.s3.pages import all_encoded, encoded, limit_of, read_token, token_of

KEYS = st.text(st.characters(exclude_categories=["Cs"]))


@pytest.mark.parametrize(
    ("dialect", "asked", "limit"),
    [
        ("aws", None, 1000),
        ("aws", 0, 0),
        ("aws", 7, 7),
        ("aws", 1000, 1000),
        ("aws", 1001, 1000),
        ("aws", 2**31 - 1, 1000),
        ("alluxio", 5000, 1000),
        ("activescale", 1000, 1000),
        ("pachyderm", None, 1000),
        ("pachyderm", 5000, 5000),
    ],
)
def test_how_many_keys_a_page_has(dialect: str, asked: int | None, limit: int) -> None:
    assert limit == limit_of(asked, DIALECTS[dialect])


@pytest.mark.parametrize(("dialect", "asked"), [("activescale", 1001), ("pachyderm", 5001)])
def test_where_a_dialect_refuses_more(dialect: str, asked: int) -> None:
    with pytest.raises(Fault) as raised:
        limit_of(asked, DIALECTS[dialect])

    assert faults.InvalidMaxKeys is raised.value.kind


@given(KEYS)
def test_an_encoded_key_is_plain_ascii_and_decodes_to_the_key(key: str) -> None:
    assert encoded(key).isascii()
    assert encoded(key).isprintable()
    assert key == unquote(encoded(key))


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("a/b-c_d.e~f", "a/b-c_d.e~f"),
        ("a b", "a%20b"),
        ("a+b", "a%2Bb"),
        ("\u00e9", "%C3%A9"),
        ("a\nb", "a%0Ab"),
        ("a%b", "a%25b"),
    ],
)
def test_encoded_keys(key: str, expected: str) -> None:
    assert expected == encoded(key)


@given(KEYS)
def test_a_token_stands_for_its_key_and_is_fit_for_a_query(key: str) -> None:
    assert key == read_token(token_of(key))
    assert token_of(key) == token_of(key).strip()
    assert set(token_of(key)) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@pytest.mark.parametrize("token", ["a", "*", "\u00e9", "_w", "YQ==YQ==", "a b", "YQ\n"])
def test_what_is_no_token_is_an_invalid_argument(token: str) -> None:
    with pytest.raises(Fault) as raised:
        read_token(token)

    assert faults.InvalidArgument is raised.value.kind


@given(st.text())
def test_whatever_is_given_for_a_token_is_a_key_or_an_invalid_argument(token: str) -> None:
    try:
        read_token(token)
    except Fault as fault:
        assert faults.InvalidArgument is fault.kind


@given(st.lists(KEYS))
def test_many_keys_are_encoded_as_each_of_them_is(keys: list[str]) -> None:
    assert list(map(encoded, keys)) == list(all_encoded(keys, encoded))
