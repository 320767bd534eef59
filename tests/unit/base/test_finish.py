"""Work that must not stop half-way: what it held is let go of at its end, however it ends."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

from trivium.base.finish import finished


class Held:
    """Something that should not be kept."""


async def _fail(held: Held) -> None:
    assert held is not None
    raise LookupError


def _coroutine(held: Held) -> Awaitable[None]:
    return _fail(held)


def _future(held: Held) -> Awaitable[None]:
    def fail() -> None:
        assert held is not None
        raise LookupError

    return asyncio.get_running_loop().run_in_executor(None, fail)


@pytest.mark.parametrize("work", [_coroutine, _future])
def test_what_failed_work_held_is_let_go_of_at_once(work: Callable[[Held], Awaitable[None]]) -> None:
    async def story() -> weakref.ref[Held]:
        held = Held()
        seen = weakref.ref(held)
        with suppress(LookupError):  # `pytest.raises` would keep it
            await finished(work(held))
        return seen

    gc.disable()
    try:
        assert asyncio.run(story())() is None
    finally:
        gc.enable()
