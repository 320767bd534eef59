"""Who gets what: three callers, a bucket that alice made and some objects, against a model of some lines.

The model knows the rules of access control lists in words of its own, and nothing of how the server keeps them. Whatever
the three do in whatever order, each answer is the one that the model expects, and nobody reads what is not theirs to read.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.wire.stage import Stage

ALICE, BOB, NOBODY = "alice", "bob", ""
EVERYBODY, KNOWN = "everybody", "known"
URIS = {
    EVERYBODY: "http://acs.amazonaws.com/groups/global/AllUsers",
    KNOWN: "http://acs.amazonaws.com/groups/global/AuthenticatedUsers",
}
CANNED = {
    "private": set(),
    "public-read": {(EVERYBODY, "read")},
    "public-read-write": {(EVERYBODY, "read"), (EVERYBODY, "write")},
    "authenticated-read": {(KNOWN, "read")},
}
RIGHTS = ("read", "write", "read-acp", "write-acp", "full-control")
Grants = set[tuple[str, str]]

callers = st.sampled_from([ALICE, BOB, NOBODY])
keys = st.sampled_from(["a", "b", "c"])
# What a request says of a list: headers, and the grants that they mean beside the owner's
said: st.SearchStrategy[tuple[dict[str, str], Grants]] = st.one_of(
    st.just(({}, set())),
    st.sampled_from(sorted(CANNED)).map(lambda name: ({"x-amz-acl": name}, CANNED[name])),
    st.lists(st.tuples(st.sampled_from([BOB, EVERYBODY, KNOWN]), st.sampled_from(RIGHTS)), min_size=1, max_size=3).map(
        lambda grants: (headers_of(set(grants)), set(grants))),
)


def headers_of(grants: Grants) -> dict[str, str]:
    headers: dict[str, str] = {}
    for grantee, right in sorted(grants):
        text = f'uri="{URIS[grantee]}"' if grantee in URIS else f"id=id-of-{grantee}"
        header = f"x-amz-grant-{right}"
        headers[header] = f"{headers[header]}, {text}" if header in headers else text
    return headers


def granted(grants: Grants, caller: str, right: str) -> bool:
    names = {caller, EVERYBODY} if caller == NOBODY else {caller, EVERYBODY, KNOWN}
    return any(name in names and what in (right, "full-control") for name, what in grants)


@dataclass
class Kept:
    """An object: whose, its bytes, and to whom it is granted."""

    owner: str
    data: bytes
    grants: Grants = field(default_factory=set)

    def allows(self, caller: str, right: str) -> bool:
        return caller == self.owner or granted(self.grants, caller, right)


class AccessMachine(RuleBasedStateMachine):
    """The bucket of alice."""

    @initialize(said=said, versions=st.booleans())
    def make(self, said, versions):
        headers, self.grants = said
        self.stage, self.objects, self.number = Stage(), dict[str, Kept](), 0
        assert self.ask(ALICE, "PUT", "/bucket", headers=headers) == 200
        if versions:
            body = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
            assert self.ask(ALICE, "PUT", "/bucket", "versioning", body=body) == 200

    def ask(self, caller, method, path, query="", headers=None, body=b""):
        self.answer = self.stage.ask(method, path, query, headers, body, user=caller)
        assert self.answer.status != 500
        return self.answer.status

    def bucket_allows(self, caller, right):
        return caller == ALICE or granted(self.grants, caller, right)

    def reading(self, caller, key, right):
        """The status of an answer about an object."""
        if key in self.objects:
            return 200 if self.objects[key].allows(caller, right) else 403
        return 404 if self.bucket_allows(caller, "read") else 403

    @rule(caller=callers, said=said)
    def share_the_bucket(self, caller, said):
        headers, grants = said
        allowed = self.bucket_allows(caller, "write-acp")

        assert self.ask(caller, "PUT", "/bucket", "acl", headers) == (403 if not allowed else 200 if headers else 400)
        if allowed and headers:
            self.grants = grants

    @rule(caller=callers)
    def look_at_the_bucket_s_list(self, caller):
        assert self.ask(caller, "GET", "/bucket", "acl") == (200 if self.bucket_allows(caller, "read-acp") else 403)

    @rule(caller=callers)
    def list(self, caller):
        allowed = self.bucket_allows(caller, "read")

        assert self.ask(caller, "GET", "/bucket") == (200 if allowed else 403)
        assert self.ask(caller, "HEAD", "/bucket") == (200 if allowed else 403)
        assert self.ask(caller, "GET", "/bucket", "uploads") == (200 if allowed else 403)

    @rule(caller=callers, key=keys, said=said)
    def put(self, caller, key, said):
        headers, grants = said
        self.number += 1
        data = b"%d" % self.number
        allowed = self.bucket_allows(caller, "write")

        assert self.ask(caller, "PUT", f"/bucket/{key}", "", headers, data) == (200 if allowed else 403)
        if allowed:
            self.objects[key] = Kept(caller, data, grants)

    @rule(caller=callers, key=keys, said=said)
    def upload_in_parts(self, caller, key, said):
        headers, grants = said
        path = f"/bucket/{key}"
        status = self.ask(caller, "POST", path, "uploads", headers)
        assert status == (200 if self.bucket_allows(caller, "write") and caller != NOBODY else 403)
        if status != 200:
            return
        id = self.answer.body.partition(b"<UploadId>")[2].partition(b"<")[0].decode()
        for other in sorted({ALICE, BOB, NOBODY} - {caller}):
            assert self.ask(other, "PUT", path, f"partNumber=1&uploadId={id}", body=b"not mine") == 403
            assert self.ask(other, "GET", path, f"uploadId={id}") == (200 if other == ALICE else 403)
        assert self.ask(caller, "PUT", path, f"partNumber=1&uploadId={id}", body=b"part") == 200
        etag = dict(self.answer.headers)["etag"]
        body = f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
        assert self.ask(caller, "POST", path, f"uploadId={id}", body=body.encode()) == 200
        self.objects[key] = Kept(caller, b"part", grants)

    @rule(caller=callers, source=keys, key=keys, said=said)
    def copy(self, caller, source, key, said):
        if source == key:
            return
        headers, grants = said
        expected = self.reading(caller, source, "read") if self.bucket_allows(caller, "write") else 403

        assert self.ask(caller, "PUT", f"/bucket/{key}", "", {
            **headers, "x-amz-copy-source": f"/bucket/{source}"}) == expected
        if expected == 200:
            self.objects[key] = Kept(caller, self.objects[source].data, grants)

    @rule(caller=callers, source=keys, key=keys, knowing=st.booleans())
    def rename(self, caller, source, key, knowing):
        headers, expected = {"x-amz-rename-source": source}, 403
        if self.bucket_allows(caller, "write"):
            expected = 200 if source in self.objects and not knowing else self.reading(caller, source, "read")
        if knowing:
            headers["x-amz-rename-source-if-match"] = '"of nothing"'
            expected = 412 if expected == 200 else expected

        assert self.ask(caller, "PUT", f"/bucket/{key}", "renameObject", headers) == expected
        if expected == 200:
            self.objects[key] = self.objects.pop(source)

    @rule(caller=callers, key=keys)
    def read(self, caller, key):
        expected = self.reading(caller, key, "read")

        assert self.ask(caller, "HEAD", f"/bucket/{key}") == expected
        assert self.ask(caller, "GET", f"/bucket/{key}") == expected
        for kept in self.objects.values():
            assert expected == 200 or self.answer.body != kept.data
        if expected == 200:
            assert self.answer.body == self.objects[key].data

    @rule(caller=callers, key=keys)
    def look_at_an_object_s_list(self, caller, key):
        assert self.ask(caller, "GET", f"/bucket/{key}", "acl") == self.reading(caller, key, "read-acp")

    @rule(caller=callers, key=keys, said=said)
    def share_an_object(self, caller, key, said):
        headers, grants = said
        expected = self.reading(caller, key, "write-acp") if headers else None
        status = self.ask(caller, "PUT", f"/bucket/{key}", "acl", headers)

        assert status == expected if headers else status == 400
        if status == 200:
            self.objects[key].grants = grants

    @rule(caller=callers, key=keys)
    def delete(self, caller, key):
        allowed = self.bucket_allows(caller, "write")

        assert self.ask(caller, "DELETE", f"/bucket/{key}") == (204 if allowed else 403)
        if allowed:
            self.objects.pop(key, None)

    @rule(caller=st.sampled_from([BOB, NOBODY]), key=keys, query=st.sampled_from(["tagging", "versioning", "location"]))
    def what_no_list_grants(self, caller, key, query):
        path = f"/bucket/{key}" if query == "tagging" else "/bucket"

        assert self.ask(caller, "GET", path, query) == 403


AccessMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestAccess = AccessMachine.TestCase
