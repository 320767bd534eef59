"""A directory, and stories that are told of a mount of it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.unit.buckets.mount.mounted import Mounted, Run, Story
from trivium.buckets.record import BUCKETS
from trivium.storage import keys


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    root.mkdir()
    return root


@pytest.fixture
def run(root: Path) -> Run:
    def whole(story: Story, **facts: str) -> None:
        async def inside() -> None:
            mounted = Mounted(root, **facts)
            row = keys.text(keys.CATALOG, mounted.record.name)
            await mounted.engine.write(lambda tx: tx.put(row, BUCKETS.encode(mounted.record)))
            await story(mounted)

        asyncio.run(inside())

    return whole
