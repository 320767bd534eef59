"""What SQLite's errors mean to a client: a full disk, or a failing one."""

from __future__ import annotations

import sqlite3

from trivium.base import faults

# The index of the log lies in shared memory that is a file: it is the first to fail to grow on a full disk.
_FULL = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE}


def is_full(error: sqlite3.Error) -> bool:
    """Whether there was no room, which smaller changes may still find."""
    return getattr(error, "sqlite_errorcode", None) in _FULL


def storage_fault(error: sqlite3.Error) -> faults.Fault:
    """The fault to tell the client. The cause, with its paths and pages, stays with us."""
    return faults.InsufficientStorage() if is_full(error) else faults.InternalError()
