"""An engine that tells which tables each transaction wrote, and lets others have a turn before each of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import TypeVar

from trivium.storage.engine import Read, Write
from trivium.storage.engines.memory import MemoryEngine

T = TypeVar("T")


class WatchedEngine:
    """A memory engine. `transactions` are those that wrote, each as the tables of its rows."""

    def __init__(self) -> None:
        self._engine = MemoryEngine()
        self.transactions: list[set[bytes]] = []

    @property
    def generation(self) -> int:
        return self._engine.generation

    async def read(self, look: Callable[[Read], T]) -> T:
        return await self._engine.read(look)

    async def write(self, change: Callable[[Write], T]) -> T:
        await asyncio.sleep(0)  # what was looked up before may change now, as it may behind a commit
        tables: set[bytes] = set()
        result = await self._engine.write(lambda tx: change(_Watched(tx, tables)))
        if tables:
            self.transactions.append(tables)
        return result

    async def close(self) -> None:
        await self._engine.close()


class _Watched:
    """A transaction that notes the tables it writes."""

    def __init__(self, tx: Write, tables: set[bytes]) -> None:
        self._tx, self._tables = tx, tables

    def get(self, key: bytes) -> bytes | None:
        return self._tx.get(key)

    def load(self, key: bytes) -> tuple[bytes, bytes | None] | None:
        return self._tx.load(key)

    def scan(self, start: bytes, stop: bytes, *, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        return self._tx.scan(start, stop, reverse=reverse)

    def values(self, start: bytes, stop: bytes) -> Iterator[bytes]:
        return self._tx.values(start, stop)

    def put(self, key: bytes, value: bytes, body: bytes | None = None) -> None:
        self._tables.add(key[:1])
        self._tx.put(key, value, body)

    def delete(self, key: bytes) -> None:
        self._tables.add(key[:1])
        self._tx.delete(key)

    def move(self, key: bytes, to: bytes, value: bytes) -> None:
        self._tables |= {key[:1], to[:1]}
        self._tx.move(key, to, value)

    def sequence(self) -> int:
        return self._tx.sequence()

    def announce(self) -> None:
        self._tx.announce()
