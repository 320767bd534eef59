"""The server is killed while clients write, and started again: what was acknowledged is there, nothing is half-written.

Each writer has keys of its own and knows, for each, what it was told (`settled`) and what it had asked for when the server
died (`pending`). After a restart a key must be as settled, or as pending, and nothing else; then what is there is settled.
`TRIVIUM_KILLS` says how often to kill: 5 by default, 50 in the long form (`make test-deep`).
"""

from __future__ import annotations

import hashlib
import os
import random
import threading
from dataclasses import dataclass, field

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.servers import ROOT_ACCESS_KEY, ROOT_SECRET_KEY, Server, run_scrub

KILLS = int(os.environ.get("TRIVIUM_KILLS", "5"))
WRITERS = 4
SMALL, LARGE, PART = 900, 300_000, 5 << 20
ABSENT = ""


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


@dataclass
class Writer:
    """A client that writes until the server goes away. States are ETags; `ABSENT` for no object."""

    number: int
    seed: int
    settled: dict[str, str] = field(default_factory=dict)
    pending: dict[str, str] = field(default_factory=dict)
    versions: dict[tuple[str, str], str] = field(default_factory=dict)
    done: int = 0

    def write_until_it_dies(self, endpoint: str) -> None:
        s3, chance = client(endpoint), random.Random(self.seed)
        self.seed += 1
        try:
            while True:
                key = f"w{self.number}/k{chance.randrange(12)}"
                chance.choice((self.put, self.put, self.put_large, self.delete, self.copy, self.put_version, self.upload))(
                    s3, chance, key)
                self.done += 1
        except (BotoCoreError, ClientError) as error:
            if isinstance(error, ClientError):
                assert error.response["ResponseMetadata"]["HTTPStatusCode"] in (0, 503), error

    def settle(self, key: str, state: str) -> None:
        self.settled[key] = state
        self.pending.pop(key, None)

    def put(self, s3, chance, key, size=SMALL):
        body = chance.randbytes(size)
        self.pending[key] = md5(body)
        s3.put_object(Bucket="plain", Key=key, Body=body)
        self.settle(key, md5(body))

    def put_large(self, s3, chance, key):
        self.put(s3, chance, key, LARGE)

    def delete(self, s3, chance, key):
        self.pending[key] = ABSENT
        s3.delete_object(Bucket="plain", Key=key)
        self.settle(key, ABSENT)

    def copy(self, s3, chance, key):
        source = next((one for one, state in self.settled.items() if state and one != key), None)
        if source is None:
            return
        self.pending[key] = self.settled[source]
        s3.copy_object(Bucket="plain", Key=key, CopySource={"Bucket": "plain", "Key": source})
        self.settle(key, self.settled[source])

    def put_version(self, s3, chance, key):
        body = chance.randbytes(chance.choice((SMALL, LARGE)))
        version = s3.put_object(Bucket="versioned", Key=key, Body=body)["VersionId"]
        self.versions[key, version] = md5(body)

    def upload(self, s3, chance, key):
        if chance.random() < 0.8:
            return
        bodies = [chance.randbytes(PART), chance.randbytes(SMALL)]
        upload = s3.create_multipart_upload(Bucket="plain", Key=key)["UploadId"]
        parts = [
            {"PartNumber": number, "ETag": s3.upload_part(
                Bucket="plain", Key=key, UploadId=upload, PartNumber=number, Body=body)["ETag"]}
            for number, body in enumerate(bodies, 1)
        ]
        etag = md5(b"".join(bytes.fromhex(md5(body)) for body in bodies)) + "-2"
        self.pending[key] = etag
        s3.complete_multipart_upload(Bucket="plain", Key=key, UploadId=upload, MultipartUpload={"Parts": parts})
        self.settle(key, etag)

    def compare(self, s3) -> None:
        """Every key is as settled or as pending, its bytes are whole; every acknowledged version is there."""
        for key in sorted({*self.settled, *self.pending}):
            allowed = {state for state in (self.settled.get(key, ABSENT), self.pending.get(key)) if state is not None}
            found = read(s3, "plain", key)
            assert found in allowed, f"{key}: found {found or 'nothing'}, allowed {allowed}"
            self.settle(key, found)
        for (key, version), etag in self.versions.items():
            assert etag == read(s3, "versioned", key, VersionId=version), f"{key} {version}"


def read(s3, bucket: str, key: str, **more: str) -> str:
    """The ETag of the object, after checking that its bytes have it; `ABSENT` when there is none."""
    try:
        answer = s3.get_object(Bucket=bucket, Key=key, **more)
    except ClientError as error:
        assert error.response["Error"]["Code"] == "NoSuchKey", error
        return ABSENT
    etag, body = answer["ETag"].strip('"'), answer["Body"].read()
    if "-" in etag:
        assert md5(bytes.fromhex(md5(body[:PART])) + bytes.fromhex(md5(body[PART:]))) + "-2" == etag
    else:
        assert md5(body) == etag
    return etag


def client(endpoint: str):
    return boto3.client(
        "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id=ROOT_ACCESS_KEY,
        aws_secret_access_key=ROOT_SECRET_KEY,
        config=Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"}, connect_timeout=5, read_timeout=20))


@pytest.mark.timeout(60 + 20 * KILLS)
def test_what_was_acknowledged_survives_every_kill(tmp_path):
    chance = random.Random(int(os.environ.get("TRIVIUM_SEED", "1")))
    writers = [Writer(number, seed=1000 * number) for number in range(WRITERS)]
    server = Server.start(tmp_path / "data", workers=2)
    s3 = client(server.endpoint)
    s3.create_bucket(Bucket="plain")
    s3.create_bucket(Bucket="versioned")
    s3.put_bucket_versioning(Bucket="versioned", VersioningConfiguration={"Status": "Enabled"})
    try:
        for _ in range(KILLS):
            threads = [threading.Thread(target=one.write_until_it_dies, args=(server.endpoint,)) for one in writers]
            server.kill_under(threads, after_seconds=chance.uniform(0.3, 2.0))
            server = Server.start(tmp_path / "data", workers=2)
            s3 = client(server.endpoint)
            for one in writers:
                one.compare(s3)
    finally:
        server.stop()

    assert sum(one.done for one in writers) > 10 * KILLS
    findings = run_scrub(tmp_path / "data")
    assert "" == findings
