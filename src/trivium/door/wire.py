"""What the HTTP server hands to us for one request: its scope and its protocol object, in our words.

Facts of Granian 2.8 (RSGI), found by reading and trying it: `path` arrives percent-decoded, bytes that are no
UTF-8 as U+FFFD; header values that are not visible ASCII are left out of `items` but counted by `len`;
duplicated headers stay apart; more than 100 header fields are answered with 431 by hyper below it, a bound
that it does not let us set; `http_version` is "1" for HTTP/1.0; the body given to `whole` breaks off with
ProtocolClosed, the body given in chunks with an empty chunk more; `response_file_range` takes the first byte
and the one *behind* the last; `response_stream` queues without bound, so that it must carry nothing large.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Protocol

Headers = list[tuple[str, str]]


class WireHeaders(Protocol):
    """The headers of a request; names in lower case."""

    def items(self) -> list[tuple[str, str]]: ...

    def keys(self) -> list[str]: ...

    def __len__(self) -> int: ...


class Scope(Protocol):
    """The head of a request."""

    @property
    def http_version(self) -> str: ...

    @property
    def method(self) -> str: ...

    @property
    def path(self) -> str: ...

    @property
    def query_string(self) -> str: ...

    @property
    def client(self) -> str: ...

    @property
    def headers(self) -> WireHeaders: ...


class Wire(Protocol):
    """The body of a request, and the way back."""

    def __call__(self) -> Awaitable[bytes]: ...

    def __aiter__(self) -> Any: ...  # Any: the server's own iterator, whose __anext__ may raise at once

    def client_disconnect(self) -> Awaitable[None]: ...

    def response_empty(self, status: int, headers: Headers) -> None: ...

    def response_bytes(self, status: int, headers: Headers, body: bytes) -> None: ...

    def response_file(self, status: int, headers: Headers, file: str) -> None: ...

    def response_file_range(self, status: int, headers: Headers, file: str, start: int, end: int) -> None: ...
