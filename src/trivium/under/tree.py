"""A directory tree, looked at and changed so that nothing ever follows a link.

Theory of operation. A name is walked component by component with `openat` and O_NOFOLLOW, from the root's
descriptor down: neither a link nor `..` can lead out, whoever swaps what meanwhile. Links, devices, sockets
and names that are not UTF-8 are invisible. The root itself may be a link: that is the administrator's
choice. Everything here blocks; it raises OSError, and the caller decides which fault that is.
"""

from __future__ import annotations

import errno
import os
import stat
from bisect import bisect_left
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final

import msgspec

from trivium.base import faults
from trivium.under.folders import Folders
from trivium.under.names import components, is_folder

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # not to hang on what became a FIFO
Seen = tuple[str, os.stat_result]


class Wanted(msgspec.Struct, frozen=True):
    """Which names of a tree are wanted: with `prefix`, from `start` on; with `folders`, full folders too.

    `start` must not lie before `prefix`.
    """

    prefix: str
    start: str
    folders: bool

    def covers(self, name: str) -> bool:
        return name >= self.start and name.startswith(self.prefix)

    def is_behind(self, name: str) -> bool:
        """Does this name, and do all that follow it, lie behind the prefix?"""
        return name > self.prefix and not name.startswith(self.prefix) and not self.prefix.startswith(name)

    def may_lie_below(self, folder: str) -> bool:
        """Can a wanted name start with this one, which ends in a slash?"""
        near = folder.startswith(self.prefix) or self.prefix.startswith(folder)
        return near and (folder >= self.start or self.start.startswith(folder))

    def first_below(self, folder: str) -> str:
        """The first component, in the order of names, that can be wanted in the folder."""
        if not self.start.startswith(folder):
            return ""
        head, slash, _ = self.start[len(folder) :].partition("/")
        return head + slash


@contextmanager
def opened_root(root: str) -> Iterator[int]:
    """The descriptor of the tree's root. Raises MountMissing when it is not there."""
    try:
        fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError) as cause:
        raise faults.MountMissing() from cause
    try:
        yield fd
    finally:
        os.close(fd)


@contextmanager
def opened_parent(root: str, name: str) -> Iterator[tuple[int, str]]:
    """The descriptor of the folder that `name` lies in, and its last component.

    Raises FileNotFoundError or NotADirectoryError when the way is not one of folders.
    """
    *above, last = components(name)
    with opened_root(root) as fd:
        here = os.dup(fd)
        try:
            for component in above:
                here = _instead(here, _enter(here, component))
            yield here, last
        finally:
            os.close(here)


def mark(seen: os.stat_result) -> str:
    """What tells one content of a name from the next: size, modification time, inode; of a folder: inode."""
    if stat.S_ISDIR(seen.st_mode):
        return f"{seen.st_ino}"
    return f"{seen.st_size}.{seen.st_mtime_ns}.{seen.st_ino}"


def make_folders(root: str, name: str, *, mode: int = 0o777) -> list[str]:
    """Make the folders of `a/b/` that are missing, durably; the names of those made. Raises KeyBelowFile."""
    made, path = [], ""
    try:
        with opened_root(root) as fd:
            here = os.dup(fd)
            try:
                for component in components(name):
                    path += component + "/"
                    if _make(here, component, mode):
                        made.append(path)
                    here = _instead(here, _enter(here, component))
            finally:
                os.close(here)
    except OSError as cause:
        remove_empty(root, made)
        if isinstance(cause, NotADirectoryError):
            raise faults.KeyBelowFile(Key=name) from cause
        raise
    return made


def remove_empty(root: str, folders: Sequence[str]) -> None:
    """Remove those of the folders, the last ones first, that are there and empty."""
    for folder in reversed(folders):
        with suppress(FileNotFoundError, NotADirectoryError), opened_parent(root, folder) as (fd, last):
            remove_folder(fd, last)


def remove_folder(fd: int, last: str) -> bool:
    """Durably remove the folder `last` of an open one, if it is empty."""
    try:
        os.rmdir(last, dir_fd=fd)
    except OSError as cause:
        if cause.errno in {errno.ENOTEMPTY, errno.EEXIST}:
            return False
        raise
    os.fsync(fd)
    return True


