"""The seam to ordered keys in transactions. An engine behind it is a few hundred lines.

Theory of operation. A row is a key (bytes, in an order the engine keeps), a value (a small record) and, where
wanted, a body: the bytes of a small object. The body lies beside the value so that looking at many rows never
reads bodies. Rows are touched by plain functions that run inside a transaction; the engine decides where they
run. Writes that wait at the same time share one commit. The first byte of a key is its table
(`storage/keys.py`); an engine may keep each table apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar

T = TypeVar("T")


class Read(Protocol):
    """A consistent view of all rows. It must not be used after the function it was given to has returned."""

    def get(self, key: bytes) -> bytes | None:
        """The row's value, or None."""
        ...

    def load(self, key: bytes) -> tuple[bytes, bytes | None] | None:
        """The row's value and body, or None. The body is None where the row has none."""
        ...

    def scan(self, start: bytes, stop: bytes, *, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        """Keys and values with start <= key < stop, in order. Lazy: what is not consumed is not read.

        `start` begins with a table's byte and the scan stays in that table. In a write, rows that the
        function writes while the scan runs may be missed by it; deleting what it has yielded is safe.
        """
        ...

    def values(self, start: bytes, stop: bytes) -> Iterator[bytes]:
        """As `scan`, without the keys: that costs half as much."""
        ...


class Write(Read, Protocol):
    """A transaction. It sees its own writes; an exception in the function undoes them all."""

    def put(self, key: bytes, value: bytes, body: bytes | None = None) -> None:
        """Write the row, replacing value and body of one that was there. Only keys.BODIED have bodies."""
        ...

    def delete(self, key: bytes) -> None:
        """Remove the row; nothing happens when there is none."""
        ...

    def move(self, key: bytes, to: bytes, value: bytes) -> None:
        """Give the row another key and value; its body goes with it. A row at `to` is replaced.

        The row must exist, and the other table have bodies if its own has; AssertionError otherwise.
        """
        ...

    def sequence(self) -> int:
        """A number greater than any given before, also before a restart. Starts at 1; gaps occur."""
        ...

    def announce(self) -> None:
        """Say that it touches rows that others cache: `Engine.generation` changes with its commit."""
        ...


class Engine(Protocol):
    """Ordered rows in transactions, durable when a write returns."""

    @property
    def generation(self) -> int:
        """Changes, in every process, before a write that announced itself returns. Cheap: for every request.

        What was cached under another generation is stale. Inside a write function nobody else can change it.
        """
        ...

    async def read(self, look: Callable[[Read], T]) -> T:
        """What `look` returns for a consistent view. It must be quick and must not write."""
        ...

    async def write(self, change: Callable[[Write], T]) -> T:
        """What `change` returns, once its writes are durable. An exception it raises undoes it alone.

        The function may be run again when the engine could not commit, and runs at most once at a time.
        Raises InsufficientStorage when the disk is full, InternalError when the disk fails; nothing was
        written then.
        """
        ...

    async def close(self) -> None:
        """Wait for the writes under way, then let go of everything."""
        ...
