"""How much room a disk has left: all but a reserve, without which nothing could be deleted either."""

from __future__ import annotations

import os
from pathlib import Path


class Room:
    """The room on the disk that holds `folder`. Its last `reserve_bytes` are no room; 0 reserves nothing.

    A deletion needs some of the reserve: it is written to a log first, and the log is copied into a file that
    may have to grow.
    """

    def __init__(self, folder: Path, *, reserve_bytes: int) -> None:
        self._folder, self._reserve_bytes = str(folder), reserve_bytes

    def is_left(self, *, beside_bytes: int = 0) -> bool:
        """Whether the reserve is free, counting what the caller has free inside files of its own.

        It costs about a microsecond. Raises OSError.
        """
        if not self._reserve_bytes:
            return True
        disk = os.statvfs(self._folder)
        return disk.f_bavail * disk.f_frsize + beside_bytes >= self._reserve_bytes
