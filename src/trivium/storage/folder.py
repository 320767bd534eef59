"""The data folder: where everything lies, in which format, and who is serving it.

    format       the number of the folder's format, as text
    lock         locked by the server that serves the folder; holds its process id
    rows/        the engine's files
    blobs/       the blob store's files
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

Migration = Callable[[Path], None]


def parts_share_rows(_: Path) -> None:
    """Format 2 has parts of an upload that share a row. Rows of format 1 are read, and turned into such as
    parts come; but a house that knows format 1 alone would write beside them.
    """


# The first turns format 1 into 2, and so on. Each may be cut off and run again. None is ever taken away.
MIGRATIONS: Final[Sequence[Migration]] = (parts_share_rows,)


class FolderRefused(Exception):
    """The folder cannot be served. The message is for the administrator."""


class DataFolder:
    """A data folder. Everything in it may be read by its owner only."""

    def __init__(self, path: Path, *, migrations: Sequence[Migration] = MIGRATIONS) -> None:
        self.path = path
        self._migrations = migrations
        self._newest = 1 + len(migrations)

    @property
    def rows(self) -> Path:
        """The engine's database file."""
        return self.path / "rows" / "rows.db"

    @property
    def blobs(self) -> Path:
        """The blob store's folder."""
        return self.path / "blobs"

    @contextmanager
    def served(self) -> Iterator[None]:
        """Have the folder for oneself, made when it is not there, in today's format.

        Raises FolderRefused when another server has it, when a newer house made it, when it lost its rows, or
        when it is somebody else's. The kernel unlocks it when the process dies; processes that are forked
        meanwhile keep it locked.
        """
        self._make()
        lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            _lock(lock, self.path)
            self._migrate()
            yield
        finally:
            os.close(lock)

    def check(self) -> None:
        """Raises FolderRefused unless this house can read the folder as it is."""
        found = self._format()
        if found is None:
            raise FolderRefused(f"{self.path} is not a data folder of Trivium.")
        if found < self._newest:
            raise FolderRefused(
                f"{self.path} has format {found}, and this version reads {self._newest}:"
                " `trivium serve` migrates it.")
        self._refuse_lost_parts()

    def _make(self) -> None:
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self._format() is None:
                self._refuse_foreign()
                self._write_format(self._newest)
            self._refuse_lost_parts()
            for below in (self.rows.parent, self.blobs):
                below.mkdir(mode=0o700, exist_ok=True)
            fsync_directory(self.path)
        except (NotADirectoryError, FileExistsError) as error:
            raise FolderRefused(f"{self.path} is not a folder.") from error
        except FileNotFoundError as error:  # /proc and its like
            raise FolderRefused(f"{self.path} cannot be made there.") from error
        except PermissionError as error:
            raise FolderRefused(f"{self.path} cannot be written by this user.") from error

    def _refuse_foreign(self) -> None:
        strangers = sorted(entry.name for entry in self.path.iterdir() if not _ours(entry.name))
        if strangers:
            raise FolderRefused(
                f"{self.path} is not empty and not a data folder of Trivium:"
                f" it holds {', '.join(strangers[:3])}.")

    def _refuse_lost_parts(self) -> None:
        """In a new database no row would name the blobs that are there, and the sweep would remove them.
        Without the folder of blobs every large object would be an internal error.
        """
        lost = not self.rows.exists() or not self.rows.stat().st_size
        if lost and (self.rows.with_name("generation").exists() or any(self.blobs.glob("*/*"))):
            raise FolderRefused(
                f"{self.rows} is missing or empty, and has been there: bring it back from a backup.")
        if not lost and not self.blobs.exists():
            raise FolderRefused(
                f"{self.blobs} is missing, and has been there: bring it back from a backup; if it was empty,"
                " make it.")

    def _migrate(self) -> None:
        found = self._format()
        assert found is not None, "the folder lost its format"
        for number in range(found, self._newest):
            self._migrations[number - 1](self.path)
            self._write_format(number + 1)

    def _format(self) -> int | None:
        """The format's number; None where there is none. Raises FolderRefused for one we cannot know."""
        try:
            text = (self.path / "format").read_text("ascii", "replace").strip()
        except FileNotFoundError:
            return None
        except NotADirectoryError as error:
            raise FolderRefused(f"{self.path} is not a folder.") from error
        if not (text.isdecimal() and text.isascii()) or int(text) < 1:
            raise FolderRefused(f"{self.path / 'format'} holds {text[:20]!r}, which is no format number.")
        if int(text) > self._newest:
            raise FolderRefused(
                f"{self.path} has format {text}, made by a newer version of Trivium; this version knows"
                f" formats up to {self._newest}. Use the newer version.")
        return int(text)

    def _write_format(self, number: int) -> None:
        fresh = self.path / "format.new"
        with fresh.open("w", encoding="ascii") as file:
            file.write(f"{number}\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.path / "format")
        fsync_directory(self.path)


def fsync_directory(path: Path | str) -> None:
    """Make durable which names the directory has."""
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _ours(name: str) -> bool:
    return name in {"format.new", "lock", "lost+found"} or name.startswith(".")


def _lock(lock: int, path: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(lock, 20, 0).decode("ascii", "replace").strip() or "unknown"
        raise FolderRefused(f"{path} is being served already, by the process with id {holder}.") from error
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode("ascii"), 0)
