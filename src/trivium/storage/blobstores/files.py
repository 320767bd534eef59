"""Blobs as files: one each, spread over 256 directories by their ids.

Theory of operation. A file is written under its final name at once; what makes it count is a row that names
it, so a crash leaves an unnamed file and nothing else. Chunks are gathered on the event loop up to
`BLOCK_BYTES` and written on a lane of the upload's own (`base/lane.py`), which also keeps the checksum:
receiving and writing overlap, and no upload holds more than a few blocks. What was written is flushed every
`FLUSH_BYTES`, so that the last fsync of a long upload is short. File and directory are fsynced before `write`
returns. The file's time of change is set from our clock, which the sweep goes by.

The last `reserve_bytes` of the disk are not written to. Rows live on the same disk, and a deletion needs room
for its own row: on a disk that uploads had filled to the last byte nothing could be deleted any more.

Owner of the threads: the blob store; they end with the process.
"""

from __future__ import annotations

import asyncio
import errno
import os
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, TypeVar, TypeVarTuple, Unpack

from awscrt import checksums

from trivium.base import faults
from trivium.base.body import FileSpan
from trivium.base.clock import Clock
from trivium.base.ids import Ids
from trivium.base.lane import Lane
from trivium.storage.blobs import Blob, BlobSpan
from trivium.storage.folder import fsync_directory
from trivium.storage.room import Room

T = TypeVar("T")
A = TypeVarTuple("A")

BLOCK_BYTES: Final = 1 << 20
FLUSH_BYTES: Final = 8 << 20
THREADS: Final = 16
_ID_DIGITS: Final = 32
_PIECES: Final = 64  # more than this many small chunks are joined before they are written
_DIRECTORIES: Final = 256
_FULL: Final = {errno.ENOSPC, errno.EDQUOT}
_HEXADECIMAL: Final = frozenset("0123456789abcdef")


class FileBlobs:
    """The files below `folder`, made when it is not there. Opening it may block for some milliseconds."""

    def __init__(self, folder: Path, clock: Clock, ids: Ids, *, reserve_bytes: int = 0) -> None:
        self._folder, self._clock, self._ids = folder, clock, ids
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="trivium-blob")
        for number in range(_DIRECTORIES):
            (folder / f"{number:02x}").mkdir(mode=0o700, parents=True, exist_ok=True)
        fsync_directory(folder)
        self._room = Room(folder, reserve_bytes=reserve_bytes)

    async def write(self, chunks: AsyncIterator[bytes]) -> Blob:
        id = self._ids.hexadecimal(_ID_DIGITS)
        file = _Growing(self._path(id), self._room)
        try:
            rest = await self._write_blocks(file, chunks)
            written_ms = self._clock.now_ms()
            await self._run(file.finish, rest, written_ms)
        except BaseException:
            await asyncio.shield(self._run(file.discard))
            raise
        return Blob(id, file.size, file.crc64, written_ms)

    async def _write_blocks(self, file: _Growing, chunks: AsyncIterator[bytes]) -> list[bytes]:
        """Write all whole blocks, in a thread, while the next are gathered; the chunks that are left over."""
        writing = Lane(self._threads, file.append)
        gathered: list[bytes] = []
        size = 0
        async for chunk in chunks:
            gathered.append(chunk)
            size += len(chunk)
            if size >= BLOCK_BYTES:
                await writing.put(gathered, size)
                gathered, size = [], 0
        await writing.end()
        return gathered

    def locate(self, span: BlobSpan) -> FileSpan:
        return FileSpan(self._path(span.id), span.offset, span.offset + span.size - 1)

    async def read(self, span: BlobSpan) -> bytes:
        return await self._run(_read, self._path(span.id), span)

    async def size(self, id: str) -> int | None:
        return await self._run(_size, self._path(id))

    async def remove(self, id: str) -> None:
        await self._run(_unlink, self._path(id))

    async def ids(self, *, older_than_ms: int) -> AsyncIterator[str]:
        for number in range(_DIRECTORIES):
            for id in await self._run(_old, f"{self._folder}/{number:02x}", older_than_ms):
                yield id

    def _path(self, id: str) -> str:
        return f"{self._folder}/{id[:2]}/{id}"

    def _run(self, work: Callable[[Unpack[A]], T], *args: *A) -> asyncio.Future[T]:
        return asyncio.get_running_loop().run_in_executor(self._threads, work, *args)


class _Growing:
    """A file that is being written, by one thread after the other. Its last word is `finish` or `discard`."""

    def __init__(self, path: str, room: Room) -> None:
        self._path, self._room = path, room
        self._file = -1
        # for a caller that left `discard` may come while `append` or `finish` is at work, or about to be
        self._lock = threading.Lock()
        self._discarded = False
        self._flushed = self.size = self.crc64 = 0

    def append(self, pieces: Sequence[bytes]) -> None:
        """Write the pieces, unless the file was discarded."""
        with self._lock, _disk_faults():
            if not self._discarded:
                self._append(pieces)

    def finish(self, pieces: Sequence[bytes], written_ms: int) -> None:
        """Write the last pieces and make the file durable, unless it was discarded."""
        with self._lock, _disk_faults():
            if self._discarded:
                return
            self._append(pieces)
            os.utime(self._file, ns=(written_ms * 1_000_000,) * 2)
            os.fsync(self._file)
            self._close()
            fsync_directory(os.path.dirname(self._path))

    def discard(self) -> None:
        """Remove what was written, once nobody writes any more."""
        with self._lock:
            self._discarded = True
            self._close()
            _unlink(self._path)

    def _append(self, pieces: Sequence[bytes]) -> None:
        if not self._room.is_left():
            raise OSError(errno.ENOSPC, "only the reserve is left")
        if self._file < 0:
            self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        for piece in pieces if len(pieces) <= _PIECES else [b"".join(pieces)]:
            self.crc64 = checksums.crc64nvme(piece, self.crc64)
            self.size += len(piece)
            rest = memoryview(piece)
            while rest:
                rest = rest[os.write(self._file, rest) :]
        if self.size - self._flushed >= FLUSH_BYTES:
            os.fdatasync(self._file)
            self._flushed = self.size

    def _close(self) -> None:
        if self._file >= 0:
            file, self._file = self._file, -1
            os.close(file)


def _read(path: str, span: BlobSpan) -> bytes:
    with _disk_faults(), open(path, "rb") as file:
        file.seek(span.offset)
        data = file.read(span.size)
    if len(data) != span.size:
        raise faults.InternalError() from OSError(f"{path} ends early")
    return data


def _size(path: str) -> int | None:
    with _disk_faults():
        try:
            return os.stat(path).st_size
        except FileNotFoundError:
            return None


def _unlink(path: str) -> None:
    with _disk_faults(), suppress(FileNotFoundError):
        os.unlink(path)


def _old(directory: str, older_than_ms: int) -> list[str]:
    """The blobs of one directory that were last written before that time."""
    found = []
    with os.scandir(directory) as entries:
        for entry in entries:
            if len(entry.name) == _ID_DIGITS and _HEXADECIMAL.issuperset(entry.name):
                with suppress(FileNotFoundError):  # removed meanwhile
                    if entry.stat().st_mtime_ns < older_than_ms * 1_000_000:
                        found.append(entry.name)
    return found


@contextmanager
def _disk_faults() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        full = error.errno in _FULL
        raise (faults.InsufficientStorage() if full else faults.InternalError()) from error
