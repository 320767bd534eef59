"""A signature in the query: a presigned URL.

Source: Amazon S3 API Reference, "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)".
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final
from urllib.parse import unquote

import msgspec

from trivium.base import signature_faults
from trivium.s3.messages import Request, read_query
from trivium.s3.signing import canonical, header, hoisted, payloads, scope, v4
from trivium.s3.signing.claim import Claim
from trivium.s3.signing.scope import Signed
from trivium.services.access.users import Users

MAX_EXPIRES_SECONDS: Final = 604_800

_SIGNATURE = f"&{canonical.SIGNATURE}="
_NEEDED = ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders")
_AUTHENTICATION = frozenset({*_NEEDED, "X-Amz-Signature", "X-Amz-Content-Sha256", "X-Amz-Security-Token"})


class Presigned(msgspec.Struct, frozen=True):
    """What a presigned query says.

    `date` is as sent, `at_ms` the same in milliseconds since 1970, `expires` in seconds; `query` is
    canonical; `sha256` is the hash of the body that is signed with it. `hoisted` are headers that the signer
    put into the query instead, as some SDKs do with all `x-amz-` headers.
    """

    signed: Signed
    date: str
    at_ms: int
    expires: int
    query: str
    sha256: str
    hoisted: tuple[tuple[str, str], ...] = ()


def claim(request: Request, users: Users) -> Claim:
    """Who signed the URL. Raises the fault that says what is wrong: parameters, age or signature."""
    said, signature = read(request.query_string)
    _check_age(said, at_ms=request.at_ms)
    signed = said.signed
    who = v4.credential(users, signed.access_key)
    # S3 ignores this header when it was not signed (it is the one x-amz- header that needs no signature).
    in_header = request.headers.get(scope.CONTENT_SHA256) if scope.CONTENT_SHA256 in signed.names else None
    declared = in_header or said.sha256
    v4.check(request, who, signed, said.date, said.query, declared, signature)
    for name, value in said.hoisted:
        request.headers.setdefault(name, value)
    payload = header.payload(declared, who, signed, said.date, signature)
    return Claim(who.account, signed.access_key, payload, presigned=True)


def read(query: str) -> tuple[Presigned, str]:
    """What the query says, and the signature. The rest is the same in URLs of one second: it is kept."""
    head, found, rest = query.partition(_SIGNATURE)
    signature, tail = rest[: v4.SIGNATURE_CHARS], rest[v4.SIGNATURE_CHARS :]
    if not found or tail[:1] not in ("", "&") or canonical.SIGNATURE in tail:
        signature, said = read_query(query).get(canonical.SIGNATURE, ""), query
    else:
        said = head + tail
    if not signature:
        raise signature_faults.NotAllV4QueryParametersProvided()
    return (_read_kept(said) if len(said) <= v4.MAX_CACHED_CHARS else _read(said)), signature


def _read(query: str) -> Presigned:
    written, given = canonical.parameters(query)
    if not all(map(given.get, _NEEDED)):
        raise signature_faults.NotAllV4QueryParametersProvided()
    if given["X-Amz-Algorithm"] != v4.ALGORITHM:
        raise signature_faults.XAmzAlgorithmUnsupported()
    signed = _signed(given["X-Amz-Credential"], given["X-Amz-SignedHeaders"])
    date = given["X-Amz-Date"]
    at_ms = v4.time_ms(date) if date.endswith("Z") and len(date) <= v4.MAX_DATE_CHARS else None
    if at_ms is None:
        raise signature_faults.XAmzDateIncorrectFormat()
    if not date.startswith(signed.date):
        what = f'"{signed.date}". This date is not the same as X-Amz-Date: "{date[:8]}".'
        raise signature_faults.V4QPCredentialDateNotSameAsXamzDate(f"Invalid credential date {what}")
    if "X-Amz-Security-Token" in given:
        raise signature_faults.InvalidToken()
    expires = _seconds(given["X-Amz-Expires"])
    sha256 = given.get("X-Amz-Content-Sha256") or payloads.UNSIGNED
    in_query = hoisted.headers(
        (unquote(name), unquote(value)) for name, value in given.items()
        if name.lower().startswith("x-amz-") and name not in _AUTHENTICATION)
    return Presigned(signed, date, at_ms, expires, written, sha256, tuple(in_query.items()))


def _signed(credential: str, signed_headers: str) -> Signed:
    if len(credential) + len(signed_headers) <= v4.MAX_CACHED_CHARS:
        return _signed_kept(credential, signed_headers)
    return _read_scope(credential, signed_headers)


def _read_scope(credential: str, signed_headers: str) -> Signed:
    return scope.read(unquote(credential), unquote(signed_headers), scope.IN_QUERY)


_signed_kept = lru_cache(maxsize=1024)(_read_scope)
_read_kept = lru_cache(maxsize=1024)(_read)


def _seconds(text: str) -> int:
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()):
        raise signature_faults.XAmzExpiresShouldBeANumber()
    if text != digits:
        raise signature_faults.XAmzExpiresMustBeNonNegative()
    if len(digits) > len(str(MAX_EXPIRES_SECONDS)) or int(digits) > MAX_EXPIRES_SECONDS:
        raise signature_faults.XAmzExpiresLongerThanAWeek()
    return int(digits)


def _check_age(said: Presigned, *, at_ms: int) -> None:
    until_ms = said.at_ms + said.expires * 1000
    if at_ms > until_ms:
        facts: dict[str, str | int] = {
            "X-Amz-Expires": said.expires,
            "Expires": v4.iso_date(until_ms),
            "ServerTime": v4.iso_date(at_ms),
        }
        raise signature_faults.RequestExpired(**facts)
    if said.at_ms - at_ms > v4.MAX_SKEW_MS:
        raise signature_faults.RequestNotYetValid(RequestTime=said.date, ServerTime=v4.iso_date(at_ms))
