"""The names in folders, in the order of keys, remembered while a large folder stays as it is.

Theory of operation. A page of a listing needs a folder's names sorted, all of them even for one entry. So
the names of large folders are kept: key is the folder's identity (device and inode), a change of its
modification time invalidates, and the bound is the number of names in all, the longest unused going first.
A folder that changed in the last two seconds is never kept: its time might not show the next change.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from typing import Final

from trivium.base.clock import Clock
from trivium.base.names import MAX_KEY_BYTES
from trivium.under.names import RESERVED

SETTLED_AFTER_MS: Final = 2_000  # the coarsest modification times in use are those of FAT: two seconds
_KEPT_NAMES: Final = 500_000  # about 50 MB
_KEPT_FROM_NAMES: Final = 1_000
_NANOSECONDS: Final = 1_000_000  # of a millisecond

_Place = tuple[int, int, int]


def settled(seen: os.stat_result, now_ms: int) -> bool:
    """Does the last change lie far enough back for every later one to show in the modification time?"""
    return now_ms - seen.st_ctime_ns // _NANOSECONDS >= SETTLED_AFTER_MS


class Folders:
    """The names in folders. Used by many threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[_Place, tuple[int, list[str]]] = OrderedDict()
        self._count = 0

    def names(self, fd: int, path: str) -> list[str]:
        """The names in an open folder that can be parts of keys, folders with a slash behind, sorted. Not
        to be changed.

        `path` is the folder's own name: "", or ending in a slash.
        """
        room_bytes = MAX_KEY_BYTES - len(path.encode())
        seen = os.fstat(fd)
        place = (seen.st_dev, seen.st_ino, room_bytes)
        with self._lock:
            modified_ns, names = self._kept.get(place, (0, []))
            if modified_ns == seen.st_mtime_ns:
                self._kept.move_to_end(place)
                return names
        names = _visible(fd, room_bytes)
        if _KEPT_FROM_NAMES <= len(names) <= _KEPT_NAMES and settled(seen, self._clock.now_ms()):
            self._keep(place, seen.st_mtime_ns, names)
        return names

    def _keep(self, place: _Place, modified_ns: int, names: list[str]) -> None:
        with self._lock:
            self._count += len(names) - len(self._kept.pop(place, (0, []))[1])
            self._kept[place] = modified_ns, names
            while self._count > _KEPT_NAMES:
                _, (_, dropped) = self._kept.popitem(last=False)
                self._count -= len(dropped)


def _visible(fd: int, room_bytes: int) -> list[str]:
    names = []
    with os.scandir(fd) as children:
        for child in children:
            if child.is_file(follow_symlinks=False):
                name = child.name
            elif child.is_dir(follow_symlinks=False):
                name = child.name + "/"
            else:
                continue
            if _fits(name, room_bytes) and child.name != RESERVED:
                names.append(name)
    names.sort()
    return names


def _fits(name: str, room_bytes: int) -> bool:
    """Can a client name it: is it UTF-8, without U+FFFD (it stands for bytes that are none), and short?"""
    if name.isascii():
        return len(name) <= room_bytes
    try:
        return "\ufffd" not in name and len(name.encode()) <= room_bytes
    except UnicodeEncodeError:
        return False
