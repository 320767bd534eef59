"""Conditions as the wire carries them: If-* headers of reads, writes, deletes and copies."""

from __future__ import annotations

from typing import Final

from trivium.buckets.conditions import ALWAYS, ANY, ReadIf, WriteIf
from trivium.s3.fields import http_date
from trivium.s3.messages import Request

READ_HEADERS: Final = ("if-match", "if-none-match", "if-modified-since", "if-unmodified-since")
WRITE_HEADERS: Final = ("if-match", "if-none-match")
DELETE_HEADERS: Final = ("if-match", "x-amz-if-match-size", "x-amz-if-match-last-modified-time")
SOURCE_HEADERS: Final = tuple("x-amz-copy-source-" + name for name in READ_HEADERS)


def read_if(request: Request) -> ReadIf:
    """The conditions of a GET or HEAD. Dates that are none are ignored (RFC 9110 §13.1.3)."""
    return _read_if(request, "")


def source_if(request: Request) -> ReadIf:
    """The conditions on the source of a copy."""
    return _read_if(request, "x-amz-copy-source-")


def _read_if(request: Request, prefix: str) -> ReadIf:
    headers = request.headers
    match, none_match = headers.get(prefix + "if-match"), headers.get(prefix + "if-none-match")
    since, until = headers.get(prefix + "if-modified-since"), headers.get(prefix + "if-unmodified-since")
    if match is None and none_match is None and since is None and until is None:
        return ANY
    return ReadIf(match, none_match, _date(since), _date(until))


def write_if(request: Request) -> WriteIf:
    """The conditions of a PUT, a completion or a copy's destination."""
    match, none_match = request.headers.get("if-match"), request.headers.get("if-none-match")
    if match is None and none_match is None:
        return ALWAYS
    return WriteIf(match, none_match)


def delete_if(request: Request) -> WriteIf:
    """The conditions of a DELETE."""
    match = request.headers.get("if-match")
    size = request.headers.get("x-amz-if-match-size")
    modified = request.headers.get("x-amz-if-match-last-modified-time")
    if match is None and size is None and modified is None:
        return ALWAYS
    return WriteIf(match, size=int(size) if size and size.isdigit() else None, modified_ms=_date(modified))


def rename_source_if(request: Request) -> WriteIf:
    """The conditions on the source of a rename, as far as a write condition can say them."""
    headers = request.headers
    match, none_match = headers.get("x-amz-rename-source-if-match"), headers.get("x-amz-rename-source-if-none-match")
    return WriteIf(match, none_match)


def _date(text: str | None) -> int | None:
    return http_date(text, "") if text is not None else None

