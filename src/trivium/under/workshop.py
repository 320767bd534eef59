"""Our own folder in a mounted directory, where files are made, replaced, removed, and each step undone.

Theory of operation. The folder `.trivium` lies on the mount's file system, so that moving a file in or out
is one atomic rename. A draft becomes a file by a rename over its name; the file that was there gets a
second name here first. What is removed is moved here. Either way nothing is lost until the step is settled.
Everything here blocks; it raises OSError.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

import msgspec

from trivium.base import faults
from trivium.under import tree
from trivium.under.names import RESERVED, is_folder, parents

_LOCK: Final = "lock"
_LEFT: Final = re.compile(r"[0-9a-f]{32}(\.old)?")  # all else in the folder is somebody else's
_DRAFT: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_MODE: Final = 0o666  # the process' umask decides, as for every program that makes files
_PERMISSIONS: Final = 0o777  # set-user-id and its like are for the content that was there
_OWNERS: Final = 0o700
_GROUPS: Final = 0o070
_ATTEMPTS: Final = 5  # a folder above can be removed, as empty, each time between making it and using it
_NO_SECOND_NAME: Final = {errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS}


class Step(msgspec.Struct, frozen=True):
    """A change that was made and is in doubt: `settle` or `undo` it. `made` are folders made for it."""

    seen: os.stat_result | None
    made: tuple[str, ...]
    settle: Callable[[], object]
    undo: Callable[[], object]


class DraftFile:
    """A draft that is being written: open it, write, seal, and close it in any case."""

    __slots__ = ("_fd", "_id", "_root")

    def __init__(self, root: str, id: str) -> None:
        self._root, self._id, self._fd = root, id, -1

    def open(self) -> None:
        _make_workshop(self._root)
        with _workshop(self._root) as ours:
            self._fd = os.open(self._id, _DRAFT, _MODE, dir_fd=ours)

    def write(self, chunk: bytes) -> None:
        rest = memoryview(chunk)
        while rest:
            rest = rest[os.write(self._fd, rest) :]

    def seal(self, modified_ns: int) -> None:
        """Give it its modification time (ns since 1970) and make it durable."""
        os.utime(self._fd, ns=(modified_ns, modified_ns))
        os.fsync(self._fd)

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def discard(root: str, id: str) -> None:
    """Let go of a draft, if it is still one."""
    with suppress(FileNotFoundError, faults.Fault), _workshop(root) as ours:
        os.unlink(id, dir_fd=ours)


def publish(root: str, id: str, name: str) -> Step:
    """Give the draft its name. Raises KeyBelowFile, KeyNamesFolder, KeyNamesNoFile, KeyOnOtherFileSystem."""
    made: list[str] = []
    try:
        for attempt in range(_ATTEMPTS):
            for folder in parents(name)[:1]:
                made += tree.make_folders(root, folder)
            try:
                return _publish(root, id, name, tuple(made))
            except FileNotFoundError:
                if attempt == _ATTEMPTS - 1:
                    raise
        raise AssertionError("unreachable")
    except BaseException:
        tree.remove_empty(root, made)
        raise


def remove(root: str, id: str, name: str) -> Step | None:
    """Take the file or the empty folder away; None when there is none, or when the folder is not empty."""
    seen = tree.look(root, name)
    if seen is None:
        return None
    try:
        return _remove_folder(root, name) if is_folder(name) else _remove_file(root, id, name)
    except (FileNotFoundError, NotADirectoryError):
        return None


def sweep(root: str, older_than_ns: int) -> None:
    """Remove what crashes have left here: files of ours not touched since that time (ns since 1970)."""
    with suppress(FileNotFoundError), _workshop(root) as ours, os.scandir(ours) as files:
        for file in files:
            with suppress(FileNotFoundError):
                touched_ns = file.stat(follow_symlinks=False).st_ctime_ns
                if touched_ns < older_than_ns and _LEFT.fullmatch(file.name):
                    os.unlink(file.name, dir_fd=ours)


def open_lock(root: str) -> int | None:
    """The descriptor of the lock file; None where this user cannot write, so that no process of ours can."""
    try:
        _make_workshop(root)
        with _workshop(root) as ours:
            return os.open(_LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=ours)
    except OSError as cause:
        if cause.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
            return None
        raise


def _make_workshop(root: str) -> None:
    tree.make_folders(root, RESERVED, mode=0o700)  # drafts are nobody else's business


@contextmanager
def _workshop(root: str) -> Iterator[int]:
    with tree.opened_parent(root, f"{RESERVED}/.") as (ours, _):
        yield ours


def _publish(root: str, id: str, name: str, made: tuple[str, ...]) -> Step:
    with _workshop(root) as ours, tree.opened_parent(root, name) as (fd, last):
        seen = os.stat(id, dir_fd=ours, follow_symlinks=False)
        there = _replaced(fd, last, name)
        if there is not None and _access(there) != _access(seen):
            _take_after(id, ours, there)
        with _crossing(name):
            older = f"{id}.old"
            if there is None or not _second_name(fd, last, ours, older):
                older = ""
            try:
                os.rename(id, last, src_dir_fd=ours, dst_dir_fd=fd)
            except OSError:
                if older:
                    discard(root, older)
                raise
        step = Step(
            seen, made, lambda: discard(root, older) if older else None,
            lambda: _unpublish(root, name, seen.st_ino, older, made))
        try:
            os.fsync(fd)
        except OSError:
            step.undo()
            raise
    return step


@contextmanager
def _crossing(name: str) -> Iterator[None]:
    """Say so when the name lies on another file system than our folder does."""
    try:
        yield
    except OSError as cause:
        if cause.errno == errno.EXDEV:
            raise faults.KeyOnOtherFileSystem(Key=name) from cause
        raise


def _replaced(fd: int, last: str, name: str) -> os.stat_result | None:
    """The file that is there. Raises KeyNamesFolder, KeyNamesNoFile."""
    try:
        seen = os.stat(last, dir_fd=fd, follow_symlinks=False)
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(seen.st_mode):
        raise faults.KeyNamesFolder(Key=name)
    if not stat.S_ISREG(seen.st_mode):
        raise faults.KeyNamesNoFile(Key=name)
    return seen


def _access(seen: os.stat_result) -> tuple[int, int, int]:
    return seen.st_mode & _PERMISSIONS, seen.st_uid, seen.st_gid


def _take_after(id: str, ours: int, older: os.stat_result) -> None:
    """Give the draft the permissions of the file that it replaces, and its owner and group where we may."""
    fd = os.open(id, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=ours)
    try:
        mode = older.st_mode & _PERMISSIONS
        os.fchmod(fd, mode & _OWNERS)  # nobody else's before it is whose it shall be
        for owner in ((older.st_uid, -1), (-1, older.st_gid)):
            with suppress(PermissionError):
                os.fchown(fd, *owner)
        if os.fstat(fd).st_gid != older.st_gid:
            mode &= ~_GROUPS  # what one group was let do is not for another
        os.fchmod(fd, mode)
        os.fsync(fd)
    finally:
        os.close(fd)


def _second_name(fd: int, last: str, ours: int, older: str) -> bool:
    """Keep what is about to be replaced. False where file system or the file's owner does not let us."""
    try:
        os.link(last, older, src_dir_fd=fd, dst_dir_fd=ours, follow_symlinks=False)
    except FileNotFoundError:
        return False
    except OSError as cause:
        if cause.errno in _NO_SECOND_NAME:
            return False
        raise
    return True


