"""The HTTP server of one listener: Granian, embedded in our event loop, on a socket claimed before."""

from __future__ import annotations

import asyncio
import socket
from typing import Any, Final

from granian.constants import HTTPModes
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.net import SocketHolder  # type: ignore[attr-defined]  # its own servers import it from there
from granian.server.embed import Server

from trivium.door.sockets import BACKLOG, Tls

MAX_CONNECTIONS: Final = 4096  # a worker's; more wait in the backlog until one closes
# Granian configures logging when it is made; this leaves its loggers to ours
_LOGGING: Final[dict[str, Any]] = {
    "handlers": {}, "formatters": {}, "loggers": {"granian.access": {"propagate": False}}}


class HttpServer:
    """Serves `application` (an RSGI callable) on a listening socket, which it takes over."""

    def __init__(
        self, application: Any, listening: socket.socket, *, wait_seconds: int, tls: Tls | None = None,
    ) -> None:
        # Any: Granian types applications as Any
        self._server = _OnSocket(
            application, websockets=False, http=HTTPModes.http1, backlog=BACKLOG,
            backpressure=MAX_CONNECTIONS,
            http1_settings=HTTP1Settings(header_read_timeout=wait_seconds * 1000), log_level=LogLevels.error,
            log_dictconfig=_LOGGING, ssl_cert=tls.certificate if tls else None,
            ssl_key=tls.key if tls else None,
        )
        self._server.listening = listening
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._server.serve())

    async def stop(self) -> None:
        """Accept no more; wait for the requests under way."""
        assert self._task is not None, "the server was started"
        self._server.stop()  # type: ignore[no-untyped-call]  # Granian's is not annotated
        await self._task


class _OnSocket(Server):
    listening: socket.socket

    def _init_shared_socket(self) -> None:
        holder = SocketHolder(self.listening.detach(), False, BACKLOG)  # type: ignore[call-arg]
        self._shd = holder  # type: ignore[assignment]  # as in Granian's own, whose stub knows neither