def look(root: str, name: str) -> os.stat_result | None:
    """The file or folder of this name; None when there is none, when it is of the other sort, or neither."""
    try:
        with opened_parent(root, name) as (fd, last):
            seen = os.stat(last, dir_fd=fd, follow_symlinks=False)
    except (FileNotFoundError, NotADirectoryError):
        return None
    wanted = stat.S_ISDIR if is_folder(name) else stat.S_ISREG
    return seen if wanted(seen.st_mode) else None


def open_file(root: str, name: str) -> int | None:
    """A descriptor of the regular file of this name, the caller's to close; None as for `look`."""
    if is_folder(name):
        return None
    try:
        with opened_parent(root, name) as (fd, last):
            if not stat.S_ISREG(os.stat(last, dir_fd=fd, follow_symlinks=False).st_mode):
                return None  # opening a device can have effects: do not even try
            return _regular(os.open(last, _FILE, dir_fd=fd))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as cause:
        if cause.errno == errno.ELOOP:  # it has become a link
            return None
        raise


def names_below(root: str, wanted: Wanted, folders: Folders) -> Generator[Seen, None, None]:
    """The wanted names in code point order of the whole name. Folders that can hold none stay closed."""
    with opened_root(root) as fd:
        yield from _Walk(wanted, folders).below(os.dup(fd))


def _enter(fd: int, component: str) -> int:
    try:
        return os.open(component, _FOLDER, dir_fd=fd)
    except OSError as cause:
        if cause.errno == errno.ELOOP:  # so some systems say that it is a link; Linux says ENOTDIR
            raise NotADirectoryError(*cause.args) from cause
        raise


def _instead(here: int, below: int) -> int:
    os.close(here)
    return below


def _make(fd: int, component: str, mode: int) -> bool:
    try:
        os.mkdir(component, mode, dir_fd=fd)
    except FileExistsError:
        return False
    os.fsync(fd)
    return True


def _regular(fd: int) -> int | None:
    """The descriptor, closed and None when something else has taken the file's place before the opening."""
    if stat.S_ISREG(os.fstat(fd).st_mode):
        return fd
    os.close(fd)
    return None


class _Walk:
    """The way through a tree, with the folders that are open: a tree can be deeper than Python's stack."""

    __slots__ = ("_folders", "_open", "_wanted")

    def __init__(self, wanted: Wanted, folders: Folders) -> None:
        self._wanted, self._folders = wanted, folders
        self._open: list[tuple[int, str, Iterator[str]]] = []

    def below(self, fd: int) -> Iterator[Seen]:
        """What is wanted below the folder, which is closed with all others."""
        wanted = self._wanted
        try:
            self._enter(fd, "")
            while self._open:
                fd, path, children = self._open[-1]
                child = next(children, None)
                name = path + (child or "")
                if child is None or wanted.is_behind(name):
                    self._open.pop()
                    os.close(fd)
                elif not is_folder(child):
                    if wanted.covers(name):
                        yield from _seen(fd, name, child)
                elif wanted.may_lie_below(name):
                    yield from self._folder(fd, name)
        finally:
            for fd, _, _ in self._open:
                os.close(fd)

    def _folder(self, fd: int, name: str) -> Iterator[Seen]:
        """Enter the folder. It is wanted itself when it is empty or all are."""
        try:
            here = _enter(fd, components(name)[-1])
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            return  # gone meanwhile; or a folder that this user may not see (docs/explanation/mounts.md, 12)
        children = self._enter(here, name)
        if self._wanted.covers(name) and (self._wanted.folders or not children):
            yield name, os.fstat(here)

    def _enter(self, fd: int, path: str) -> list[str]:
        self._open.append((fd, path, iter(())))
        children = self._folders.names(fd, path)
        first = bisect_left(children, self._wanted.first_below(path))
        self._open[-1] = fd, path, (children[at] for at in range(first, len(children)))
        return children


def _seen(fd: int, name: str, child: str) -> Iterator[Seen]:
    try:
        seen = os.stat(child, dir_fd=fd, follow_symlinks=False)
    except FileNotFoundError:
        return
    if stat.S_ISREG(seen.st_mode):
        yield name, seen