def _unpublish(root: str, name: str, inode: int, older: str, made: tuple[str, ...]) -> None:
    """Put back what was there, unless somebody else has replaced our file meanwhile."""
    with suppress(FileNotFoundError), _workshop(root) as ours, tree.opened_parent(root, name) as (fd, last):
        if os.stat(last, dir_fd=fd, follow_symlinks=False).st_ino == inode:
            if older:
                os.rename(older, last, src_dir_fd=ours, dst_dir_fd=fd)
            else:
                os.unlink(last, dir_fd=fd)
            os.fsync(fd)
    tree.remove_empty(root, made)


def _remove_file(root: str, id: str, name: str) -> Step:
    _make_workshop(root)
    with _workshop(root) as ours, tree.opened_parent(root, name) as (fd, last):
        try:
            os.rename(last, id, src_dir_fd=fd, dst_dir_fd=ours)
        except OSError as cause:
            if cause.errno != errno.EXDEV:
                raise
            os.unlink(last, dir_fd=fd)  # on another file system: it goes at once, and cannot be put back
        os.fsync(fd)
    return Step(None, (), lambda: discard(root, id), lambda: _put_back(root, id, name))


def _put_back(root: str, id: str, name: str) -> None:
    with suppress(FileNotFoundError), _workshop(root) as ours, tree.opened_parent(root, name) as (fd, last):
        os.rename(id, last, src_dir_fd=ours, dst_dir_fd=fd)
        os.fsync(fd)


def _remove_folder(root: str, name: str) -> Step | None:
    with tree.opened_parent(root, name) as (fd, last):
        if not tree.remove_folder(fd, last):
            return None
    return Step(None, (), lambda: None, lambda: tree.make_folders(root, name))
