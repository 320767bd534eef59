"""The access log: one JSON object a line for every request, gathered in memory and written from time to time.

Secrets of presigned requests are left out: a line must not let its reader repeat the request.
"""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from trivium.s3.messages import Request

MAX_WAITING: Final = 20_000  # requests; more than come between two flushes

_SECRETS = re.compile(r"(?i)((?:^|[?&])(?:x-amz-signature|x-amz-security-token|signature)=)[^&]*")


class Line(msgspec.Struct, frozen=True):
    """One request. Times in milliseconds, sizes in bytes; `account` a canonical id, `fault` "" for none."""

    time: str
    id: str
    client: str
    account: str
    method: str
    path: str
    query: str
    action: str
    status: int
    fault: str
    bytes_in: int
    bytes_out: int
    took_ms: float
    agent: str
    referer: str


class AccessLog:
    """Lines that wait for `path`, or standard output for "-". One a worker; a line is one write."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._encoder = msgspec.json.Encoder()
        self._waiting: list[tuple[Request, int, int, int, int]] = []
        self._lost = 0

    def add(self, request: Request, status: int, bytes_in: int, bytes_out: int, elapsed_ns: int) -> None:
        """Remember a request; on the hot path. When the disk cannot follow, lines are dropped and counted."""
        if len(self._waiting) >= MAX_WAITING:
            self._lost += 1
            return
        self._waiting.append((request, status, bytes_in, bytes_out, elapsed_ns))

    def flush(self) -> int:
        """Write what waits; how many lines were lost since the last time. For a thread; raises OSError.

        The file is opened anew each time, so that it can be renamed away at any moment.
        """
        if self._waiting and self._path == "-":
            sys.stdout.write(self._taken().decode())
            sys.stdout.flush()
        elif self._waiting:
            with Path(self._path).open("ab") as file:  # when it cannot be opened, all goes on waiting
                file.write(self._taken())
        lost, self._lost = self._lost, 0
        return lost

    def _taken(self) -> bytes:
        waiting, self._waiting = self._waiting, []
        return b"".join([self._encoder.encode(_line(*one)) + b"\n" for one in waiting])


def _line(request: Request, status: int, bytes_in: int, bytes_out: int, elapsed_ns: int) -> Line:
    headers = request.headers
    moment = datetime.fromtimestamp(request.at_ms / 1000, UTC)
    return Line(
        time=moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"), id=request.id,
        client=request.client, account=request.account, method=request.method, path=request.path,
        query=_SECRETS.sub(r"\1-", request.query_string), action=request.action, status=status,
        fault=request.fault, bytes_in=bytes_in, bytes_out=bytes_out, took_ms=round(elapsed_ns / 1e6, 3),
        agent=headers.get("user-agent", ""), referer=_SECRETS.sub(r"\1-", headers.get("referer", "")),
    )
