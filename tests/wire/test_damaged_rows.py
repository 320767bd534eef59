"""Rows of the database that make no sense, as whoever has his only copy here meets them: over the wire."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.conftest import make_client
from tests.servers import Server, environment

LARGE = bytes(200_000)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    one = Server.start(tmp_path / "data", workers=2)
    yield one
    one.stop()


@pytest.fixture
def s3(server: Server):
    client = make_client(server)
    client.create_bucket(Bucket="photos")
    return client


def damage(tmp_path: Path, key: str, table: str = "rows_c") -> None:
    """Change a byte in the middle of the rows of the key, as a failing disk does."""
    with closing(sqlite3.connect(tmp_path / "data" / "rows" / "rows.db", timeout=30)) as rows, rows:
        found = rows.execute(f"select k, v from {table} where instr(k, ?) order by k limit 1", (key.encode(),)).fetchone()
        value = bytearray(found[1])
        value[value.index(key.encode())] = 0xFF
        rows.execute(f"update {table} set v = ? where k = ?", (bytes(value), found[0]))


def scrub(tmp_path: Path, *flags: str) -> list[str]:
    words = [sys.executable, "-m", "trivium", "scrub", "--data", str(tmp_path / "data"), *flags]
    return subprocess.run(words, env=environment(), capture_output=True, text=True, timeout=60, check=False).stdout.splitlines()


def status(work, **more) -> int:
    with pytest.raises(ClientError) as caught:
        work(Bucket="photos", **more)
    return caught.value.response["ResponseMetadata"]["HTTPStatusCode"]


def test_it_is_refused_and_named_and_whoever_writes_over_it_goes_on(server: Server, s3, tmp_path: Path) -> None:
    for key in ("cat.jpg", "dog.jpg", "emu.jpg"):
        s3.put_object(Bucket="photos", Key=key, Body=LARGE)
    damage(tmp_path, "cat.jpg")
    damage(tmp_path, "dog.jpg")

    assert [500] * 5 == [
        status(s3.get_object, Key="cat.jpg"), status(s3.head_object, Key="cat.jpg"), status(s3.list_objects_v2),
        status(s3.list_objects_v2, Prefix="cat"), status(s3.put_object, Key="cat.jpg", Body=b"x", IfNoneMatch="*")]
    assert s3.get_object(Bucket="photos", Key="emu.jpg")["Body"].read() == LARGE
    assert " 'cat.jpg' cannot be read: it is damaged: " in server.log.read_text()

    s3.put_object(Bucket="photos", Key="cat.jpg", Body=b"again")
    assert s3.get_object(Bucket="photos", Key="cat.jpg")["Body"].read() == b"again"
    s3.delete_object(Bucket="photos", Key="dog.jpg")
    assert ["cat.jpg", "emu.jpg"] == [one["Key"] for one in s3.list_objects_v2(Bucket="photos")["Contents"]]
    assert [" 'cat.jpg'", " 'dog.jpg'"] == [line[-10:] for line in scrub(tmp_path) if line.startswith("set aside")]
    assert len([*(tmp_path / "data" / "blobs").glob("*/*")]) == 3  # the files of both rows are there still


def test_the_log_names_the_object_whose_bytes_are_damaged(server: Server, s3, tmp_path: Path) -> None:
    s3.put_object(Bucket="photos", Key="small", Body=b"12345")
    s3.put_object(Bucket="photos", Key="large", Body=LARGE)
    with closing(sqlite3.connect(tmp_path / "data" / "rows" / "rows.db", timeout=30)) as rows, rows:
        rows.execute("update bodies set b = 'x'")
    for blob in (tmp_path / "data" / "blobs").glob("*/*"):
        blob.unlink()

    assert [500] * 3 == [
        status(s3.get_object, Key="small"), status(s3.get_object, Key="large"),
        status(s3.upload_part_copy, Key="copy", CopySource="photos/large", PartNumber=1, CopySourceRange="bytes=1-2",
               UploadId=s3.create_multipart_upload(Bucket="photos", Key="copy")["UploadId"])]
    log = server.log.read_text()
    assert 'failed: GetObject of bucket photos, key "small"' in log
    assert "ValueError: the bytes of key 'small', version null, are damaged" in log
    assert 'the bytes cannot be had: GetObject of bucket photos, key "large"' in log


def test_the_administrator_sets_it_aside_while_the_server_runs(s3, tmp_path: Path) -> None:
    s3.put_bucket_versioning(Bucket="photos", VersioningConfiguration={"Status": "Enabled"})
    for body in (b"1", b"2"):
        s3.put_object(Bucket="photos", Key="cat.jpg", Body=body)
    s3.put_object(Bucket="photos", Key="dog.jpg", Body=b"1")
    damage(tmp_path, "cat.jpg")
    refused = status(s3.list_object_versions)
    said = scrub(tmp_path, "--set-aside", "--quiet")
    listed = s3.list_object_versions(Bucket="photos")

    assert refused == 500
    assert ["  set aside"] == said[1:]
    assert status(s3.get_object, Key="cat.jpg") == 404
    assert ["dog.jpg"] == [one["Key"] for one in s3.list_objects_v2(Bucket="photos")["Contents"]]
    assert ["cat.jpg"] == [one["Key"] for one in listed["DeleteMarkers"]]
    s3.delete_object(Bucket="photos", Key="cat.jpg", VersionId=listed["DeleteMarkers"][0]["VersionId"])
    assert s3.get_object(Bucket="photos", Key="cat.jpg")["Body"].read() == b"1"
