"""Lists of parts and of uploads, right across pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.s3.operations.upload_client import Answer, Client


@pytest.fixture
def client() -> Iterator[Client]:
    made = Client()
    yield made
    made.close()


# Parts


def test_parts_are_listed_with_what_is_known_of_them(client: Client) -> None:
    id = client.begin(x_amz_checksum_algorithm="SHA1", x_amz_storage_class="GLACIER")
    etag = client.add(id, 3, b"data")

    answer = client.ask("GET", "/bucket/key", {"uploadId": id})

    assert ("3", etag, "4", "2023-11-14T22:13:20.000Z", "oXyaqmHoChv3HQ2FCvTluqmAC70=") == tuple(
        answer.text(f"Part/{name}")
        for name in ("PartNumber", "ETag", "Size", "LastModified", "ChecksumSHA1"))
    assert ("bucket", "key", id, "GLACIER", "SHA1", "COMPOSITE", "false") == tuple(
        answer.text(name) for name in (
            "Bucket", "Key", "UploadId", "StorageClass", "ChecksumAlgorithm", "ChecksumType", "IsTruncated"))
    assert ("id-of-me", "Me", "id-of-me", "Me") == tuple(answer.text(name) for name in (
        "Initiator/ID", "Initiator/DisplayName", "Owner/ID", "Owner/DisplayName"))


def test_parts_are_listed_in_pages(client: Client) -> None:
    id = client.begin()
    for number in (9, 1, 5, 3, 7):
        client.add(id, number, b"data")

    first = client.ask("GET", "/bucket/key", {"uploadId": id, "max-parts": 2})
    marker = first.text("NextPartNumberMarker")
    rest = client.ask("GET", "/bucket/key", {"uploadId": id, "part-number-marker": marker})

    assert ["1", "3"] == first.texts("Part/PartNumber")
    assert ("true", "2", "0", "3") == tuple(first.text(name) for name in (
        "IsTruncated", "MaxParts", "PartNumberMarker", "NextPartNumberMarker"))
    assert (["5", "7", "9"], "false") == (rest.texts("Part/PartNumber"), rest.text("IsTruncated"))


def test_a_list_of_no_parts_is_empty(client: Client) -> None:
    answer = client.ask("GET", "/bucket/key", {"uploadId": client.begin()})

    assert ([], "false", "0") == (
        answer.texts("Part"), answer.text("IsTruncated"), answer.text("NextPartNumberMarker"))


@pytest.mark.parametrize("query", [{"max-parts": "x"}, {"part-number-marker": "-1"}])
def test_odd_numbers_are_invalid(client: Client, query: dict[str, str]) -> None:
    answer = client.ask("GET", "/bucket/key", {"uploadId": client.begin(), **query})

    assert "InvalidArgument" == answer.text("Code")


# Uploads


def uploads(answer: Answer) -> list[tuple[str | None, str | None]]:
    return [(found.findtext("Key"), found.findtext("UploadId")) for found in answer.xml.findall("Upload")]


def test_uploads_are_listed_with_what_is_known_of_them(client: Client) -> None:
    id = client.begin("a", x_amz_checksum_algorithm="CRC32", x_amz_checksum_type="FULL_OBJECT")

    answer = client.ask("GET", "/bucket", "uploads")

    assert [("a", id)] == uploads(answer)
    assert ("2023-11-14T22:13:20.000Z", "STANDARD", "CRC32", "FULL_OBJECT", "id-of-me", "Me") == tuple(
        answer.text(f"Upload/{name}") for name in (
            "Initiated", "StorageClass", "ChecksumAlgorithm", "ChecksumType", "Owner/ID",
            "Initiator/DisplayName"))
    assert ("bucket", "1000", "false", None) == tuple(
        answer.text(name) for name in ("Bucket", "MaxUploads", "IsTruncated", "NextKeyMarker"))


def test_completed_and_aborted_uploads_are_not_listed(client: Client) -> None:
    done, given_up, left = client.begin(), client.begin(), client.begin()
    client.complete(done, {1: client.add(done, 1, b"data")})
    client.ask("DELETE", "/bucket/key", {"uploadId": given_up})

    assert [("key", left)] == uploads(client.ask("GET", "/bucket", "uploads"))


def test_uploads_of_one_key_are_listed_as_they_began_across_pages(client: Client) -> None:
    ids = []
    for _ in range(3):
        client.clock.advance(ms=1)
        ids.append(client.begin())

    first = client.ask("GET", "/bucket", "uploads&max-uploads=2")
    rest = client.ask("GET", "/bucket", f"uploads&key-marker=key&upload-id-marker={ids[1]}")

    assert [("key", ids[0]), ("key", ids[1])] == uploads(first)
    assert ("true", "key", ids[1]) == tuple(
        first.text(name) for name in ("IsTruncated", "NextKeyMarker", "NextUploadIdMarker"))
    assert [("key", ids[2])] == uploads(rest)


def test_an_upload_marker_without_a_key_says_nothing(client: Client) -> None:
    id = client.begin()

    assert [("key", id)] == uploads(client.ask("GET", "/bucket", "uploads&upload-id-marker=zzz"))


def test_an_upload_marker_that_is_none_is_invalid(client: Client) -> None:
    answer = client.ask("GET", "/bucket", "uploads&key-marker=a&upload-id-marker=zzz")

    assert "InvalidArgument" == answer.text("Code")


def test_keys_are_encoded_where_it_is_asked_for(client: Client) -> None:
    client.begin("a b/ü")

    answer = client.ask("GET", "/bucket", "uploads&encoding-type=url&delimiter=%2F")

    assert (["a%20b/"], "url") == (answer.texts("CommonPrefixes/Prefix"), answer.text("EncodingType"))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    keys=st.lists(st.text("ab/", min_size=1, max_size=4), max_size=12), prefix=st.text("ab/", max_size=2),
    delimiter=st.sampled_from(["", "/", "b"]), limit=st.integers(1, 4))
def test_pages_together_are_the_whole_list(keys: list[str], prefix: str, delimiter: str, limit: int) -> None:
    client = Client()
    for key in keys:
        client.clock.advance(ms=1)
        client.begin(key)
    query: dict[str, object] = {"prefix": prefix, "delimiter": delimiter}

    whole = client.ask("GET", "/bucket", {"uploads": "", **query})
    found: list[tuple[str | None, str | None]] = []
    folded: list[str] = []
    marker: dict[str, object] = {}
    while True:
        page = client.ask("GET", "/bucket", {"uploads": "", "max-uploads": limit, **query, **marker})
        found += uploads(page)
        folded += page.texts("CommonPrefixes/Prefix")
        if page.text("IsTruncated") == "false":
            break
        marker = {
            "key-marker": page.text("NextKeyMarker"), "upload-id-marker": page.text("NextUploadIdMarker")}
    client.close()

    assert (uploads(whole), whole.texts("CommonPrefixes/Prefix")) == (found, folded)
    expected = sorted(key for key in keys if key.startswith(prefix))
    shown = [key for key in expected if not delimiter or delimiter not in key[len(prefix):]]
    assert shown == [key for key, _ in found]
    assert sorted({
        key[: key.index(delimiter, len(prefix)) + 1] for key in expected
        if delimiter and delimiter in key[len(prefix):]}) == folded
