"""The HTTP face of one listener: a request of the HTTP server becomes ours, our answer becomes its.

This is on every request's way: what is here runs in a few microseconds, and costs more than it looks.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Final

from trivium.base import faults
from trivium.base.body import FileSpan, HeldSpan, Pieces, Unsent, size_of
from trivium.base.clock import Clock, ticks_ns
from trivium.base.faults import Fault
from trivium.base.incoming import Given, Source
from trivium.door.access import AccessLog
from trivium.door.health import PATHS, Health, asks
from trivium.door.metrics import Tally
from trivium.door.pipe import Pipes, Stalled
from trivium.door.source import Patience, WireSource
from trivium.door.wire import Headers, Scope, Wire
from trivium.s3.address import about
from trivium.s3.answer import write_fault
from trivium.s3.messages import Listener, Request, Response

Serve = Callable[[Request], Awaitable[Response]]

_NOTHING: Final = Given(b"")
_SERVER: Final = ("server", "Trivium")
_PIPED: Final = (HeldSpan, Pieces)
_log = logging.getLogger("trivium.door")


class Watch:
    """What a worker's listeners share: patience, pipes, counts, access log if any, health, request ids.

    `prefix` makes the ids of this process: eight hexadecimal digits that no other process has.
    """

    __slots__ = ("access", "clock", "health", "ids", "patience", "pipes", "prefix", "tally")

    def __init__(
        self, *, clock: Clock, prefix: str, patience: Patience, pipes: Pipes, tally: Tally, health: Health,
        access: AccessLog | None = None,
    ) -> None:
        self.clock, self.prefix, self.patience, self.tally = clock, prefix.upper(), patience, tally
        self.pipes, self.health, self.access = pipes, health, access
        self.ids = count(1)


class Application:
    """Answers the requests of one listener through `serve`. `secure`: they come over TLS."""

    __slots__ = ("_listener", "_secure", "_serve", "_watch")

    def __init__(self, serve: Serve, listener: Listener, watch: Watch, *, secure: bool = False) -> None:
        self._serve, self._listener, self._watch, self._secure = serve, listener, watch, secure

    async def __call__(self, scope: Scope, wire: Wire) -> None:
        began = ticks_ns()
        request = self._understand(scope, wire)
        host = request.headers.get("host")
        if scope.http_version != "1" if host is None else "," in host:
            response = _hostless(request)
        elif request.path in PATHS and asks(request):
            wire.response_empty(await self._watch.health.status(request.path), [_SERVER])
            return
        elif len(request.headers) == len(scope.headers):
            response = _with_bytes(request, await self._serve(request))
        else:
            response = _unreadable(request, scope)
        if not self._watch.pipes.left and isinstance(response.body, _PIPED):
            response = write_fault(faults.SlowDown(), request)
        self._note(request, response, scope, ticks_ns() - began)
        response.headers.append(_SERVER)
        source, body = request.body, response.body
        if "expect" in request.headers:
            _close_unless_asked(source, response)
        elif isinstance(source, WireSource) and not source.touched:
            await source.drain()
        if isinstance(body, bytes):
            if body:
                wire.response_bytes(response.status, response.headers, body)
            else:
                wire.response_empty(response.status, response.headers)
        elif isinstance(body, Unsent):
            response.headers.append(("content-length", str(body.size)))
            wire.response_empty(response.status, response.headers)
        else:
            await self._send(wire, request, response, body)

    def _note(self, request: Request, response: Response, scope: Scope, elapsed_ns: int) -> None:
        body, source, watch = response.body, request.body, self._watch
        bytes_out = len(body) if isinstance(body, bytes) else 0 if isinstance(body, Unsent) else size_of(body)
        bytes_in = source.received if isinstance(source, WireSource) else 0
        watch.tally.note(request.action, request.fault, bytes_in, bytes_out, elapsed_ns)
        if watch.access is not None:
            request.client = scope.client.rpartition(":")[0]
            watch.access.add(request, response.status, bytes_in, bytes_out, elapsed_ns)

    def _understand(self, scope: Scope, wire: Wire) -> Request:
        watch = self._watch
        items = scope.headers.items()
        headers = dict(items)
        if len(headers) != len(items):
            headers = _joined(items)
        length = headers.get("content-length")
        body: Source = _NOTHING
        if length is not None:
            if length != "0":
                body = WireSource(wire, int(length), watch.patience)
        elif "transfer-encoding" in headers:
            body = WireSource(wire, None, watch.patience)
        return Request(
            scope.method, scope.path, scope.query_string, headers, self._listener, at_ms=watch.clock.now_ms(),
            id=f"{watch.prefix}{next(watch.ids):08X}", body=body, secure=self._secure)

    async def _send(
        self, wire: Wire, request: Request, response: Response, body: FileSpan | HeldSpan | Pieces,
    ) -> None:
        if isinstance(body, FileSpan):
            response.headers.append(("content-length", str(body.size)))
            wire.response_file_range(response.status, response.headers, body.path, body.first, body.last + 1)
            return
        try:
            await self._watch.pipes.send(wire, response.status, response.headers, body)
        except Stalled:
            _log.debug("request %s: the client took no more of the answer", request.id)
        except (OSError, Fault) as cause:
            answer = _without_bytes(request, cause)
            assert isinstance(answer.body, bytes)
            # does nothing once an answer has begun
            wire.response_bytes(answer.status, answer.headers, answer.body)


def _close_unless_asked(source: Source, response: Response) -> None:
    """End the connection behind an answer in place of 100 Continue: to a refused body, or an empty one.

    RFC 9110 §10.1.1 lets a client count either way then. The botocore inside awscli 1.46 counts wrongly: it
    takes the status of that answer for the next one on the same connection, and its upload fails for want of
    an ETag.
    """
    if not isinstance(source, WireSource) or not source.touched:
        response.headers.append(("connection", "close"))


def _with_bytes(request: Request, response: Response) -> Response:
    """The response, if its file is there: the server would answer 404 itself for one that is missing."""
    body = response.body
    try:
        if isinstance(body, FileSpan) and os.stat(body.path).st_size <= body.last:
            raise OSError(f"{body.path} ends before byte {body.last}")
    except OSError as cause:
        return _without_bytes(request, cause)
    return response


def _without_bytes(request: Request, cause: OSError | Fault) -> Response:
    """The answer in place of bytes that cannot be had."""
    _log.exception("request %s: the bytes cannot be had: %s", request.id, about(request))
    return write_fault(cause if isinstance(cause, Fault) else faults.InternalError(), request)


def _joined(items: Headers) -> dict[str, str]:
    """Headers that come several times, their values joined as RFC 9110 §5.3 says."""
    headers: dict[str, str] = {}
    for name, value in items:
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return headers


def _hostless(request: Request) -> Response:
    """RFC 9112 §3.2: a request of HTTP/1.1 has one Host header, and no request has several, which would be
    joined by a comma here.
    """
    return write_fault(faults.OneHostNeeded(), request)


def _unreadable(request: Request, scope: Scope) -> Response:
    """The server hides header values that are no visible ASCII; dropping metadata in silence is no answer."""
    hidden = sorted(set(scope.headers.keys()) - request.headers.keys())
    message = "Header values must be visible ASCII; encode others as RFC 2047 says"
    return write_fault(faults.InvalidHeaderValue(message, ArgumentName=",".join(hidden)), request)
