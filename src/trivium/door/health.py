"""Health: whether this process lives, and whether it can serve. Asked without credentials, by exact path.

The paths are also keys of a bucket that may be called `health` or `minio`: such an object is reached by every
request that carries credentials, and only an anonymous GET of exactly these paths is answered here.
"""

from __future__ import annotations

from typing import Final

from trivium.base.faults import Fault
from trivium.storage.engine import Engine

LIVE: Final = "/health/live"
READY: Final = "/health/ready"
# The second pair is MinIO's, so that what watches a MinIO today need not change
PATHS: Final = {LIVE: LIVE, READY: READY, "/minio/health/live": LIVE, "/minio/health/ready": READY}


class Health:
    """`stopping` is set when the worker begins to stop: it is no longer ready, but lives."""

    __slots__ = ("_engine", "stopping")

    def __init__(self, engine: Engine) -> None:
        self._engine, self.stopping = engine, False

    async def status(self, path: str) -> int:
        """200 or 503. Ready means that rows can be read."""
        if PATHS[path] == LIVE:
            return 200
        if self.stopping:
            return 503
        try:
            await self._engine.read(lambda rows: rows.get(b"m"))
        except Fault:
            return 503
        return 200
