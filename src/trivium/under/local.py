"""A directory of this machine as a store. Other programs read and change it at the same time.

Theory of operation. Every verb runs in a thread of the store's own, so that a disk that hangs holds up this
store and nothing else. What is ours lies in the folder `.trivium` of the root and is never listed: drafts,
files that are being removed or replaced (so that both can be undone), and the lock file. A crash leaves
files there; they are swept when they are a day old. Modification times are set by the house's clock, with
random digits below the millisecond: whoever changes a file in place after us gives it another time, even
within the same tick of a coarse clock.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import weakref
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from functools import partial
from itertools import islice
from typing import Final, TypeVar

from trivium.base import faults
from trivium.base.body import Descriptor, Place, Places
from trivium.base.clock import Clock
from trivium.base.faults import Fault
from trivium.base.finish import finished
from trivium.base.ids import Ids
from trivium.under import tree, workshop
from trivium.under.folders import Folders, settled
from trivium.under.locks import NameLocks
from trivium.under.names import is_folder
from trivium.under.opened import LocalFile
from trivium.under.store import Draft, Opened, Placed, Stat

_THREADS: Final = 16
_SMALL_BYTES: Final = 64 << 10  # read with the look, so that they are of one piece with it
_SWEPT_AFTER_MS: Final = 24 * 3600 * 1000
_LOOKS: Final = 3
_NANOSECONDS: Final = 1_000_000  # of a millisecond
_log = logging.getLogger("trivium.under")

_FAULTS: Final = {
    errno.EACCES: faults.AccessDenied, errno.EPERM: faults.AccessDenied, errno.EROFS: faults.AccessDenied,
    errno.ENOSPC: faults.InsufficientStorage, errno.EDQUOT: faults.InsufficientStorage,
    errno.ENAMETOOLONG: faults.KeyComponentTooLong, errno.EINVAL: faults.KeyNamesNoFile,
    errno.ELOOP: faults.KeyNamesNoFile, errno.EISDIR: faults.KeyNamesFolder,
    errno.ENOTDIR: faults.KeyBelowFile, errno.EMFILE: faults.SlowDown, errno.ENFILE: faults.SlowDown,
}
T = TypeVar("T")
Listed = list[Stat]


class LocalStore:
    """The directory `root`. With `writes` false nothing is ever made in it, the lock file neither. `places`
    bound the files that are open to be read, where they are given.
    """

    def __init__(
        self, root: str, clock: Clock, ids: Ids, *, writes: bool = True, places: Places | None = None,
    ) -> None:
        self._root, self._clock, self._ids = os.path.abspath(root), clock, ids
        self._writes, self._places = writes, places
        self._pool = ThreadPoolExecutor(_THREADS, "mount")  # its threads end when it is collected
        self._senders = ThreadPoolExecutor(_THREADS, "mount-sender")
        self._folders = Folders(clock)
        self._locks = NameLocks(self._lock_file)
        self._lock_fd: int | None = None
        self._gone = False

    async def stat(self, name: str) -> Stat | None:
        seen = await self._look(lambda: tree.look(self._root, name))
        return None if seen is None else self._stat(name, seen)

    async def open(self, name: str) -> Opened | None:
        place = None if self._places is None else self._places.take()
        return await self._look(lambda: self._open(name, place))

    async def list(self, prefix: str, start: str, limit: int, *, folders: bool = False) -> list[Stat]:
        wanted = tree.Wanted(prefix, max(prefix, start), folders)
        return await self._look(lambda: self._list(wanted, limit))

    def alone(self, name: str) -> AbstractAsyncContextManager[None]:
        return self._locks.alone(name)

    @asynccontextmanager
    async def staged(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[Draft]:
        draft = Draft(self._ids.hexadecimal(32))
        file = workshop.DraftFile(self._root, draft.id)
        try:
            try:
                await self._thread(file.open)
                async for chunk in chunks:
                    await self._thread(partial(file.write, chunk))
                await self._thread(partial(file.seal, self._modified_ns()))
            finally:
                await self._thread(file.close)
            yield draft
        finally:
            await self._thread(lambda: workshop.discard(self._root, draft.id))

    @asynccontextmanager
    async def published(self, draft: Draft, name: str) -> AsyncIterator[Placed]:
        step = await self._thread(lambda: workshop.publish(self._root, draft.id, name))
        assert step.seen is not None
        async with self._in_doubt(step):
            yield Placed(self._stat(name, step.seen), step.made)

    async def make_folder(self, name: str) -> Placed:
        made = await self._thread(lambda: tree.make_folders(self._root, name))
        stat = await self.stat(name)
        if stat is None:
            raise faults.FileChanging()
        return Placed(stat, tuple(made))

    @asynccontextmanager
    async def removed(self, name: str) -> AsyncIterator[bool]:
        id = self._ids.hexadecimal(32)
        step = await self._thread(lambda: workshop.remove(self._root, id, name))
        if step is None:
            yield False
            return
        async with self._in_doubt(step):
            yield True

    @asynccontextmanager
    async def _in_doubt(self, step: workshop.Step) -> AsyncIterator[None]:
        try:
            yield
        except BaseException:
            await self._thread(step.undo)
            raise
        await self._thread(step.settle)

    async def _look(self, work: Callable[[], T]) -> T:
        """Look at the directory in a thread. The log is told when it has gone and when it is back, once."""
        try:
            found = await self._thread(work)
        except Fault as fault:
            if fault.kind is faults.MountMissing and not self._gone:
                self._gone = True
                _log.error("%s is gone: what is asked of its mount is answered with 503", self._root)
            raise
        if self._gone:
            self._gone = False
            _log.warning("%s is back", self._root)
        return found

    async def _thread(self, work: Callable[[], T]) -> T:
        """Run it in a thread, to its end even when nobody waits any more: it may use a descriptor of ours."""
        result: list[T] = []  # asyncio keeps what a thread returns until the next collection of garbage
        try:
            await finished(
                asyncio.get_running_loop().run_in_executor(self._pool, lambda: result.append(work())))
        except OSError as cause:
            raise _fault(cause) from cause
        return result.pop()

    def _open(self, name: str, place: Place | None) -> Opened | None:
        for _ in range(_LOOKS):
            fd = tree.open_file(self._root, name)
            if fd is None:
                return None
            file = Descriptor(fd, place, self._senders)
            seen = os.fstat(fd)
            data = os.pread(fd, seen.st_size, 0) if seen.st_size <= _SMALL_BYTES else None
            if data is None:
                return LocalFile(self._stat(name, seen), file, self._thread)
            if len(data) == seen.st_size and tree.mark(os.fstat(fd)) == tree.mark(seen):
                return LocalFile(self._stat(name, seen), data, self._thread)
        raise faults.FileChanging()

    def _list(self, wanted: tree.Wanted, limit: int) -> Listed:
        with closing(tree.names_below(self._root, wanted, self._folders)) as names:
            return [self._stat(name, seen) for name, seen in islice(names, limit)]

    def _stat(self, name: str, seen: os.stat_result) -> Stat:
        size = 0 if is_folder(name) else seen.st_size
        lasting = settled(seen, self._clock.now_ms())
        return Stat(name, size, seen.st_mtime_ns // _NANOSECONDS, tree.mark(seen), lasting)

    def _modified_ns(self) -> int:
        below = int(self._ids.hexadecimal(5), 16) % _NANOSECONDS
        return self._clock.now_ms() * _NANOSECONDS + below

    def _lock_file(self) -> int | None:
        if self._lock_fd is None and self._writes:
            try:
                self._lock_fd = workshop.open_lock(self._root)
            except OSError as cause:
                raise _fault(cause) from cause
            if self._lock_fd is not None:
                weakref.finalize(self, os.close, self._lock_fd)
        return self._lock_fd


def _fault(cause: OSError) -> Fault:
    return _FAULTS.get(cause.errno or 0, faults.InternalError)()


def sweep(root: str, now_ms: int) -> None:
    """Remove from a mount what crashes left there more than a day ago. It blocks; raises MountMissing."""
    workshop.sweep(os.path.abspath(root), (now_ms - _SWEPT_AFTER_MS) * _NANOSECONDS)
