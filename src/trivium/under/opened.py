"""A file of a mounted directory, as it was when it was opened."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Awaitable, Callable
from typing import Final, Protocol, TypeVar

from trivium.base import faults
from trivium.base.body import Body, FileSpan
from trivium.base.span import Span
from trivium.under import tree
from trivium.under.store import Stat

_DIGESTED_AT_ONCE: Final = 1 << 20
T = TypeVar("T")


class Threads(Protocol):
    """Runs a blocking function in a thread."""

    def __call__(self, work: Callable[[], T], /) -> Awaitable[T]: ...


class LocalFile:
    """A regular file. `data` are its bytes where they are few; else they are looked for when wanted."""

    __slots__ = ("_data", "_inode", "_root", "_thread", "stat")

    def __init__(self, root: str, stat: Stat, inode: int, data: bytes | None, thread: Threads) -> None:
        self.stat = stat
        self._root, self._inode, self._data, self._thread = root, inode, data, thread

    async def body(self, span: Span | None) -> Body:
        """The bytes. A large file goes out by its path; raises FileChanging when it was replaced."""
        if self._data is not None:
            return self._data if span is None else self._data[span.first : span.last + 1]
        first, last = (span.first, span.last) if span is not None else (0, self.stat.size - 1)
        seen = await self._thread(lambda: tree.look(self._root, self.stat.name))
        if seen is None or seen.st_ino != self._inode or seen.st_size <= last:
            raise faults.FileChanging()
        return FileSpan(f"{self._root}/{self.stat.name}", first, last)

    async def digest(self) -> str | None:
        """The MD5 in hexadecimal, computed in a thread; None when the file changed meanwhile."""
        if self._data is not None:
            return hashlib.md5(self._data, usedforsecurity=False).hexdigest()
        return await self._thread(self._digest)

    def _digest(self) -> str | None:
        hasher = hashlib.md5(usedforsecurity=False)
        with tree.opened_file(self._root, self.stat.name) as fd:
            if fd is None or not self._is_same(fd):
                return None
            while data := os.read(fd, _DIGESTED_AT_ONCE):
                hasher.update(data)
            return hasher.hexdigest() if self._is_same(fd) else None

    def _is_same(self, fd: int) -> bool:
        return tree.mark(os.fstat(fd)) == self.stat.mark
