"""Checkpoints: copying the write-ahead log back into the database, so that writers hardly notice.

Theory of operation. A thread with a connection of its own is woken when the log has grown past
`LOG_LIMIT_PAGES`. It copies, while writers go on appending, and fsyncs what it copied; then it enters the
turnstile, copies and fsyncs the rest and makes the log start again from its beginning: readers last
milliseconds, so nobody holds on to the old end. One process does it at a time, told by a lock file that the
kernel opens again when its holder dies. Should a reader hold on for longer (somebody takes a backup), the log
grows by another `LOG_LIMIT_PAGES` before the next attempt.

SQLite fsyncs the database only at the end of a checkpoint that nobody overtook, which is the one inside the
turnstile; the early fsync outside of it takes three quarters of that work away from where writers wait. When
an fsync fails, what was copied before it may be lost although later ones succeed (the kernel tells of pages
that it could not write once). But SQLite counts it as copied: so that count is taken back to nothing, and
all of the log is copied again before it starts anew.

Owner of the thread: the engine; it starts with the first checkpoint and ends with `close`.
"""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

from trivium.storage.engines.generation import Generation
from trivium.storage.engines.sqlite_rows import BUSY_WAIT_MS, connect
from trivium.storage.engines.turnstile import Turnstile

LOG_LIMIT_PAGES: Final = 7_168  # 28 MiB
LOG_MOST_PAGES: Final = 12_288  # 48 MiB: more than this and writers stand still for the checkpoint
READERS_WAIT_MS: Final = 50  # how long writers stand still for a reader that holds on to the log's end
_ROUNDS: Final = 2
_BACKFILL_OFFSET: Final = 96
_log = logging.getLogger(__name__)


class Checkpoints:
    """The thread and when it works."""

    def __init__(self, path: Path, generation: Generation) -> None:
        self._path, self._generation = path, generation
        self._limit_pages, self._most_pages = LOG_LIMIT_PAGES, LOG_MOST_PAGES
        self._due = threading.Event()
        self._closing = False
        self._thread: threading.Thread | None = None

    def before_leaving(self, db: sqlite3.Connection, logged_pages: int) -> None:
        """Checkpoint at once when writers have outrun the thread. Only inside the turnstile."""
        if logged_pages < self._most_pages:
            return
        try:
            restart_log(db, self._path, self._generation)
        except sqlite3.Error:
            _log.exception("checkpoint failed")
        self._most_pages = self._generation.logged_pages + LOG_MOST_PAGES

    def after_commit(self, logged_pages: int) -> None:
        """Wake the thread when the log has grown long."""
        if logged_pages < self._limit_pages or self._due.is_set():
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="trivium-checkpoint", daemon=True)
            self._thread.start()
        self._due.set()

    def close(self) -> None:
        """Wait for a checkpoint under way, and end the thread."""
        self._closing = True
        self._due.set()
        if self._thread is not None:
            self._thread.join()

    def _work(self) -> None:
        alone = os.open(self._path.parent / "checkpoint.lock", os.O_RDWR | os.O_CREAT, 0o600)
        turnstile = Turnstile(self._path.parent)
        db = connect(self._path)
        try:
            while self._due.wait() and not self._closing:
                self._due.clear()
                if self._generation.logged_pages >= self._limit_pages:
                    self._once(db, turnstile, alone)
        finally:
            db.close()
            turnstile.close()
            os.close(alone)

    def _once(self, db: sqlite3.Connection, turnstile: Turnstile, alone: int) -> None:
        try:
            fcntl.flock(alone, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        try:
            checkpoint(db, self._path, turnstile, self._generation)
        except (sqlite3.Error, OSError):
            # Nothing is lost: the log keeps what it holds, and later commits wake us again.
            _log.exception("checkpoint failed")
        finally:
            # a reader that stays, a backup perhaps, would make us come back with every commit
            self._limit_pages = self._generation.logged_pages + LOG_LIMIT_PAGES
            fcntl.flock(alone, fcntl.LOCK_UN)


def checkpoint(db: sqlite3.Connection, path: Path, turnstile: Turnstile, generation: Generation) -> None:
    """Copy all of the log into the database, the last of it inside the turnstile, and restart the log.

    Raises sqlite3.Error, OSError.
    """
    failed = None
    try:
        for _ in range(_ROUNDS):
            db.execute("pragma wal_checkpoint(passive)").fetchone()
            _flush(path)
    except (sqlite3.Error, OSError) as error:
        failed = error
    turnstile.enter()
    try:
        if failed is not None:
            _count_nothing_as_copied(path)
            raise failed
        restart_log(db, path, generation)
    finally:
        turnstile.leave()


def restart_log(db: sqlite3.Connection, path: Path, generation: Generation) -> None:
    """Copy the log and let it start again from its beginning, unless a reader holds on to its end.

    Only inside the turnstile. Raises sqlite3.Error.
    """
    db.execute(f"pragma busy_timeout = {READERS_WAIT_MS}")
    try:
        blocked, _, _ = db.execute("pragma wal_checkpoint(restart)").fetchone()
    except sqlite3.Error:
        _count_nothing_as_copied(path)
        raise
    finally:
        db.execute(f"pragma busy_timeout = {BUSY_WAIT_MS}")
    if not blocked:
        generation.clear_logged_pages()


def _flush(path: Path) -> None:
    """Fsync the database. It only saves the writers time: where its descriptors cannot be listed, SQLite's
    own fsync inside the turnstile does all the work. Raises OSError.
    """
    file = opened_by_sqlite(path)
    if file is not None:
        os.fsync(file)


def _count_nothing_as_copied(path: Path) -> None:
    """Take back how much of the log SQLite believes to be in the database. Only inside the turnstile.

    Source: SQLite, "WAL-mode File Format", 2.3.2: `nBackfill` in the index of the log; readers may look into
    a log that they could do without.
    """
    file = opened_by_sqlite(path.with_name(path.name + "-shm"))
    if file is None:
        _log.critical("stop the server and start it again: this system cannot say what is on the disk")
    else:
        os.pwrite(file, bytes(4), _BACKFILL_OFFSET)


def opened_by_sqlite(path: Path) -> int | None:
    """A descriptor that SQLite has of the file. To open one of our own and close it would drop SQLite's locks
    on the file (POSIX fcntl).
    """
    wanted = path.stat()
    for name in os.listdir("/dev/fd") if Path("/dev/fd").is_dir() else ():
        with suppress(OSError):
            if os.path.samestat(os.fstat(int(name)), wanted):
                return int(name)
    return None
