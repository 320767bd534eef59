"""Who asks: finds the signature of a request, has it checked, and says whose it is.

Theory of operation. A request carries at most one mechanism: an Authorization header (`header`), a presigned
query (`presigned`), or nothing. Each reads its parameters and hands method, path, query and headers in
canonical form (`canonical`) to the arithmetic of version 4 (`v4`); a signature of version 2 has rooms of its
own (`v2_claim`, `v2`). All of it is pure: the time is the request's own, and what is kept between requests
(signing keys, parsed credentials) depends on nothing but its key, in bounded caches.
"""

from __future__ import annotations

import re
from typing import Final

from trivium.base import signature_faults
from trivium.s3.messages import Request
from trivium.s3.signing import header, payloads, presigned, scope, simple, v2_claim
from trivium.s3.signing.claim import Claim
from trivium.services.access.users import ANONYMOUS, Users

NOBODY: Final = Claim(ANONYMOUS)

_V4 = "X-Amz-(?:Algorithm|Credential|Signature|SignedHeaders|Expires|Date)="
_V2 = "(?:AWSAccessKeyId|Signature)="
_PRESIGNED = re.compile(f"(?:^|&){_V4}").search
_VERSION_2 = re.compile(f"(?:^|&){_V2}").search
_EITHER = re.compile(f"(?:^|&)(?:{_V4}|{_V2})").search


def authenticate(request: Request, users: Users) -> Claim:
    """Who asks, and how the body is signed. Without credentials the claim is anonymous: it has no access key.

    Header values are taken as they arrived; a header that was sent twice is expected joined by `,`. Raises a
    fault for everything that is wrong with credentials: see `header`, `presigned`, `v2_claim`, `simple`;
    OnlyOneAuthMechanismAllowed; UseV4AuthorizationMechanism for version 2 at a listener that refuses it.
    """
    if request.listener.authentication == "simple":
        return simple.claim(request, users)
    query = request.query_string
    authorization = request.headers.get("authorization")
    if authorization:
        if query and _EITHER(query):
            raise signature_faults.OnlyOneAuthMechanismAllowed(
                ArgumentName="Authorization", ArgumentValue=authorization)
        if authorization.startswith("AWS ") and request.listener.signature_v2:
            return v2_claim.in_header(request, users, authorization)
        return header.claim(request, users, authorization)
    if query and _PRESIGNED(query):
        return presigned.claim(request, users)
    if query and _VERSION_2(query):
        if not request.listener.signature_v2:
            raise signature_faults.UseV4AuthorizationMechanism()
        return v2_claim.in_query(request, users)
    declared = request.headers.get(scope.CONTENT_SHA256)
    return NOBODY if declared is None else Claim(ANONYMOUS, payload=payloads.payload(declared, None))
