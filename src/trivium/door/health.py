"""Health: whether this process lives, and whether it can serve. Asked without credentials, by exact path.

Theory of operation. The paths look like objects of buckets that are called `health` and `minio`. No bucket
can be made with these names, and `asks` leaves everything to S3 that could be about another object or is no
plain question, so that no object is ever hidden.
"""

from __future__ import annotations

from typing import Final

from trivium.base.faults import Fault
from trivium.s3.address import virtual_bucket
from trivium.s3.messages import Request
from trivium.storage.engine import Engine

LIVE: Final = "/health/live"
READY: Final = "/health/ready"
# Those below /minio are MinIO's, so that what watches a MinIO today need not change
PATHS: Final = {
    LIVE: LIVE, READY: READY, "/minio/health/live": LIVE, "/minio/health/ready": READY,
    "/minio/health/cluster": READY, "/minio/health/cluster/read": READY}


def asks(request: Request) -> bool:
    """Is this a question after health, and nothing that S3 should answer?

    It is a GET or HEAD of one of the paths without query or credentials, to a host that is no bucket's, and
    not below the listener's base path.
    """
    listener = request.listener
    return (
        request.path in PATHS and request.method in ("GET", "HEAD") and not request.query_string
        and "authorization" not in request.headers
        and not (listener.domains and virtual_bucket(request.headers.get("host", ""), listener))
        and not (listener.base_path and request.path.startswith(listener.base_path + "/")))


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
