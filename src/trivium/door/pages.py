"""The port for operators: `/metrics`, `/health/live` and `/health/ready`, without credentials."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from prometheus_client.exposition import CONTENT_TYPE_LATEST

from trivium.door.health import LIVE, READY, Health
from trivium.door.wire import Scope, Wire

_TEXT: Final = ("content-type", "text/plain; charset=utf-8")


class Pages:
    """Answers GET and HEAD of the three pages. `metrics` makes the page; it may read files."""

    def __init__(self, metrics: Callable[[], bytes], health: Health) -> None:
        self._metrics, self._health = metrics, health

    async def __call__(self, scope: Scope, wire: Wire) -> None:
        if scope.method not in ("GET", "HEAD"):
            wire.response_bytes(405, [_TEXT, ("allow", "GET, HEAD")], b"GET or HEAD\n")
        elif scope.path == "/metrics":
            wire.response_bytes(
                200, [("content-type", CONTENT_TYPE_LATEST)], await asyncio.to_thread(self._metrics))
        elif scope.path in (LIVE, READY):
            status = await self._health.status(scope.path)
            wire.response_bytes(status, [_TEXT], b"ok\n" if status == 200 else b"not ready\n")
        else:
            wire.response_bytes(404, [_TEXT], b"/metrics, /health/live, /health/ready\n")
