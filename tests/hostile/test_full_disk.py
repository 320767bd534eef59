"""A disk that is full: a clear fault, nothing half-visible, nothing lost, and no restart when there is room again."""

from __future__ import annotations

import contextlib
import os
import subprocess

import pytest

from tests.hostile.conftest import House
from tests.hostile.street import KIB, MIB, ask, blob_files, until, workers
from tests.servers import Server, run_scrub

SMALL_DISK_MIB, RESERVE_MIB = 40, 8


def mount(options: str, folder) -> bool:
    """Mount a file system of memory; whether this machine allows it."""
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(folder)], capture_output=True, check=False)
    return done.returncode == 0


@pytest.fixture
def house(tmp_path):
    """A server whose data lie on a disk of forty mebibytes; its rows and files must agree in the end."""
    data = tmp_path / "data"
    data.mkdir()
    if not mount(f"size={SMALL_DISK_MIB}m", data):
        pytest.skip("mounting a small disk needs root")
    try:
        config = f"reserve_bytes = {RESERVE_MIB * MIB}\nsweep_seconds = 1\nsweep_grace_seconds = 60\n"
        started = House(Server.start(data, workers=2, config=config), data, tmp_path)
        before = workers(started.server)
        try:
            yield started
            assert workers(started.server) == before
        finally:
            code = started.server.stop()
        assert (0, "") == (code, run_scrub(data))
    finally:
        subprocess.run(["umount", str(data)], check=True)


@pytest.fixture
def bucket(house):
    return house.bucket()


def fill(server, bucket, name, size) -> dict[str, bytes]:
    """Put objects until there is no room for another; those that were acknowledged."""
    kept: dict[str, bytes] = {}
    for number in range(2000):
        path, body = f"/{bucket}/{name}-{number}", b"%08d" % number * (size // 8)
        answer = ask(server, "PUT", path, body=body)
        if answer.status != 200:
            assert (answer.status, answer.code) == (507, "InsufficientStorage")
            return kept
        kept[path] = body
    raise AssertionError("the disk is never full")


def test_a_full_disk_loses_nothing_and_is_left_behind_without_a_restart(house, server, bucket):
    kept = {f"/{bucket}/old": b"old", f"/{bucket}/old-large": bytes(range(256)) * 1024}
    for path, body in kept.items():
        assert ask(server, "PUT", path, body=body).status == 200
    kept |= fill(server, bucket, "large", 4 * MIB)
    kept |= fill(server, bucket, "middle", 200 * KIB)
    kept |= fill(server, bucket, "row", 32 * KIB)
    kept |= fill(server, bucket, "tiny", 64)
    files = blob_files(house.data)

    for path in (f"/{bucket}/old", f"/{bucket}/old-large", f"/{bucket}/never-was"):
        answer = ask(server, "PUT", path, body=bytes(8 * MIB))
        assert (answer.status, answer.code) == (507, "InsufficientStorage")
    assert ask(server, "GET", f"/{bucket}/never-was").status == 404
    assert all(ask(server, "GET", path).body == body for path, body in list(kept.items())[:40])
    listed = {f"/{bucket}/{one['Key']}" for page in house.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
              for one in page.get("Contents", ())}
    assert listed == set(kept)
    assert until(lambda: blob_files(house.data) == files), "what did not fit left a file behind"

    for path in (f"/{bucket}/old", *list(kept)[-20:]):
        assert ask(server, "DELETE", path).status == 204
        assert ask(server, "HEAD", path).status == 404

    assert mount(f"remount,size={2 * SMALL_DISK_MIB}m", house.data)
    assert ask(server, "PUT", f"/{bucket}/room", body=bytes(4 * MIB)).status == 200
    assert ask(server, "PUT", f"/{bucket}/old-large", body=b"new").status == 200
    assert ask(server, "GET", f"/{bucket}/old-large").body == b"new"


@pytest.mark.deep
@pytest.mark.skipif("TRIVIUM_DEEP" not in os.environ, reason="takes a minute: make test-deep")
def test_what_is_deleted_on_a_full_disk_makes_room(house, server, bucket):
    """The shortest grace is a minute: readers may still be at what was deleted."""
    kept = fill(server, bucket, "large", 4 * MIB)
    for path in kept:
        assert ask(server, "DELETE", path).status == 204

    assert until(lambda: ask(server, "PUT", f"/{bucket}/room", body=bytes(8 * MIB)).status == 200, seconds=100)
    assert until(lambda: len(blob_files(house.data)) == 1)


def test_a_disk_that_others_filled_to_the_last_byte_loses_nothing(house, server, bucket):
    """Then even rows cannot be written: everything is refused but reading, until there is room."""
    assert ask(server, "PUT", f"/{bucket}/old", body=b"old").status == 200
    ballast = house.data / "ballast"
    with ballast.open("wb") as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(64 * KIB))
            file.flush()

    assert ask(server, "PUT", f"/{bucket}/old", body=b"new").code == "InsufficientStorage"
    assert ask(server, "PUT", f"/{bucket}/large", body=bytes(MIB)).code == "InsufficientStorage"
    assert ask(server, "DELETE", f"/{bucket}/old").status in {204, 507}
    assert ask(server, "GET", f"/{bucket}").status == 200
    ballast.unlink()
    assert ask(server, "PUT", f"/{bucket}/old", body=b"new").status == 200
    assert ask(server, "GET", f"/{bucket}/old").body == b"new"
