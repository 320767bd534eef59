"""Who asks: finds the signature of a request, has it checked, and says whose it is.

Theory of operation. A request carries at most one mechanism: an Authorization header (`header`), a presigned
query (`presigned`), or nothing. Each reads its parameters and hands method, path, query and headers in
canonical form (`canonical`) to the arithmetic of version 4 (`v4`). All of it is pure: the time is the
request's own, and what is kept between requests (signing keys, parsed credentials) depends on nothing but its
key, in bounded caches.
"""

from __future__ import annotations

import re
from typing import Final

from trivium.base import faults
from trivium.s3.messages import Request
from trivium.s3.signing import header, payloads, presigned, scope, simple
from trivium.s3.signing.claim import Claim
from trivium.services.access.users import ANONYMOUS, Users

NOBODY: Final = Claim(ANONYMOUS)

_PRESIGNED = re.compile(r"(?:^|&)X-Amz-(?:Algorithm|Credential|Signature|SignedHeaders|Expires|Date)=").search
_VERSION_2 = re.compile(r"(?:^|&)(?:AWSAccessKeyId|Signature)=").search


def authenticate(request: Request, users: Users) -> Claim:
    """Who asks, and how the body is signed. Without credentials the claim is anonymous: it has no access key.

    Header values are taken as they arrived; a header that was sent twice is expected joined by `,`. Raises a
    fault for everything that is wrong with credentials: see `header`, `presigned`, `simple`; and
    OnlyOneAuthMechanismAllowed, UseV4AuthorizationMechanism for signatures of version 2.
    """
    if request.listener.authentication == "simple":
        return simple.claim(request, users)
    query = request.query_string
    in_query = _PRESIGNED(query) if query else None
    authorization = request.headers.get("authorization")
    if authorization:
        if in_query or (query and _VERSION_2(query)):
            raise faults.OnlyOneAuthMechanismAllowed(
                ArgumentName="Authorization", ArgumentValue=authorization
            )
        return header.claim(request, users, authorization)
    if in_query:
        return presigned.claim(request, users)
    if query and _VERSION_2(query):
        raise faults.UseV4AuthorizationMechanism()
    declared = request.headers.get(scope.CONTENT_SHA256)
    return NOBODY if declared is None else Claim(ANONYMOUS, payload=payloads.payload(declared, None))
