"""Uploads in parts as the wire has them: begin, add, copy, complete, abort."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from zlib import crc32

import pytest

from tests.unit.s3.operations.upload_client import Answer, Client, listed
from trivium.s3.dialect import Dialect, Limits


@pytest.fixture
def client() -> Iterator[Client]:
    made = Client()
    yield made
    made.close()


def b64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


def crc(data: bytes) -> str:
    return b64(crc32(data).to_bytes(4, "big"))


# Begin


def test_an_upload_begins_with_an_id(client: Client) -> None:
    answer = client.ask("POST", "/bucket/a/key", "uploads")

    assert ("bucket", "a/key") == (answer.text("Bucket"), answer.text("Key"))
    assert answer.text("UploadId")
    assert "InitiateMultipartUploadResult" == answer.xml.tag


@pytest.mark.parametrize(("algorithm", "asked", "type"), [
    ("SHA256", "", "COMPOSITE"), ("CRC32", "", "COMPOSITE"), ("CRC64NVME", "", "FULL_OBJECT"),
    ("CRC32C", "FULL_OBJECT", "FULL_OBJECT"), ("XXHASH3", "COMPOSITE", "COMPOSITE"),
])
def test_the_beginning_names_the_checksum(client: Client, algorithm: str, asked: str, type: str) -> None:
    headers = {"x_amz_checksum_type": asked} if asked else {}

    answer = client.ask("POST", "/bucket/key", "uploads", x_amz_checksum_algorithm=algorithm, **headers)

    assert (algorithm, type) == (
        answer.headers["x-amz-checksum-algorithm"], answer.headers["x-amz-checksum-type"])


@pytest.mark.parametrize("headers", [
    {"x_amz_checksum_algorithm": "CRC31"}, {"x_amz_checksum_type": "COMPOSITE"},
    {"x_amz_checksum_algorithm": "SHA256", "x_amz_checksum_type": "FULL_OBJECT"},
    {"x_amz_checksum_algorithm": "CRC64NVME", "x_amz_checksum_type": "COMPOSITE"},
    {"x_amz_checksum_algorithm": "CRC32", "x_amz_checksum_type": "PARTLY"},
])
def test_a_checksum_that_cannot_be_is_refused(client: Client, headers: dict[str, str]) -> None:
    answer = client.ask("POST", "/bucket/key", "uploads", **headers)

    assert (400, "InvalidRequest") == (answer.status, answer.text("Code"))


def test_the_beginning_says_what_the_object_will_be(client: Client) -> None:
    id = client.begin(
        content_type="text/bla", x_amz_meta_foo="bar", cache_control="no-cache", x_amz_tagging="a=1&b=2",
        x_amz_storage_class="STANDARD_IA")
    client.complete(id, {1: client.add(id, 1, b"data")})

    headers = client.ask("GET", "/bucket/key").headers
    assert ("text/bla", "bar", "no-cache", "2", "STANDARD_IA") == tuple(headers[name] for name in (
        "content-type", "x-amz-meta-foo", "cache-control", "x-amz-tagging-count", "x-amz-storage-class"))


# Parts


@pytest.mark.parametrize(("number", "code"), [
    ("0", "InvalidArgument"), ("-1", "InvalidArgument"), ("10001", "InvalidArgument"),
    ("10000", None), ("1", None), ("one", "InvalidArgument"),
    ("99999999999999999999", "InvalidArgument"),
])
def test_part_numbers_go_from_one_to_ten_thousand(client: Client, number: str, code: str | None) -> None:
    query = {"partNumber": number, "uploadId": client.begin()}

    answer = client.ask("PUT", "/bucket/key", query, body=b"data")

    if code is None:
        assert 200 == answer.status
        return
    assert (400, code, number) == (answer.status, answer.text("Code"), answer.text("ArgumentValue"))


def test_a_part_has_its_md5_as_etag_and_its_checksum(client: Client) -> None:
    id = client.begin(x_amz_checksum_algorithm="CRC32")

    answer = client.ask("PUT", "/bucket/key", {"partNumber": 1, "uploadId": id}, body=b"data",
                        x_amz_checksum_crc32=crc(b"data"))

    assert f'"{hashlib.md5(b"data").hexdigest()}"' == answer.headers["etag"]
    assert crc(b"data") == answer.headers["x-amz-checksum-crc32"]
    assert "x-amz-checksum-type" not in answer.headers


def test_a_part_of_another_checksum_than_its_upload_is_refused(client: Client) -> None:
    id = client.begin(x_amz_checksum_algorithm="SHA256")

    answer = client.ask("PUT", "/bucket/key", {"partNumber": 1, "uploadId": id}, body=b"data",
                        x_amz_checksum_crc32=crc(b"data"))

    assert (400, "InvalidRequest") == (answer.status, answer.text("Code"))


@pytest.mark.parametrize(("method", "query"), [
    ("PUT", {"partNumber": 1, "uploadId": "no"}), ("GET", {"uploadId": "no"}), ("DELETE", {"uploadId": "no"}),
])
def test_an_unknown_upload_is_not_found(client: Client, method: str, query: dict[str, object]) -> None:
    answer = client.ask(method, "/bucket/key", query)

    assert (404, "NoSuchUpload", "no") == (answer.status, answer.text("Code"), answer.text("UploadId"))


def test_an_upload_belongs_to_its_key(client: Client) -> None:
    query = {"partNumber": 1, "uploadId": client.begin()}

    answer = client.ask("PUT", "/bucket/other", query, body=b"data")

    assert "NoSuchUpload" == answer.text("Code")


# Copies


def copy(client: Client, id: str, source: str = "/bucket/source", **headers: str) -> Answer:
    return client.ask(
        "PUT", "/bucket/key", {"partNumber": 1, "uploadId": id}, x_amz_copy_source=source, **headers)


@pytest.mark.parametrize("size", [10, 1000], ids=["in a row", "in a blob"])
def test_a_part_may_be_a_span_of_an_object(client: Client, size: int) -> None:
    data = bytes(index % 251 for index in range(size))
    client.ask("PUT", "/bucket/source", body=data)
    id = client.begin()

    answer = copy(client, id, x_amz_copy_source_range="bytes=2-7")

    etag = f'"{hashlib.md5(data[2:8]).hexdigest()}"'
    assert ("CopyPartResult", etag) == (answer.xml.tag, answer.text("ETag"))
    assert answer.text("LastModified")
    client.complete(id, {1: answer.text("ETag") or ""})
    assert data[2:8] == client.ask("GET", "/bucket/key").body


def test_a_part_may_be_a_whole_object(client: Client) -> None:
    client.ask("PUT", "/bucket/source", body=b"x" * 1000)
    id = client.begin(x_amz_checksum_algorithm="SHA256")

    answer = copy(client, id, source="bucket%2Fsource")

    assert b64(hashlib.sha256(b"x" * 1000).digest()) == answer.text("ChecksumSHA256")


@pytest.mark.parametrize("range", [
    "0-2", "bytes=0", "bytes=hello-world", "bytes=0-bar", "bytes=hello-", "bytes=0-2,3-5", "bytes=-3",
    "bytes=3-2",
])
def test_a_source_range_is_written_in_full(client: Client, range: str) -> None:
    client.ask("PUT", "/bucket/source", body=b"12345")

    answer = copy(client, client.begin(), x_amz_copy_source_range=range)

    assert (400, "InvalidArgument") == (answer.status, answer.text("Code"))


def test_a_source_range_lies_within_the_source(client: Client) -> None:
    client.ask("PUT", "/bucket/source", body=b"12345")

    answer = copy(client, client.begin(), x_amz_copy_source_range="bytes=0-21")

    assert (416, "InvalidRange") == (answer.status, answer.text("Code"))


@pytest.mark.parametrize("headers", [
    {"x_amz_copy_source_if_match": '"no"'}, {"x_amz_copy_source_if_none_match": "*"},
    {"x_amz_copy_source_if_modified_since": "Wed, 21 Oct 2065 07:28:00 GMT"},
    {"x_amz_copy_source_if_unmodified_since": "Wed, 21 Oct 2015 07:28:00 GMT"},
])
def test_conditions_on_the_source_fail_with_412(client: Client, headers: dict[str, str]) -> None:
    client.ask("PUT", "/bucket/source", body=b"12345")

    assert 412 == copy(client, client.begin(), **headers).status


def test_a_part_may_be_an_older_version(client: Client) -> None:
    client.ask("PUT", "/bucket", "versioning", body=(
        "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"))
    old = client.ask("PUT", "/bucket/source", body=b"old").headers["x-amz-version-id"]
    client.ask("PUT", "/bucket/source", body=b"new")

    answer = copy(client, client.begin(), source=f"/bucket/source?versionId={old}")

    assert old == answer.headers["x-amz-copy-source-version-id"]
    assert f'"{hashlib.md5(b"old").hexdigest()}"' == answer.text("ETag")


def test_a_source_that_is_not_there_is_no_key(client: Client) -> None:
    assert "NoSuchKey" == copy(client, client.begin()).text("Code")


def test_a_part_is_no_larger_than_an_upload() -> None:
    client = Client(Dialect("tiny", Limits(max_put_bytes=4), xmlns=""))
    id = client.begin()
    first = client.add(id, 1, b"1234", key="key")
    assert 200 == client.complete(id, {1: first}).status
    other = client.begin()
    again = client.ask("PUT", "/bucket/key", {"partNumber": 2, "uploadId": other}, body=b"12345")

    assert "EntityTooLarge" == again.text("Code")
    client.close()


def test_a_copy_is_no_larger_than_the_dialect_lets_it_be() -> None:
    client = Client(Dialect("tiny", Limits(max_copy_bytes=4), xmlns=""))
    client.ask("PUT", "/bucket/small", body=b"1234")
    client.ask("PUT", "/bucket/large", body=b"12345")

    small = client.ask("PUT", "/bucket/copy", x_amz_copy_source="bucket/small")
    large = client.ask("PUT", "/bucket/copy", x_amz_copy_source="bucket/large")
    renamed = client.ask("PUT", "/bucket/copy", "renameObject", x_amz_rename_source="large")

    assert (200, 400, 200) == (small.status, large.status, renamed.status)
    assert "InvalidRequest" == large.text("Code")
    assert (
        "The specified copy source is larger than the maximum allowable size for a copy source: 4"
        == large.text("Message"))
    client.close()


def test_a_part_is_no_larger_than_an_upload_where_it_is_copied_either() -> None:
    client = Client(Dialect("tiny", Limits(max_put_bytes=4, min_part_bytes=0), fine_faults=True, xmlns=""))
    id = client.begin()
    client.complete(id, {1: client.add(id, 1, b"1234", key="key"), 2: client.add(id, 2, b"5", key="key")})
    query = {"partNumber": 1, "uploadId": client.begin()}

    assert "CopySourceTooBig" == client.ask(
        "PUT", "/bucket/key", query, x_amz_copy_source="/bucket/key").text("Code")
    client.close()


# Complete


def test_a_completed_upload_is_the_object_of_its_parts(client: Client) -> None:
    id = client.begin()
    parts = {1: client.add(id, 1, b"first"), 2: client.add(id, 2, b"last")}

    answer = client.complete(id, parts)

    digests = hashlib.md5(b"first").digest() + hashlib.md5(b"last").digest()
    etag = f'"{hashlib.md5(digests).hexdigest()}-2"'
    assert ("http://s3.test/bucket/key", "bucket", "key", etag) == tuple(
        answer.text(name) for name in ("Location", "Bucket", "Key", "ETag"))
    found = client.ask("GET", "/bucket/key")
    assert (b"firstlast", etag) == (found.body, found.headers["etag"])


def test_the_url_of_the_object_is_percent_encoded(client: Client) -> None:
    id = client.begin("ä b/c")

    answer = client.complete(id, {1: client.add(id, 1, b"x", "ä b/c")}, "ä b/c")

    assert "http://s3.test/bucket/%C3%A4%20b/c" == answer.text("Location")


@pytest.mark.parametrize("body", [
    "", "no xml", "<Other/>", "<CompleteMultipartUpload/>",
    "<CompleteMultipartUpload><Part/></CompleteMultipartUpload>",
])
def test_a_complete_that_lists_nothing_is_malformed(client: Client, body: str) -> None:
    answer = client.ask("POST", "/bucket/key", {"uploadId": client.begin()}, body=body)

    assert (400, "MalformedXML") == (answer.status, answer.text("Code"))


@pytest.mark.parametrize(("listing", "code"), [
    ({2: "one", 1: "two"}, "InvalidPartOrder"), ({1: "one", 3: "three"}, "InvalidPart"),
    ({1: "two"}, "InvalidPart"), ({1: "one", 2: "two"}, None), ({2: "two"}, None),
])
def test_what_is_listed_is_compared(client: Client, listing: dict[int, str], code: str | None) -> None:
    id = client.begin()
    etags = {"one": client.add(id, 1, b"number one"), "two": client.add(id, 2, b"number two"), "three": "x"}

    answer = client.complete(id, {number: etags[name] for number, name in listing.items()})

    assert (200 if code is None else 400) == answer.status
    assert code == answer.text("Code")


def test_a_part_that_is_too_small_is_named(client: Client) -> None:
    id = client.begin()
    small = client.add(id, 1, b"1234")

    answer = client.complete(id, {1: small, 2: client.add(id, 2, b"12345")})

    assert ("EntityTooSmall", "4", "5", "1", small.strip('"')) == tuple(
        answer.text(name) for name in ("Code", "ProposedSize", "MinSizeAllowed", "PartNumber", "ETag"))


def test_the_checksum_of_the_whole_is_compared_and_told(client: Client) -> None:
    id = client.begin(x_amz_checksum_algorithm="CRC32", x_amz_checksum_type="FULL_OBJECT")
    parts = {1: client.add(id, 1, b"first"), 2: client.add(id, 2, b"last")}

    wrong = client.complete(id, parts, x_amz_checksum_crc32=crc(b"something"))
    right = client.complete(
        id, parts, x_amz_checksum_crc32=crc(b"firstlast"), x_amz_checksum_type="FULL_OBJECT")

    assert (400, "BadDigest") == (wrong.status, wrong.text("Code"))
    assert (crc(b"firstlast"), "FULL_OBJECT") == (right.text("ChecksumCRC32"), right.text("ChecksumType"))
    head = client.ask("HEAD", "/bucket/key", x_amz_checksum_mode="ENABLED")
    assert (crc(b"firstlast"), "FULL_OBJECT") == (
        head.headers["x-amz-checksum-crc32"], head.headers["x-amz-checksum-type"])


def test_a_composite_checksum_ends_with_the_number_of_parts(client: Client) -> None:
    id = client.begin(x_amz_checksum_algorithm="SHA256")
    digests = hashlib.sha256(b"first").digest() + hashlib.sha256(b"last").digest()
    parts = {1: client.add(id, 1, b"first"), 2: client.add(id, 2, b"last")}
    body = listed(parts)
    for data in (b"first", b"last"):
        checksum = f"<ChecksumSHA256>{b64(hashlib.sha256(data).digest())}</ChecksumSHA256>"
        body = body.replace("</ETag></Part>", f"</ETag>{checksum}</Part>", 1)

    answer = client.ask("POST", "/bucket/key", {"uploadId": id}, body=body)

    assert b64(hashlib.sha256(digests).digest()) + "-2" == answer.text("ChecksumSHA256")
    assert "COMPOSITE" == answer.text("ChecksumType")


def test_a_parts_checksum_in_the_list_is_compared(client: Client) -> None:
    id = client.begin(x_amz_checksum_algorithm="CRC32")
    etag = client.add(id, 1, b"data")
    body = (f"<CompleteMultipartUpload><Part><ChecksumCRC32>{{}}</ChecksumCRC32><ETag>{etag}</ETag>"
            "<PartNumber>1</PartNumber></Part></CompleteMultipartUpload>")

    wrong = client.ask("POST", "/bucket/key", {"uploadId": id}, body=body.format(crc(b"other")))
    right = client.ask("POST", "/bucket/key", {"uploadId": id}, body=body.format(crc(b"data")))

    assert ("InvalidPart", 200) == (wrong.text("Code"), right.status)


@pytest.mark.parametrize(("size", "status"), [("4", 200), ("5", 400), ("-1", 400), ("four", 400)])
def test_the_size_of_the_whole_may_be_named(client: Client, size: str, status: int) -> None:
    id = client.begin()

    assert status == client.complete(id, {1: client.add(id, 1, b"data")}, x_amz_mp_object_size=size).status


def test_conditions_hold_for_the_object_that_is_there(client: Client) -> None:
    client.ask("PUT", "/bucket/key", body=b"before")
    id = client.begin()
    parts = {1: client.add(id, 1, b"data")}

    assert 412 == client.complete(id, parts, if_none_match="*").status
    assert 412 == client.complete(id, parts, if_match='"other"').status
    assert 200 == client.complete(id, parts, if_match=f'"{hashlib.md5(b"before").hexdigest()}"').status


def test_a_condition_on_what_is_not_there_finds_no_key(client: Client) -> None:
    id = client.begin()

    assert "NoSuchKey" == client.complete(id, {1: client.add(id, 1, b"data")}, if_match="*").text("Code")


def test_the_same_complete_twice_is_answered_twice(client: Client) -> None:
    id = client.begin()
    parts = {1: client.add(id, 1, b"data")}

    first, second = client.complete(id, parts), client.complete(id, parts)

    assert (200, first.body) == (second.status, second.body)


@pytest.mark.parametrize(("status", "shown"), [("Enabled", True), ("Suspended", False), ("", False)])
def test_a_version_is_told_where_versions_are_kept(client: Client, status: str, shown: bool) -> None:
    if status:
        client.ask("PUT", "/bucket", "versioning", body=(
            f"<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>"))
    id = client.begin()

    answer = client.complete(id, {1: client.add(id, 1, b"data")})

    assert shown == ("x-amz-version-id" in answer.headers)


def test_a_dialect_may_leave_out_etags_and_sizes() -> None:
    client = Client(Dialect("lenient", Limits(min_part_bytes=0), compares_part_etags="when given", xmlns=""))
    id = client.begin()
    client.add(id, 1, b"a")
    client.add(id, 2, b"b")
    body = listed({1: "", 2: ""}).replace("<ETag></ETag>", "")

    assert 200 == client.ask("POST", "/bucket/key", {"uploadId": id}, body=body).status
    assert b"ab" == client.ask("GET", "/bucket/key").body
    client.close()


def test_many_parts_are_one_object(client: Client) -> None:
    id = client.begin()
    parts = {number: client.add(id, number, b"number %d" % number) for number in range(1, 40)}

    client.complete(id, parts)

    assert b"".join(b"number %d" % number for number in parts) == client.ask("GET", "/bucket/key").body
    assert b"er 5numb" == client.ask("GET", "/bucket/key", range="bytes=36-43").body


# Abort


def test_an_aborted_upload_is_gone(client: Client) -> None:
    id = client.begin()
    client.add(id, 1, b"data")

    first = client.ask("DELETE", "/bucket/key", {"uploadId": id})
    second = client.ask("DELETE", "/bucket/key", {"uploadId": id})

    assert (204, b"", 404, "NoSuchUpload") == (first.status, first.body, second.status, second.text("Code"))
    assert 404 == client.ask("GET", "/bucket/key").status


def test_the_past_of_a_bucket_takes_no_uploads(client: Client) -> None:
    answer = client.ask("POST", "/bucket@2023-11-14T22:13:20Z/key", "uploads")

    assert 501 == answer.status
