"""Requests and answers without sockets: what the door hands in and takes back."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

import msgspec

from trivium.base import faults
from trivium.base.body import Body
from trivium.base.incoming import Given, Source
from trivium.buckets.record import OBJECTS
from trivium.s3.dialect import Dialect

SERVICE: Final = "service"
BUCKET: Final = "bucket"
OBJECT: Final = "object"

_NOTHING: Final = Given(b"")
_SIGNATURE: Final = "&X-Amz-Signature="
_MOST_KEPT: Final = 1024  # characters of what is kept of queries: it is bounded, whoever sends what


class Listener(msgspec.Struct, frozen=True):
    """How one address speaks.

    `base_path` is "" or starts with `/` and has no `/` at its end. `authentication` is "v4" (signatures are
    checked) or "simple" (the access key is believed and nothing is checked); with "simple", a request without
    credentials acts as `default_user`. `signature_v2`: with "v4", signatures of version 2 are accepted too;
    `bases` are the base paths of all listeners where they are.
    `domains` are host names under which `bucket.domain` addresses a bucket. `creates` is the kind of bucket
    that CreateBucket makes.
    """

    dialect: Dialect
    base_path: str = ""
    authentication: str = "v4"
    default_user: str = ""
    domains: tuple[str, ...] = ()
    creates: str = OBJECTS
    signature_v2: bool = True
    bases: tuple[str, ...] = ()


class Request(msgspec.Struct, gc=False):
    """An S3 request. `path` is percent-decoded; header names are lower-case; `at_ms` (since 1970): arrival.

    `action`, `account` and `fault` are found out while it is served, for the log and the metrics.
    """

    method: str
    path: str
    query_string: str
    headers: dict[str, str]
    listener: Listener
    at_ms: int
    id: str = ""
    body: Source = _NOTHING
    client: str = ""
    secure: bool = False
    action: str = ""
    account: str = ""
    fault: str = ""
    _query: Mapping[str, str] | None = None

    @property
    def query(self) -> Mapping[str, str]:
        """The query, decoded; the first of parameters that are given twice counts. Raises InvalidURI for
        broken escapes.

        A signature at its end, where presigned URLs have it, is left out: the rest is what many requests have
        in common.
        """
        if self._query is None:
            text, _, signature = self.query_string.partition(_SIGNATURE)
            kept = len(text) <= _MOST_KEPT and "&" not in signature
            self._query = _kept_query(text) if kept else read_query(self.query_string)
        return self._query


class Response(msgspec.Struct, gc=False):
    """An answer. The door adds Date, Server and the length of the body."""

    status: int
    headers: list[tuple[str, str]]
    body: Body = b""


class Target(msgspec.Struct, frozen=True):
    """What a request is about. `kind` is SERVICE, BUCKET or OBJECT."""

    kind: str
    bucket: str = ""
    key: str = ""


def read_query(text: str) -> dict[str, str]:
    """A query string as a dict. `+` is a space, as browsers and S3 have it."""
    found: dict[str, str] = {}
    if not text:
        return found
    for item in text.split("&"):
        name, _, value = item.partition("=")
        if "%" in item or "+" in item:
            decoded = _kept_text if len(item) <= _MOST_KEPT else _decoded
            name, value = decoded(name), decoded(value)
        if name and name not in found:
            found[name] = value
    return found


def _decoded(text: str) -> str:
    try:
        return unquote(text.replace("+", " "), errors="strict")
    except UnicodeDecodeError:
        raise faults.InvalidURI(URI=text) from None


_kept_query = lru_cache(maxsize=1024)(read_query)
_kept_text = lru_cache(maxsize=1024)(_decoded)  # credentials come again and again
