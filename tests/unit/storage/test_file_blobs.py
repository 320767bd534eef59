"""Failing disks under blobs: a clear fault, and no file is left."""

from __future__ import annotations

import asyncio
import errno
import os
import tempfile
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trivium.base import faults
from trivium.base.clock import SetClock
from trivium.base.faults import Fault
from trivium.base.ids import SeededIds
from trivium.base.incoming import Incoming
from trivium.storage.blobs import BlobSpan
from trivium.storage.blobstores.files import FileBlobs, _Growing
from trivium.storage.room import Room

MEBIBYTE = 1 << 20


async def chunks(count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        await asyncio.sleep(0)
        yield bytes(MEBIBYTE // 4)


class Coming:
    """A source of some mebibytes, in pieces."""

    async def whole(self) -> bytes:
        return b"".join([chunk async for chunk in self.chunks()])

    def chunks(self) -> AsyncIterator[bytes]:
        return chunks(24)


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def write(folder: Path, count: int) -> faults.FaultKind | None:
    async def inside() -> None:
        await FileBlobs(folder, SetClock(), SeededIds()).write(chunks(count))

    try:
        asyncio.run(inside())
    except Fault as fault:
        return fault.kind
    return None


@pytest.mark.parametrize("count", [1, 40])
@pytest.mark.parametrize(("code", "kind"), [
    (errno.ENOSPC, faults.InsufficientStorage), (errno.EDQUOT, faults.InsufficientStorage),
    (errno.EIO, faults.InternalError), (errno.EFBIG, faults.InternalError)])
def test_a_disk_that_takes_no_more_is_a_fault_and_nothing_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int, code: int, kind: faults.FaultKind
) -> None:
    real = os.write
    left = [count * MEBIBYTE // 8]

    def full(file: int, data: memoryview) -> int:
        if left[0] == 0:
            raise OSError(code, os.strerror(code))
        written = real(file, data[: left[0]])
        left[0] -= written
        return written

    monkeypatch.setattr(os, "write", full)

    assert write(tmp_path, count) is kind
    assert files(tmp_path) == []


@pytest.mark.parametrize("nth", [0, 1])
def test_a_failed_fsync_is_a_fault_and_nothing_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nth: int
) -> None:
    FileBlobs(tmp_path, SetClock(), SeededIds())
    real, calls = os.fsync, iter(range(100))

    def failing(file: int) -> None:
        if next(calls) == nth + 1:  # the first is that of the folder, when it is opened
            raise OSError(errno.EIO, "failed")
        real(file)

    monkeypatch.setattr(os, "fsync", failing)

    assert write(tmp_path, 1) is faults.InternalError
    assert files(tmp_path) == []


def test_a_file_that_cannot_be_made_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.open

    def refusing(path: str, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_CREAT:
            raise PermissionError(errno.EACCES, "refused")
        return real(path, flags, mode)

    monkeypatch.setattr(os, "open", refusing)

    assert write(tmp_path, 1) is faults.InternalError


def test_a_long_blob_takes_little_memory(tmp_path: Path) -> None:
    async def inside() -> int:
        blobs = FileBlobs(tmp_path, SetClock(), SeededIds())
        tracemalloc.start()
        await blobs.write(chunks(256))
        return tracemalloc.get_traced_memory()[1]

    peak_bytes = asyncio.run(inside())
    tracemalloc.stop()

    assert peak_bytes < 8 * MEBIBYTE


def test_files_are_their_owners_only_and_strangers_files_are_not_ours(tmp_path: Path) -> None:
    async def inside() -> None:
        clock = SetClock()
        blobs = FileBlobs(tmp_path, clock, SeededIds())
        blob = await blobs.write(chunks(1))
        (tmp_path / blob.id[:2] / "notes.txt").write_text("not a blob")
        found = blobs.locate(BlobSpan(blob.id, 0, 1))

        assert Path(found.path).stat().st_mode & 0o777 == 0o600
        assert [id async for id in blobs.ids(older_than_ms=clock.now_ms() + 10**12)] == [blob.id]

    asyncio.run(inside())


@pytest.mark.parametrize(("free_blocks", "kind"), [(99, faults.InsufficientStorage), (100, None)])
def test_the_reserve_is_not_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free_blocks: int, kind: faults.FaultKind | None
) -> None:
    class Disk:
        f_frsize, f_bavail = 4096, free_blocks

    async def inside() -> None:
        await FileBlobs(tmp_path, SetClock(), SeededIds(), reserve_bytes=100 * 4096).write(chunks(10))

    monkeypatch.setattr(os, "statvfs", lambda _: Disk)
    found = None
    try:
        asyncio.run(inside())
    except Fault as fault:
        found = fault.kind

    assert found is kind
    assert len(files(tmp_path)) == (1 if kind is None else 0)


@settings(deadline=None, max_examples=40)
@given(turns=st.lists(st.integers(0, 150), min_size=1, max_size=20))
def test_of_callers_that_leave_at_any_moment_nothing_stays(turns: list[int]) -> None:
    async def leave(blobs: FileBlobs, after: int) -> int:
        upload = Incoming(Coming(), None)
        writing = asyncio.ensure_future(blobs.write(upload.chunks()))
        for _ in range(after):
            await asyncio.sleep(0)
        writing.cancel()
        with suppress(asyncio.CancelledError):
            return len([await writing])
        return 0

    async def story(folder: Path) -> None:
        blobs = FileBlobs(folder, SetClock(), SeededIds())
        stayed = sum(await asyncio.gather(*(leave(blobs, after) for after in turns)))

        assert stayed == len(files(folder))

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(story(Path(folder)))


def test_what_is_finished_after_it_was_discarded_does_not_stay(tmp_path: Path) -> None:
    """Both run in threads: a caller that leaves while its upload is finished cannot know which is first."""
    file = _Growing(str(tmp_path / "blob"), Room(tmp_path, reserve_bytes=0))
    file.append([b"a"])
    file.discard()
    file.append([b"b"])
    file.finish([b"c"], 0)

    assert files(tmp_path) == []
