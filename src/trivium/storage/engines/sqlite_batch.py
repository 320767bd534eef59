"""One commit of the SQLite engine: the changes in it, what each of them did, and how it ends."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from trivium.base import faults
from trivium.storage.engine import Write
from trivium.storage.engines.generation import Generation
from trivium.storage.engines.sqlite_change import Counter, Transaction
from trivium.storage.engines.sqlite_rows import free_bytes
from trivium.storage.room import Room

LIMIT_CHANGES: Final = 256
LIMIT_PAGES: Final = 2048  # 8 MiB: some milliseconds of writing


class Waiting:
    """A change and its caller. `result` or `error` is what the caller will be told if the commit succeeds."""

    __slots__ = ("change", "error", "future", "result")

    # Any: each change returns what it likes
    def __init__(self, change: Callable[[Write], Any], future: asyncio.Future[Any]) -> None:
        self.change, self.future = change, future
        self.result: Any = None
        self.error: BaseException | None = None

    def tell(self) -> None:
        """Give the caller, if still there, what its change returned or raised."""
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class Batch:
    """Changes that share one commit. Only inside the turnstile; one thread at a time."""

    def __init__(self, db: sqlite3.Connection, generation: Generation, room: Room) -> None:
        self._db, self._generation, self._room = db, generation, room
        self._counter = Counter(db)
        self.changes: list[Waiting] = []
        self.pages = 0

    def run(self, waiting: deque[Waiting], *, limit: int = LIMIT_CHANGES) -> None:
        """Take changes from the front of `waiting` and carry them out, up to the limits. Raises
        sqlite3.Error.
        """
        self._generation.settle()
        self._db.execute("begin immediate")
        while waiting and len(self.changes) < limit and self.pages < LIMIT_PAGES:
            one = waiting.popleft()
            if not one.future.cancelled():
                self.changes.append(one)
                self._run_one(one)

    def _run_one(self, one: Waiting) -> None:
        tx = Transaction(self._db, self._counter)
        try:
            one.result = one.change(tx)
        except sqlite3.Error:
            raise
        except BaseException as error:  # whatever it is, it belongs to this change's caller alone
            # a future takes no StopIteration
            one.error = RuntimeError("a change ran out") if isinstance(error, StopIteration) else error
            return
        if tx.grows and not self._has_room():
            one.error = faults.InsufficientStorage()
            return
        one.error = None
        if tx.announced:
            self._generation.unsettle()
        self.pages += tx.apply()

    def _has_room(self) -> bool:
        return self._room.is_left() or self._room.is_left(beside_bytes=free_bytes(self._db))

    def finish(self) -> bool:
        """Write the counter back; whether there is something to commit. Raises sqlite3.Error."""
        self.pages += self._counter.write()
        return self.pages > 0

    def commit(self) -> int:
        """Make it durable; about how many pages the log holds now. It blocks. Raises sqlite3.Error."""
        self._db.execute("commit")
        self._generation.settle()
        return self._generation.add_logged_pages(self.pages)

    def undo(self) -> None:
        """Forget all of it. Raises sqlite3.Error."""
        self._db.execute("rollback")
        self._generation.settle()
