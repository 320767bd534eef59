"""The memory engine: the model of what every engine must do, and the engine of quick tests."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator
from typing import TypeVar

from trivium.storage import keys
from trivium.storage.engine import Read, Write

T = TypeVar("T")
Row = tuple[bytes, bytes | None]


class MemoryEngine:
    """Rows in a dictionary beside a sorted list of their keys. Nothing outlives the process.

    A function runs at once and alone, so that reads are consistent and writes are serial without more ado.
    """

    def __init__(self) -> None:
        self._rows: dict[bytes, Row] = {}
        self._keys: list[bytes] = []
        self._given = 0
        self._generation = 0

    @property
    def generation(self) -> int:
        return self._generation

    async def read(self, look: Callable[[Read], T]) -> T:
        return look(_MemoryWrite(self))

    async def write(self, change: Callable[[Write], T]) -> T:
        tx = _MemoryWrite(self)
        try:
            result = change(tx)
        except BaseException:
            tx.undo()
            raise
        self._generation += tx.announced
        return result

    async def close(self) -> None:
        pass


class _MemoryWrite:
    """A transaction on the rows themselves, that remembers how each row was before."""

    def __init__(self, engine: MemoryEngine) -> None:
        self._engine = engine
        self._rows = engine._rows
        self._keys = engine._keys
        self._before: list[tuple[bytes, Row | None]] = []
        self.announced = False

    def get(self, key: bytes) -> bytes | None:
        row = self._rows.get(key)
        return None if row is None else row[0]

    def load(self, key: bytes) -> tuple[bytes, bytes | None] | None:
        return self._rows.get(key)

    def scan(self, start: bytes, stop: bytes, *, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        """Rows in order. It finds its place anew at each step, so that rows may change while it runs."""
        assert stop <= bytes((start[0] + 1,)), "a scan stays in one table"
        every = self._keys
        if reverse:
            while (at := bisect_left(every, stop) - 1) >= 0 and every[at] >= start:
                stop = every[at]
                yield stop, self._rows[stop][0]
            return
        while (at := bisect_left(every, start)) < len(every) and (key := every[at]) < stop:
            start = key + b"\x00"
            yield key, self._rows[key][0]

    def values(self, start: bytes, stop: bytes) -> Iterator[bytes]:
        return (value for _, value in self.scan(start, stop))

    def put(self, key: bytes, value: bytes, body: bytes | None = None) -> None:
        assert body is None or key[:1] in keys.BODIED, "rows of this table have no bodies"
        self._set(key, (value, body))

    def delete(self, key: bytes) -> None:
        self._set(key, None)

    def move(self, key: bytes, to: bytes, value: bytes) -> None:
        row = self._rows.get(key)
        assert row is not None, f"no row to move at {key!r}"
        assert (key[:1] in keys.BODIED) == (to[:1] in keys.BODIED), "one of these tables has no bodies"
        self._set(key, None)
        self._set(to, (value, row[1]))

    def sequence(self) -> int:
        self._engine._given += 1
        return self._engine._given

    def announce(self) -> None:
        self.announced = True

    def undo(self) -> None:
        """Put every row back as it was, the last change first."""
        for key, row in reversed(self._before):
            self._replace(key, row)

    def _set(self, key: bytes, row: Row | None) -> None:
        self._before.append((key, self._rows.get(key)))
        self._replace(key, row)

    def _replace(self, key: bytes, row: Row | None) -> None:
        if row is not None:
            if key not in self._rows:
                insort(self._keys, key)
            self._rows[key] = row
        elif self._rows.pop(key, None) is not None:
            del self._keys[bisect_left(self._keys, key)]
