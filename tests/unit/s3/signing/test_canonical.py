"""The one spelling that both sides sign."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivium.base.faults import Fault
from trivium.s3.messages import read_query
from trivium.s3.signing import canonical


def headers(values: dict[str, str], *names: str) -> str:
    return canonical.headers(values, names, "".join(f"{name}:%s\n" for name in names))


@pytest.mark.parametrize(
    ("decoded", "expected"),
    [
        ("/", "/"),
        ("/b/k", "/b/k"),
        ("/b//k/../~.-_", "/b//k/../~.-_"),
        ("/b/a b", "/b/a%20b"),
        ("/b/a+b%", "/b/a%2Bb%25"),
        ("/b/ä€😀", "/b/%C3%A4%E2%82%AC%F0%9F%98%80"),
        ("/b/!*'()&=@$,:;?", "/b/%21%2A%27%28%29%26%3D%40%24%2C%3A%3B%3F"),
    ],
)
def test_a_path_is_escaped_once_and_never_normalised(decoded: str, expected: str) -> None:
    assert expected == canonical.path(decoded)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("", ""),
        ("acl", "acl="),
        ("prefix=J&max-keys=2", "max-keys=2&prefix=J"),
        ("a-b=1&a=2", "a=2&a-b=1"),
        ("a=2&a=1&a=", "a=&a=1&a=2"),
        ("prefix=a/b", "prefix=a%2Fb"),
        ("prefix=a%2fb", "prefix=a%2Fb"),
        ("p=%7E%41", "p=~A"),
        ("p=a+b", "p=a%20b"),
        ("p=a=b", "p=a%3Db"),
        ("p=%zz", "p=%25zz"),
        ("&&a=1&", "a=1"),
        ("p=ä", "p=%C3%A4"),
        ("X-Amz-Signature=1&a=1", "a=1"),
        ("a=1&X-Amz-Signature", "a=1"),
        ("uploads&uploadId=1", "uploadId=1&uploads="),
    ],
)
def test_a_query_is_escaped_sorted_and_loses_its_signature(raw: str, expected: str) -> None:
    assert expected == canonical.query(raw)


def test_a_query_that_is_no_utf8_is_refused() -> None:
    with pytest.raises(Fault) as raised:
        canonical.query("p=%ff&q=a b")

    assert "InvalidURI" == raised.value.kind.name


NAMES = st.text(min_size=1, max_size=8).filter(lambda name: name != canonical.SIGNATURE)


@given(st.dictionaries(NAMES.filter(str.strip), st.text(max_size=8), max_size=5))
def test_the_canonical_query_says_what_the_query_says(pairs: dict[str, str]) -> None:
    raw = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs.items())

    assert pairs == read_query(canonical.query(raw))
    assert canonical.query(raw) == canonical.query(canonical.query(raw))


def test_headers_stand_in_the_order_of_their_names() -> None:
    assert "host:h\nx-amz-date:d\n" == headers(
        {"x-amz-date": "d", "host": "h", "other": "o"}, "host", "x-amz-date"
    )


def test_white_space_in_values_shrinks_and_vanishes_at_the_ends() -> None:
    assert "a:1 2\nb:\nc:x:  y\n".replace("x:  y", "x: y") == headers(
        {"a": "  1 \t  2 ", "c": "x:  y"}, "a", "b", "c"
    )


def test_a_header_that_is_not_there_is_empty() -> None:
    assert "range:\n" == headers({}, "range")
