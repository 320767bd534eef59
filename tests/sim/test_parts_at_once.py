"""Clients put parts of the same uploads through two workers, the same numbers too, while others complete and abort them.

Then the server is killed, and started again: of each part that was acknowledged there is the one that was put last, or one
that was put at the same time; an upload that was completed is the object that it was asked to be, and answers as before; and
every blob has as many owners as rows need it. `TRIVIUM_KILLS` says how often to kill, as in `test_crash.py`.
"""

from __future__ import annotations

import asyncio
import os
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.model.uploads_model import audit
from tests.servers import Server, free_port, run_scrub
from tests.sim.test_crash import client, md5
from trivium.storage.engines.sqlite import SqliteEngine
from trivium.storage.folder import DataFolder

KILLS = int(os.environ.get("TRIVIUM_KILLS", "5"))
WRITERS = 5
NUMBERS = (*range(60, 69), *range(126, 131), 1)  # the last of a row and the first of the next
KEPT = {"Bucket": "plain"}
Listed = tuple[tuple[int, str], ...]


@dataclass
class Put:
    """A part as it was sent, and when; `ended` is None until it is acknowledged."""

    number: int
    etag: str
    began: float
    ended: float | None = None


@dataclass
class Upload:
    """An upload, and what was asked of it. `answers` are ETags of the whole."""

    key: str
    id: str
    puts: list[Put] = field(default_factory=list)
    asked: list[Listed] = field(default_factory=list)
    answers: set[str] = field(default_factory=set)
    given_up: bool = False

    @property
    def at(self) -> dict[str, str]:
        return {**KEPT, "Key": self.key, "UploadId": self.id}

    def put(self, s3, chance: random.Random, bodies: dict[str, bytes]) -> None:
        body = chance.randbytes(chance.choice((0, 1, 100)))
        bodies[md5(body)] = body
        one = Put(chance.choice(NUMBERS), md5(body), time.monotonic())
        self.puts.append(one)
        s3.upload_part(**self.at, PartNumber=one.number, Body=body)
        one.ended = time.monotonic()

    def listed(self, s3) -> Listed:
        pages = s3.get_paginator("list_parts").paginate(**self.at, PaginationConfig={"PageSize": 4})
        return tuple((one["PartNumber"], one["ETag"].strip('"')) for page in pages for one in page.get("Parts", ()))

    def complete(self, s3, parts: Listed) -> None:
        self.asked.append(parts)
        listed = {"Parts": [{"PartNumber": number, "ETag": etag} for number, etag in parts]}
        for _ in range(2):
            self.answers.add(s3.complete_multipart_upload(**self.at, MultipartUpload=listed)["ETag"])

    def check_parts(self, parts: Listed) -> None:
        """Every part is one that was sent, and that none was acknowledged after."""
        found = dict(parts)
        assert [number for number, _ in parts] == sorted(found)
        assert {one.number for one in self.puts if one.ended is not None} <= set(found)
        for number, etag in parts:
            puts = [one for one in self.puts if one.number == number]
            last_began = max((one.began for one in puts if one.ended is not None), default=0)
            assert any(one.etag == etag and (one.ended is None or one.ended >= last_began) for one in puts)


def write_until_it_dies(endpoint: str, uploads: list[Upload], bodies: dict[str, bytes], chance: random.Random) -> None:
    s3 = client(endpoint)
    while True:
        one = chance.choice(uploads)
        try:
            if chance.random() < 0.97:
                one.put(s3, chance, bodies)
            elif chance.random() < 0.2:
                one.given_up = True
                s3.abort_multipart_upload(**one.at)
            elif parts := tuple(part for part in one.listed(s3) if chance.random() < 0.9):
                one.complete(s3, parts)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            assert code in ("NoSuchUpload", "InvalidPart", "OperationAborted"), error
            assert code != "NoSuchUpload" or one.asked or one.given_up
        except BotoCoreError:
            return


def check(s3, one: Upload, bodies: dict[str, bytes]) -> None:
    """The upload is an object that was asked for, or gone, or its parts are all there and become one."""
    wholes = [b"".join(bodies[etag] for _, etag in parts) for parts in one.asked]
    try:
        parts = one.listed(s3)
    except ClientError:
        if one.given_up and not one.answers:
            return
        assert s3.get_object(**KEPT, Key=one.key)["Body"].read() in wholes
        assert len(one.answers) <= 1
        return
    assert not one.answers
    one.check_parts(parts)
    if parts:
        one.complete(s3, parts)
        assert b"".join(bodies[etag] for _, etag in parts) == s3.get_object(**KEPT, Key=one.key)["Body"].read()


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[list[tuple[Server, str]]]:
    """Every server that is started, with the address where parts may be small."""
    started: list[tuple[Server, str]] = []
    yield started
    for server, _ in started:
        if server.process.poll() is None:
            server.kill()


def start(tmp_path: Path) -> tuple[Server, str]:
    port = free_port()
    config = f'[[listeners]]\nlisten = "127.0.0.1:{port}"\ndialect = "alluxio"\n'
    return Server.start(tmp_path / "data", workers=2, config=config), f"http://127.0.0.1:{port}"


@pytest.mark.timeout(60 + 20 * KILLS)
def test_parts_that_many_put_at_once_survive_every_kill(tmp_path: Path, servers: list[tuple[Server, str]]) -> None:
    chance, bodies = random.Random(int(os.environ.get("TRIVIUM_SEED", "1"))), dict[str, bytes]()
    servers.append(start(tmp_path))
    client(servers[-1][1]).create_bucket(**KEPT)
    for kill in range(KILLS):
        server, endpoint = servers[-1]
        s3 = client(endpoint)
        uploads = [Upload(key, s3.create_multipart_upload(**KEPT, Key=key)["UploadId"]) for key in (f"a{kill}", f"b{kill}")]
        threads = [
            threading.Thread(target=write_until_it_dies, args=(endpoint, uploads, bodies, random.Random(chance.random())))
            for _ in range(WRITERS)]
        server.kill_under(threads, after_seconds=chance.uniform(0.3, 1.5))
        servers.append(start(tmp_path))
        for one in uploads:
            check(client(servers[-1][1]), one, bodies)
    servers[-1][0].stop()

    asyncio.run(audited(tmp_path / "data"))
    assert "" == run_scrub(tmp_path / "data")


async def audited(data: Path) -> None:
    engine = SqliteEngine(DataFolder(data).rows)
    await engine.read(audit)
    await engine.close()
