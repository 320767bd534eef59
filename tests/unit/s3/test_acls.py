"""Access control lists on the wire: headers and documents in, documents out."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.s3.requests_for_tests import request
from trivium.base import faults
from trivium.base.faults import Fault
from trivium.buckets.acl import (
    ALL_USERS,
    FULL_CONTROL,
    GROUPS,
    MAX_GRANTS,
    PERMISSIONS,
    READ,
    WRITE,
    Grant,
    explicit,
)
from trivium.buckets.entry import Attributes
from trivium.buckets.record import BucketRecord
from trivium.s3.acls import (
    ACL_HEADERS,
    AccessControlPolicy,
    Granted,
    Grantee,
    GrantElement,
    Owner,
    acl_of,
    granted,
    policy_of,
    read_policy,
    with_acl,
)
from trivium.s3.xml import write
from trivium.s3.xml_reading import read
from trivium.services.access.users import Account, Credential, Users

ACCOUNTS = [
    Account("id-of-alice", "Alice", "alice@example.com"), Account("id-of-bob", "Bob", "both@example.com"),
    Account("id-of-carol", "Carol", "Both@Example.com"), Account("id-of-dave", "Dave"),
]
USERS = Users(Credential(one.name, "secret", one) for one in ACCOUNTS)
ALICE = "id-of-alice"
XMLNS = "http://s3.amazonaws.com/doc/2006-03-01/"
grants = st.builds(
    Grant, st.sampled_from([*(one.id for one in ACCOUNTS), *sorted(GROUPS)]), st.sampled_from(PERMISSIONS))


def said(**headers) -> Granted:
    return granted(request(headers={name.replace("_", "-"): value for name, value in headers.items()}))


def refused(kind, work, *facts) -> bool:
    with pytest.raises(Fault) as raised:
        work(*facts)
    return raised.value.kind is kind


@pytest.mark.parametrize(("text", "expected"), [
    ("id=a", [("id", "a")]),
    ('id="a"', [("id", "a")]),
    ('id="a, b", uri=c', [("id", "a, b"), ("uri", "c")]),
    (' ID = a ,emailaddress="x@y" ', [("id", "a"), ("emailaddress", "x@y")]),
    ("id=a,id=b,", [("id", "a"), ("id", "b")]),
    ("", []),
])
def test_a_header_names_grantees(text, expected):
    assert [(READ, *one) for one in expected] == list(said(x_amz_grant_read=text).grants)


@pytest.mark.parametrize("text", ["a", "id", "name=a", 'id="a', "id=a b", 'id="a"b', ",", 'id=a"b"'])
def test_a_header_that_names_nobody_is_refused(text):
    assert refused(faults.ACPIInvalidArgumentFormat, lambda: said(x_amz_grant_read=text))


def test_grants_are_kept_in_the_same_order_whatever_the_order_of_headers():
    names = [header for header in ACL_HEADERS if "grant" in header]
    headers = dict.fromkeys(reversed(names), "id=a")

    assert ["READ", "WRITE", "READ_ACP", "WRITE_ACP", "FULL_CONTROL"] == [
        one[0] for one in granted(request(headers=headers)).grants]


def test_more_grants_than_a_list_may_have_are_refused_before_anybody_is_looked_up():
    many = ",".join(["id=nobody"] * (MAX_GRANTS + 1))
    elements = (GrantElement(Grantee(id="nobody"), READ),) * (MAX_GRANTS + 1)

    assert refused(faults.ACPTooManyGrants, lambda: said(x_amz_grant_read=many))
    assert refused(faults.ACPTooManyGrants, read_policy, AccessControlPolicy(Owner(ALICE), elements), ALICE, USERS)


@pytest.mark.parametrize(("name", "kind"), [
    ("emailaddress", faults.AmbiguousGrantByEmailAddress), ("id", faults.ACPIInvalidID), ("uri", faults.ACPIInvalidGroupURI)])
def test_a_name_that_is_several_s_or_nobody_s_is_no_grantee(name, kind):
    assert refused(kind, acl_of, Granted(grants=((READ, name, "both@example.com"),)), ALICE, ALICE, USERS)


@pytest.mark.parametrize("email", ["", "nobody@example.com"])
def test_an_address_that_nobody_has_is_no_grantee(email):
    kind = faults.UnresolvableGrantByEmailAddress

    assert refused(kind, acl_of, Granted(grants=((READ, "emailaddress", email),)), ALICE, ALICE, USERS)


def test_nobody_is_no_grantee():
    nobody = Granted(grants=((READ, "id", "65a011a29cdf8ec533ec3d1ccaae921c"),))

    assert refused(faults.ACPIInvalidID, acl_of, nobody, ALICE, ALICE, USERS)


@pytest.mark.parametrize("grantee", [
    Grantee("CanonicalUser", id="id-of-bob"), Grantee(id="id-of-bob"), Grantee("CanonicalUser", "id-of-bob", "Whoever"),
    Grantee("CanonicalUser", id="id-of-bob", email_address="nobody@example.com")])
def test_a_document_s_grantee_is_who_its_type_or_what_it_says_names(grantee):
    policy = AccessControlPolicy(Owner(ALICE), (GrantElement(grantee, READ),))

    assert (Grant("id-of-bob", READ),) == read_policy(policy, ALICE, USERS)


@pytest.mark.parametrize("policy", [
    AccessControlPolicy(),
    AccessControlPolicy(Owner(ALICE)),
    AccessControlPolicy(None, ()),
    AccessControlPolicy(Owner(), ()),
    AccessControlPolicy(Owner(ALICE), (GrantElement(),)),
    AccessControlPolicy(Owner(ALICE), (GrantElement(Grantee(id=ALICE)),)),
    AccessControlPolicy(Owner(ALICE), (GrantElement(Grantee(id=ALICE), "read"),)),
    AccessControlPolicy(Owner(ALICE), (GrantElement(Grantee(), READ),)),
    AccessControlPolicy(Owner(ALICE), (GrantElement(Grantee("Group", id=ALICE), READ),)),
    AccessControlPolicy(Owner(ALICE), (GrantElement(Grantee("Robot", id=ALICE), READ),)),
])
def test_a_document_that_leaves_something_out_is_refused(policy):
    assert refused(faults.MalformedACLError, read_policy, policy, ALICE, USERS)


def test_a_document_does_not_change_the_owner():
    assert refused(faults.AccessDenied, read_policy, AccessControlPolicy(Owner("id-of-bob"), ()), ALICE, USERS)


@given(st.lists(grants, max_size=MAX_GRANTS).map(tuple))
def test_a_list_that_is_shown_can_be_put_again(acl):
    shown = write("AccessControlPolicy", policy_of(acl, ALICE, USERS), xmlns=XMLNS)

    assert explicit(acl, ALICE) == read_policy(read("AccessControlPolicy", AccessControlPolicy, shown), ALICE, USERS)


@given(st.dictionaries(st.sampled_from(ACL_HEADERS), st.text(max_size=40)))
def test_whatever_headers_say_is_read_or_refused(headers):
    try:
        acl_of(granted(request(headers=headers)), ALICE, ALICE, USERS)
    except Fault as fault:
        assert fault.kind.status == 400


@pytest.mark.parametrize("text", ["id=" + " " * 60_000 + "x y", " " * 60_000 + "x", "id=a," * 12_000, 'id="' * 15_000])
def test_a_long_header_is_read_in_little_time(text):
    began = time.perf_counter()
    assert refused(faults.ACPIInvalidArgumentFormat, lambda: said(x_amz_grant_read=text)) or text.startswith("id=a,")

    assert time.perf_counter() - began < 1


@pytest.mark.parametrize(("ownership", "name", "owner", "acl"), [
    ("", "bucket-owner-full-control", "id-of-bob", (Grant("id-of-bob", FULL_CONTROL), Grant(ALICE, FULL_CONTROL))),
    ("ObjectWriter", "private", "id-of-bob", None),
    ("BucketOwnerPreferred", "bucket-owner-full-control", ALICE, None),
    ("BucketOwnerPreferred", "bucket-owner-read", "id-of-bob", (Grant("id-of-bob", FULL_CONTROL), Grant(ALICE, READ))),
    ("BucketOwnerEnforced", "bucket-owner-full-control", "id-of-bob", None),
])
def test_an_object_is_whose_the_bucket_s_ownership_says(ownership, name, owner, acl):
    record = BucketRecord(1, "bucket", "objects", ALICE, 0, acl=(Grant(ALL_USERS, WRITE),), ownership=ownership)
    attributes = with_acl(Attributes(owner="id-of-bob"), Granted(name), record, USERS)

    assert (owner, acl) == (attributes.owner, attributes.acl)
