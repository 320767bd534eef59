"""Slow clients, clients that leave, and large bodies: they hold up nobody else, and cost little memory."""

from __future__ import annotations

import base64
import hashlib
import os
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.hostile.conftest import House, ended_well, start
from tests.hostile.street import (
    CLOSED,
    EMPTY,
    KIB,
    MIB,
    Line,
    ask,
    blob_files,
    descriptors,
    memory,
    signed,
    until,
    workers,
)

WAIT_SECONDS = 2
CROWD = 60


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A server that waits two seconds for a client."""
    started = start(tmp_path_factory.mktemp("pace"), settings=f"client_wait_seconds = {WAIT_SECONDS}")
    before = workers(started.server)
    yield started
    ended_well(started, before)


@pytest.fixture(scope="module")
def bucket(house: House) -> str:
    return house.bucket()


@pytest.fixture(scope="module")
def large(house, bucket):
    """The path of an object of 32 MiB."""
    path = f"/{bucket}/large"
    assert ask(house.server, "PUT", path, body=bytes(32 * MIB)).status == 200
    return path


def crowd(server, data):
    """Many connections that have sent the same."""
    lines = [Line(server) for _ in range(CROWD)]
    for line in lines:
        line.send(data)
    return lines


def drip(lines, *, seconds):
    """A byte now and then, on every connection."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.4)
        for line in lines:
            line.send(b"x")


def test_headers_that_drip_are_not_waited_for(server):
    before = descriptors(server)
    lines = crowd(server, b"GET /b-1/k HTTP/1.1\r\nx-a: ")
    drip(lines, seconds=WAIT_SECONDS + 1)

    assert {line.answer().status for line in lines} <= {408, CLOSED}
    for line in lines:
        line.socket.close()
    assert until(lambda: descriptors(server) <= before + 2)


def test_bodies_that_drip_hold_nobody_up(server, house, path):
    before = blob_files(house.data)
    with memory(server) as grown:
        lines = crowd(server, signed(server, "PUT", path, length=MIB))
        drip(lines, seconds=WAIT_SECONDS)
        began = time.monotonic()
        for _ in range(10):
            assert ask(server, "GET", "/").status == 200
        took_seconds = time.monotonic() - began
        for line in lines:
            line.socket.close()

    assert took_seconds < 2
    assert grown[0] < 32 * MIB
    assert until(lambda: blob_files(house.data) == before)
    assert ask(server, "GET", path).status == 404


def test_a_body_that_stops_is_given_up(server, house, path):
    before = blob_files(house.data)
    with Line(server) as line:
        line.send(signed(server, "PUT", path, length=4 * MIB) + bytes(2 * MIB))
        answer = line.answer()

    assert (answer.status, answer.code) == (400, "RequestTimeout")
    assert until(lambda: blob_files(house.data) == before)


@pytest.mark.parametrize("what", ["a file", "several files"])
def test_readers_that_stop_lose_their_connection_and_cost_no_memory(server, house, bucket, large, what):
    path, before = large, descriptors(server)
    if what == "several files":
        path = f"/{bucket}/parts"
        s3 = house.s3
        upload = s3.create_multipart_upload(Bucket=bucket, Key="parts")["UploadId"]
        parts = [
            {"PartNumber": number, "ETag": s3.upload_part_copy(
                Bucket=bucket, Key="parts", UploadId=upload, PartNumber=number, CopySource=large[1:])["CopyPartResult"]["ETag"]}
            for number in (1, 2)]
        s3.complete_multipart_upload(Bucket=bucket, Key="parts", UploadId=upload, MultipartUpload={"Parts": parts})
        before = descriptors(server)
    with memory(server) as grown:
        lines = [Line(server, receive_bytes=4 * KIB) for _ in range(10)]
        for line in lines:
            line.send(signed(server, "GET", path))
            line.answer(body=False)
        assert ask(server, "GET", "/").status == 200
        assert until(lambda: descriptors(server) <= before + 2, seconds=WAIT_SECONDS + 10)
        for line in lines:
            line.socket.close()

    assert grown[0] < 48 * MIB


def test_readers_that_leave_are_forgotten(server, large):
    before = descriptors(server)
    for _ in range(30):
        with Line(server, receive_bytes=4 * KIB) as line:
            line.send(signed(server, "GET", large))
            line.answer(body=False)

    assert until(lambda: descriptors(server) <= before + 2)


def test_writers_that_leave_are_forgotten(server, house, path):
    before, files = descriptors(server), blob_files(house.data)
    for _ in range(30):
        with Line(server) as line:
            line.send(signed(server, "PUT", path, length=4 * MIB) + bytes(3 * MIB))

    assert until(lambda: descriptors(server) <= before + 2)
    assert until(lambda: blob_files(house.data) == files)


def test_of_many_large_uploads_at_once_none_is_held_up_and_none_that_broke_off_stays(server, house, bucket):
    """More than there are threads for; of each three one leaves, and one is not what its digest says."""
    size, block, files = 20 * MIB, os.urandom(MIB), blob_files(house.data)
    md5 = {1: base64.b64encode(hashlib.md5(b"something else").digest()).decode()}

    def upload(number: int) -> int:
        headers = {"content-md5": md5[number % 3]} if number % 3 in md5 else {}
        with Line(server, wait_seconds=60) as line:
            line.send(signed(server, "PUT", f"/{bucket}/many/{number}", "", headers, length=size))
            for _ in range(number % 20 if number % 3 == 2 else 20):
                line.send(block)
            return line.answer().status if number % 3 != 2 else 0

    with memory(server) as grown, ThreadPoolExecutor(36) as pool:
        told = list(pool.map(upload, range(36)))

    assert [200, 400, 0] * 12 == told
    assert until(lambda: len(blob_files(house.data) - files) == 12)
    assert grown[0] < 36 * 16 * MIB
    for number in range(36):
        status = ask(server, "HEAD", f"/{bucket}/many/{number}").status
        assert (404 if number % 3 else 200) == status


def test_three_hundred_mebibytes_go_in_and_out_in_constant_memory(server, path):
    block, blocks = os.urandom(4 * MIB), 75
    expected, found = hashlib.sha256(), hashlib.sha256()
    with memory(server) as grown, Line(server, wait_seconds=60) as line:
        line.send(signed(server, "PUT", path, length=blocks * len(block)))
        for _ in range(blocks):
            line.send(block)
            expected.update(block)
        assert line.answer().status == 200
        line.send(signed(server, "GET", path, sha256=EMPTY))
        answer = line.answer(body=False)
        left = int(answer.headers["content-length"]) - len(line.rest)
        found.update(line.rest)
        while left and (data := line.more()):
            found.update(data)
            left -= len(data)

    assert found.digest() == expected.digest()
    assert grown[0] < 96 * MIB
