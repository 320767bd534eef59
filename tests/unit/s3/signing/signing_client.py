"""A client in the plainest words: signs requests as the manual says, sharing no line with what it tests."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote

from trivium.base.incoming import Given
from trivium.s3.dialect import Dialect
from trivium.s3.messages import Listener, Request
from trivium.services.access.users import Account, Credential, Users

ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
ALICE = Account("a1", "Alice")
USERS = Users([Credential(ACCESS_KEY, SECRET_KEY, ALICE)])
EMPTY = hashlib.sha256(b"").hexdigest()
AWS = Listener(Dialect("aws"))
NOON = "20130524T120000Z"
SCOPE = "20130524/us-east-1/s3/aws4_request"


def ms(date: str) -> int:
    """An ISO basic date in milliseconds since 1970."""
    return int(datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()) * 1000


def request(
    method: str,
    path: str,
    query: str = "",
    headers: Mapping[str, str] | None = None,
    *,
    at: str = NOON,
    body: bytes = b"",
    listener: Listener = AWS,
) -> Request:
    """A request as the door hands it in."""
    return Request(method, path, query, dict(headers or {}), listener, at_ms=ms(at), body=Given(body))


def key(secret_key: str = SECRET_KEY, scope: str = SCOPE) -> bytes:
    """The signing key of a scope."""
    derived = b"AWS4" + secret_key.encode()
    for part in scope.split("/"):
        derived = hmac.new(derived, part.encode(), hashlib.sha256).digest()
    return derived


def signature(wanted: str, *, date: str = NOON, scope: str = SCOPE, secret_key: str = SECRET_KEY) -> str:
    """The signature of a canonical request."""
    to_sign = f"AWS4-HMAC-SHA256\n{date}\n{scope}\n{hashlib.sha256(wanted.encode()).hexdigest()}"
    return hmac.new(key(secret_key, scope), to_sign.encode(), hashlib.sha256).hexdigest()


def authorization(names: str, signed: str, *, access_key: str = ACCESS_KEY, scope: str = SCOPE) -> str:
    """An Authorization header."""
    return f"AWS4-HMAC-SHA256 Credential={access_key}/{scope}, SignedHeaders={names}, Signature={signed}"


def signed_headers(
    method: str,
    path: str,
    query: str = "",
    headers: Mapping[str, str] | None = None,
    *,
    date: str = NOON,
    sha256: str = "UNSIGNED-PAYLOAD",
    secret_key: str = SECRET_KEY,
    access_key: str = ACCESS_KEY,
    scope: str = SCOPE,
) -> dict[str, str]:
    """The headers of a request whose every header is signed. `query` must be canonical already."""
    given = {"host": "s3.example.com", "x-amz-date": date, "x-amz-content-sha256": sha256, **(headers or {})}
    names = ";".join(sorted(given))
    lines = "".join(f"{name}:{given[name]}\n" for name in sorted(given))
    wanted = f"{method}\n{quote(path, safe='/-_.~')}\n{query}\n{lines}\n{names}\n{sha256}"
    signed = signature(wanted, date=date, scope=scope, secret_key=secret_key)
    return {**given, "authorization": authorization(names, signed, access_key=access_key, scope=scope)}


def presigned_query(
    method: str,
    path: str,
    *,
    expires: str = "300",
    date: str = NOON,
    headers: Mapping[str, str] | None = None,
    more: Mapping[str, str] | None = None,
    sha256: str = "UNSIGNED-PAYLOAD",
    scope: str = SCOPE,
) -> str:
    """The query of a presigned URL that signs `host` and the given headers."""
    given = {"host": "s3.example.com", **(headers or {})}
    names = ";".join(sorted(given))
    parameters = {
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"{ACCESS_KEY}/{scope}",
        "X-Amz-Date": date,
        "X-Amz-Expires": expires,
        "X-Amz-SignedHeaders": names,
        **(more or {}),
    }
    pairs = sorted(
        (quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in parameters.items()
    )
    query = "&".join(f"{name}={value}" for name, value in pairs)
    lines = "".join(f"{name}:{given[name]}\n" for name in sorted(given))
    wanted = f"{method}\n{quote(path, safe='/-_.~')}\n{query}\n{lines}\n{names}\n{sha256}"
    return f"{query}&X-Amz-Signature={signature(wanted, date=date, scope=scope)}"
