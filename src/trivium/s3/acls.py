"""Access control lists as the wire carries them: a document, a canned name, or grants in headers.

Theory of operation. What a request says is read before anybody knows whose the thing is that it speaks of:
that is `Granted`. `acl_of` makes the list of it, when the owner is known. Source: Amazon S3 User Guide,
"Access control list (ACL) overview"; API Reference, PutBucketAcl and PutObjectAcl.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Final

import msgspec
from msgspec.structs import replace

from trivium.base import faults
from trivium.buckets.acl import (
    BUCKET_OWNER_FULL_CONTROL,
    CANNED,
    FULL_CONTROL,
    GROUPS,
    MAX_GRANTS,
    PERMISSIONS,
    READ,
    READ_ACP,
    WRITE,
    WRITE_ACP,
    Acl,
    Grant,
    canned,
    explicit,
)
from trivium.buckets.entry import Attributes
from trivium.buckets.record import OWNER_ENFORCED, OWNER_PREFERRED, BucketRecord
from trivium.s3.messages import Request
from trivium.s3.xml import TYPE, Shape, element
from trivium.services.access.users import Users

_CANNED: Final = "x-amz-acl"
_GRANTS: Final = {  # in the order in which they are kept
    "x-amz-grant-read": READ, "x-amz-grant-write": WRITE, "x-amz-grant-read-acp": READ_ACP,
    "x-amz-grant-write-acp": WRITE_ACP, "x-amz-grant-full-control": FULL_CONTROL,
}
ACL_HEADERS: Final = (_CANNED, *_GRANTS)
_GRANTEE: Final = re.compile(
    r'\s*(id|uri|emailAddress)\s*=\s*(?:"([^"]*)"|([^",\s]*))\s*', re.ASCII | re.IGNORECASE)
_ID, _URI, _EMAIL = "id", "uri", "emailaddress"
_TYPES: Final = {"CanonicalUser": _ID, "Group": _URI, "AmazonCustomerByEmail": _EMAIL}


class Owner(Shape, frozen=True):
    """Whose the thing is. A client need not say the name."""

    id: str | None = None
    display_name: str | None = None


class Grantee(Shape, frozen=True):
    """To whom. Clients that leave out the type are understood by what else they say."""

    type: Annotated[str | None, TYPE] = None
    id: str | None = None
    display_name: str | None = None
    email_address: str | None = None
    uri: Annotated[str | None, element("URI")] = None


class GrantElement(Shape, frozen=True):
    """One grant."""

    grantee: Grantee | None = None
    permission: str | None = None


class AccessControlPolicy(Shape, frozen=True):
    """The whole list, and whose the thing is. What a client leaves out is a fault of its own."""

    owner: Owner | None = None
    grants: Annotated[tuple[GrantElement, ...] | None, element("Grant", wrapper="AccessControlList")] = None


class Granted(msgspec.Struct, frozen=True):
    """What a request's headers say: a canned name, or else grants to grantees as named, by kind and value."""

    canned: str = ""
    grants: tuple[tuple[str, str, str], ...] = ()  # permission, kind of name, name


def granted(request: Request) -> Granted:
    """What the headers say. Raises ACPCannedACLAndGrantHeader where both ways are used, ACPTooManyGrants, and
    ACPIInvalidCannedACL or ACPIInvalidArgumentFormat for what cannot be read.
    """
    headers = request.headers
    name = headers.get(_CANNED)
    grants = [
        (permission, *grantee) for header, permission in _GRANTS.items() if header in headers
        for grantee in _grantees(headers[header], header)]
    if name is None:
        _check_number(len(grants))
        return Granted(grants=tuple(grants))
    if any(header in headers for header in _GRANTS):
        raise faults.ACPCannedACLAndGrantHeader()
    if name not in CANNED:
        raise faults.ACPIInvalidCannedACL(ArgumentName=_CANNED, ArgumentValue=name)
    return Granted(name)


def _grantees(text: str, header: str) -> Iterator[tuple[str, str]]:
    """The grantees of a header: `id="…", uri="…", emailAddress="…"`, in any order and number."""
    at = 0
    while at < len(text):
        match = _GRANTEE.match(text, at)
        if match is None or text[match.end() : match.end() + 1] not in ("", ","):
            raise faults.ACPIInvalidArgumentFormat(ArgumentName=header, ArgumentValue=text)
        yield match[1].lower(), match[2] if match[2] is not None else match[3]
        at = match.end() + 1


