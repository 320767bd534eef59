"""Requests made of a few words, for the tests of this folder."""

from __future__ import annotations

from collections.abc import Mapping

from trivium.s3.dialects import DIALECTS
from trivium.s3.messages import Listener, Request

PLAIN = Listener(DIALECTS["aws"])


def request(
    method: str = "GET",
    path: str = "/bucket/key",
    query: str = "",
    headers: Mapping[str, str] | None = None,
    listener: Listener = PLAIN,
) -> Request:
    """A request without a body."""
    return Request(method, path, query, dict(headers or {}), listener, at_ms=0)
