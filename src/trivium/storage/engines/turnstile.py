"""A fair lock among processes: who waits longest is next, and the kernel opens it when a holder dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class Turnstile:
    """Two flock files, the queue and the room.

    Theory of operation. To enter, one locks the queue, then the room, then lets go of the queue. Whoever
    leaves the room and wants to come back must pass the queue first, where somebody who waits for the room
    already stands: nobody can barge in, so that two processes take turns however busy they are. A plain lock
    retried by its last holder starves the other one for as long as a second
    (docs/decisions/one-writer-among-processes.md).
    """

    def __init__(self, folder: Path) -> None:
        self._queue = os.open(folder / "writer.queue", os.O_RDWR | os.O_CREAT, 0o600)
        self._room = os.open(folder / "writer.room", os.O_RDWR | os.O_CREAT, 0o600)

    def enter(self) -> None:
        """Wait until it is our turn. It blocks: never call it on an event loop."""
        fcntl.flock(self._queue, fcntl.LOCK_EX)
        try:
            fcntl.flock(self._room, fcntl.LOCK_EX)
        finally:
            fcntl.flock(self._queue, fcntl.LOCK_UN)

    def try_enter(self) -> bool:
        """Enter if nobody is inside or waiting."""
        try:
            fcntl.flock(self._queue, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        try:
            fcntl.flock(self._room, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            fcntl.flock(self._queue, fcntl.LOCK_UN)
        return True

    def leave(self) -> None:
        fcntl.flock(self._room, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close the files, which leaves the room too."""
        os.close(self._queue)
        os.close(self._room)