def acl_of(said: Granted, owner: str, bucket_owner: str, users: Users) -> Acl:
    """The list of what `owner` owns in a bucket of `bucket_owner`. Raises the faults of unknown grantees."""
    if said.canned:
        return canned(said.canned, owner, bucket_owner)
    return tuple(Grant(_resolved(kind, name, users), permission) for permission, kind, name in said.grants)


def read_policy(policy: AccessControlPolicy, owner: str, users: Users) -> Acl:
    """The list that a document says. Raises MalformedACLError, ACPTooManyGrants, AccessDenied when it names
    another owner than there is, and the faults of grantees that are nobody.
    """
    if policy.owner is None or policy.owner.id is None or policy.grants is None:
        raise faults.MalformedACLError()
    if policy.owner.id != owner:
        raise faults.AccessDenied()
    _check_number(len(policy.grants))
    return tuple(_read_grant(one, users) for one in policy.grants)


def _read_grant(given: GrantElement, users: Users) -> Grant:
    if given.grantee is None or given.permission not in PERMISSIONS:
        raise faults.MalformedACLError()
    names = {_ID: given.grantee.id, _URI: given.grantee.uri, _EMAIL: given.grantee.email_address}
    said = [kind for kind, name in names.items() if name is not None]
    kind = _TYPES.get(given.grantee.type) if given.grantee.type is not None else said[0] if said else None
    name = names[kind] if kind is not None else None
    if kind is None or name is None:
        raise faults.MalformedACLError()
    return Grant(_resolved(kind, name, users), given.permission)


def _resolved(kind: str, name: str, users: Users) -> str:
    """The grantee, as it is kept: a canonical id or the URI of a group."""
    if kind == _EMAIL:
        found = users.with_email(name)
        if len(found) != 1:
            unclear = faults.AmbiguousGrantByEmailAddress if found else faults.UnresolvableGrantByEmailAddress
            raise unclear(EmailAddress=name)
        return found[0].id
    if kind == _URI and name not in GROUPS:
        raise faults.ACPIInvalidGroupURI(ArgumentName="Group/URI", ArgumentValue=name)
    if kind == _ID and not users.declared(name):
        raise faults.ACPIInvalidID(ArgumentName="CanonicalUser/ID", ArgumentValue=name)
    return name


def policy_of(acl: Acl, owner: str, users: Users) -> AccessControlPolicy:
    """The list as a document."""
    account = users.account(owner)
    return AccessControlPolicy(
        Owner(account.id, account.name), tuple(_shown(grant, users) for grant in explicit(acl, owner)))


def _shown(grant: Grant, users: Users) -> GrantElement:
    if grant.grantee in GROUPS:
        return GrantElement(Grantee("Group", uri=grant.grantee), grant.permission)
    account = users.account(grant.grantee)
    return GrantElement(Grantee("CanonicalUser", account.id, account.name), grant.permission)


def with_acl(attributes: Attributes, said: Granted, record: BucketRecord, users: Users) -> Attributes:
    """The attributes of a new object in the bucket, with the list that its writer gives it.

    Raises AccessControlListNotSupported where lists count for nothing, unless it is the one that changes
    nothing.
    """
    given_away = said.canned == BUCKET_OWNER_FULL_CONTROL
    if record.ownership == OWNER_ENFORCED:
        if not given_away:
            raise faults.AccessControlListNotSupported()
        return attributes
    if given_away and record.ownership == OWNER_PREFERRED:
        return replace(attributes, owner=record.owner)
    return replace(attributes, acl=acl_of(said, attributes.owner, record.owner, users))


def check_ownership(acl: Acl, owner: str, ownership: str) -> None:
    """Raise InvalidBucketAclWithObjectOwnership unless a bucket with that ownership may have that list."""
    if ownership == OWNER_ENFORCED and any(grant.grantee != owner for grant in acl or ()):
        raise faults.InvalidBucketAclWithObjectOwnership()


def _check_number(grants: int) -> None:
    if grants > MAX_GRANTS:
        raise faults.ACPTooManyGrants(f"An ACL can have up to {MAX_GRANTS} grants.")
