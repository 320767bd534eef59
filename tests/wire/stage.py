"""A whole house in memory, and requests to it without a socket: what transcripts are played on.

The clock starts on 1 November 2026 at noon and moves a second with each request, so that times can be written down.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from msgspec.structs import replace

from trivium.base.clock import SetClock
from trivium.base.ids import SeededIds
from trivium.base.incoming import Given
from trivium.buckets.copying import chunks_of
from trivium.buckets.objects.bucket import ObjectsBucket
from trivium.buckets.record import BRANCH, OBJECTS, Ground
from trivium.buckets.repo.bucket import BranchBucket
from trivium.buckets.repo.repository import Repositories
from trivium.s3.dialects import DIALECTS
from trivium.s3.messages import Listener, Request
from trivium.s3.serve import serve
from trivium.services.access.users import Account, Credential, Users
from trivium.services.catalog import Catalog, Kind
from trivium.services.house import House
from trivium.services.uploads import Uploads
from trivium.storage.blobstores.memory import MemoryBlobs
from trivium.storage.engines.memory import MemoryEngine

NOON_MS = 1_793_534_400_000
_INLINE_BYTES = 16  # so that short texts exercise blobs too
_USERS = ("alice", "bob")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Stage:
    """A house of one's own. Requests are alice's unless they say otherwise; nobody signs, until signatures count."""

    def __init__(self, dialect: str = "aws", *, creates: str = OBJECTS) -> None:
        self.clock = SetClock(NOON_MS)
        ids = SeededIds()
        ground = Ground(MemoryEngine(), MemoryBlobs(self.clock, ids), self.clock, ids, _INLINE_BYTES)
        repositories = Repositories(ground)
        branches = Kind(
            lambda record, generation: BranchBucket(ground, record, generation), repositories.create,
            repositories.delete, repositories.raze)
        catalog = Catalog(
            ground, lambda record, generation: ObjectsBucket(ground, record, generation), {BRANCH: branches})
        users = Users(
            Credential(name, "secret", Account(f"id-of-{name}", name.capitalize(), f"{name}@example.com"))
            for name in _USERS
        )
        self.house = House(ground, catalog, users, Uploads(ground))
        self.listener = Listener(DIALECTS[dialect], authentication="simple", creates=creates)

    def creates(self, kind: str) -> None:
        """From now on CreateBucket makes buckets of that kind."""
        self.listener = replace(self.listener, creates=kind)

    def check_signatures(self) -> None:
        """From now on the listener wants signatures. Every secret key is `secret`."""
        self.listener = replace(self.listener, authentication="v4")

    def ask(
        self,
        method: str,
        path: str,
        query: str = "",
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        *,
        user: str = "alice",
    ) -> Answer:
        """Send a request; a path is decoded already. `user` "" is nobody."""
        sent = {"host": "s3.test", "content-length": str(len(body)), **(headers or {})}
        if user:
            sent["authorization"] = f"AWS4-HMAC-SHA256 Credential={user}/20261101/us-east-1/s3/aws4_request"
        request = Request(
            method, path, query, sent, self.listener, at_ms=self.clock.now_ms(), id="request", body=Given(body)
        )
        answer = asyncio.run(self._served(request))
        self.clock.advance(ms=1000)
        return answer

    async def _served(self, request: Request) -> Answer:
        response = await serve(self.house, request)
        if request.method == "HEAD":
            return Answer(response.status, response.headers, b"")
        body = b"".join([chunk async for chunk in chunks_of(response.body)])
        return Answer(response.status, response.headers, body)
