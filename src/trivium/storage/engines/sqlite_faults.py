"""What SQLite's errors mean to a client: a full disk, or a failing one."""

from __future__ import annotations

import sqlite3
from typing import Final

from trivium.base import faults

# The index of the log lies in shared memory that is a file: it is the first to fail to grow on a full disk.
_FULL: Final = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE}
_PRIMARY: Final = 0xFF


def is_disk_failure(error: Exception) -> bool:
    """Whether the disk itself failed, so that trying smaller changes is no use."""
    code = getattr(error, "sqlite_errorcode", 0)
    return code not in _FULL and code & _PRIMARY == sqlite3.SQLITE_IOERR


def storage_fault(error: Exception) -> faults.Fault:
    """The fault to tell the client. The cause, with its paths and pages, stays with us."""
    full = getattr(error, "sqlite_errorcode", 0) in _FULL
    return faults.InsufficientStorage() if full else faults.InternalError()
