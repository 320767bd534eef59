"""Tags: how many, how long, of which characters."""

from __future__ import annotations

import pytest

from trivium.base import faults
from trivium.base.faults import Fault, FaultKind
from trivium.s3.shapes import Tag, Tagging, tagging
from trivium.s3.tags import check_tags, read_tags


def refusal(tags: dict[str, str], limit: int = 10) -> FaultKind:
    with pytest.raises(Fault) as raised:
        check_tags(tags, limit=limit)
    return raised.value.kind


def test_a_document_becomes_tags_and_back_in_order() -> None:
    tags = {"z": "1", "a": "2"}

    assert tags == read_tags(tagging(tags), limit=10)
    assert ["a", "z"] == list(read_tags(tagging(tags), limit=10))


def test_a_key_must_not_come_twice() -> None:
    document = Tagging(tags=(Tag(key="a", value="1"), Tag(key="a", value="1")))

    with pytest.raises(Fault) as raised:
        read_tags(document, limit=10)
    assert faults.InvalidTag is raised.value.kind


def test_there_are_as_many_as_the_limit() -> None:
    check_tags({str(number): "" for number in range(10)}, limit=10)

    assert faults.TooManyTags is refusal({str(number): "" for number in range(11)})


@pytest.mark.parametrize(
    "key", ["k", "k" * 128, "\u00e9" * 128, "\U00010400" * 64, "a b", "a+b-c=d._:/@9", "\u65e5\u672c", "a\u00a0b", "AWS:x"]
)
def test_good_keys(key: str) -> None:
    check_tags({key: key}, limit=10)


@pytest.mark.parametrize(
    "key", ["", "k" * 129, "\U00010400" * 65, "aws:x", "a<b", "a\tb", "a\nb", "(a)", "a,b", "a#b", "\U0001f600", "a\x00"]
)
def test_bad_keys(key: str) -> None:
    assert faults.InvalidTag is refusal({key: "v"})


@pytest.mark.parametrize("value", ["", "v" * 256, "aws:x"])
def test_good_values(value: str) -> None:
    check_tags({"k": value}, limit=10)


@pytest.mark.parametrize("value", ["v" * 257, "\U00010400" * 129, "a&b", "a\rb", "{}"])
def test_bad_values(value: str) -> None:
    assert faults.InvalidTag is refusal({"k": value})
