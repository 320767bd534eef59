"""Access control lists: what canned names stand for, and whom a list permits what."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivium.buckets.acl import (
    ALL_USERS,
    AUTHENTICATED_USERS,
    CANNED,
    FULL_CONTROL,
    GROUPS,
    PERMISSIONS,
    READ,
    READ_ACP,
    WRITE,
    Grant,
    canned,
    explicit,
    permits,
)
from trivium.buckets.entry import ENTRIES, Attributes, Entry
from trivium.buckets.record import BUCKETS, BucketRecord

ACCOUNTS = ("alice", "bob", "carol")
accounts = st.sampled_from(ACCOUNTS)
permissions = st.sampled_from(PERMISSIONS)
grants = st.builds(Grant, st.sampled_from([*ACCOUNTS, *sorted(GROUPS)]), permissions)
acls = st.none() | st.lists(grants, max_size=6).map(tuple)


@pytest.mark.parametrize(("name", "anybody", "somebody"), [
    ("private", [], []),
    ("public-read", [READ], [READ]),
    ("public-read-write", [READ, WRITE], [READ, WRITE]),
    ("authenticated-read", [], [READ]),
    ("aws-exec-read", [], []),
    ("log-delivery-write", [], []),
    ("bucket-owner-read", [], []),
    ("bucket-owner-full-control", [], []),
])
def test_a_canned_list_permits_strangers_what_its_name_says(name, anybody, somebody):
    acl = canned(name, "alice", "alice")

    assert anybody == [one for one in PERMISSIONS if permits(acl, "nobody", one, anonymous=True)]
    assert somebody == [one for one in PERMISSIONS if permits(acl, "bob", one, anonymous=False)]


def test_the_owner_of_a_bucket_may_be_granted_what_others_put_there():
    assert (Grant("bob", FULL_CONTROL), Grant("alice", READ)) == canned("bucket-owner-read", "bob", "alice")
    assert (Grant("bob", FULL_CONTROL), Grant("alice", FULL_CONTROL)) == canned(
        "bucket-owner-full-control", "bob", "alice")


def test_no_list_is_the_owners_alone_and_an_empty_one_is_nobodys():
    assert (Grant("alice", FULL_CONTROL),) == explicit(None, "alice")
    assert () == explicit((), "alice")


@given(st.sampled_from(sorted(CANNED)), accounts, accounts)
def test_a_canned_list_always_permits_its_owner_everything(name, owner, bucket_owner):
    acl = explicit(canned(name, owner, bucket_owner), owner)

    assert all(permits(acl, owner, one, anonymous=False) for one in PERMISSIONS)


@given(acls, accounts, permissions)
def test_a_list_permits_what_some_grant_of_it_says(acl, account, permission):
    mine = [one.permission for one in acl or () if one.grantee in (account, ALL_USERS, AUTHENTICATED_USERS)]

    assert permits(acl, account, permission, anonymous=False) == (permission in mine or FULL_CONTROL in mine)


@given(acls, accounts, permissions)
def test_an_anonymous_caller_is_permitted_what_all_users_are_and_never_more_than_a_known_one(acl, account, permission):
    to_all = tuple(one for one in acl or () if one.grantee == ALL_USERS)
    anonymous = permits(acl, "nobody", permission, anonymous=True)

    assert anonymous == permits(to_all, account, permission, anonymous=False)
    assert permits(acl, account, permission, anonymous=False) or not anonymous


@given(acls, grants, accounts, permissions)
def test_a_further_grant_takes_nothing_away(acl, grant, account, permission):
    before = permits(acl, account, permission, anonymous=False)

    assert permits((*(acl or ()), grant), account, permission, anonymous=False) or not before


@given(acls, accounts)
def test_showing_a_list_changes_nothing_but_its_order(acl, owner):
    shown = explicit(acl, owner)

    assert sorted(map(repr, shown)) == sorted(map(repr, acl)) if acl is not None else shown
    assert [one.grantee in GROUPS for one in shown] == sorted((one.grantee in GROUPS for one in shown), reverse=True)


@given(acls)
def test_lists_survive_being_stored(acl):
    entry = Entry("key", 1, 2, 3, "etag", attributes=Attributes(owner="alice", acl=acl))
    record = BucketRecord(1, "bucket", "objects", "alice", 2, acl=acl, ownership="ObjectWriter")

    assert entry == ENTRIES.decode(ENTRIES.encode(entry))
    assert record == BUCKETS.decode(BUCKETS.encode(record))


def test_rows_that_were_written_before_there_were_lists_are_private():
    entry = Entry("key", 1, 2, 3, "etag", attributes=Attributes("text/plain", owner="alice"))
    record = BucketRecord(1, "bucket", "objects", "alice", 2, "Enabled")
    older_record = msgspec.msgpack.encode([1, "bucket", "objects", "alice", 2, "Enabled", "", {}])
    older_entry = msgspec.msgpack.encode(
        ["key", 1, 2, 3, "etag", "null", False, ["text/plain", {}, {}, {}, "STANDARD", "", "alice"], None, None, 0])

    assert entry == ENTRIES.decode(b"\x01" + older_entry)
    assert record == BUCKETS.decode(b"\x01" + older_record)


def test_a_permission_to_read_is_none_to_read_the_list():
    assert not permits((Grant("bob", READ),), "bob", READ_ACP, anonymous=False)
