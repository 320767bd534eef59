"""Work that must not stop half-way because whoever waits for it has gone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


async def finished(work: Awaitable[T]) -> T:
    """What the work gives. When the waiting task is cancelled, the work still runs to its end first."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait((task,))
        raise
    finally:
        # Its exception knows this frame: what the work held would be kept until the next collection. Of a
        # future both are the same.
        del task, work
