"""Copy and rename sources: which bucket, key and version a header names."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.s3.requests_for_tests import request
from trivium.base import faults
from trivium.base.faults import Fault, FaultKind
from trivium.s3.sources import CopySource, copy_source, renamed_key


def source(value: str) -> CopySource:
    return copy_source(request("PUT", headers={"x-amz-copy-source": value}))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("b/k", CopySource("b", "k")),
        ("/b/k", CopySource("b", "k")),
        ("b/a/b/", CopySource("b", "a/b/")),
        ("/b//k", CopySource("b", "/k")),
        ("b/a%20b%2Bc", CopySource("b", "a b+c")),
        ("b/a+b", CopySource("b", "a b")),
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
        ("b/100%", faults.CopyInvalidSourceEncoding),
        ("b/%zz", faults.CopyInvalidSourceEncoding),
        ("b/k?versionId=%ff", faults.CopyInvalidSourceEncoding),
        ("b/k?foo=bar", faults.CopyInvalidSourceParameter),
        ("b/k?versionId=v&foo=bar", faults.CopyInvalidSourceParameter),
        ("b/k?versionId", faults.CopyInvalidSourceParameter),
        ("b/k?", faults.CopyInvalidSourceParameter),
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
        assert fault.kind in (
            faults.CopyInvalidSource, faults.CopyInvalidSourceEncoding, faults.CopyInvalidSourceParameter)
    else:
        assert found.bucket
        assert found.key


@given(st.text(min_size=1), st.text())
def test_whatever_a_key_and_a_version_are_an_encoded_source_names_them(key: str, version: str) -> None:
    encoded = f"b/{quote(key, safe='')}?versionId={quote(version, safe='')}"

    assert CopySource("b", key, version) == source(encoded)


@pytest.mark.parametrize(
    "value",
    [
        "arn:aws:s3:us-west-2:123456789012:accesspoint/mine/object/a/b",
        "/arn:aws:s3:us-west-2:123456789012:accesspoint/mine/object/a/b?versionId=v",
        "arn%3Aaws%3As3%3Aus-west-2%3A123456789012%3Aaccesspoint%2Fmine%2Fobject%2Fa",
        "arn:aws:s3-outposts:us-west-2:123456789012:outpost/op/object/a",
    ],
)
def test_access_points_are_not_here(value: str) -> None:
    with pytest.raises(Fault) as raised:
        source(value)

    assert faults.NotImplemented_ is raised.value.kind
    assert "x-amz-copy-source" == raised.value.facts["Header"]


@pytest.mark.parametrize(
    ("value", "key"),
    [
        ("k", "k"),
        ("a/b%20c", "a/b c"),
        ("/bucket/k", "k"),
        ("/bucket/a/b%2Fc", "a/b/c"),
        ("/%62ucket/k", "k"),
        ("bucket/k", "bucket/k"),
        ("/other/k", "/other/k"),
        ("/bucket", "/bucket"),
        ("%2Fbucket/k", "/bucket/k"),
        ("%2Fbucket%2Fk", "/bucket/k"),
        ("/bucket//bucket/k", "/bucket/k"),
        ("/bucket/bucket/k", "bucket/k"),
    ],
)
def test_what_a_rename_source_names(value: str, key: str) -> None:
    assert key == renamed_key(value, "bucket")


@given(st.text(min_size=1).filter(lambda key: key.strip("/")), st.text("ab/", min_size=1))
def test_every_key_can_be_renamed_whatever_the_bucket_is_called(key: str, bucket: str) -> None:
    assert key == renamed_key(quote(key, safe=""), bucket)
    assert key == renamed_key(f"/{quote(bucket, safe='')}/{quote(key)}", bucket)


@pytest.mark.parametrize("value", ["", "/", "//", "%ff", "/bucket/", "/bucket/%ff"])
def test_what_is_no_rename_source(value: str) -> None:
    with pytest.raises(Fault) as raised:
        renamed_key(value, "bucket")

    assert faults.InvalidArgument is raised.value.kind
