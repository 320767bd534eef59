"""A store over an empty directory, and what tests of it ask for again and again."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from trivium.base import faults
from trivium.base.body import Body, HeldSpan
from trivium.base.clock import SetClock
from trivium.base.faults import Fault
from trivium.base.ids import SeededIds
from trivium.under.local import LocalStore

DAY_MS = 24 * 3600 * 1000
LARGE = b"0123456789abcdef" * 8192


def run(root: Path, story: Callable[[LocalStore], Awaitable[None]], clock: SetClock | None = None) -> None:
    async def inside() -> None:
        await story(LocalStore(str(root), clock or SetClock(), SeededIds()))

    asyncio.run(inside())


async def chunks(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def put(store: LocalStore, name: str, content: bytes = b"new") -> None:
    async with store.staged(chunks(content)) as draft, store.published(draft, name):
        pass


async def names(store: LocalStore) -> list[str]:
    return [stat.name for stat in await store.list("", "", 100, folders=True)]


async def refusal(work: Awaitable[object]) -> faults.FaultKind:
    with pytest.raises(Fault) as refused:
        await work
    return refused.value.kind


def bytes_of(body: Body) -> bytes:
    if isinstance(body, HeldSpan):
        return os.pread(body.file.number, body.size, body.first)
    assert isinstance(body, bytes)
    return body


def leftovers(root: Path) -> list[str]:
    return sorted(file.name for file in (root / ".trivium").iterdir() if file.name != "lock")
