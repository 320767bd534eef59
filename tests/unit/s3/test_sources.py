"""Copy and rename sources: which bucket, key and version a header names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.s3.requests_for_tests import request
from trivium.base import faults
from trivium.base.faults import Fault, FaultKind
from trivium.s3.sources import CopySource, copy_source, rename_source


def source(value: str) -> CopySource:
    return copy_source(request("PUT", headers={"x-amz-copy-source": value}))


def renamed(value: str) -> str:
    return rename_source(request("PUT", headers={"x-amz-rename-source": value}))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("b/k", CopySource("b", "k")),
        ("/b/k", CopySource("b", "k")),
        ("b/a/b/", CopySource("b", "a/b/")),
        ("/b//k", CopySource("b", "/k")),
        ("b/a%20b%2Bc", CopySource("b", "a b+c")),
        ("b/a+b", CopySource("b", "a+b")),
        ("b%2Fk", CopySource("b", "k")),
        ("b/%C3%A9", CopySource("b", "\u00e9")),
        ("b/\u00e9", CopySource("b", "\u00e9")),
        ("b/k?versionId=v1", CopySource("b", "k", "v1")),
        ("b/k%3FversionId=v1", CopySource("b", "k?versionId=v1")),
        ("b/k?versionId=", CopySource("b", "k", "")),
        ("b@2026-11-01T12:00:00Z/k", CopySource("b@2026-11-01T12:00:00Z", "k")),
    ],
)
def test_what_a_copy_source_names(value: str, expected: CopySource) -> None:
    assert expected == source(value)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("", faults.CopyInvalidSource),
        ("b", faults.CopyInvalidSource),
        ("b/", faults.CopyInvalidSource),
        ("/", faults.CopyInvalidSource),
        ("//k", faults.CopyInvalidSource),
        ("?versionId=v", faults.CopyInvalidSource),
        ("b/%ff", faults.CopyInvalidSourceEncoding),
        ("b/k?versionId=%ff", faults.CopyInvalidSourceEncoding),
    ],
)
def test_what_is_no_copy_source(value: str, kind: FaultKind) -> None:
    with pytest.raises(Fault) as raised:
        source(value)

    assert kind is raised.value.kind
    assert "InvalidArgument" == raised.value.kind.code


@given(st.text())
def test_whatever_is_sent_is_a_source_or_a_fault(value: str) -> None:
    try:
        found = source(value)
    except Fault as fault:
        assert fault.kind in (faults.CopyInvalidSource, faults.CopyInvalidSourceEncoding)
    else:
        assert found.bucket
        assert found.key


@pytest.mark.parametrize(("value", "key"), [("k", "k"), ("a/b%20c", "a/b c"), ("/bucket/k", "/bucket/k")])
def test_what_a_rename_source_names(value: str, key: str) -> None:
    assert key == renamed(value)


@pytest.mark.parametrize("value", ["", "/", "//", "%ff"])
def test_what_is_no_rename_source(value: str) -> None:
    with pytest.raises(Fault) as raised:
        renamed(value)

    assert faults.InvalidArgument is raised.value.kind
