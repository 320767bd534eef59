"""Who may do what: the table of permissions, as AWS has it, and whose an object is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivium.base import faults
from trivium.base.faults import Fault
from trivium.buckets.acl import ALL_USERS, AUTHENTICATED_USERS, FULL_CONTROL, PERMISSIONS, READ, WRITE, Grant
from trivium.buckets.entry import Attributes
from trivium.buckets.record import OWNER_ENFORCED, BucketRecord
from trivium.s3.operations import load_all
from trivium.s3.registry import OPERATIONS
from trivium.services.access.decide import (
    decide,
    decide_entry,
    decide_outside,
    decide_upload,
    may_know,
    owner_of,
)
from trivium.services.access.users import ANONYMOUS, Account

load_all()
ACTIONS = sorted({
    action for one in OPERATIONS.values() for action in (one.allow, one.allow_version, one.allow_tags, one.source)
    if action and one.opens})
ALICE, BOB, CAROL = (Account(f"id-of-{name}", name) for name in ("alice", "bob", "carol"))
grants = st.builds(
    Grant, st.sampled_from([ALICE.id, BOB.id, CAROL.id, ALL_USERS, AUTHENTICATED_USERS]), st.sampled_from(PERMISSIONS))
acls = st.none() | st.lists(grants, max_size=4).map(tuple)
callers = st.sampled_from([ALICE, BOB, CAROL, ANONYMOUS])
actions = st.sampled_from(ACTIONS)
ownerships = st.sampled_from(["", "ObjectWriter", "BucketOwnerPreferred", "BucketOwnerEnforced"])


def bucket(acl=None, ownership=""):
    return BucketRecord(1, "bucket", "objects", ALICE.id, 0, acl=acl, ownership=ownership)


def allowed(decision, *facts) -> bool:
    try:
        decision(*facts)
    except Fault as fault:
        assert fault.kind.code == "AccessDenied"
        return False
    return True


def may(account, action, record, attributes=None) -> bool:
    """May the account do it in the bucket, with that object where it is about one?"""
    if not allowed(decide, account, action, record):
        return False
    return attributes is None or allowed(decide_entry, account, action, record, attributes)


@pytest.mark.parametrize(("permission", "actions"), [
    (READ, {"s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"}),
    (WRITE, {"s3:PutObject", "s3:DeleteObject"}),
    ("READ_ACP", {"s3:GetBucketAcl"}),
    ("WRITE_ACP", {"s3:PutBucketAcl"}),
])
def test_a_grant_on_a_bucket_permits_what_aws_says(permission, actions):
    waiting = {one for one in ACTIONS if may(BOB, one, bucket(()))}  # until it is known which object or upload
    granted = {one for one in ACTIONS if may(BOB, one, bucket((Grant(BOB.id, permission),)))}

    assert granted - waiting == actions


@pytest.mark.parametrize(("permission", "actions"), [
    (READ, {"s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectAttributes", "s3:GetObjectVersionAttributes"}),
    (WRITE, set()),
    ("READ_ACP", {"s3:GetObjectAcl", "s3:GetObjectVersionAcl"}),
    ("WRITE_ACP", {"s3:PutObjectAcl", "s3:PutObjectVersionAcl"}),
])
def test_a_grant_on_an_object_permits_what_aws_says(permission, actions):
    theirs = Attributes(owner=ALICE.id, acl=(Grant(BOB.id, permission),))

    assert {one for one in ACTIONS if may(BOB, one, bucket(), theirs)} == actions


def test_full_control_of_a_bucket_is_none_of_its_objects():
    record, theirs = bucket((Grant(BOB.id, FULL_CONTROL),)), Attributes(owner=ALICE.id)

    assert may(BOB, "s3:PutBucketAcl", record)
    assert not may(BOB, "s3:GetObject", record, theirs)
    assert not may(BOB, "s3:DeleteBucket", record)
    assert not may(BOB, "s3:DeleteObjectVersion", record)


def test_who_wrote_an_object_owns_it_and_the_bucket_s_owner_may_do_the_rest():
    record, theirs = bucket(()), Attributes(owner=BOB.id)

    assert may(BOB, "s3:GetObject", record, theirs)
    assert may(BOB, "s3:PutObjectAcl", record, theirs)
    assert not may(ALICE, "s3:GetObject", record, theirs)
    assert not may(ALICE, "s3:PutObjectAcl", record, theirs)
    assert may(ALICE, "s3:GetObjectTagging", record, theirs)
    assert may(ALICE, "s3:DeleteObjectVersion", record)


def test_with_ownership_enforced_all_is_the_bucket_s_owner_s():
    record = bucket((Grant(ALL_USERS, FULL_CONTROL),), OWNER_ENFORCED)
    theirs = Attributes(owner=BOB.id, acl=(Grant(ALL_USERS, FULL_CONTROL),))

    assert ALICE.id == owner_of(theirs, record)
    assert {one for one in ACTIONS if may(BOB, one, record, theirs)} == set()
    assert all(may(ALICE, one, record, theirs) for one in ACTIONS)


def test_the_owner_of_a_bucket_in_which_nobody_was_ever_granted_anything_is_not_watched():
    assert [False] == sorted({decide(ALICE, one, bucket()) for one in ACTIONS})
    assert [True] == sorted({decide(ALICE, one, bucket(())) for one in ACTIONS})


def test_nobody_makes_or_lists_buckets():
    assert not allowed(decide_outside, ANONYMOUS)
    assert allowed(decide_outside, BOB)


def test_who_is_anonymous_is_refused_by_a_fault_of_its_own():
    with pytest.raises(Fault) as raised:
        decide(ANONYMOUS, "s3:ListBucket", bucket())

    assert raised.value.kind is faults.AnonymousAccessForbidden


@pytest.mark.parametrize(("account", "action", "expected"), [
    (BOB, "s3:PutObject", True), (BOB, "s3:AbortMultipartUpload", True), (BOB, "s3:ListMultipartUploadParts", True),
    (ALICE, "s3:PutObject", False), (ALICE, "s3:AbortMultipartUpload", True), (ALICE, "s3:ListMultipartUploadParts", True),
    (CAROL, "s3:PutObject", False), (CAROL, "s3:AbortMultipartUpload", False), (CAROL, "s3:ListMultipartUploadParts", False),
    (ANONYMOUS, "s3:AbortMultipartUpload", False),
])
def test_an_upload_is_its_initiator_s_and_the_bucket_s_owner_may_give_it_up(account, action, expected):
    assert expected == allowed(decide_upload, account, action, bucket(()), BOB.id)


@given(callers, actions, acls, acls, st.sampled_from(["", ALICE.id, BOB.id]), ownerships)
def test_a_further_grant_takes_nothing_from_anybody(caller, action, acl, object_acl, owner, ownership):
    attributes = Attributes(owner=owner, acl=object_acl)
    more = Attributes(owner=owner, acl=(*(object_acl or ()), Grant(CAROL.id, READ)))
    before = may(caller, action, bucket(acl or (), ownership), attributes)

    assert not before or may(caller, action, bucket((*(acl or ()), Grant(CAROL.id, WRITE)), ownership), attributes)
    assert not before or may(caller, action, bucket(acl or (), ownership), more)


@given(callers, actions, acls, acls, st.sampled_from(["", ALICE.id, BOB.id]), ownerships)
def test_nobody_may_do_what_no_list_grants(caller, action, acl, object_acl, owner, ownership):
    record, attributes = bucket(acl, ownership), Attributes(owner=owner, acl=object_acl)
    mine = {caller.id, ALL_USERS, *(() if caller is ANONYMOUS else (AUTHENTICATED_USERS,))}
    named = any(grant.grantee in mine for grant in (*(acl or ()), *(object_acl or ())))
    owns = caller.id in (record.owner, owner_of(attributes, record))

    assert named or owns or not may(caller, action, record, attributes)


@given(callers, acls, ownerships)
def test_who_may_list_may_know(caller, acl, ownership):
    record = bucket(acl, ownership)

    assert not may(caller, "s3:ListBucket", record) or may_know(caller, record)
