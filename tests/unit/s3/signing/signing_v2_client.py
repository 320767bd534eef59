"""A client of version 2 in the plainest words: signs as the guide says, sharing no line with what it tests."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote

from tests.unit.s3.signing.signing_client import ACCESS_KEY, AWS, NOON, SECRET_KEY, ms, request
from trivium.s3.messages import Listener, Request

DATE = "Fri, 24 May 2013 12:00:00 GMT"
NOON_SECONDS = ms(NOON) // 1000
LATER = str(NOON_SECONDS + 300)
HOST = {"host": "s3.example.com"}


def signature(text: str, secret_key: str = SECRET_KEY) -> str:
    """HMAC-SHA1 in base64."""
    return base64.b64encode(hmac.new(secret_key.encode(), text.encode(), hashlib.sha1).digest()).decode()


def authorization(text: str, secret_key: str = SECRET_KEY, access_key: str = ACCESS_KEY) -> str:
    """The header for a text that is signed."""
    return f"AWS {access_key}:{signature(text, secret_key)}"


def signed(
    text: str,
    method: str = "GET",
    path: str = "/b/k",
    query: str = "",
    headers: Mapping[str, str] | None = None,
    *,
    listener: Listener = AWS,
    at: str = NOON,
) -> Request:
    """A request with the signature of `text` in its header, and the date of noon unless it has another."""
    given = {**HOST, **({} if headers and "x-amz-date" in headers else {"date": DATE}), **(headers or {})}
    given["authorization"] = authorization(text)
    return request(method, path, query, given, listener=listener, at=at)


def url_query(text: str, expires: str = LATER, more: str = "", access_key: str = ACCESS_KEY) -> str:
    """The query of a presigned URL with the signature of `text`."""
    signed = quote(signature(text), safe="")
    return f"AWSAccessKeyId={access_key}&Expires={expires}&Signature={signed}" + (f"&{more}" if more else "")


def iso(seconds: int) -> str:
    """Seconds since 1970 as faults write them."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
