"""The SQLite engine: one database file shared by the processes of one machine, with group commit.

Theory of operation. Reads run at once, on the event loop, on a connection of their own. Writes wait in a
list. When no commit is under way, the loop enters the turnstile (`turnstile.py`), begins a transaction and
runs the waiting functions one after the other (`sqlite_batch.py`); what each writes waits in memory until all
have run, and is forgotten when it raises (`sqlite_change.py`). A thread then commits, which writes and fsyncs
the log without holding the interpreter, and leaves the turnstile; meanwhile the next changes gather. Nothing
is told to a caller before the commit has succeeded, refusals included: they may rest on a row that an earlier
change of the same commit wrote. When nobody else is inside the turnstile the loop enters it without waiting;
otherwise the thread waits in its place. What was tried instead, with numbers:
docs/decisions/one-writer-among-processes.md.

When SQLite fails, nothing is acknowledged: the transaction is undone and its connection replaced. Unless the
disk itself failed, the changes of the commit then run again one by one: where there is no room for all, a
small one or a deletion may still find some, and what is wrong with one change harms no other.

Owner of the thread: the engine; it starts with the first write and ends with `close`.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from trivium.base import faults
from trivium.storage.engine import Read, Write
from trivium.storage.engines.checkpoints import Checkpoints, restart_log
from trivium.storage.engines.generation import Generation
from trivium.storage.engines.sqlite_batch import LIMIT_CHANGES, Batch, Waiting
from trivium.storage.engines.sqlite_faults import is_disk_failure, storage_fault
from trivium.storage.engines.sqlite_rows import View, connect, create_tables, overwrite_tail
from trivium.storage.engines.turnstile import Turnstile
from trivium.storage.engines.witness import name_row
from trivium.storage.folder import FolderRefused
from trivium.storage.records import Unreadable
from trivium.storage.room import Room

T = TypeVar("T")

LIMIT_WAITING: Final = 10_000


class SqliteEngine:
    """Rows in the file at `path`, beside others that belong to it. Opening it blocks for milliseconds.

    To be used on one event loop. Several engines, in this and in other processes, may have the same file
    open. Raises FolderRefused for what is no database. In the last `reserve_bytes` of the disk
    (`storage/room.py`) changes that write bodies are refused with InsufficientStorage and all others go on:
    deletions too need room.
    """

    def __init__(self, path: Path, *, reserve_bytes: int = 0) -> None:
        self._path = path
        self._room = Room(path.parent, reserve_bytes=reserve_bytes)
        self._turnstile = Turnstile(path.parent)
        self._turnstile.enter()
        try:
            self._db = connect(path)
            create_tables(self._db)
            # made behind the rows: `DataFolder` takes it for a sign that they were there
            self._generation = Generation(path.parent / "generation")
        except sqlite3.DatabaseError as error:
            raise FolderRefused(f"{path} cannot be used: {error}.") from error
        finally:
            self._turnstile.leave()
        self._view = View(connect(path))
        self._checkpoints = Checkpoints(path, self._generation)
        self._waiting: deque[Waiting] = deque()
        self._busy = self._closed = False
        self._one_by_one = 0
        self._tasks: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def generation(self) -> int:
        return self._generation.current()

    async def read(self, look: Callable[[Read], T]) -> T:
        try:
            return look(self._view)
        except sqlite3.Error as error:
            raise storage_fault(error) from error
        except Unreadable:
            name_row(look, self._view)
            raise
        finally:
            self._view.end()

    async def write(self, change: Callable[[Write], T]) -> T:
        """As the seam says; raises SlowDown when `LIMIT_WAITING` changes wait already."""
        if len(self._waiting) >= LIMIT_WAITING:
            raise faults.SlowDown()
        assert not self._closed, "the engine is closed"
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._waiting.append(Waiting(change, future))
        if not self._busy:
            self._start(loop)
        try:
            return await future
        except Unreadable:
            try:
                name_row(change, self._view)
            finally:
                self._view.end()
            raise

    async def wrong(self) -> list[str]:
        """At most a hundred things that are wrong in the file. It reads all of it and blocks the loop."""
        try:
            with closing(connect(self._path)) as db:
                found = [said.rpartition("\n")[2] for (said,) in db.execute("pragma quick_check(100)")]
        except sqlite3.DatabaseError as error:
            return [str(error)]
        return [] if found == ["ok"] else found

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        await self._idle.wait()
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        if self._thread is not None:
            self._tasks.put(None)
            self._thread.join()
        self._checkpoints.close()
        self._view.close()
        self._db.close()
        self._turnstile.close()
        self._generation.close()

    # On the loop: gather, enter, run, tell

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._busy = True
        self._idle.clear()
        self._loop = loop
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="trivium-commit", daemon=True)
            self._thread.start()
        loop.call_soon(self._enter)  # soon: what arrived in the same turn of the loop shares the commit

    def _enter(self) -> None:
        if self._turnstile.try_enter():
            self._run()
        else:
            self._tasks.put(self._wait_for_turn)

    def _run(self) -> None:
        batch = Batch(self._db, self._generation, self._room)
        try:
            if batch.run(self._waiting, limit=1 if self._one_by_one else LIMIT_CHANGES):
                self._tasks.put(partial(self._commit, batch))
                return
            batch.undo()
        except Exception as error:  # a mistake of ours must not leave the turnstile locked
            self._tasks.put(partial(self._fail, batch, error))
            return
        self._turnstile.leave()
        self._tell(batch)

    def _tell(self, batch: Batch) -> None:
        for one in batch.changes:
            one.tell()
        self._one_by_one = max(0, self._one_by_one - len(batch.changes))
        self._go_on()

    def _tell_failure(self, batch: Batch, error: Exception) -> None:
        if not batch.changes:  # it could not even begin: whoever waits would wait for ever
            batch.changes.extend(self._waiting)
            self._waiting.clear()
        elif len(batch.changes) > 1 and not is_disk_failure(error):
            self._waiting.extendleft(reversed(batch.changes))
            self._one_by_one = len(batch.changes)
            self._go_on()
            return
        for one in batch.changes:
            one.error = storage_fault(error)
            one.error.__cause__ = error
        self._tell(batch)

    def _go_on(self) -> None:
        if self._waiting:
            self._enter()
            return
        self._busy = False
        self._idle.set()

    # In the thread: whatever may block

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            task()

    def _wait_for_turn(self) -> None:
        self._turnstile.enter()
        self._loop.call_soon_threadsafe(self._run)

    def _commit(self, batch: Batch) -> None:
        try:
            logged_pages = batch.commit()
        except Exception as error:  # as above
            self._fail(batch, error)
            return
        self._checkpoints.before_leaving(self._db, logged_pages)
        self._turnstile.leave()
        self._loop.call_soon_threadsafe(self._tell, batch)
        self._checkpoints.after_commit(logged_pages)

    def _fail(self, batch: Batch, error: Exception) -> None:
        with suppress(sqlite3.Error):  # the next transaction of this or another process tries anew
            self._db.close()  # which undoes the transaction, whatever state it is in
            self._db = connect(self._path)
            if not is_disk_failure(error):
                restart_log(self._db, self._path, self._generation)  # what was copied from it is room again
            overwrite_tail(self._db)
        self._generation.settle()
        self._turnstile.leave()
        self._loop.call_soon_threadsafe(self._tell_failure, batch, error)
