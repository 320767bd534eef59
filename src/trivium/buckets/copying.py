"""Copying, written once above the verbs: from a reading of one bucket to a put of another.

Theory of operation. What rests in this house is shared: a copy writes a row, whatever the size. Between
buckets that cannot share (a mounted directory) the bytes are read and written like any upload, in constant
memory.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from functools import partial
from typing import Final

import msgspec

from trivium.base import faults
from trivium.base.body import Body, Descriptor, FileSpan, HeldSpan, Pieces, Unsent
from trivium.base.incoming import Incoming
from trivium.base.span import Span
from trivium.buckets.bucket import Bucket, Companion, Content, Reading, nothing
from trivium.buckets.conditions import ALWAYS, ANY, ReadIf, WriteIf
from trivium.buckets.entry import Attributes, Entry

CHUNK_BYTES: Final = 1 << 20


async def copy(
    reading: Reading, target: Bucket, key: str, attributes: Attributes, *, source_if: ReadIf = ANY,
    only_if: WriteIf = ALWAYS, checksum: str = "", companion: Companion = nothing,
) -> Entry:
    """Put what the reading holds under `key` of the target; the entry that was written.

    `checksum` names the algorithm whose value is kept with the copy; "" keeps the source's. Raises
    PreconditionFailed when `source_if` does not hold, and what `Bucket.put` raises.
    """
    source_if.check(reading.entry, modified=faults.PreconditionFailed)
    content = _content(reading, target, checksum)
    return await target.put(key, content, attributes, only_if=only_if, companion=companion)


def incoming(reading: Reading, span: Span | None = None, *, checksum: str = "") -> Incoming:
    """An upload of the bytes of the reading, or of a span of them: what UploadPartCopy stores.

    `checksum` as in `copy`. Raises InternalError, while it is read, when bytes are missing.
    """
    size = reading.entry.size if span is None else span.size
    source = BodySource(partial(reading.body, span))
    return Incoming(source, size, checksum=checksum or _algorithm(reading.entry))


class BodySource(msgspec.Struct, frozen=True):
    """A source of the bytes of a body, which is fetched when they are wanted."""

    _fetch: Callable[[], Awaitable[Body]]

    async def whole(self) -> bytes:
        """All bytes at once, for what is known to be small."""
        return b"".join([chunk async for chunk in self.chunks()])

    async def chunks(self) -> AsyncIterator[bytes]:
        async for chunk in chunks_of(await self._fetch()):
            yield chunk


async def chunks_of(body: Body) -> AsyncGenerator[bytes, None]:
    """The bytes of a body, in chunks of up to CHUNK_BYTES, one in memory at a time. Threads read files.

    The body is one that has bytes: none is `Unsent`. Raises InternalError when a blob's file is gone or
    short, FileChanging when others have cut off one of theirs.
    """
    assert not isinstance(body, Unsent), "the body of an answer to HEAD has no bytes"
    for piece in body.pieces if isinstance(body, Pieces) else (body,):
        if isinstance(piece, FileSpan | HeldSpan):
            async with aclosing(_file_chunks(piece)) as chunks:
                async for chunk in chunks:
                    yield chunk
        elif piece:
            yield piece


def _content(reading: Reading, target: Bucket, checksum: str) -> Content:
    resting = reading.resting if target.features.shares else None
    if resting is None or (checksum and checksum != _algorithm(reading.entry)):
        return incoming(reading, checksum=checksum)
    return resting


def _algorithm(entry: Entry) -> str:
    return "CRC64NVME" if entry.checksum is None else entry.checksum.algorithm


async def _file_chunks(span: FileSpan | HeldSpan) -> AsyncGenerator[bytes, None]:
    at, left = span.first, span.size
    if isinstance(span, HeldSpan):
        file, short = span.file, faults.FileChanging
    else:
        file, short = Descriptor(await asyncio.to_thread(_open, span.path)), faults.InternalError
    loop = asyncio.get_running_loop()
    while left:
        chunk = await loop.run_in_executor(file.threads, _read, file, min(left, CHUNK_BYTES), at)
        if not chunk:
            raise short() from OSError(f"a file ends at byte {at}, {left} bytes early")
        at, left = at + len(chunk), left - len(chunk)
        yield chunk


def _open(path: str) -> int:
    try:
        return os.open(path, os.O_RDONLY)
    except FileNotFoundError as error:
        raise faults.InternalError() from error


def _read(file: Descriptor, size: int, at: int) -> bytes:
    return os.pread(file.number, size, at)
