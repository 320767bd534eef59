"""Access control lists: who else may do what with a bucket or an object. Pure.

Theory of operation. A list is a tuple of grants, each of one permission to one account, by its canonical id,
or to one group, by its URI. No list at all (None) means private: only the owner, who has FULL_CONTROL. A list
that grants nothing to anybody says so with an empty tuple. What an owner may do regardless of the list is
decided by who asks `permits`. Source: Amazon S3 User Guide, "Access control list (ACL) overview".
"""

from __future__ import annotations

from typing import Final

import msgspec

READ: Final = "READ"
WRITE: Final = "WRITE"
READ_ACP: Final = "READ_ACP"
WRITE_ACP: Final = "WRITE_ACP"
FULL_CONTROL: Final = "FULL_CONTROL"
PERMISSIONS: Final = (READ, WRITE, READ_ACP, WRITE_ACP, FULL_CONTROL)

ALL_USERS: Final = "http://acs.amazonaws.com/groups/global/AllUsers"
AUTHENTICATED_USERS: Final = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
LOG_DELIVERY: Final = "http://acs.amazonaws.com/groups/s3/LogDelivery"
GROUPS: Final = frozenset({ALL_USERS, AUTHENTICATED_USERS, LOG_DELIVERY})

# Amazon S3 User Guide, "Access control list (ACL) overview": "An ACL can have up to 100 grants"
MAX_GRANTS: Final = 100


class Grant(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One permission. The grantee is a canonical id or the URI of a group."""

    grantee: str
    permission: str


Acl = tuple[Grant, ...] | None

PRIVATE: Final = "private"
BUCKET_OWNER_READ: Final = "bucket-owner-read"
BUCKET_OWNER_FULL_CONTROL: Final = "bucket-owner-full-control"
# What canned lists grant to groups beside the owner's FULL_CONTROL (User Guide, "Canned ACL"). Nobody here is
# Amazon EC2.
_TO_GROUPS: Final[dict[str, tuple[Grant, ...]]] = {
    PRIVATE: (),
    "public-read": (Grant(ALL_USERS, READ),),
    "public-read-write": (Grant(ALL_USERS, READ), Grant(ALL_USERS, WRITE)),
    "authenticated-read": (Grant(AUTHENTICATED_USERS, READ),),
    "aws-exec-read": (),
    "log-delivery-write": (Grant(LOG_DELIVERY, WRITE), Grant(LOG_DELIVERY, READ_ACP)),
}
_TO_BUCKET_OWNER: Final = {BUCKET_OWNER_READ: READ, BUCKET_OWNER_FULL_CONTROL: FULL_CONTROL}
CANNED: Final = frozenset({*_TO_GROUPS, *_TO_BUCKET_OWNER})


def canned(name: str, owner: str, bucket_owner: str) -> Acl:
    """The list that this name, one of `CANNED`, stands for, of something that `owner` owns.

    For a bucket both owners are the same, and the names that grant to the bucket's owner mean private.
    """
    if name in _TO_BUCKET_OWNER:
        extra = () if owner == bucket_owner else (Grant(bucket_owner, _TO_BUCKET_OWNER[name]),)
        return (Grant(owner, FULL_CONTROL), *extra) if extra else None
    return (*_TO_GROUPS[name], Grant(owner, FULL_CONTROL)) if _TO_GROUPS[name] else None


def explicit(acl: Acl, owner: str) -> tuple[Grant, ...]:
    """The grants of a list, with what None stands for; those to groups first."""
    if acl is None:
        return (Grant(owner, FULL_CONTROL),)
    return tuple(sorted(acl, key=lambda grant: grant.grantee not in GROUPS))


def permits(acl: Acl, account: str, permission: str, *, anonymous: bool) -> bool:
    """Does the list grant the permission to the account of this canonical id?

    FULL_CONTROL includes every permission. Everybody is one of AllUsers, whoever is not anonymous one of
    AuthenticatedUsers too. Who owns what the list is of is not asked here.
    """
    if acl is None:
        return False
    names = (account, ALL_USERS) if anonymous else (account, ALL_USERS, AUTHENTICATED_USERS)
    return any(grant.grantee in names and grant.permission in (permission, FULL_CONTROL) for grant in acl)
