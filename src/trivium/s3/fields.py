"""Where a field of an Ask comes from, how one of a Reply goes out: headers, query parameters, values.

Theory of operation. An Ask or Reply is a frozen struct whose fields are annotated with a source:
`Query("versionId")`, `Header("if-match")`. `binder` and `header_writer` turn the declaration into a function
once, at import. A binder walks over what the request has, not over what it might have: a GET that sends three
headers costs three look-ups.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from time import gmtime, strftime
from typing import Any, Final, TypeVar
from urllib.parse import unquote

import msgspec

from trivium.base import faults
from trivium.base.faults import Fault, FaultKind
from trivium.s3.messages import Request

Parse = Callable[[str, str], Any]  # (text, name of the parameter) -> value
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_PART_NUMBER: Final = 10_000  # Amazon S3 User Guide, "Multipart upload limits"
# Amazon S3 User Guide, "How S3 Versioning works": no version id is longer than 1,024 bytes
_MAX_VERSION_ID_CHARACTERS: Final = 1024


def text(value: str, _: str) -> str:
    return value


def number_or(kind: FaultKind) -> Callable[[str, str], int]:
    """A parser of whole numbers of the range of a signed 32-bit one, not negative. It raises that fault."""

    def number(value: str, name: str) -> int:
        if not (value.isascii() and value.isdigit()):
            what = f"Provided {name} not an integer or within integer range"
            raise kind(what, ArgumentName=name, ArgumentValue=value)
        if len(value) > 10 or int(value) > 0x7FFF_FFFF:
            what = f"Argument {name} must be an integer between 0 and 2147483647"
            raise kind(what, ArgumentName=name, ArgumentValue=value)
        return int(value)

    return number


number: Final = number_or(faults.InvalidArgument)


def part_number(value: str, name: str) -> int:
    """The number of a part, from 1 on. Raises SmallPartNumber and InvalidPartNumber."""
    digits = value.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()) or len(value) > len(str(_MAX_PART_NUMBER)):
        raise faults.InvalidPartNumber(ArgumentName=name, ArgumentValue=value)
    if int(value) < 1:
        raise faults.SmallPartNumber(ArgumentName=name, ArgumentValue=value)
    if int(value) > _MAX_PART_NUMBER:
        raise faults.InvalidPartNumber(ArgumentName=name, ArgumentValue=value)
    return int(value)


def version_id(value: str, name: str) -> str:
    """A version id, as far as every kind of bucket would agree. Raises EmptyVersionId, VersionIdTooLong."""
    if not value:
        raise faults.EmptyVersionId(ArgumentName=name, ArgumentValue=value)
    if len(value) > _MAX_VERSION_ID_CHARACTERS:
        raise faults.VersionIdTooLong(ArgumentName=name, ArgumentValue=value)
    return value


def size_in_bytes(value: str, name: str) -> int:
    """A header's number of bytes, from 0 to what a signed 64-bit number holds. Raises InvalidHeaderValue."""
    if not (value.isascii() and value.isdigit() and len(value) <= 19):
        raise faults.InvalidHeaderValue(f"Provided {name} not an integer or within integer range",
                                        ArgumentName=name, ArgumentValue=value)
    return int(value)


def http_date(value: str, _: str) -> int | None:
    """An HTTP date as ms since 1970, in UTC where it names no zone; None when it is none, which RFC 9110
    §13.1.3 says to ignore.
    """
    try:
        return _milliseconds(parsedate_to_datetime(value))
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def any_date(value: str, name: str, *, kind: FaultKind = faults.InvalidHeaderValue) -> int:
    """An HTTP date or an ISO 8601 one as ms since 1970, in UTC where it names no zone. Raises that fault."""
    found = http_date(value, name)
    if found is not None:
        return found
    try:
        return _milliseconds(datetime.fromisoformat(value))
    except (ValueError, OverflowError):
        raise kind(f"Invalid value for {name}", ArgumentName=name, ArgumentValue=value) from None


def _milliseconds(moment: datetime) -> int:
    """Ms since 1970, rounded down. The arithmetic is in whole numbers: a float loses milliseconds."""
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return (aware - _EPOCH) // timedelta(milliseconds=1)


def one_of(*allowed: str, kind: FaultKind) -> Parse:
    """A parser of a closed set of words. It raises that fault for another."""

    def parse(value: str, name: str) -> str:
        if value not in allowed:
            raise kind(ArgumentName=name, ArgumentValue=value)
        return value

    return parse


class Header(msgspec.Struct, frozen=True):
    """A header, by lower-case name. In a Reply the value is written as text unless `write` says how."""

    name: str
    parse: Parse = text
    write: Callable[[Any], str] = str


class Query(msgspec.Struct, frozen=True):
    """A query parameter."""

    name: str
    parse: Parse = text


class Derived(msgspec.Struct, frozen=True):
    """A field made from the request as a whole, as user metadata is.

    `headers` and `queries` are the names it reads, for the docs; one that ends with `-` is a prefix.
    `seldom`: it is made only of a request that has one of them, all of which are named; else the field keeps
    its default.
    """

    make: Callable[[Request], Any]
    headers: tuple[str, ...] = ()
    queries: tuple[str, ...] = ()
    seldom: bool = False


class Document(msgspec.Struct, frozen=True):
    """The request's or answer's XML document, with this root element."""

    root: str
    optional: bool = False


class Spread(msgspec.Struct, frozen=True):
    """A field of a Reply that becomes any number of headers: `headers`, for the docs, as in `Derived`."""

    write: Callable[[Any], list[tuple[str, str]]]
    headers: tuple[str, ...] = ()


Source = Header | Query | Derived | Document | Spread


