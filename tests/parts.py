"""A part as a client lists it, for tests that complete uploads without the wire."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class Wanted(msgspec.Struct, frozen=True):
    """The part's number, its ETag as sent, and checksums by algorithm name."""

    number: int
    etag: str | None = None
    checksums: Mapping[str, str] = {}
