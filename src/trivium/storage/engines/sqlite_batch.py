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
from trivium.storage.engines.sqlite_change import Changes
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
        self._rows = Changes(db)
        self._roomy = False  # whether there was room for bodies when the first of them came
        self.changes: list[Waiting] = []

    def run(self, waiting: deque[Waiting], *, limit: int = LIMIT_CHANGES) -> bool:
        """Run changes from the front of `waiting`, up to the limits; whether there is something to commit.

        Raises sqlite3.Error.
        """
        self._generation.settle()
        # nobody else writes inside the turnstile: it need not be said that we shall
        self._db.execute("begin")
        while waiting and len(self.changes) < limit and self._rows.pages < LIMIT_PAGES:
            one = waiting.popleft()
            if not one.future.cancelled():
                self.changes.append(one)
                self._run_one(one)
        if self._rows.is_nothing:
            return False
        self._rows.carry_out()
        return True

    def _run_one(self, one: Waiting) -> None:
        rows = self._rows
        rows.begin()
        try:
            one.result = one.change(rows)
        except sqlite3.Error:
            raise
        except BaseException as error:  # whatever it is, it belongs to this change's caller alone
            # a future takes no StopIteration
            one.error = RuntimeError("a change ran out") if isinstance(error, StopIteration) else error
            rows.take_back()
            return
        finally:
            rows.end()
        one.error = None
        if rows.grows and not self._has_room():
            one.error = faults.InsufficientStorage()
            rows.take_back()
        elif rows.announced:
            self._generation.unsettle()

    def _has_room(self) -> bool:
        """Whether the reserve was free before this commit, which takes little of it."""
        if not self._roomy:
            self._roomy = self._room.is_left() or self._room.is_left(beside_bytes=free_bytes(self._db))
        return self._roomy

    def commit(self) -> int:
        """Make it durable; about how many pages the log holds now. It blocks. Raises sqlite3.Error."""
        self._db.execute("commit")
        self._generation.settle()
        return self._generation.add_logged_pages(self._rows.pages)

    def undo(self) -> None:
        """Forget all of it. Raises sqlite3.Error."""
        self._db.execute("rollback")
        self._generation.settle()
