"""Which keys can be names of files."""

from __future__ import annotations

import pytest

from trivium.base import faults
from trivium.base.faults import Fault
from trivium.under.names import can_be_name, check_name, components, parents


@pytest.mark.parametrize("key", ["a", "a/b", "a/b/", ".hidden", "...", "a..b", " ", "a ", "\u00e9" * 127, "a\nb", "a\\b"])
def test_ordinary_keys_can_be_names(key: str) -> None:
    check_name(key)

    assert can_be_name(key)


@pytest.mark.parametrize(("key", "fault"), [
    ("/a", faults.KeyHasEmptyComponent), ("a//b", faults.KeyHasEmptyComponent), ("a//", faults.KeyHasEmptyComponent),
    ("/", faults.KeyHasEmptyComponent), ("", faults.KeyHasEmptyComponent),
    (".", faults.KeyHasDotComponent), ("..", faults.KeyHasDotComponent), ("a/../b", faults.KeyHasDotComponent),
    ("a/./b", faults.KeyHasDotComponent), ("../", faults.KeyHasDotComponent), ("a/..", faults.KeyHasDotComponent),
    ("a\0b", faults.KeyHasNul), ("a/" + "b" * 256, faults.KeyComponentTooLong),
    ("\u00e9" * 128, faults.KeyComponentTooLong), (".trivium/x", faults.KeyIsReserved), ("a/.trivium", faults.KeyIsReserved),
])
def test_mounts_2_other_keys_are_refused_each_with_its_reason(key: str, fault: faults.FaultKind) -> None:
    with pytest.raises(Fault) as refused:
        check_name(key)

    assert refused.value.kind is fault
    assert not can_be_name(key)


def test_components_and_parents_of_files_and_folders() -> None:
    assert components("a/b/c") == ["a", "b", "c"]
    assert components("a/b/") == ["a", "b"]
    assert parents("a/b/c") == ["a/b/", "a/"]
    assert parents("a/b/") == ["a/"]
    assert parents("a") == []
