"""A signature in the Authorization header.

Source: Amazon S3 API Reference, "Authenticating Requests: Using the Authorization Header (AWS Signature
Version 4)"; where that is silent, the faults are what S3 was seen to answer, as other servers' tests recorded
it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from trivium.base import signature_faults
from trivium.s3.messages import Request
from trivium.s3.signing import canonical, payloads, scope, v4
from trivium.s3.signing.claim import ChunkSigning, Claim, Payload
from trivium.s3.signing.scope import Signed
from trivium.services.access.users import Credential, Users

_SIGNATURE = "Signature="
_ANY_SIGNATURE = _SIGNATURE + "0" * v4.SIGNATURE_CHARS


def claim(request: Request, users: Users, authorization: str) -> Claim:
    """Who signed the request. Raises the fault that says what is wrong: header, date, hash or signature."""
    given = request.headers
    signed, signature = read(authorization)
    date = _date(given, signed, at_ms=request.at_ms)
    declared = given.get(scope.CONTENT_SHA256)
    if declared is None:
        raise signature_faults.MissingContentSha256()
    if "x-amz-security-token" in given:
        raise signature_faults.InvalidToken()
    who = v4.credential(users, signed.access_key)
    query = canonical.query(request.query_string) if request.query_string else ""
    v4.check(request, who, signed, date, query, declared, signature)
    return Claim(who.account, signed.access_key, payload(declared, who, signed, date, signature))


def payload(declared: str, who: Credential, signed: Signed, date: str, signature: str) -> Payload:
    """How the body is signed; the signatures of its chunks are chained to that of the request."""
    known = payloads.WITHOUT_KEY.get(declared)
    if known is not None or declared not in payloads.SIGNED:
        return known or payloads.payload(declared, None)
    key = v4.signing_key(who.secret_key, signed.date, signed.region)
    return payloads.payload(declared, ChunkSigning(key, date, signed.scope, signature, signed.access_key))


def read(authorization: str) -> tuple[Signed, str]:
    """What the header says, and the signature. The rest is the same for a client's whole day: it is kept."""
    head, found, signature = authorization.rpartition(_SIGNATURE)
    if found and len(signature) == v4.SIGNATURE_CHARS and len(head) <= v4.MAX_CACHED_CHARS:
        return _read_head(head), signature
    return _read(authorization)


@lru_cache(maxsize=1024)
def _read_head(head: str) -> Signed:
    return _read(head + _ANY_SIGNATURE)[0]


def _read(authorization: str) -> tuple[Signed, str]:
    mechanism, space, rest = authorization.partition(" ")
    if not space:
        raise signature_faults.AuthorizationHeaderNeedsOneSpace(
            ArgumentName="Authorization", ArgumentValue=authorization)
    if mechanism == "AWS" or (mechanism.startswith("AWS4-") and mechanism != v4.ALGORITHM):
        raise signature_faults.UseV4AuthorizationMechanism()
    if mechanism != v4.ALGORITHM:
        raise signature_faults.UnsupportedAuthorizationType(
            ArgumentName="Authorization", ArgumentValue=authorization)
    components = [component.strip() for component in rest.split(",")]
    if len(components) != 3:
        raise signature_faults.AuthorizationHeaderRequiresThreeComponents()
    found: dict[str, str] = {}
    for component in components:
        name, equals, value = component.partition("=")
        if not equals:
            what = f'the authorization component "{component}" is malformed.'
            raise signature_faults.AuthorizationComponentMalformed(
                f"The authorization header is malformed; {what}")
        found[name] = value
    for name, kind in _COMPONENTS:
        if name not in found:
            raise kind()
    return scope.read(found["Credential"], found["SignedHeaders"], scope.IN_HEADER), found["Signature"]


_COMPONENTS = (
    ("Credential", signature_faults.MissingAuthorizationCredential),
    ("SignedHeaders", signature_faults.MissingAuthorizationSignedHeaders),
    ("Signature", signature_faults.MissingAuthorizationSignature),
)


def _date(given: Mapping[str, str], signed: Signed, *, at_ms: int) -> str:
    """When the request was signed: x-amz-date, else Date, which may also be of RFC 1123's form."""
    text = given.get("x-amz-date") or given.get("date") or ""
    ms = v4.checked_ms(text, at_ms=at_ms)
    date = text if text.endswith("Z") else v4.amz_date(ms)
    if not date.startswith(signed.date):
        raise signature_faults.CredentialDateNotSameAsXamzDate()
    return date
