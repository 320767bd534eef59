"""A worker that can open few files: whoever asks for many large bodies at once gets some, and takes nothing from others."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.hostile.conftest import House, ended_well, start
from tests.hostile.street import EMPTY, KIB, MIB, Line, ask, descriptors, signed, until, workers

MOST_OPEN = 512
MOST_HELD = MOST_OPEN // 8
CROWD = 150
LEAVING = 600
SETTLED_SECONDS = 2.5


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A server whose worker can open 512 files."""
    started = start(tmp_path_factory.mktemp("few"), descriptors=MOST_OPEN)
    before = workers(started.server)
    yield started
    ended_well(started, before)


@pytest.fixture(scope="module")
def small(house: House):
    """The path of a small object."""
    path = f"/{house.bucket()}/small"
    assert ask(house.server, "PUT", path, body=b"small").status == 200
    return path


@pytest.fixture(scope="module", params=["a file of a mount", "an object of several parts"])
def large(request, house: House):
    """The path of 32 MiB that no single blob holds."""
    if request.param == "a file of a mount":
        file = house.files / "large"
        file.write_bytes(bytes(32 * MIB))
        assert until(lambda: time.time() - file.stat().st_ctime > SETTLED_SECONDS)  # else each look reads it
        path = "/mounted/large"
    else:
        one = {"Bucket": house.bucket(), "Key": "large"}
        upload = {**one, "UploadId": house.s3.create_multipart_upload(**one)["UploadId"]}
        parts = [
            {"PartNumber": number, "ETag": house.s3.upload_part(**upload, PartNumber=number, Body=bytes(8 * MIB))["ETag"]}
            for number in range(1, 5)]
        house.s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
        path = f"/{one['Bucket']}/large"
    assert ask(house.server, "HEAD", path).status == 200
    return path


def others_are_served(server, small) -> bool:
    """Is health well, and can a small object be had?"""
    with Line(server) as line:
        line.send(b"GET /health/ready HTTP/1.1\r\nhost: h\r\n\r\n")
        ready = line.answer().status
    return (ready, ask(server, "GET", small).body) == (200, b"small")


def test_mounts_30_who_asks_for_more_than_can_be_held_is_told_to_slow_down(server, large, small):
    before = descriptors(server)
    lines = [Line(server, receive_bytes=4 * KIB) for _ in range(CROWD)]
    try:
        for line in lines:
            line.send(signed(server, "GET", large, sha256=EMPTY))
        answers = [line.answer(body=False) for line in lines]
        held = descriptors(server) - before
        well = others_are_served(server, small)
        refused = ask(server, "GET", large)
    finally:
        for line in lines:
            line.socket.close()

    given = Counter(answer.status for answer in answers)
    assert given == {200: given[200], 503: CROWD - given[200]}
    assert MOST_HELD - 4 <= given[200] <= MOST_HELD  # one who left before may still be taken for there
    assert (refused.status, refused.code) == (503, "SlowDown")
    assert well
    assert held <= CROWD + 4 * MOST_HELD
    assert until(lambda: descriptors(server) <= before + 2, seconds=20)
    assert len(ask(server, "GET", large).body) == 32 * MIB


def test_those_who_ask_and_leave_at_once_hold_nothing_and_nobody_up(server, large, small):
    before, asking, seen = descriptors(server), signed(server, "GET", large, sha256=EMPTY), list[int]()

    def leave(_number: int) -> None:
        with Line(server) as line:
            line.send(asking)

    with ThreadPoolExecutor(8) as pool:
        leaving = pool.map(leave, range(LEAVING))
        began = time.monotonic()
        for _ in range(10):
            assert others_are_served(server, small)
            seen.append(descriptors(server))
        took_seconds = time.monotonic() - began
        list(leaving)

    assert max(seen) < MOST_OPEN
    assert took_seconds < 10
    assert until(lambda: descriptors(server) <= before + 2, seconds=20)
    assert len(ask(server, "GET", large).body) == 32 * MIB
