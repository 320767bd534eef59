"""Requests made beforehand: presigned with Signature V4 and written out as the bytes that go over the wire.

Making them costs more than the load generator may spend, so it is done before the clock runs.
Source of the rules: Amazon S3 API Reference, "Authenticating Requests: Using Query Parameters".
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

import msgspec

REGION: Final = "us-east-1"
EXPIRES_SECONDS: Final = 86_400
_UNRESERVED: Final = "-_.~"


class Endpoint(msgspec.Struct, frozen=True):
    """Where a server listens, and the key that opens it."""

    host: str
    port: int
    access_key: str
    secret_key: str

    @property
    def authority(self) -> str:
        """The value of the Host header."""
        return f"{self.host}:{self.port}"


def request(
    endpoint: Endpoint, method: str, path: str, query: Mapping[str, str] | None = None, body: bytes = b"", *,
    now: datetime, size: int | None = None, headers: Mapping[str, str] | None = None,
) -> bytes:
    """A whole HTTP/1.1 request, presigned, payload unsigned.

    `path` is not encoded yet. `size` is given instead of a body that will follow. `headers` are sent
    unsigned, save those that S3 wants signed: names that begin with x-amz-.
    """
    signed = {"host": endpoint.authority}
    signed.update({name: value for name, value in (headers or {}).items() if name.startswith("x-amz-")})
    target = presign(endpoint, method, path, query or {}, signed, now=now)
    length = len(body) if size is None else size
    lines = [f"{method} {target} HTTP/1.1", f"Host: {endpoint.authority}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if length or method in ("PUT", "POST"):
        lines.append(f"Content-Length: {length}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def presign(
    endpoint: Endpoint, method: str, path: str, query: Mapping[str, str], signed: Mapping[str, str], *,
    now: datetime,
) -> str:
    """The request target: path and query with the signature. `signed` are the signed headers, by lower-case
    name.
    """
    stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{stamp[:8]}/{REGION}/s3/aws4_request"
    names = ";".join(sorted(signed))
    parameters = {
        **query, "X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Credential": f"{endpoint.access_key}/{scope}",
        "X-Amz-Date": stamp, "X-Amz-Expires": str(EXPIRES_SECONDS), "X-Amz-SignedHeaders": names,
    }
    text = "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in sorted(parameters.items()))
    encoded = quote(path, safe="/" + _UNRESERVED)
    headers = "".join(f"{name}:{signed[name]}\n" for name in sorted(signed))
    canonical = f"{method}\n{encoded}\n{text}\n{headers}\n{names}\nUNSIGNED-PAYLOAD"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    key = signing_key(endpoint.secret_key, stamp[:8], REGION)
    signature = hmac.digest(key, f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}".encode(), "sha256").hex()
    return f"{encoded}?{text}&X-Amz-Signature={signature}"


def signing_key(secret: str, date: str, region: str) -> bytes:
    """The key that signs everything of one day and region."""
    key = f"AWS4{secret}".encode()
    for part in (date, region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def content(size: int) -> bytes:
    """Bytes that no disk can compress, the same each time."""
    return hashlib.shake_128(b"trivium bench").digest(size)


def _quoted(text: str) -> str:
    return quote(text, safe=_UNRESERVED)
