"""The one function that decides whether somebody may do something."""

from __future__ import annotations

from trivium.base import faults
from trivium.services.access.users import ANONYMOUS, Account


def decide(account: Account, action: str, owner: str) -> None:
    """Raise AccessDenied unless the account may do `action` (`s3:GetObject`) in a bucket of `owner` (a canonical id).

    Today a bucket belongs to its owner alone; policies and ACLs will be asked here. Creating and listing one's own
    buckets has no owner yet: pass "".
    """
    if account.id == ANONYMOUS.id:
        raise faults.AnonymousAccessForbidden()
    if owner and account.id != owner:
        raise faults.AccessDenied()
