"""The `curl` examples of Alluxio's S3 pages: those of the 2.x proxy, below its base path, and the same of the AI edition.

Not copied, since they are plain bugs: ETags without quotes or empty, parts shown among a bucket's objects, the ETag of a
completed upload being that of one part.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.docs.seed_clients import LICENSE_BYTES, Answer, Place, Places, tag_set

XML = ("-H", "Content-Type: application/xml")
TAGS = "<Tagging><TagSet><Tag><Key>key1</Key><Value>val1</Value></Tag><Tag><Key>key2</Key><Value>val2</Value></Tag></TagSet></Tagging>"


@pytest.fixture(params=["proxy", "worker"])
def place(request: pytest.FixtureRequest, places: Places) -> Place:
    return places[request.param]


@pytest.fixture
def bucket(place: Place, name: str) -> str:
    assert place.curl("PUT", f"/{name}").status == 200
    return name


@pytest.fixture
def etag(license_file: str) -> str:
    return f'"{hashlib.md5(Path(license_file).read_bytes()).hexdigest()}"'


@pytest.fixture
def test_txt(place: Place, bucket: str, license_file: str) -> str:
    """The path of an object that was put."""
    assert place.curl("PUT", f"/{bucket}/test.txt", "-T", license_file).status == 200
    return f"/{bucket}/test.txt"


def listed(answer: Answer, *, version2: bool) -> list[tuple[str, str]]:
    """Keys and sizes of a listing that has what the pages show."""
    assert (200, "application/xml", "ListBucketResult") == (
        answer.status,
        answer.headers["content-type"],
        answer.xml.tag,
    )
    always = {
        "version2": str(version2).lower(),
        "IsTruncated": "false",
        "Prefix": "",
        "MaxKeys": "1000",
        "EncodingType": "url",
    }
    assert always == {name: answer.text(name) for name in always}
    assert all(text.endswith("Z") for text in answer.texts("Contents/LastModified"))
    return list(zip(answer.texts("Contents/Key"), answer.texts("Contents/Size"), strict=True))


def test_create_bucket(place: Place, name: str) -> None:
    answer = place.curl("PUT", f"/{name}")

    assert (200, "0") == (answer.status, answer.headers["content-length"])
    assert name in place.curl("GET", "/").texts("Buckets/Bucket/Name")


def test_creating_ones_own_bucket_again_is_quiet(place: Place, bucket: str) -> None:
    assert 200 == place.curl("PUT", f"/{bucket}").status


def test_list_buckets(place: Place, bucket: str) -> None:
    answer = place.curl("GET", "/")

    assert (200, "application/xml", "ListAllMyBucketsResult") == (
        answer.status,
        answer.headers["content-type"],
        answer.xml.tag,
    )
    assert bucket in answer.texts("Buckets/Bucket/Name")
    assert all(text.endswith("Z") for text in answer.texts("Buckets/Bucket/CreationDate"))


def test_buckets_are_those_of_the_user_that_the_header_names(place: Place, bucket: str) -> None:
    other = "Authorization: AWS4-HMAC-SHA256 Credential=otheruser/... SignedHeaders=... Signature=..."

    assert [] == place.curl("GET", "/", user=other).texts("Buckets/Bucket/Name")
    assert 409 == place.curl("PUT", f"/{bucket}", user=other).status


def test_delete_bucket(place: Place, bucket: str) -> None:
    answer = place.curl("DELETE", f"/{bucket}")

    assert 204 == answer.status
    assert bucket not in place.curl("GET", "/").texts("Buckets/Bucket/Name")


def test_delete_bucket_that_is_not_empty(place: Place, bucket: str, test_txt: str) -> None:
    assert 409 == place.curl("DELETE", f"/{bucket}").status


def test_head_bucket(place: Place, bucket: str) -> None:
    answer = place.curl("HEAD", f"/{bucket}")

    assert (200, "application/xml") == (answer.status, answer.headers["content-type"])
    assert "0" == answer.headers.get("content-length", "0")


def test_put_object(place: Place, bucket: str, license_file: str, etag: str) -> None:
    answer = place.curl("PUT", f"/{bucket}/test.txt", "-T", license_file)

    assert (200, etag, "0") == (answer.status, answer.headers["etag"], answer.headers["content-length"])
    listing = place.curl("GET", f"/{bucket}")
    assert [("test.txt", str(LICENSE_BYTES))] == listed(listing, version2=False)
    assert (bucket, "") == (listing.text("Name"), listing.text("Marker"))


def test_get_object(place: Place, test_txt: str, license_file: str, etag: str) -> None:
    answer = place.curl("GET", test_txt)

    assert (200, etag, "application/octet-stream", str(LICENSE_BYTES)) == (
        answer.status,
        *(answer.headers[name] for name in ("etag", "content-type", "content-length")),
    )
    assert answer.headers["last-modified"].endswith(" GMT")
    assert Path(license_file).read_bytes() == answer.body


def test_head_object(place: Place, test_txt: str, etag: str) -> None:
    answer = place.curl("HEAD", test_txt)

    assert (200, etag, "application/octet-stream", str(LICENSE_BYTES)) == (
        answer.status,
        *(answer.headers[name] for name in ("etag", "content-type", "content-length")),
    )
    assert answer.headers["last-modified"].endswith(" GMT")
    assert b"" == answer.body


def test_copy_object(place: Place, bucket: str, test_txt: str, etag: str) -> None:
    answer = place.curl("PUT", f"/{bucket}/test_copy.txt", "-H", f"x-amz-copy-source: {bucket}/test.txt")

    assert (200, "application/xml", "CopyObjectResult", etag) == (
        answer.status,
        answer.headers["content-type"],
        answer.xml.tag,
        answer.text("ETag"),
    )
    assert (answer.text("LastModified") or "").endswith("Z")
    assert ["test.txt", "test_copy.txt"] == [
        key for key, _ in listed(place.curl("GET", f"/{bucket}"), version2=False)
    ]


def test_list_objects_v2(place: Place, bucket: str, test_txt: str) -> None:
    answer = place.curl("GET", f"/{bucket}?list-type=2")

    assert [("test.txt", str(LICENSE_BYTES))] == listed(answer, version2=True)
    assert (bucket, "1") == (answer.text("Name"), answer.text("KeyCount"))


def test_delete_object(place: Place, bucket: str, test_txt: str) -> None:
    assert 204 == place.curl("DELETE", test_txt).status
    assert [] == listed(place.curl("GET", f"/{bucket}"), version2=False)


def test_delete_objects(place: Place, bucket: str, license_file: str) -> None:
    for key in ("foo.txt", "temp.txt", "temp2.txt"):
        place.curl("PUT", f"/{bucket}/{key}", "-T", license_file)
    document = (
        '<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Object><Key>temp.txt</Key></Object>'
        "<Object><Key>temp2.txt</Key></Object><Quiet>false</Quiet></Delete>"
    )

    answer = place.curl("POST", f"/{bucket}?delete", *XML, "--data", document)

    assert (200, "application/xml", "DeleteResult") == (
        answer.status,
        answer.headers["content-type"],
        answer.xml.tag,
    )
    assert {"temp.txt", "temp2.txt"} == set(answer.texts("Deleted/Key"))
    assert [("foo.txt", str(LICENSE_BYTES))] == listed(place.curl("GET", f"/{bucket}"), version2=False)


@pytest.mark.parametrize("of", ["", "/test.txt"], ids=["bucket", "object"])
def test_tags(place: Place, bucket: str, test_txt: str, of: str) -> None:
    path = f"/{bucket}{of}?tagging"
    before = place.curl("GET", path)
    put = place.curl("PUT", path, *XML, "--data-binary", TAGS)
    tagged = place.curl("GET", path)
    deleted = place.curl("DELETE", path)

    assert (200, "Tagging", {}) == (before.status, before.xml.tag, tag_set(before))
    assert before.xml.find("TagSet") is not None
    assert (200, "0") == (put.status, put.headers["content-length"])
    assert (200, {"key1": "val1", "key2": "val2"}) == (tagged.status, tag_set(tagged))
    assert 204 == deleted.status
    assert {} == tag_set(place.curl("GET", path))


def test_a_bucket_has_at_most_ten_tags(place: Place, bucket: str) -> None:
    tags = "".join(f"<Tag><Key>k{number}</Key><Value/></Tag>" for number in range(11))

    answer = place.curl(
        "PUT", f"/{bucket}?tagging", *XML, "-d", f"<Tagging><TagSet>{tags}</TagSet></Tagging>"
    )

    assert 400 == answer.status


def begin(place: Place, path: str) -> str:
    answer = place.curl("POST", f"{path}?uploads")
    assert (200, "application/xml", "InitiateMultipartUploadResult") == (
        answer.status,
        answer.headers["content-type"],
        answer.xml.tag,
    )
    assert path == f"/{answer.text('Bucket')}/{answer.text('Key')}"
    return answer.text("UploadId") or ""


def test_upload_parts_and_list_them(place: Place, bucket: str, license_file: str, etag: str) -> None:
    path = f"/{bucket}/multipart.txt"
    upload = begin(place, path)
    put = place.curl("PUT", f"{path}?uploadId={upload}&partNumber=1", "-T", license_file)
    answer = place.curl("GET", f"{path}?uploadId={upload}")

    assert (200, etag, "0") == (put.status, put.headers["etag"], put.headers["content-length"])
    shown = {
        "Bucket": bucket,
        "Key": "multipart.txt",
        "UploadId": upload,
        "StorageClass": "STANDARD",
        "IsTruncated": "false",
        "Part/PartNumber": "1",
        "Part/Size": str(LICENSE_BYTES),
    }
    assert shown == {name: answer.text(name) for name in shown}
    assert [] == listed(place.curl("GET", f"/{bucket}"), version2=False)


def test_complete_an_upload_whose_parts_are_named_by_number_alone(
    place: Place, bucket: str, license_file: str
) -> None:
    path = f"/{bucket}/multipart.txt"
    upload = begin(place, path)
    for number in (1, 2):
        place.curl("PUT", f"{path}?uploadId={upload}&partNumber={number}", "-T", license_file)
    document = (
        '<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Part><PartNumber>1</PartNumber>'
        "</Part><Part><PartNumber>2</PartNumber></Part></CompleteMultipartUpload>"
    )

    answer = place.curl("POST", f"{path}?uploadId={upload}", *XML, "-d", document)
    head = place.curl("HEAD", path)

    assert (200, "CompleteMultipartUploadResult", bucket, "multipart.txt") == (
        answer.status,
        answer.xml.tag,
        answer.text("Bucket"),
        answer.text("Key"),
    )
    assert (answer.text("Location") or "").endswith(path)
    assert (200, str(2 * LICENSE_BYTES), answer.text("ETag")) == (
        head.status,
        head.headers["content-length"],
        head.headers["etag"],
    )


def test_abort_an_upload(place: Place, bucket: str, license_file: str) -> None:
    path = f"/{bucket}/multipart.txt"
    upload = begin(place, path)
    place.curl("PUT", f"{path}?uploadId={upload}&partNumber=1", "-T", license_file)

    assert 204 == place.curl("DELETE", f"{path}?uploadId={upload}").status
    assert 404 == place.curl("GET", f"{path}?uploadId={upload}").status


def test_list_multipart_uploads(place: Place, bucket: str) -> None:
    uploads = [begin(place, f"/{bucket}/{key}") for key in ("object", "object", "object2")]

    answer = place.curl("GET", f"/{bucket}?uploads")

    assert (200, "ListMultipartUploadsResult", bucket) == (
        answer.status,
        answer.xml.tag,
        answer.text("Bucket"),
    )
    assert ["object", "object", "object2"] == answer.texts("Upload/Key")
    assert uploads == answer.texts("Upload/UploadId")
    assert all(text.endswith("Z") for text in answer.texts("Upload/Initiated"))


def test_upload_part_copy(place: Place, bucket: str, test_txt: str, etag: str) -> None:
    path = f"/{bucket}/object"
    upload = begin(place, path)

    answer = place.curl(
        "PUT", f"{path}?uploadId={upload}&partNumber=1", "-H", f"x-amz-copy-source: {bucket}/test.txt"
    )

    assert (200, "application/xml", "CopyPartResult", etag) == (
        answer.status,
        answer.headers["content-type"],
        answer.xml.tag,
        answer.text("ETag"),
    )
    assert [str(LICENSE_BYTES)] == place.curl("GET", f"{path}?uploadId={upload}").texts("Part/Size")


def test_outside_the_base_path_there_is_no_s3(places: Places) -> None:
    proxy = Place(places["proxy"].url.removesuffix("/api/v1/s3"))

    assert 400 == proxy.curl("GET", "/testbucket").status


@pytest.mark.parametrize(("access_key", "user"), [("testuser", "testuser"), ("", "alluxio")])
def test_the_python_client_of_the_page_is_the_user_that_it_names_or_the_default_one(
    place: Place, name: str, access_key: str, user: str,
) -> None:
    """As boto 2 sends it: signed with version 2, whatever the secret is. It does not run on today's Python."""
    signed = f"Authorization: AWS {access_key}:frJIUN8DYpKDtOLCwo//yllqDzg="
    created = place.curl("PUT", f"/{name}/", "-H", "Content-Length: 0", user=signed)
    mine = place.curl("GET", "/", user=signed)

    assert (200, 200) == (created.status, mine.status)
    assert (user, True) == (mine.text("Owner/DisplayName"), name in mine.texts("Buckets/Bucket/Name"))
