"""A mount over a socket while other programs change its directory: what is read is the old file or the new one, whole."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
import time

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.servers import ROOT_ACCESS_KEY, ROOT_SECRET_KEY, Server

SECONDS = float(os.environ.get("TRIVIUM_UNREST_SECONDS", "4"))
SECRET = b"outside!"
SIZES = (100, 100_000, 3_000_000)

# Renames new files over old ones, swaps files and folders for links leading out, and puts them back.
STRANGER = """
import os, random, sys
root, outside = sys.argv[1:]
chance = random.Random(1)

def whole(path, size):
    letter = chance.choice(b"abcdefgh")
    with open(path + ".new", "wb") as file:
        file.write(bytes([letter]) * size)
    os.replace(path + ".new", path)

def link(path, target):
    os.symlink(target, path + ".link")
    os.replace(path + ".link", path)

print("ready", flush=True)
while True:
    for size in (100, 100_000, 3_000_000):
        whole(f"{root}/theirs-{size}", size)
        whole(f"{root}/swapped-{size}", size)
        link(f"{root}/swapped-{size}", f"{outside}/folder-{size}")
        os.rename(f"{root}/folder", f"{root}/away")
        os.symlink(outside, f"{root}/folder")
        os.unlink(f"{root}/folder")
        os.rename(f"{root}/away", f"{root}/folder")
        whole(f"{root}/folder/folder-{size}", size)
"""


@pytest.fixture
def place(tmp_path):
    """A directory outside that nobody may see, a mount, and a server of two workers for it."""
    root, outside = tmp_path / "root", tmp_path / "outside"
    outside.mkdir()
    (root / "folder").mkdir(parents=True)
    for size in SIZES:
        (outside / f"folder-{size}").write_bytes(SECRET * (size // len(SECRET)))
    server = Server.start(tmp_path / "data", workers=2, config=f'[[mounts]]\nbucket = "files"\npath = "{root}"\n')
    try:
        yield server, root, outside
    finally:
        server.stop()


def client(endpoint):
    config = Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"}, max_pool_connections=1)
    return boto3.client(
        "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id=ROOT_ACCESS_KEY,
        aws_secret_access_key=ROOT_SECRET_KEY, config=config)


class Visitor:
    """A client that goes on until time is over; what it finds wrong is in `wrong`."""

    def __init__(self, server, end):
        self.s3, self.end = client(server.endpoint), end
        self.answers, self.wrong = 0, []

    def run(self, visit):
        while time.monotonic() < self.end and not self.wrong:
            try:
                visit(self)
                self.answers += 1
            except ClientError as error:
                if error.response["ResponseMetadata"]["HTTPStatusCode"] not in (400, 404, 409, 503):
                    self.wrong.append(error)
            except Exception as error:  # a broken stream has many names, and none is allowed
                self.wrong.append(error)


def read(visitor):
    for size in SIZES:
        for key in (f"ours-{size}", f"theirs-{size}", f"swapped-{size}", f"folder/folder-{size}"):
            try:
                answer = visitor.s3.get_object(Bucket="files", Key=key)
            except ClientError as error:
                assert error.response["Error"]["Code"] in ("NoSuchKey", "SlowDown"), error
                continue
            body, etag = answer["Body"].read(), answer["ETag"].strip('"')
            assert len(body) == size, f"{key}: {len(body)} bytes"
            assert len(set(body)) == 1, f"{key}: not of one piece, or from outside: {set(body)}"
            assert hashlib.md5(body, usedforsecurity=False).hexdigest() == etag, key


def write(visitor):
    for size in SIZES:
        letter = b"ABCDEFGH"[visitor.answers % 8: visitor.answers % 8 + 1]
        visitor.s3.put_object(Bucket="files", Key=f"ours-{size}", Body=letter * size)


def look(visitor):
    page = visitor.s3.list_objects_v2(Bucket="files")
    sizes = {entry["Key"]: entry["Size"] for entry in page.get("Contents", ()) if "." not in entry["Key"]}
    assert {f"ours-{size}" for size in SIZES} <= sizes.keys()
    assert [] == [key for key, size in sizes.items() if not key.endswith(("/", f"-{size}"))]


@pytest.mark.timeout(60 + 3 * SECONDS)
def test_whatever_others_do_to_the_directory_bodies_are_whole_and_nothing_comes_from_outside(place):
    server, root, outside = place
    write(Visitor(server, 0))
    stranger = subprocess.Popen([sys.executable, "-c", STRANGER, str(root), str(outside)], stdout=subprocess.PIPE)
    try:
        assert stranger.stdout is not None
        assert stranger.stdout.readline() == b"ready\n"
        end = time.monotonic() + SECONDS
        visitors = [(Visitor(server, end), visit) for visit in (read, read, read, write, look)]
        threads = [threading.Thread(target=visitor.run, args=(visit,)) for visitor, visit in visitors]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.communicate()

    assert [] == [wrong for visitor, _ in visitors for wrong in visitor.wrong]
    assert all(visitor.answers for visitor, _ in visitors)


def test_a_checksum_of_the_parts_checksums_stays_one_over_a_restart(tmp_path):
    (tmp_path / "root").mkdir()
    config = f'[[mounts]]\nbucket = "files"\npath = "{tmp_path}/root"\n'
    server = Server.start(tmp_path / "data", config=config)
    one = {"Bucket": "files", "Key": "one"}
    try:
        s3 = client(server.endpoint)
        upload = {**one, "UploadId": s3.create_multipart_upload(
            **one, ChecksumAlgorithm="SHA256", ChecksumType="COMPOSITE")["UploadId"]}
        parts = []
        for number, body in enumerate((bytes(5 << 20), b"last"), 1):
            part = s3.upload_part(**upload, PartNumber=number, Body=body, ChecksumAlgorithm="SHA256")
            parts.append({"PartNumber": number, "ETag": part["ETag"], "ChecksumSHA256": part["ChecksumSHA256"]})
        done = s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
        server.stop()
        server = Server.start(tmp_path / "data", config=config)
        s3 = client(server.endpoint)
        head = s3.head_object(**one, ChecksumMode="ENABLED")
        attributes = s3.get_object_attributes(**one, ObjectAttributes=["Checksum"])["Checksum"]
    finally:
        server.stop()

    assert (done["ChecksumType"], done["ChecksumSHA256"][-2:]) == ("COMPOSITE", "-2")
    assert (head["ChecksumType"], head["ChecksumSHA256"]) == ("COMPOSITE", done["ChecksumSHA256"])
    assert attributes == {"ChecksumType": "COMPOSITE", "ChecksumSHA256": done["ChecksumSHA256"]}
