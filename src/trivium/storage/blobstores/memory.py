"""Blobs for quick tests: files of a private directory that vanish with the object, nothing fsynced."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from awscrt import checksums

from trivium.base import faults
from trivium.base.body import FileSpan
from trivium.base.clock import Clock
from trivium.base.ids import Ids
from trivium.storage.blobs import Blob, BlobSpan


class MemoryBlobs:
    """The model of a blob store. Its bytes are files all the same: the door sends bodies from files."""

    def __init__(self, clock: Clock, ids: Ids) -> None:
        self._clock, self._ids = clock, ids
        self._directory = tempfile.TemporaryDirectory(prefix="trivium-blobs-")
        self._written: dict[str, int] = {}

    async def write(self, chunks: AsyncIterator[bytes]) -> Blob:
        content = b"".join([chunk async for chunk in chunks])
        id, crc64 = self._ids.hexadecimal(32), checksums.crc64nvme(content)
        blob = Blob(id, len(content), crc64, self._clock.now_ms())
        self._path(blob.id).write_bytes(content)
        self._written[blob.id] = blob.written_ms
        return blob

    def locate(self, span: BlobSpan) -> FileSpan:
        return FileSpan(str(self._path(span.id)), span.offset, span.offset + span.size - 1)

    async def read(self, span: BlobSpan) -> bytes:
        if span.id not in self._written:
            raise faults.InternalError()
        content = self._path(span.id).read_bytes()[span.offset : span.offset + span.size]
        if len(content) != span.size:
            raise faults.InternalError()
        return content

    async def size(self, id: str) -> int | None:
        return self._path(id).stat().st_size if id in self._written else None

    async def remove(self, id: str) -> None:
        if self._written.pop(id, None) is not None:
            self._path(id).unlink()

    async def ids(self, *, older_than_ms: int) -> AsyncIterator[str]:
        for id in [id for id, written_ms in self._written.items() if written_ms < older_than_ms]:
            yield id

    def _path(self, id: str) -> Path:
        return Path(self._directory.name) / id
