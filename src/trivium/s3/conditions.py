"""Conditions as the wire carries them: If-* headers of reads, writes, deletes and copies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from trivium.base import faults
from trivium.base.etag import quoted
from trivium.base.faults import Fault
from trivium.buckets.conditions import ALWAYS, ANY, ReadIf, WriteIf
from trivium.buckets.entry import Entry
from trivium.s3.fields import any_date, http_date, size_in_bytes
from trivium.s3.messages import Request

READ_HEADERS: Final = ("if-match", "if-none-match", "if-modified-since", "if-unmodified-since")
WRITE_HEADERS: Final = ("if-match", "if-none-match")
_MATCH_SIZE: Final = "x-amz-if-match-size"
_MATCH_TIME: Final = "x-amz-if-match-last-modified-time"
DELETE_HEADERS: Final = ("if-match", _MATCH_SIZE, _MATCH_TIME)
_RENAME_SOURCE: Final = "x-amz-rename-source-"
RENAME_SOURCE_HEADERS: Final = tuple(_RENAME_SOURCE + name for name in READ_HEADERS)
_KEEPING: Final = (("CacheControl", "cache-control"), ("Expires", "expires"))  # facts of NotModified
SOURCE_HEADERS: Final = tuple("x-amz-copy-source-" + name for name in READ_HEADERS)


def read_if(request: Request) -> ReadIf:
    """The conditions of a GET or HEAD. Dates that are none are ignored (RFC 9110 §13.1.3)."""
    return ReadIf(*asked) if (asked := _four(request, "")) else ANY


def check_read(
    only_if: ReadIf, entry: Entry, *, version: str | None, headers: Mapping[str, str] | None = None,
) -> None:
    """Raise PreconditionFailed, or NotModified with what the reader needs to know of its copy.

    `version` is what a 200 would tell, `headers` the content headers that it would have: those that say how
    long a copy may be kept belong to a 304 too (RFC 9110 §15.4.5).
    """
    try:
        only_if.check(entry)
    except Fault as fault:
        if fault.kind is not faults.NotModified:
            raise
        told: dict[str, str | int] = {"ETag": quoted(entry.etag), "LastModified": entry.modified_ms}
        told |= {fact: headers[name] for fact, name in _KEEPING if headers and name in headers}
        raise faults.NotModified(**told, **({"VersionId": version} if version is not None else {})) from None


def still_is(if_range: str, entry: Entry) -> bool:
    """Is the entry what an If-Range header speaks of, so that a range of it continues what the reader has?

    An ETag must be the same and strong; a date, all of LastModified. Anything else is another object (RFC
    9110 §13.1.5).
    """
    validator = if_range.strip()
    if validator in (quoted(entry.etag), entry.etag):
        return True
    date = _date(validator)
    return date is not None and date // 1000 == entry.modified_ms // 1000


def source_if(request: Request) -> ReadIf:
    return ReadIf(*asked) if (asked := _four(request, "x-amz-copy-source-")) else ANY


def write_if(request: Request) -> WriteIf:
    """The conditions of a PUT, a completion or a copy's destination."""
    match, none_match = request.headers.get("if-match"), request.headers.get("if-none-match")
    return WriteIf(match, none_match) if match is not None or none_match is not None else ALWAYS


def delete_if(request: Request) -> WriteIf:
    """The conditions of a DELETE. Raises InvalidArgument for what is none: nothing is deleted on a guess."""
    match = request.headers.get("if-match")
    size, modified = request.headers.get(_MATCH_SIZE), request.headers.get(_MATCH_TIME)
    if match is None and size is None and modified is None:
        return ALWAYS
    return WriteIf(
        match, size=size_in_bytes(size, _MATCH_SIZE) if size is not None else None,
        modified_ms=any_date(modified, _MATCH_TIME) if modified is not None else None)


def rename_if(request: Request) -> WriteIf:
    """The conditions on what a rename replaces. A time asks that it is there."""
    return _rename_if(request, "")


def rename_source_if(request: Request) -> WriteIf:
    return _rename_if(request, _RENAME_SOURCE)


def _rename_if(request: Request, prefix: str) -> WriteIf:
    asked = _four(request, prefix)
    if asked is None:
        return ALWAYS
    match, none_match, since_ms, until_ms = asked
    return WriteIf(match, none_match, modified_since_ms=since_ms, unmodified_since_ms=until_ms)


def _four(request: Request, prefix: str) -> tuple[str | None, str | None, int | None, int | None] | None:
    """What the four conditions of `READ_HEADERS` ask, in that order; None where none of them is there."""
    match, none_match, since, until = [request.headers.get(prefix + name) for name in READ_HEADERS]
    if match is None and none_match is None and since is None and until is None:
        return None
    return match, none_match, _date(since), _date(until)


def _date(text: str | None) -> int | None:
    return http_date(text, "") if text is not None else None
