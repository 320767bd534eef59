"""Belief without proof: the access key names the user. A listener must ask for it by name.

Source: Alluxio's S3 proxy takes the access id between `Credential=` and the first `/`, and ignores the
signature; an empty one means the user that its server runs as (2.x S3 API, "Global request headers"). The
Python client of its documents, boto 2, signs with version 2: `AWS user:signature`.
"""

from __future__ import annotations

import re

from trivium.base import signature_faults
from trivium.s3.messages import Request
from trivium.s3.signing import payloads, scope
from trivium.s3.signing.claim import PLAIN, Claim, Payload
from trivium.services.access.users import ANONYMOUS, Users

_USER = re.compile(r"AWS4-HMAC-SHA256\s+(?:.*[,\s])?Credential=([^/,\s]*)/").match
_USER_OF_V2 = re.compile(r"AWS\s+([^:/,\s]*):\S*\Z").match
_DIGEST = re.compile(r"[0-9a-fA-F]{64}").fullmatch


def claim(request: Request, users: Users) -> Claim:
    """The user that the request names, else the listener's default user, else nobody.

    The account is the one that the configuration declares with that access key or name; else its canonical id
    and name are the user's name. Raises AuthorizationHeaderMalformed.
    """
    user = _user(request)
    if not user:
        return Claim(ANONYMOUS, payload=_payload(request))
    declared = users.find(user)
    account = declared.account if declared is not None else users.named(user)
    return Claim(account, user, _payload(request))


def _user(request: Request) -> str:
    authorization = request.headers.get("authorization")
    if authorization:
        match = _USER(authorization) or _USER_OF_V2(authorization)
        if match is None:
            raise signature_faults.AuthorizationHeaderMalformed()
        named = match[1]
    elif "X-Amz-Credential=" in request.query_string:
        named = request.query.get("X-Amz-Credential", "").partition("/")[0]
    else:
        named = request.query.get("AWSAccessKeyId", "") if "AWSAccessKeyId=" in request.query_string else ""
    return named or request.listener.default_user


def _payload(request: Request) -> Payload:
    declared = request.headers.get(scope.CONTENT_SHA256, "")
    if declared.startswith("STREAMING-") or "x-amz-decoded-content-length" in request.headers:
        return Payload(chunked=True, trailer=declared.endswith("-TRAILER"))
    return payloads.payload(declared, None) if _DIGEST(declared) else PLAIN