def sources(struct: type[msgspec.Struct]) -> dict[str, Source]:
    found: dict[str, Source] = {}
    for name, hint in typing.get_type_hints(struct, include_extras=True).items():
        for extra in getattr(hint, "__metadata__", ()):
            if isinstance(extra, Header | Query | Derived | Document | Spread):
                found[name] = extra
    return found


def query_names(struct: type[msgspec.Struct]) -> list[str]:
    found: list[str] = []
    for mark in sources(struct).values():
        if isinstance(mark, Query):
            found.append(mark.name)
        elif isinstance(mark, Derived):
            found += mark.queries
    return found


A = TypeVar("A", bound=msgspec.Struct)


def binder(ask: type[A]) -> Callable[[Request], dict[str, Any]]:
    """A function that gathers, from a request, the arguments of the Ask: all but its document."""
    marks = sources(ask)
    headers = {mark.name: (name, mark.parse) for name, mark in marks.items() if isinstance(mark, Header)}
    queries = {mark.name: (name, mark.parse) for name, mark in marks.items() if isinstance(mark, Query)}
    derived = tuple(
        (name, mark.make) for name, mark in marks.items() if isinstance(mark, Derived) and not mark.seldom)
    rare = [(name, mark) for name, mark in marks.items() if isinstance(mark, Derived) and mark.seldom]
    by_header = tuple((name, mark.make, frozenset(mark.headers)) for name, mark in rare if mark.headers)
    by_query = tuple((name, mark.make, frozenset(mark.queries)) for name, mark in rare if mark.queries)
    # Most requests have none of these: they are asked for all of them in one go
    header_names = frozenset(headers).union(*(names for _, _, names in by_header))
    query_names = frozenset(queries).union(*(names for _, _, names in by_query))

    def bind(request: Request) -> dict[str, Any]:
        found: dict[str, Any] = {}
        sent = request.headers
        if not header_names.isdisjoint(sent):
            for name in sent:
                if name in headers:
                    attribute, parse = headers[name]
                    found[attribute] = parse(sent[name], name)
            for name, make, names in by_header:
                if not names.isdisjoint(sent):
                    found[name] = make(request)
        if query_names and request.query_string:
            asked = request.query
            if not query_names.isdisjoint(asked):
                for name in asked:
                    if name in queries:
                        attribute, parse = queries[name]
                        found[attribute] = parse(asked[name], name)
                for name, make, names in by_query:
                    if not names.isdisjoint(asked):
                        found[name] = make(request)
        for name, make in derived:
            found[name] = make(request)
        return found

    return bind


def header_writer(reply: type[msgspec.Struct]) -> Callable[[Any, list[tuple[str, str]]], None]:
    """A function that adds a Reply's headers to a list; fields that are None are left out."""
    marks = sources(reply)
    plain = tuple((name, mark.name, mark.write) for name, mark in marks.items() if isinstance(mark, Header))
    spread = tuple((name, mark.write) for name, mark in marks.items() if isinstance(mark, Spread))

    def write(value: Any, headers: list[tuple[str, str]]) -> None:
        for name, header, as_text in plain:
            found = getattr(value, name)
            if found is not None:
                headers.append((header, found if found.__class__ is str else as_text(found)))
        for name, write_all in spread:
            headers += write_all(getattr(value, name))

    return write


# Times, as the two places that show them want them


@lru_cache(maxsize=4096)
def _http_seconds(seconds: int) -> str:
    return strftime("%a, %d %b %Y %H:%M:%S GMT", gmtime(seconds))


def http_time(ms: int) -> str:
    """Ms since 1970 as an HTTP date, whole seconds."""
    return _http_seconds(ms // 1000)


@lru_cache(maxsize=4096)
def _iso_hour(hour: int) -> str:
    return strftime("%Y-%m-%dT%H:", gmtime(hour * 3600))


_SECONDS: Final = tuple(f"{number // 60:02d}:{number % 60:02d}." for number in range(3600))  # of an hour
_MILLISECONDS: Final = tuple(f"{number:03d}Z" for number in range(1000))


def iso_time(ms: int) -> str:
    """Ms since 1970 as XML has it: 2026-11-01T12:00:00.000Z."""
    return iso_times((ms,))[0]


def iso_times(moments: Iterable[int]) -> list[str]:
    """The same for many, each in a few look-ups, however far apart they are."""
    hour, seconds, milliseconds = _iso_hour, _SECONDS, _MILLISECONDS
    return [
        f"{hour(ms // 3_600_000)}{seconds[ms // 1000 % 3600]}{milliseconds[ms % 1000]}" for ms in moments]


# User metadata

META: Final = "x-amz-meta-"


def metadata(request: Request) -> dict[str, str]:
    """The user's metadata, by name without prefix. Values that are MIME words (RFC 2047) are kept as sent."""
    return {name[11:]: value for name, value in request.headers.items() if name.startswith(META)}


def tag_header(value: str, name: str) -> dict[str, str]:
    """The tags of an `x-amz-tagging` header: a query string.

    Raises InvalidHeaderValue for a key that comes twice and for escapes that are no UTF-8.
    """
    tags: dict[str, str] = {}
    for item in filter(None, value.split("&")):
        try:
            key, _, tag = (unquote(text.replace("+", " "), errors="strict") for text in item.partition("="))
        except UnicodeDecodeError:
            raise _bad_tag_header(value, name) from None
        if key in tags:
            raise _bad_tag_header(value, name)
        tags[key] = tag
    return tags


def _bad_tag_header(value: str, name: str) -> Fault:
    return faults.InvalidHeaderValue(
        "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters"
        " without tag name duplicates.", ArgumentName=name, ArgumentValue=value)
