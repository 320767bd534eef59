"""Tokens of changes: what was done under one is not done again, for a day."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivium.base import faults
from trivium.base.faults import Fault
from trivium.buckets.bucket import Renaming
from trivium.buckets.conditions import WriteIf
from trivium.buckets.tokens import REMEMBERED_MS, first_time, forget
from trivium.storage import keys
from trivium.storage.engines.memory import MemoryEngine

ROW = keys.token(7, "me", "token")


async def done_now(engine: MemoryEngine, asked: bytes, now_ms: int, row: bytes = ROW) -> bool:
    return await engine.write(lambda tx: first_time(tx, row, asked, now_ms=now_ms))


async def rows(engine: MemoryEngine) -> list[bytes]:
    return await engine.read(lambda tx: [row for row, _ in tx.scan(keys.TOKEN, keys.after(keys.TOKEN))])


def test_what_was_done_is_not_done_again_until_a_day_has_gone() -> None:
    async def story() -> None:
        engine = MemoryEngine()

        assert await done_now(engine, b"a", 1000)
        assert not await done_now(engine, b"a", 1000)
        assert not await done_now(engine, b"a", 1000 + REMEMBERED_MS - 1)
        assert await done_now(engine, b"a", 1000 + REMEMBERED_MS)
        assert not await done_now(engine, b"a", 1001 + REMEMBERED_MS)

    asyncio.run(story())


def test_something_else_under_the_same_token_is_refused_and_changes_nothing() -> None:
    async def story() -> None:
        engine = MemoryEngine()
        await done_now(engine, b"a", 1000)

        with pytest.raises(Fault) as raised:
            await done_now(engine, b"b", 2000)

        assert raised.value.kind is faults.IdempotencyParameterMismatch
        assert not await done_now(engine, b"a", 3000)
        assert await done_now(engine, b"b", 1000 + REMEMBERED_MS)

    asyncio.run(story())


@given(st.lists(st.tuples(st.text("ab\0", max_size=3), st.text("ab", max_size=3)), unique=True))
def test_tokens_of_different_actors_and_names_are_different(pairs: list[tuple[str, str]]) -> None:
    found = [keys.token(7, actor, name) for actor, name in pairs]

    assert len(set(found)) == len(found)
    assert all(row.startswith(keys.of_bucket(keys.TOKEN, 7)) for row in found)


@pytest.mark.parametrize("many", [0, 3, 499, 500, 501, 1200])
def test_tokens_that_are_over_are_forgotten_and_no_others(many: int) -> None:
    async def story() -> None:
        engine = MemoryEngine()
        for number in range(many):
            await done_now(engine, b"a", 1000 + number % 2, keys.token(number % 3, "me", f"{number:04}"))

        assert await forget(engine, now_ms=999 + REMEMBERED_MS) == 0
        assert await forget(engine, now_ms=1000 + REMEMBERED_MS) == (many + 1) // 2
        assert len(await rows(engine)) == many // 2
        assert await forget(engine, now_ms=1001 + REMEMBERED_MS) == many // 2
        assert await rows(engine) == []

    asyncio.run(story())


def test_requests_that_ask_for_the_same_have_one_fingerprint() -> None:
    asked = Renaming("a", "b", WriteIf(match="e"), token="t")

    assert asked.fingerprint == Renaming("a", "b", WriteIf(match="e")).fingerprint
    assert asked.fingerprint == Renaming("a", "b", WriteIf(match="e", may_ask=print)).fingerprint
    others = [Renaming("a", "b"), Renaming("a", "b", only_if=WriteIf(match="e")), Renaming("ab", "")]
    assert len({asked.fingerprint, *(one.fingerprint for one in others)}) == 4
