"""Signature version 4: the arithmetic that header, query and chunk signatures have in common.

Source: Amazon S3 API Reference, "Authenticating Requests (AWS Signature Version 4)".
"""

from __future__ import annotations

import datetime
import hashlib
import hmac
import re
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Final

from trivium.base import faults, signature_faults
from trivium.s3.messages import Request
from trivium.s3.signing import canonical
from trivium.s3.signing.scope import Signed, unsigned
from trivium.services.access.users import Credential, Users

ALGORITHM: Final = "AWS4-HMAC-SHA256"
MAX_SKEW_MS: Final = 900_000  # S3 says so itself, in RequestTimeTooSkewed
MAX_CACHED_CHARS: Final = 1024  # longer texts are read each time: the caches stay within a few mebibytes
MAX_DATE_CHARS: Final = 64
SIGNATURE_CHARS: Final = 64

_ISO_BASIC = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z", re.ASCII).fullmatch
_BLOCK_BYTES = 64
_INNER_PAD = bytes(byte ^ 0x36 for byte in range(256))
_OUTER_PAD = bytes(byte ^ 0x5C for byte in range(256))


class Signer:
    """A signing key, ready to sign: HMAC-SHA256 whose first block of both passes is already taken in."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes) -> None:
        block = key.ljust(_BLOCK_BYTES, b"\0")
        assert len(block) == _BLOCK_BYTES, "signing keys are 32 bytes"
        self._inner = hashlib.sha256(block.translate(_INNER_PAD))
        self._outer = hashlib.sha256(block.translate(_OUTER_PAD))

    def sign(self, text: str) -> str:
        """The signature of the text, in lower-case hexadecimal."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(text.encode())
        outer.update(inner.digest())
        return outer.hexdigest()


@lru_cache(maxsize=4096)
def signing_key(secret_key: str, date: str, region: str) -> bytes:
    """The key that signs on that date (yyyymmdd) in that region. It depends on nothing else: it is kept."""
    key = f"AWS4{secret_key}".encode()
    for part in (date, region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


@lru_cache(maxsize=4096)
def signer(secret_key: str, date: str, region: str) -> Signer:
    """The signer with that key. It is kept too: making one costs as much as checking a request."""
    return Signer(signing_key(secret_key, date, region))


@lru_cache(maxsize=1024)
def time_ms(text: str) -> int | None:
    """A date of the forms `20130524T000000Z` or RFC 1123 in milliseconds since 1970; None when it is neither.

    The text must be at most MAX_DATE_CHARS long: it is kept.
    """
    match = _ISO_BASIC(text)
    try:
        if match:
            year, month, day, hour, minute, second = map(int, match.groups())
            when = datetime.datetime(year, month, day, hour, minute, second, tzinfo=datetime.UTC)
        else:
            when = parsedate_to_datetime(text)
            when = when.replace(tzinfo=datetime.UTC) if when.tzinfo is None else when
        return int(when.timestamp()) * 1000
    except (ValueError, OverflowError, IndexError, TypeError):  # what the mail parser lets through
        return None


def amz_date(ms: int) -> str:
    """A time as signatures write it: `20130524T000000Z`."""
    return _utc(ms).strftime("%Y%m%dT%H%M%SZ")


def iso_date(ms: int) -> str:
    """A time as S3's faults write it: `2013-05-24T00:00:00Z`."""
    return _utc(ms).strftime("%Y-%m-%dT%H:%M:%SZ")


def checked_ms(text: str, *, at_ms: int) -> int:
    """A request's date in milliseconds since 1970; before that there was none.

    Raises AWSAuthenticationRequiresDate, RequestTimeTooSkewed.
    """
    ms = time_ms(text) if len(text) <= MAX_DATE_CHARS else None
    if ms is None or ms < 0:
        raise signature_faults.AWSAuthenticationRequiresDate()
    if abs(at_ms - ms) > MAX_SKEW_MS:
        raise signature_faults.RequestTimeTooSkewed(
            RequestTime=text, ServerTime=iso_date(at_ms), MaxAllowedSkewMilliseconds=MAX_SKEW_MS)
    return ms


def _utc(ms: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(ms // 1000, datetime.UTC)


def credential(users: Users, access_key: str) -> Credential:
    """The credential of that access key. Raises InvalidAccessKeyId."""
    found = users.find(access_key)
    if found is None:
        raise signature_faults.InvalidAccessKeyId(AWSAccessKeyId=access_key)
    return found


def check(
    request: Request, who: Credential, signed: Signed, date: str, query: str, payload: str, signature: str
) -> None:
    """Raise unless the signature is the request's. `query` is canonical, `payload` the body's signed hash.

    Raises AuthorizationHeadersNotSigned, SignatureDoesNotMatch; InvalidURI for text that UTF-8 cannot say.
    """
    given = request.headers
    missing = unsigned(given, signed)
    if missing:
        raise signature_faults.AuthorizationHeadersNotSigned(HeadersNotSigned=", ".join(missing))
    try:
        path = canonical.path(request.path)
        lines = canonical.headers(given, signed.names, signed.lines)
        wanted = f"{request.method}\n{path}\n{query}\n{lines}\n{signed.covers}\n{payload}"
        digest = hashlib.sha256(wanted.encode()).hexdigest()
    except UnicodeEncodeError:
        raise faults.InvalidURI() from None
    to_sign = f"{ALGORITHM}\n{date}\n{signed.scope}\n{digest}"
    expected = signer(who.secret_key, signed.date, signed.region).sign(to_sign)
    if not same(expected, signature):
        raise mismatch(who.access_key, to_sign, signature, wanted)


def same(expected: str, signature: str) -> bool:
    """Are they equal? It takes the same time whatever the signature is."""
    return signature.isascii() and hmac.compare_digest(expected, signature)


def mismatch(access_key: str, to_sign: str, signature: str, wanted: str = "") -> faults.Fault:
    """SignatureDoesNotMatch with all that a client's author needs to find the difference, as S3 sends it."""
    facts: dict[str, str | int] = {
        "AWSAccessKeyId": access_key,
        "StringToSign": to_sign,
        "SignatureProvided": signature,
        "StringToSignBytes": _hexadecimal(to_sign),
    }
    if wanted:
        facts |= {"CanonicalRequest": wanted, "CanonicalRequestBytes": _hexadecimal(wanted)}
    return signature_faults.SignatureDoesNotMatch(**facts)


def _hexadecimal(text: str) -> str:
    return text.encode("utf-8", "surrogatepass").hex(" ")
