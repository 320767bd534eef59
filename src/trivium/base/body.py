"""Bodies on their way out. Handlers do not care which kind it is; the door moves each in the cheapest way."""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import Executor

import msgspec

from trivium.base import faults


class FileSpan(msgspec.Struct, frozen=True):
    """Bytes `first` to `last` (both included) of the file at `path`; never empty. No Python runs per byte."""

    path: str
    first: int
    last: int

    @property
    def size(self) -> int:
        return self.last - self.first + 1


class Places:
    """Places for files that are held open: `number` of them, for all threads together."""

    __slots__ = ("_free",)

    def __init__(self, number: int) -> None:
        self._free = deque([None] * number)  # without a lock, which a finalizer could meet in its own thread

    def take(self) -> Place:
        """One of them. Raises SlowDown when none is left."""
        try:
            self._free.pop()
        except IndexError:
            raise faults.SlowDown() from None
        return Place(self._free)


class Place:
    """A place that is taken. It is free again with the last reference."""

    __slots__ = ("_free",)

    def __init__(self, free: deque[None]) -> None:
        self._free = free

    def __del__(self) -> None:
        self._free.append(None)


class Descriptor:
    """An open file. Python closes it with the last reference; `number` is for calls of the system only.

    `threads` are those to read it in, where its disk may hang and must hold up nobody else.
    """

    __slots__ = ("_place", "number", "threads")

    def __init__(self, number: int, place: Place | None = None, threads: Executor | None = None) -> None:
        self.number, self._place, self.threads = number, place, threads

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
    """Several pieces, one behind the other: a multipart object's parts."""

    pieces: tuple[FileSpan, ...]


class Unsent(msgspec.Struct, frozen=True):
    """The body of an answer to HEAD: `size` bytes that are told of and not sent."""

    size: int


Body = bytes | FileSpan | HeldSpan | Pieces | Unsent


def size_of(body: Body) -> int:
    if isinstance(body, bytes):
        return len(body)
    if isinstance(body, Pieces):
        return sum(piece.size for piece in body.pieces)
    return body.size
