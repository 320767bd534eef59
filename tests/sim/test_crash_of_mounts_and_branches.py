"""The server is killed while clients write into a mount and a branch: what was acknowledged is there, and no half of a file.

As `test_crash`, shorter: `TRIVIUM_ROAD_KILLS` says how often to kill, 2 by default.
"""

from __future__ import annotations

import os
import random
import threading
from dataclasses import dataclass, field

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.servers import Server, run_scrub
from tests.sim.test_crash import ABSENT, LARGE, SMALL, client, md5, read

KILLS = int(os.environ.get("TRIVIUM_ROAD_KILLS", "2"))
BUCKETS = ("files", "master.history")


@dataclass
class Writer:
    """A client of one bucket that writes until the server goes away, and remembers what it was told."""

    bucket: str
    number: int
    seed: int
    settled: dict[str, str] = field(default_factory=dict)
    pending: dict[str, str] = field(default_factory=dict)
    done: int = 0

    def write_until_it_dies(self, endpoint: str) -> None:
        s3, chance = client(endpoint), random.Random(self.seed)
        self.seed += 1
        try:
            while True:
                self.write(s3, chance, f"w{self.number}/k{chance.randrange(8)}")
                self.done += 1
        except ClientError as error:
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] in (0, 503), error
        except BotoCoreError:
            pass

    def write(self, s3, chance, key) -> None:
        body = chance.randbytes(chance.choice((SMALL, SMALL, LARGE)))
        if chance.random() < 0.2:
            self.pending[key] = ABSENT
            s3.delete_object(Bucket=self.bucket, Key=key)
        else:
            self.pending[key] = md5(body)
            s3.put_object(Bucket=self.bucket, Key=key, Body=body, Metadata={"md5": md5(body)})
        self.settled[key] = self.pending.pop(key)

    def compare(self, s3) -> None:
        """Every key is as settled or as pending, and whole. A settled file has the metadata that came with it."""
        listed = {
            entry["Key"] for entry in s3.list_objects_v2(Bucket=self.bucket, Prefix=f"w{self.number}/").get("Contents", ())}
        for key in sorted({*self.settled, *self.pending}):
            allowed = {self.settled.get(key, ABSENT), self.pending.get(key, self.settled.get(key, ABSENT))}
            found = read(s3, self.bucket, key)
            assert found in allowed, f"{self.bucket} {key}: found {found or 'nothing'}, allowed {allowed}"
            assert (found != ABSENT) == (key in listed), key
            if found and key not in self.pending:
                assert {"md5": found} == s3.head_object(Bucket=self.bucket, Key=key)["Metadata"]
            self.pending.pop(key, None)
            self.settled[key] = found


@pytest.mark.timeout(60 + 20 * KILLS)
def test_what_was_acknowledged_on_a_mount_and_on_a_branch_survives_every_kill(tmp_path):
    chance, root = random.Random(int(os.environ.get("TRIVIUM_SEED", "1"))), tmp_path / "root"
    root.mkdir()
    config = f'[[mounts]]\nbucket = "files"\npath = "{root}"\n'
    writers = [Writer(bucket, number, seed=1000 * number) for number, bucket in enumerate(BUCKETS * 2)]
    server = Server.start(tmp_path / "data", workers=2, config=config)
    client(server.endpoint).create_bucket(Bucket="master.history")
    try:
        for _ in range(KILLS):
            threads = [threading.Thread(target=one.write_until_it_dies, args=(server.endpoint,)) for one in writers]
            server.kill_under(threads, after_seconds=chance.uniform(0.5, 1.5))
            server = Server.start(tmp_path / "data", workers=2, config=config)
            s3 = client(server.endpoint)
            for one in writers:
                one.compare(s3)
    finally:
        server.stop()

    assert all(one.done for one in writers)
    assert "" == run_scrub(tmp_path / "data")
