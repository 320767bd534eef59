"""Which kinds of bucket the contract suites of buckets are run with."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.contracts.bucket_kinds import KINDS, Run, Story
from trivium.base.clock import SetClock
from trivium.storage.engines.memory import MemoryEngine


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def run(kind: str, tmp_path: Path) -> Run:
    """Runs a story with an empty bucket of this run's kind."""

    def whole(story: Story) -> None:
        async def inside() -> None:
            clock = SetClock()
            await story(await KINDS[kind].open(tmp_path, clock, MemoryEngine()), clock)

        asyncio.run(inside())

    return whole
