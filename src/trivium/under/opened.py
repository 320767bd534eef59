"""A file of a mounted directory, as it was when it was opened.

Theory of operation. The descriptor is kept from the first look until the last byte is sent, and everything is
read through it: whatever gets the file's name meanwhile, another file or a link, cannot be sent in its place.
It is closed when nobody holds it any more, since a reading can be let go of at any point of an answer.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, Protocol, TypeVar

from trivium.base import faults
from trivium.base.body import Body, Descriptor, HeldSpan
from trivium.base.span import Span
from trivium.under import tree
from trivium.under.store import Stat

_READ_AT_ONCE: Final = 1 << 20  # bodies up to here are read before their answer begins
T = TypeVar("T")


class Threads(Protocol):
    """Runs a blocking function in a thread."""

    def __call__(self, work: Callable[[], T], /) -> Awaitable[T]: ...


class LocalFile:
    """A regular file. `content` are its bytes where they are few; else they are read when wanted."""

    __slots__ = ("_content", "_thread", "stat")

    def __init__(self, stat: Stat, content: Descriptor | bytes, thread: Threads) -> None:
        self.stat = stat
        self._content, self._thread = content, thread

    async def body(self, span: Span | None) -> Body:
        """The bytes. Raises FileChanging when others have cut them off."""
        file = self._content
        if isinstance(file, bytes):
            return file if span is None else file[span.first : span.last + 1]
        first, size = (span.first, span.size) if span is not None else (0, self.stat.size)
        if size <= _READ_AT_ONCE:
            data = await self._thread(partial(os.pread, file.number, size, first))
            if len(data) == size:
                return data
        elif os.fstat(file.number).st_size >= first + size:
            return HeldSpan(file, first, first + size - 1)
        raise faults.FileChanging()

    async def digest(self) -> str | None:
        """The MD5 in hexadecimal, computed in a thread; None when the file changed meanwhile."""
        if isinstance(self._content, bytes):
            return hashlib.md5(self._content, usedforsecurity=False).hexdigest()
        return await self._thread(partial(self._digest, self._content))

    def _digest(self, file: Descriptor) -> str | None:
        hasher, at = hashlib.md5(usedforsecurity=False), 0
        while data := os.pread(file.number, _READ_AT_ONCE, at):
            hasher.update(data)
            at += len(data)
        return hasher.hexdigest() if tree.mark(os.fstat(file.number)) == self.stat.mark else None
