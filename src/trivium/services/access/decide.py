"""The one place that decides whether somebody may do something.

Theory of operation. A bucket's owner may do everything in it. Anybody else may do what the bucket's list
grants, and with an object what the object's own list grants; `_ASKS` says which permission of which list an
action asks for. What stands not in it is the owner's alone. An object belongs to who wrote it, so that in a
bucket that others were ever granted something in, the bucket's owner too asks the object's list before
reading it (ownership ObjectWriter).

`decide` judges by the bucket alone. It says whether entries and uploads are to be judged as well when they
are found: `decide_entry` and `decide_upload` do that. Source: Amazon S3 User Guide, "Access control list
(ACL) overview", "Mapping of ACL permissions and access policy permissions"; for uploads "Multipart upload and
permissions".
"""

from __future__ import annotations

from typing import Final

from trivium.base import faults
from trivium.base.faults import Fault
from trivium.buckets.acl import READ, READ_ACP, WRITE, WRITE_ACP, Acl, permits
from trivium.buckets.entry import Attributes
from trivium.buckets.record import OWNER_ENFORCED, BucketRecord
from trivium.services.access.users import ANONYMOUS, Account

_BUCKET: Final = "the bucket's list"
_OBJECT: Final = "the object's list"
_UPLOAD: Final = "nobody but the upload's initiator"
_ASKS: Final = {
    **dict.fromkeys(
        ("s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"), (_BUCKET, READ)),
    **dict.fromkeys(("s3:PutObject", "s3:DeleteObject"), (_BUCKET, WRITE)),
    "s3:GetBucketAcl": (_BUCKET, READ_ACP),
    "s3:PutBucketAcl": (_BUCKET, WRITE_ACP),
    **dict.fromkeys(("s3:GetObject", "s3:GetObjectVersion"), (_OBJECT, READ)),
    # "To use GetObjectAttributes, you must have READ access to the object" (API Reference)
    **dict.fromkeys(("s3:GetObjectAttributes", "s3:GetObjectVersionAttributes"), (_OBJECT, READ)),
    **dict.fromkeys(("s3:GetObjectAcl", "s3:GetObjectVersionAcl"), (_OBJECT, READ_ACP)),
    **dict.fromkeys(("s3:PutObjectAcl", "s3:PutObjectVersionAcl"), (_OBJECT, WRITE_ACP)),
    **dict.fromkeys(("s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"), (_UPLOAD, "")),
}
_OWNERS: Final = ("", "")  # what an action asks for that only the bucket's owner may do


def decide(account: Account, action: str, record: BucketRecord) -> bool:
    """Raise AccessDenied unless the account may do `action` (`s3:GetObject`) in the bucket, as far as that
    can be told.

    True: what is found in the bucket may be somebody else's, and is to be judged too.
    """
    if account.id == record.owner:
        return record.acl is not None and record.ownership != OWNER_ENFORCED
    of, permission = _ASKS.get(action, _OWNERS) if record.ownership != OWNER_ENFORCED else _OWNERS
    if of in (_OBJECT, _UPLOAD) or (of == _BUCKET and _granted(account, record.acl, permission)):
        return True
    raise denied(account)


def decide_outside(account: Account) -> None:
    """Raise AccessDenied unless the account may do what is about no bucket: list its own, make one."""
    if account.id == ANONYMOUS.id:
        raise denied(account)


def decide_entry(account: Account, action: str, record: BucketRecord, attributes: Attributes) -> None:
    """Raise AccessDenied unless the account may do `action`, which `decide` let pass, with an object."""
    of, permission = _ASKS.get(action, _OWNERS)
    if account.id == owner_of(attributes, record) or (of != _OBJECT and account.id == record.owner):
        return
    if of != _OBJECT or not _granted(account, attributes.acl, permission):
        raise denied(account)


def decide_upload(account: Account, action: str, record: BucketRecord, initiator: str) -> None:
    """Raise AccessDenied unless the account may do `action`, which `decide` let pass, with an upload in the
    bucket.

    Only who began it adds parts and completes it; the bucket's owner may look at it, and give it up.
    """
    if account.id != initiator and (account.id != record.owner or _ASKS.get(action, _OWNERS)[0] != _UPLOAD):
        raise denied(account)


def may_know(account: Account, record: BucketRecord, permission: str = READ) -> bool:
    """May the account be told that something is not there? Who may not list may not ask what is."""
    return account.id == record.owner or _granted(account, record.acl, permission)


def owner_of(attributes: Attributes, record: BucketRecord) -> str:
    """The canonical id of the object's owner: who wrote it, where anybody but the bucket's owner could."""
    if record.acl is None or record.ownership == OWNER_ENFORCED:
        return record.owner
    return attributes.owner or record.owner


def denied(account: Account, message: str = "") -> Fault:
    kind = faults.AnonymousAccessForbidden if account.id == ANONYMOUS.id else faults.AccessDenied
    return kind(message)


def _granted(account: Account, acl: Acl, permission: str) -> bool:
    return permits(acl, account.id, permission, anonymous=account.id == ANONYMOUS.id)
