"""How much room a disk has left for more: all but a reserve, without which nothing could be deleted either."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

RESERVE_BYTES: Final = 128 << 20  # the engine's log may hold half of it, and must find room elsewhere
_SHARE_OF_DISK: Final = 4


class Room:
    """The room on the disk that holds `folder`.

    The reserve is `reserve_bytes`, or a quarter of the disk if that is less. A deletion needs some of it: it is
    written to a log first, and the log is copied into a file that may have to grow.
    """

    def __init__(self, folder: Path, *, reserve_bytes: int = RESERVE_BYTES) -> None:
        self._folder = str(folder)
        disk = os.statvfs(self._folder)
        self._reserve_bytes = min(reserve_bytes, disk.f_blocks * disk.f_frsize // _SHARE_OF_DISK)

    def is_left(self, *, beside_bytes: int = 0) -> bool:
        """Whether more than the reserve is free, counting what the caller has free inside files of its own.

        It costs about a microsecond.
        """
        disk = os.statvfs(self._folder)
        return disk.f_bavail * disk.f_frsize + beside_bytes > self._reserve_bytes
