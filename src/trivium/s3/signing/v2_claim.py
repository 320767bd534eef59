"""Who asks, by a signature of version 2: in the Authorization header, or in the query of a presigned URL.

Source: Amazon S3 User Guide, "Signing and authenticating REST requests (AWS signature version 2)", with
"Query string request authentication alternative"; the faults are those of Table A-1 of ActiveScale's S3 API
Reference, with the codes that AWS sends.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from trivium.base import signature_faults
from trivium.s3.messages import Request
from trivium.s3.signing import hoisted, payloads, scope, v2, v4
from trivium.s3.signing.claim import PLAIN, Claim, Payload
from trivium.services.access.users import Users

_SECONDS = re.compile(r"\d{1,15}", re.ASCII).fullmatch
_SIGNED_HEADERS = ("content-type", "content-md5")


def in_header(request: Request, users: Users, authorization: str) -> Claim:
    """Who signed the request: `AWS AccessKeyId:signature`. Raises the fault that says what is wrong."""
    access_key, colon, signature = authorization.removeprefix("AWS ").partition(":")
    if not (access_key and colon and signature) or ":" in signature or " " in access_key:
        raise signature_faults.InvalidV2AuthorizationHeader(
            ArgumentName="Authorization", ArgumentValue=authorization)
    given = request.headers
    # x-amz-date counts where it is there, since Date is not signed then
    v4.checked_ms(given.get("x-amz-date", given.get("date", "")), at_ms=request.at_ms)
    payload = _payload(given)
    who = v4.credential(users, access_key)
    v2.check(request, who, given, "" if "x-amz-date" in given else given["date"], signature)
    return Claim(who.account, access_key, payload)


def in_query(request: Request, users: Users) -> Claim:
    """Who signed the URL: AWSAccessKeyId, Expires, Signature. Raises the fault that says what is wrong.

    `x-amz-` headers, Content-Type and Content-MD5 may stand in the query, where SDKs put them; S3 takes these
    values and ignores the headers of the same names, and any x-amz-date.
    """
    query = request.query
    access_key, expires, signature = map(query.get, ("AWSAccessKeyId", "Expires", "Signature"))
    if not (access_key and expires and signature):
        raise signature_faults.QueryAuthenticationRequiresParameters()
    _check_age(expires, at_ms=request.at_ms)
    in_query = hoisted.headers(pair for pair in query.items() if _is_header(pair[0].lower()))
    given = {**request.headers, **in_query}
    payload = _payload(given)
    who = v4.credential(users, access_key)
    given.pop("x-amz-date", None)
    v2.check(request, who, given, expires, signature)
    request.headers.update(in_query)
    return Claim(who.account, access_key, payload, presigned=True)


def _check_age(expires: str, *, at_ms: int) -> None:
    if not _SECONDS(expires):
        raise signature_faults.InvalidDate(f"Invalid date (should be seconds since epoch): {expires}")
    until_ms = int(expires) * 1000
    if at_ms > until_ms:
        raise signature_faults.RequestExpired(Expires=v4.iso_date(until_ms), ServerTime=v4.iso_date(at_ms))


def _is_header(name: str) -> bool:
    return name.startswith("x-amz-") or name in _SIGNED_HEADERS


def _payload(given: Mapping[str, str]) -> Payload:
    """How the body is signed: not at all, but a client may say its hash. Raises InvalidToken too.

    Framed bodies belong to version 4: their chunks need its keys, and botocore sends none with version 2.
    """
    if "x-amz-security-token" in given:
        raise signature_faults.InvalidToken()
    declared = given.get(scope.CONTENT_SHA256)
    if (declared or "").startswith("STREAMING-") or "x-amz-decoded-content-length" in given:
        raise signature_faults.UseV4AuthorizationMechanism(
            "Bodies in aws-chunked framing need a signature of version 4. Please use AWS4-HMAC-SHA256.")
    return PLAIN if declared is None else payloads.payload(declared, None)
