"""What all processes with one database must see at once: the generation of cached rows, the log's growth.

Theory of operation. Two words of eight bytes lie in a small file that every process maps into its memory;
they are written only by whoever holds the turnstile and read by anybody. An even generation stands still. It
becomes odd as soon as a change that announced itself has run, before its commit can become visible, and even
again once the commit has become visible (or was undone), before the writer is told. While it is odd every
question gets an answer of its own, so nothing read meanwhile can be taken for current later. Whoever dies in
between leaves an odd number behind; the next one to pass the turnstile makes it even.
"""

from __future__ import annotations

import mmap
import os
from pathlib import Path

_SIZE = 16


class Generation:
    """The words, mapped. Reading one costs a tenth of a microsecond."""

    def __init__(self, path: Path) -> None:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if os.fstat(file).st_size < _SIZE:
                os.pwrite(file, bytes(_SIZE), 0)
            self._map = mmap.mmap(file, _SIZE)
        finally:
            os.close(file)
        self._words = memoryview(self._map).cast("Q")
        self._unsettled = 0

    def current(self) -> int:
        """The generation; a number never given before while one is being made."""
        word = self._words[0]
        if word & 1:
            self._unsettled -= 1
            return self._unsettled
        return word

    def unsettle(self) -> None:
        """A change that announced itself is about to be committed. Inside the turnstile only."""
        self._words[0] |= 1

    def settle(self) -> None:
        """Its commit is visible or undone, or its writer died. Inside the turnstile only."""
        if self._words[0] & 1:
            self._words[0] += 1

    @property
    def logged_pages(self) -> int:
        """About how many pages the write-ahead log holds."""
        return self._words[1]

    def add_logged_pages(self, pages: int) -> int:
        """Count pages that a commit added; the new sum. Inside the turnstile only."""
        self._words[1] += pages
        return self._words[1]

    def clear_logged_pages(self) -> None:
        """The log starts again from its beginning. Inside the turnstile only."""
        self._words[1] = 0

    def close(self) -> None:
        self._words.release()
        self._map.close()
