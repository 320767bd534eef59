"""The `aws s3api` examples of Alluxio's S3 pages, run by the client itself: the access key is the user, the secret anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.seed_clients import LICENSE_BYTES, Place, Places


@pytest.fixture(params=["proxy", "worker"])
def place(
    request: pytest.FixtureRequest, places: Places, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Place:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testuser")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any dummy value")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    return places[request.param]


@pytest.fixture
def bucket(place: Place, name: str) -> str:
    place.aws("create-bucket", "--bucket", name)
    return name


@pytest.fixture
def etag(place: Place, bucket: str, license_file: str) -> str:
    """The ETag of `test.txt`, which was put."""
    return str(
        place.aws("put-object", "--bucket", bucket, "--key", "test.txt", "--body", license_file)["ETag"]
    )


def keys(place: Place, bucket: str, action: str = "list-objects-v2") -> list[str]:
    found = place.aws(action, "--bucket", bucket) or {}
    assert all(one["Size"] == LICENSE_BYTES for one in found.get("Contents", ()))
    return [one["Key"] for one in found.get("Contents", ())]


def test_buckets(place: Place, bucket: str) -> None:
    def names() -> list[str]:
        return [one["Name"] for one in place.aws("list-buckets")["Buckets"]]

    assert bucket in names()
    place.aws("head-bucket", "--bucket", bucket)
    place.aws("delete-bucket", "--bucket", bucket)
    assert bucket not in names()


def test_objects(place: Place, bucket: str, etag: str, license_file: str, tmp_path: Path) -> None:
    head = place.aws("head-object", "--bucket", bucket, "--key", "test.txt")
    got = place.aws("get-object", "--bucket", bucket, "--key", "test.txt", str(tmp_path / "got"))

    for answer in (head, got):
        assert (LICENSE_BYTES, etag, "application/octet-stream", {}) == tuple(
            answer[name] for name in ("ContentLength", "ETag", "ContentType", "Metadata")
        )
    assert Path(license_file).read_bytes() == (tmp_path / "got").read_bytes()
    assert ["test.txt"] == keys(place, bucket, "list-objects")


def test_copies_and_deletions(place: Place, bucket: str, etag: str) -> None:
    copied = place.aws(
        "copy-object", "--copy-source", f"{bucket}/test.txt", "--bucket", bucket, "--key", "test_copy.txt"
    )
    assert etag == copied["CopyObjectResult"]["ETag"]
    assert ["test.txt", "test_copy.txt"] == keys(place, bucket)

    place.aws("delete-object", "--bucket", bucket, "--key", "test_copy.txt")
    assert ["test.txt"] == keys(place, bucket)

    place.aws("delete-objects", "--bucket", bucket, "--delete", "Objects=[{Key=test.txt},{Key=temp2.txt}]")
    assert [] == keys(place, bucket)


@pytest.mark.parametrize("kind", ["bucket", "object"])
def test_tags(place: Place, bucket: str, etag: str, kind: str) -> None:
    where = ["--bucket", bucket, *(["--key", "test.txt"] if kind == "object" else [])]
    tags = [{"Key": "key1", "Value": "val1"}, {"Key": "key2", "Value": "val2"}]

    assert [] == place.aws(f"get-{kind}-tagging", *where)["TagSet"]
    place.aws(
        f"put-{kind}-tagging", *where, "--tagging", "TagSet=[{Key=key1,Value=val1},{Key=key2,Value=val2}]"
    )
    assert tags == place.aws(f"get-{kind}-tagging", *where)["TagSet"]
    place.aws(f"delete-{kind}-tagging", *where)
    assert [] == place.aws(f"get-{kind}-tagging", *where)["TagSet"]


def test_an_upload_in_parts(place: Place, bucket: str, etag: str, license_file: str) -> None:
    where = ("--bucket", bucket, "--key", "multipart.txt")
    begun = place.aws("create-multipart-upload", *where)
    upload = (*where, "--upload-id", begun["UploadId"])
    assert (bucket, "multipart.txt") == (begun["Bucket"], begun["Key"])

    part = place.aws("upload-part", *upload, "--part-number", "1", "--body", license_file)
    copied = place.aws(
        "upload-part-copy", *upload, "--part-number", "2", "--copy-source", f"{bucket}/test.txt"
    )
    assert [etag, etag] == [part["ETag"], copied["CopyPartResult"]["ETag"]]

    parts = place.aws("list-parts", *upload)
    assert ("STANDARD", [(1, LICENSE_BYTES), (2, LICENSE_BYTES)]) == (
        parts["StorageClass"],
        [(one["PartNumber"], one["Size"]) for one in parts["Parts"]],
    )
    uploads = place.aws("list-multipart-uploads", "--bucket", bucket)["Uploads"]
    assert [("multipart.txt", begun["UploadId"])] == [(one["Key"], one["UploadId"]) for one in uploads]

    done = place.aws(
        "complete-multipart-upload", *upload, "--multipart-upload", "Parts=[{PartNumber=1},{PartNumber=2}]"
    )
    assert (bucket, "multipart.txt") == (done["Bucket"], done["Key"])
    head = place.aws("head-object", *where)
    assert (2 * LICENSE_BYTES, done["ETag"]) == (head["ContentLength"], head["ETag"])


def test_an_upload_that_is_given_up(place: Place, bucket: str) -> None:
    where = ("--bucket", bucket, "--key", "multipart.txt")
    upload = place.aws("create-multipart-upload", *where)["UploadId"]

    place.aws("abort-multipart-upload", *where, "--upload-id", upload)

    assert "Uploads" not in (place.aws("list-multipart-uploads", "--bucket", bucket) or {})
