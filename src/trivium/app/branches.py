"""`trivium fork`, `branches`, `log`: what S3 has no word for. A server may run on the folder meanwhile."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TextIO

from trivium.app.settings import Settings
from trivium.base import faults
from trivium.base.clock import SystemClock
from trivium.base.ids import RandomIds
from trivium.buckets.record import BucketRecord, Ground
from trivium.buckets.repo.commits import Commit
from trivium.buckets.repo.repository import Repositories
from trivium.storage.blobstores.files import FileBlobs
from trivium.storage.engines.sqlite import SqliteEngine
from trivium.storage.folder import DataFolder


async def fork(settings: Settings, out: TextIO, *, repository: str, branch: str, new: str, at: str) -> int:
    """Make the branch `new` from another, as of its commit `at`; 0. Raises FolderRefused, a fork's faults."""
    async with _repositories(settings) as repositories:
        record = await repositories.fork(repository, branch, new, at=at)
    out.write(f"{record.name}\n")
    return 0


async def branches(settings: Settings, out: TextIO, *, repository: str) -> int:
    """Print the branches of the repository with their newest commits; 0. Raises NoSuchBucket."""
    async with _repositories(settings) as repositories:
        for record in await _branches_of(repositories, repository):
            head = await repositories.head(record)
            out.write(f"{record.name}\t{_line(head) if head else '(no commit)'}\n")
    return 0


async def log(settings: Settings, out: TextIO, *, repository: str, branch: str, limit: int) -> int:
    """Print the newest commits of the branch; 0. Raises NoSuchBucket."""
    async with _repositories(settings) as repositories:
        for record in await _branches_of(repositories, repository):
            if record.facts["branch"] == branch:
                out.writelines(_line(commit) + "\n" for commit in await repositories.log(record, limit=limit))
                return 0
    raise faults.NoSuchBucket("There is no such branch.", BucketName=f"{branch}.{repository}")


async def _branches_of(repositories: Repositories, repository: str) -> list[BucketRecord]:
    """The branches of the repository. Raises NoSuchBucket where there is none."""
    found = await repositories.branches(repository)
    if not found:
        raise faults.NoSuchBucket("There is no such repository.", BucketName=repository)
    return found


@asynccontextmanager
async def _repositories(settings: Settings) -> AsyncIterator[Repositories]:
    folder, clock, ids = DataFolder(settings.data), SystemClock(), RandomIds()
    folder.check()
    engine = SqliteEngine(folder.rows)
    try:
        yield Repositories(Ground(engine, FileBlobs(folder.blobs, clock, ids), clock, ids))
    finally:
        await engine.close()


def _line(commit: Commit) -> str:
    moment = datetime.fromtimestamp(commit.at_ms / 1000, UTC).isoformat(timespec="seconds").replace(
        "+00:00", "Z")
    # a key may hold any character: those that a terminal would obey are written as in a string of JSON
    message = commit.message if commit.message.isprintable() else json.dumps(commit.message)
    return f"{commit.id}\t{moment}\t{message}"
