"""The examples of Alluxio 1.x's S3 page: no user is named, and lists count and continue in the plain form.

Where the page shows empty ETags, part ETags for whole objects, or a leading slash in names, AWS's way is kept.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config

from tests.docs.seed_clients import LICENSE_BYTES, Answer, Place, Places


@pytest.fixture
def first(places: Places) -> Place:
    return places["first"]


def curl(place: Place, method: str, path: str, *arguments: str) -> Answer:
    return place.curl(method, path, *arguments, user="")


@pytest.fixture
def bucket(first: Place, name: str) -> str:
    assert curl(first, "PUT", f"/{name}").status == 200
    return name


def test_create_a_bucket(first: Place, name: str) -> None:
    answer = curl(first, "PUT", f"/{name}")

    assert (200, "0") == (answer.status, answer.headers["content-length"])


def test_list_an_empty_bucket(first: Place, bucket: str) -> None:
    answer = curl(first, "GET", f"/{bucket}")

    assert (200, "application/xml") == (answer.status, answer.headers["content-type"])
    assert "ListBucketResult" == answer.xml.tag
    shown = {
        "Name": bucket,
        "Prefix": "",
        "ContinuationToken": "",
        "NextContinuationToken": "",
        "KeyCount": "0",
        "MaxKeys": "1000",
        "IsTruncated": "false",
    }
    assert shown == {name: answer.text(name) for name in shown}


def test_put_and_get_an_object(first: Place, bucket: str, license_file: str) -> None:
    put = curl(first, "PUT", f"/{bucket}/testobject", "-T", license_file)
    got = curl(first, "GET", f"/{bucket}/testobject")

    content = Path(license_file).read_bytes()
    assert (200, f'"{hashlib.md5(content).hexdigest()}"', "0") == (
        put.status,
        put.headers["etag"],
        put.headers["content-length"],
    )
    assert (200, str(LICENSE_BYTES), content) == (got.status, got.headers["content-length"], got.body)
    assert got.headers["last-modified"].endswith(" GMT")


def test_list_a_bucket_with_one_object(first: Place, bucket: str, license_file: str) -> None:
    put = curl(first, "PUT", f"/{bucket}/testobject", "-T", license_file)

    answer = curl(first, "GET", f"/{bucket}")

    shown = {
        "KeyCount": "1",
        "Contents/Key": "testobject",
        "Contents/Size": str(LICENSE_BYTES),
        "Contents/StorageClass": "STANDARD",
        "Contents/ETag": put.headers["etag"],
    }
    assert shown == {name: answer.text(name) for name in shown}
    assert (answer.text("Contents/LastModified") or "").endswith("Z")


def test_list_in_pages(first: Place, bucket: str, license_file: str) -> None:
    for key in ("key1", "key2", "key3", "testobject"):
        assert curl(first, "PUT", f"/{bucket}/{key}", "-T", license_file).status == 200

    page = curl(first, "GET", f"/{bucket}?max-keys=2")
    rest = curl(first, "GET", f"/{bucket}?max-keys=2&continuation-token=key3")

    names = ("ContinuationToken", "NextContinuationToken", "KeyCount", "MaxKeys", "IsTruncated")
    assert ["", "key3", "2", "2", "true"] == [page.text(name) for name in names]
    assert ["key1", "key2"] == page.texts("Contents/Key")
    assert ["key3", "", "2", "2", "false"] == [rest.text(name) for name in names]
    assert ["key3", "testobject"] == rest.texts("Contents/Key")


def test_delete_an_object_and_an_empty_bucket(first: Place, bucket: str, license_file: str) -> None:
    curl(first, "PUT", f"/{bucket}/key1", "-T", license_file)

    assert 204 == curl(first, "DELETE", f"/{bucket}/key1").status
    assert 204 == curl(first, "DELETE", f"/{bucket}").status
    assert 404 == curl(first, "GET", f"/{bucket}").status


EMPTY = '"d41d8cd98f00b204e9800998ecf8427e"'


def test_a_part_and_an_object_without_a_body_are_empty(first: Place, bucket: str) -> None:
    """`curl -X PUT` sends no Content-Length when it is given nothing to send."""
    path = f"/{bucket}/testobject"
    upload = curl(first, "POST", f"{path}?uploads").text("UploadId") or ""
    part = curl(first, "PUT", f"{path}?partNumber=1&uploadId={upload}")
    put = curl(first, "PUT", path)

    assert [(200, EMPTY)] * 2 == [(answer.status, answer.headers["etag"]) for answer in (part, put)]


def test_upload_in_parts(first: Place, bucket: str, license_file: str) -> None:
    path = f"/{bucket}/testobject"
    begun = curl(first, "POST", f"{path}?uploads")
    upload = begun.text("UploadId") or ""
    put = curl(first, "PUT", f"{path}?partNumber=1&uploadId={upload}", "-T", license_file)
    parts = curl(first, "GET", f"{path}?uploadId={upload}")
    named = (
        f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{put.headers['etag']}</ETag></Part>"
        "</CompleteMultipartUpload>"
    )
    done = curl(first, "POST", f"{path}?uploadId={upload}", "-d", named)

    assert ("InitiateMultipartUploadResult", bucket, "testobject") == (
        begun.xml.tag,
        begun.text("Bucket"),
        begun.text("Key"),
    )
    assert 200 == put.status
    shown = {
        "Bucket": bucket,
        "Key": "testobject",
        "UploadId": upload,
        "StorageClass": "STANDARD",
        "IsTruncated": "false",
        "Part/PartNumber": "1",
        "Part/ETag": put.headers["etag"],
        "Part/Size": str(LICENSE_BYTES),
    }
    assert shown == {name: parts.text(name) for name in shown}
    assert (200, "CompleteMultipartUploadResult") == (done.status, done.xml.tag)
    assert (bucket, "testobject") == (done.text("Bucket"), done.text("Key"))
    assert (done.text("Location") or "").endswith(path)
    assert Path(license_file).read_bytes() == curl(first, "GET", path).body


def test_give_up_an_upload(first: Place, bucket: str) -> None:
    path = f"/{bucket}/testobject"
    upload = curl(first, "POST", f"{path}?uploads").text("UploadId")

    assert 204 == curl(first, "DELETE", f"{path}?uploadId={upload}").status
    assert 404 == curl(first, "GET", f"{path}?uploadId={upload}").status


def test_the_story_of_the_python_client(first: Place, name: str) -> None:
    """Small and large objects, and an upload of 8 MB in parts of 1 MB, which is below AWS's smallest part."""
    s3 = boto3.client(
        "s3",
        endpoint_url=first.url,
        region_name="us-east-1",
        config=Config(
            signature_version=UNSIGNED, s3={"addressing_style": "path"}, retries={"max_attempts": 0}
        ),
    )
    large = bytes(8 << 20)
    s3.create_bucket(Bucket=name)

    s3.put_object(Bucket=name, Key="small.txt", Body=b"Hello World!")
    s3.put_object(Bucket=name, Key="large.txt", Body=large)
    assert b"Hello World!" == s3.get_object(Bucket=name, Key="small.txt")["Body"].read()
    assert large == s3.get_object(Bucket=name, Key="large.txt")["Body"].read()

    s3.delete_object(Bucket=name, Key="small.txt")
    s3.delete_object(Bucket=name, Key="large.txt")
    upload = s3.create_multipart_upload(Bucket=name, Key="large.txt")["UploadId"]
    etags = [
        s3.upload_part(
            Bucket=name, Key="large.txt", UploadId=upload, PartNumber=number, Body=large[: 1 << 20]
        )["ETag"]
        for number in range(1, 9)
    ]
    parts = [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(etags, 1)]
    s3.complete_multipart_upload(
        Bucket=name, Key="large.txt", UploadId=upload, MultipartUpload={"Parts": parts}
    )
    assert large == s3.get_object(Bucket=name, Key="large.txt")["Body"].read()

    upload = s3.create_multipart_upload(Bucket=name, Key="large.txt")["UploadId"]
    s3.abort_multipart_upload(Bucket=name, Key="large.txt", UploadId=upload)
    s3.delete_object(Bucket=name, Key="large.txt")
    s3.delete_bucket(Bucket=name)
