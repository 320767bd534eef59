"""One writer a name at a time, among the tasks of this process and among the processes of this machine.

Theory of operation. A name becomes a number. Within the process each number that is in use has an asyncio
lock; who has that takes the byte of this number in a lock file, which other processes see. The order is
always task first, then file, and nobody holds two names: no circle can form. Kernels let go of a dead
process' bytes. The numbers of two names can be equal: these then wait for each other, no more.
"""

from __future__ import annotations

import asyncio
import fcntl
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

_FIRST_WAIT_SECONDS: Final = 0.001
_LONGEST_WAIT_SECONDS: Final = 0.016


class NameLocks:
    """Locks by name. `descriptor` gives the open lock file, or None where no other process can be writing."""

    def __init__(self, descriptor: Callable[[], int | None]) -> None:
        self._descriptor = descriptor
        self._users: dict[int, int] = {}
        self._locks: dict[int, asyncio.Lock] = {}

    @asynccontextmanager
    async def alone(self, name: str) -> AsyncIterator[None]:
        """While inside, nobody else is inside for this name. Not to be nested."""
        number = zlib.crc32(name.encode())
        lock = self._locks.setdefault(number, asyncio.Lock())
        self._users[number] = self._users.get(number, 0) + 1
        try:
            async with lock, self._among_processes(number):
                yield
        finally:
            self._users[number] -= 1
            if not self._users[number]:
                del self._users[number], self._locks[number]

    @asynccontextmanager
    async def _among_processes(self, number: int) -> AsyncIterator[None]:
        fd = self._descriptor()
        if fd is None:
            yield
            return
        await _take(fd, number)
        try:
            yield
        finally:
            fcntl.lockf(fd, fcntl.LOCK_UN, 1, number)


async def _take(fd: int, number: int) -> None:
    """Lock the byte. Trying anew beats waiting in the kernel, which takes tasks of one process for one
    owner and would see a deadlock where two processes wait for different bytes of each other.
    """
    wait_seconds = _FIRST_WAIT_SECONDS
    while True:
        try:
            fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
        except (BlockingIOError, PermissionError):  # POSIX lets systems answer EAGAIN or EACCES
            await asyncio.sleep(wait_seconds)
            wait_seconds = min(2 * wait_seconds, _LONGEST_WAIT_SECONDS)
        else:
            return
