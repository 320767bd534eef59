"""Bodies on their way out. Handlers do not care which kind it is; the door moves each in the cheapest way."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import msgspec


class FileSpan(msgspec.Struct, frozen=True):
    """Bytes `first` to `last` (both included) of the file at `path`; never empty. No Python runs per byte."""

    path: str
    first: int
    last: int

    @property
    def size(self) -> int:
        return self.last - self.first + 1


class Descriptor:
    """An open file. Python closes it with the last reference; `number` is for calls of the system only."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number

    def __del__(self) -> None:
        os.close(self.number)


class HeldSpan(msgspec.Struct, frozen=True):
    """Bytes `first` to `last` (both included) of a file held open, whatever has its name now; never empty."""

    file: Descriptor
    first: int
    last: int

    @property
    def size(self) -> int:
        return self.last - self.first + 1


class Pieces(msgspec.Struct, frozen=True):
    """Several pieces, one behind the other: a multipart object's parts, a fork of several blobs."""

    pieces: tuple[FileSpan | bytes, ...]


class Stream:
    """Bytes that come from somewhere else, in chunks; `size` in bytes. It can be read once."""

    __slots__ = ("chunks", "size")

    def __init__(self, chunks: AsyncIterator[bytes], size: int) -> None:
        self.chunks, self.size = chunks, size


class Unsent(msgspec.Struct, frozen=True):
    """The body of an answer to HEAD: `size` bytes that are told of and not sent."""

    size: int


Body = bytes | FileSpan | HeldSpan | Pieces | Stream | Unsent


def size_of(body: Body) -> int:
    if isinstance(body, bytes):
        return len(body)
    if isinstance(body, Pieces):
        return sum(len(piece) if isinstance(piece, bytes) else piece.size for piece in body.pieces)
    return body.size
