"""Addresses: bucket and key of a request, byte for byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.s3.requests_for_tests import PLAIN, request
from trivium.base import faults
from trivium.base.faults import Fault, FaultKind
from trivium.s3.address import about, address
from trivium.s3.dialects import DIALECTS
from trivium.s3.messages import BUCKET, OBJECT, SERVICE, Listener, Target

BASED = Listener(DIALECTS["aws"], base_path="/api/v1/s3")
HOSTED = Listener(DIALECTS["aws"], domains=("s3.example.com", "localhost"))
SERVICE_TARGET = Target(SERVICE)


def at(path: str, listener: Listener = PLAIN, host: str = "") -> Target:
    return address(request(path=path, headers={"host": host} if host else {}, listener=listener))


def refusal(path: str, listener: Listener = PLAIN, host: str = "") -> FaultKind:
    with pytest.raises(Fault) as raised:
        at(path, listener, host)
    return raised.value.kind


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/", SERVICE_TARGET),
        ("", SERVICE_TARGET),
        ("//", SERVICE_TARGET),
        ("/b", Target(BUCKET, "b")),
        ("/b/", Target(BUCKET, "b")),
        ("/b/k", Target(OBJECT, "b", "k")),
        ("/b/k/", Target(OBJECT, "b", "k/")),
        ("/a:b:c/k", Target(OBJECT, "a:b:c", "k")),
        ("/b@2026-11-01T12:00:00Z/k", Target(OBJECT, "b@2026-11-01T12:00:00Z", "k")),
    ],
)
def test_path_style(path: str, target: Target) -> None:
    assert target == at(path)


@pytest.mark.parametrize(
    "key",
    [
        "/",
        "//",
        "a//b",
        "/a",
        "..",
        "../..",
        "./a",
        "a/../b",
        "a/.",
        " ",
        "a ",
        " a",
        "a\tb",
        "a\nb",
        "\x00",
        "a\\b",
        "a?b#c",
        "%2F",
        "+",
        "\u00e9",
        "e\u0301",
        "\U0001f600",
        "\u200b",
        "*",
        "a;b",
        "con",
        "k" * 1024,
        "\u00e9" * 512,
        "\U0001f600" * 256,
    ],
)
def test_keys_are_taken_as_they_are(key: str) -> None:
    assert Target(OBJECT, "b", key) == at("/b/" + key)


@pytest.mark.parametrize("key", ["k" * 1025, "\u00e9" * 512 + "k", "\U0001f600" * 257, "k" * 100_000])
def test_keys_of_more_than_1024_bytes_are_too_long(key: str) -> None:
    assert faults.KeyTooLong is refusal("/b/" + key)


def test_a_key_whose_bytes_were_no_utf_8_is_refused() -> None:
    assert faults.InvalidURI is refusal("/b/a\ufffdb")


@pytest.mark.parametrize("path", ["//k", "//b/k"])
def test_a_key_without_a_bucket_is_refused(path: str) -> None:
    assert faults.InvalidURI is refusal(path)


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/api/v1/s3", SERVICE_TARGET),
        ("/api/v1/s3/", SERVICE_TARGET),
        ("/api/v1/s3/b", Target(BUCKET, "b")),
        ("/api/v1/s3/b/api/v1/s3", Target(OBJECT, "b", "api/v1/s3")),
    ],
)
def test_below_a_base_path(path: str, target: Target) -> None:
    assert target == at(path, BASED)


@pytest.mark.parametrize("path", ["/", "/b/k", "/api/v1/s3x/b", "/api/v1", "/API/v1/s3/b", "//api/v1/s3/b"])
def test_outside_the_base_path_is_refused(path: str) -> None:
    assert faults.InvalidURI is refusal(path, BASED)


@pytest.mark.parametrize(
    ("host", "path", "target"),
    [
        ("b.s3.example.com", "/", Target(BUCKET, "b")),
        ("b.s3.example.com:9000", "/k/l", Target(OBJECT, "b", "k/l")),
        ("B.S3.Example.COM", "/k", Target(OBJECT, "b", "k")),
        ("a.b.s3.example.com", "/k", Target(OBJECT, "a.b", "k")),
        ("b.localhost:80", "//k", Target(OBJECT, "b", "/k")),
        ("s3.example.com", "/b/k", Target(OBJECT, "b", "k")),
        (".s3.example.com", "/b/k", Target(OBJECT, "b", "k")),
        ("xs3.example.com", "/b/k", Target(OBJECT, "b", "k")),
        ("127.0.0.1:9000", "/b/k", Target(OBJECT, "b", "k")),
        ("[::1]:9000", "/b/k", Target(OBJECT, "b", "k")),
        ("[::1]", "/", SERVICE_TARGET),
        ("", "/b", Target(BUCKET, "b")),
    ],
)
def test_virtual_hosts(host: str, path: str, target: Target) -> None:
    assert target == at(path, HOSTED, host)


def test_without_domains_the_host_says_nothing() -> None:
    assert Target(BUCKET, "k") == at("/k", PLAIN, "b.s3.example.com")


@given(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.sampled_from([PLAIN, BASED, HOSTED]),
    st.text(max_size=20),
)
def test_whatever_is_asked_has_an_address_or_a_fault(path: str, listener: Listener, host: str) -> None:
    try:
        found = at("/" + path, listener, host)
    except Fault as fault:
        assert fault.kind in (faults.InvalidURI, faults.KeyTooLong)
    else:
        assert (found.kind == SERVICE) == (not found.bucket)
        assert (found.kind == OBJECT) == bool(found.key)


@pytest.mark.parametrize(("path", "host", "expected"), [
    ("/photos/2026/cat.jpg", "", 'GetObject of bucket photos, key "2026/cat.jpg"'),
    ("/2026/cat.jpg", "photos.s3.example.com", 'GetObject of bucket photos, key "2026/cat.jpg"'),
    ("/b/a\n\x9b", "", 'GetObject of bucket b, key "a\\n\\u009b"'),
    ("/b", "", "GetObject"), ("/b/\ufffd", "", "GetObject"),
])
def test_the_log_is_told_what_a_request_is_about(path: str, host: str, expected: str) -> None:
    asked = request(path=path, headers={"host": host} if host else {}, listener=HOSTED)
    asked.action = "GetObject"

    assert expected == about(asked)
