"""Routing: every sub-resource is its own action or NotImplemented, and never a plain request."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.s3.requests_for_tests import request
from trivium.base import faults
from trivium.base.faults import Fault
from trivium.s3.messages import BUCKET, OBJECT, SERVICE, Target
from trivium.s3.operations import load_all
from trivium.s3.registry import OPERATIONS, REFUSED, operation, refuse, route

load_all()
TARGETS = {SERVICE: Target(SERVICE), BUCKET: Target(BUCKET, "b"), OBJECT: Target(OBJECT, "b", "k")}
ROWS = {name: (one.method, one.target, one.selectors) for name, one in OPERATIONS.items()} | REFUSED
SELECTORS = {one for _, _, selectors in ROWS.values() for one in selectors}
KEYS = sorted({one.partition("=")[0] for one in SELECTORS if not one.startswith("header:")})
HEADERS = sorted(one.removeprefix("header:") for one in SELECTORS if one.startswith("header:"))
ADDRESSES = ("uploadId", "partNumber", "versionId")  # say what a request is about
METHODS = ("GET", "PUT", "POST", "DELETE", "HEAD", "PATCH", "OPTIONS")
MISPLACED = {
    faults.UploadsExpectsNoKey, faults.NoVersionsStatusForKey, faults.NoLoggingStatusForKey,
    faults.RequestTorrentOfBucketError,
}
NOT_IMPLEMENTED, NOT_ALLOWED = "NotImplemented", "MethodNotAllowed"
Pair = tuple[str, str | None]


def routed(method: str, kind: str, query: list[Pair] = [], headers: tuple[str, ...] = ()) -> str:  # noqa: B006 - never changed
    """The action's name, or the fault's."""
    text = "&".join(key if value is None else f"{key}={value}" for key, value in query)
    try:
        return route(request(method, query=text, headers=dict.fromkeys(headers, "x")), TARGETS[kind]).name
    except Fault as fault:
        if fault.kind is faults.BadOptionsRequest and method == "OPTIONS":
            return NOT_ALLOWED  # no action either; a browser is told why in words of its own
        if fault.kind in MISPLACED:
            return NOT_IMPLEMENTED  # no action here either, but S3 says where there is one
        return fault.kind.code


def naive(method: str, kind: str, query: list[Pair], headers: tuple[str, ...]) -> str:
    """What route promises, said slowly: no tables but the declarations, nothing remembered."""
    cell = {
        selectors: name for name, (one, target, selectors) in ROWS.items() if (one, target) == (method, kind)
    }
    if not cell:
        return NOT_ALLOWED
    local = {one for selectors in cell for one in selectors}
    read = {one for name in cell.values() if name in OPERATIONS for one in OPERATIONS[name].reads}
    asked: set[str] = set()
    for key, value in dict(reversed(query)).items():
        if key in local:
            asked.add(key)
        elif any(one.startswith(key + "=") for one in local):
            asked.add(f"{key}={value or ''}")
        elif key not in ADDRESSES and key not in read and (key in SELECTORS or not value):
            asked.add(key)
    asked |= {"header:" + name for name in headers if "header:" + name in local}
    name = cell.get(frozenset(asked))
    if name in OPERATIONS:
        stray = [one for one in ADDRESSES if one in dict(query) and one not in OPERATIONS[name].reads]
        return refusal(kind, OPERATIONS[name].selectors, stray[0]) if stray else str(name)
    return NOT_ALLOWED if not asked and name is None else NOT_IMPLEMENTED


def refusal(kind: str, selectors: frozenset[str], stray: str) -> str:
    """The code for a parameter that addresses what the action is not about."""
    if stray == "versionId":
        return "InvalidArgument"
    if kind != OBJECT:
        return "InvalidRequest"
    return "InvalidArgument" if any(not one.startswith("header:") for one in selectors) else NOT_ALLOWED


VALUES = st.none() | st.sampled_from(["", "1", "2", "x"])
QUERIES = st.lists(
    st.tuples(st.sampled_from([*KEYS, "prefix", "marker", "max-keys", "x-id", "unknown", "frobnicate"]), VALUES),
    max_size=3,
    unique_by=lambda pair: pair[0],
)
ANY_HEADERS = st.sets(st.sampled_from([*HEADERS, "range", "x-amz-meta-a"])).map(
    lambda names: tuple(sorted(names))
)


@given(st.sampled_from(METHODS), st.sampled_from(sorted(TARGETS)), QUERIES, ANY_HEADERS)
def test_routes_are_what_the_declarations_say_whatever_was_asked_before(
    method: str,
    kind: str,
    query: list[Pair],
    headers: tuple[str, ...],
) -> None:
    assert naive(method, kind, query, headers) == routed(method, kind, query, headers)


@pytest.mark.parametrize("kind", sorted(TARGETS))
@pytest.mark.parametrize("method", METHODS)
def test_no_sub_resource_anywhere_falls_through_to_another_action(method: str, kind: str) -> None:
    for key in KEYS:
        for value in (None, "", "x"):
            found = routed(method, kind, [(key, value)])

            unvalued = key in ("list-type", "select-type") and value == "x"
            if found in OPERATIONS and not unvalued:
                owned = OPERATIONS[found].selectors | OPERATIONS[found].reads
                assert key in owned, f"{method} {kind} ?{key} is {found}"


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_every_declared_action_is_reached_by_its_selectors(name: str) -> None:
    one = OPERATIONS[name]
    query: list[Pair] = []
    for selector in sorted(one.selectors):
        if not selector.startswith("header:"):
            key, sign, value = selector.partition("=")
            query.append((key, value if sign else "1" if key in ADDRESSES else None))
    headers = tuple(
        selector.removeprefix("header:") for selector in one.selectors if selector.startswith("header:")
    )

    assert name == routed(one.method, one.target, query, headers)


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_every_refused_action_is_not_implemented(name: str) -> None:
    method, kind, selectors = REFUSED[name]
    query: list[Pair] = [
        (key, value if sign else None)
        for key, sign, value in (one.partition("=") for one in sorted(selectors))
    ]

    assert NOT_IMPLEMENTED == routed(method, kind, query)


def test_a_word_without_a_value_is_a_sub_resource_even_after_the_same_key_had_one() -> None:
    assert "ListObjects" == routed("GET", BUCKET, [("tomorrow", "1")])
    assert NOT_IMPLEMENTED == routed("GET", BUCKET, [("tomorrow", "")])
    assert NOT_IMPLEMENTED == routed("GET", BUCKET, [("tomorrow", None)])


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
@pytest.mark.parametrize("kind", [BUCKET, OBJECT])
def test_an_unknown_word_with_nothing_behind_its_sign_does_nothing_and_one_with_a_value_is_ignored(
    method: str, kind: str,
) -> None:
    plain = routed(method, kind)

    assert plain in OPERATIONS
    for word in ("foo", "Tagging", "Acl", "VERSIONS"):
        assert NOT_IMPLEMENTED == routed(method, kind, [(word, "")])
        assert plain == routed(method, kind, [(word, "x")])


@pytest.mark.parametrize(("query", "action"), [
    ([("prefix", None)], "ListObjects"),
    ([("delimiter", None), ("prefix", None)], "ListObjects"),
    ([("marker", None), ("max-keys", "1")], "ListObjects"),
    ([("list-type", "2"), ("start-after", None)], "ListObjectsV2"),
    ([("versions", None), ("prefix", None)], "ListObjectVersions"),
    ([("uploads", None), ("key-marker", None)], "ListMultipartUploads"),
])
def test_a_parameter_of_the_action_without_a_sign_is_an_empty_parameter(query: list[Pair], action: str) -> None:
    assert action == routed("GET", BUCKET, query)


@pytest.mark.parametrize(("method", "kind", "query", "fault"), [
    ("DELETE", BUCKET, "uploadId=x", faults.RequestUploadIdOfBucket),
    ("DELETE", BUCKET, "partNumber=1", faults.RequestPartNumberOfBucket),
    ("DELETE", BUCKET, "versionId=x", faults.VersionIdMethodMismatch),
    ("DELETE", BUCKET, "versionId", faults.VersionIdMethodMismatch),
    ("PUT", BUCKET, "uploadId=x&partNumber=1", faults.RequestUploadIdOfBucket),
    ("GET", BUCKET, "uploadId=x", faults.RequestUploadIdOfBucket),
    ("POST", BUCKET, "delete&versionId=x", faults.VersionIdMethodMismatch),
    ("GET", SERVICE, "partNumber=1", faults.RequestPartNumberOfBucket),
    ("DELETE", OBJECT, "partNumber=1", faults.MethodNotAllowed),
    ("DELETE", OBJECT, "partNumber=", faults.MethodNotAllowed),
    ("HEAD", OBJECT, "uploadId=x", faults.MethodNotAllowed),
    ("PUT", OBJECT, "versionId=x", faults.VersionIdMethodMismatch),
    ("DELETE", OBJECT, "uploadId=x&versionId=x", faults.VersionIdMethodMismatch),
    ("GET", OBJECT, "tagging&partNumber=1", faults.InvalidArgument),
])
def test_an_action_refuses_what_addresses_something_else(
    method: str, kind: str, query: str, fault: faults.FaultKind,
) -> None:
    with pytest.raises(Fault) as raised:
        route(request(method, query=query), TARGETS[kind])

    assert fault is raised.value.kind


def test_who_asks_for_a_part_where_there_is_none_is_told_the_methods() -> None:
    with pytest.raises(Fault) as raised:
        route(request("DELETE", query="partNumber=1"), TARGETS[OBJECT])

    assert {"Method": "DELETE", "ResourceType": "PART", "Allow": "GET, HEAD, PUT"} == raised.value.facts


def test_a_method_that_a_target_lacks_is_told_with_those_it_has() -> None:
    with pytest.raises(Fault) as raised:
        route(request("PATCH"), TARGETS[OBJECT])

    assert faults.MethodNotAllowed is raised.value.kind
    assert "DELETE, GET, HEAD, PUT" == raised.value.facts["Allow"]


def test_presigned_parameters_select_nothing() -> None:
    signed = [
        (f"X-Amz-{name}", "1")
        for name in ("Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature")
    ]

    assert "GetObject" == routed(
        "GET", OBJECT, [*signed, ("X-Amz-Security-Token", ""), ("x-id", "GetObject")]
    )


def test_two_actions_cannot_answer_the_same_request() -> None:
    with pytest.raises(AssertionError):
        refuse("AnotherGetObject", "GET", OBJECT)
    with pytest.raises(AssertionError):
        refuse("GetObject", "GET", OBJECT, "another")


def test_an_action_without_a_permission_cannot_be_declared() -> None:
    with pytest.raises(AssertionError):
        operation("Free", "GET", OBJECT, when=("free",), allow="")
