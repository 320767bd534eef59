"""XML that was made to hurt: refused in bounded time and memory."""

from __future__ import annotations

import time

import pytest

from tests.hostile.street import CLOSED, MIB, Line, ask, memory, signed

NAMES = {"delete": "Delete", "tagging": "Tagging", "versioning": "VersioningConfiguration"}
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
DOCUMENTS = {
    "an entity": b'<!DOCTYPE a [<!ENTITY e "x">]><Delete><Object><Key>&e;</Key></Object></Delete>',
    "a file as an entity": b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><Delete><Object><Key>&e;</Key></Object></Delete>',
    "a page as an entity": b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/x"><Delete/>',
    "a billion laughs": f'<!DOCTYPE a [<!ENTITY l0 "lol">{LAUGHS}]><Delete><Object><Key>&l9;</Key></Object></Delete>'.encode(),
    "an unknown entity": b"<Delete><Object><Key>&nbsp;</Key></Object></Delete>",
    "another root": b"<Remove><Object><Key>a</Key></Object></Remove>",
    "two roots": b"<Delete><Object><Key>a</Key></Object></Delete><Delete/>",
    "not closed": b"<Delete><Object><Key>a</Key></Object>",
    "crossed": b"<Delete><Object><Key>a</Object></Key></Delete>",
    "no XML": b"hello",
    "JSON": b'{"Objects": []}',
    "NUL": b"<Delete><Object><Key>\x00</Key></Object></Delete>",
    "NUL as a reference": b"<Delete><Object><Key>&#0;</Key></Object></Delete>",
    "no UTF-8": b"<Delete><Object><Key>\xff\xfe</Key></Object></Delete>",
    "a surrogate": b"<Delete><Object><Key>\xed\xa0\x80</Key></Object></Delete>",
    "an unknown encoding": b'<?xml version="1.0" encoding="klingon"?><Delete><Object><Key>\xff</Key></Object></Delete>',
    "elements in a text": b"<Delete><Object><Key><a>b</a></Key></Object></Delete>",
    "deep": b"<Delete>" + b"<a>" * 100_000,
    "a million elements": b"<Delete>" + b"<a/>" * 1_000_000 + b"</Delete>",
    "many keys": b"<Delete>" + b"<Object><Key>a</Key></Object>" * 30_000 + b"</Delete>",
    "many attributes": b"<Delete " + b" ".join(b'a%d="b"' % number for number in range(100_000)) + b"/>",
    "a long attribute": b'<Delete a="' + b"a" * 3_000_000 + b'"/>',
    "a long name": b"<" + b"a" * 3_000_000,
    "a long text": b"<Delete><Object><Key>" + b"a" * 3_000_000 + b"</Key></Object></Delete>",
    "many references": b"<Delete><Object><Key>" + b"&amp;" * 600_000 + b"</Key></Object></Delete>",
    "comments": b"<Delete>" + b"<!---->" * 400_000,
    "too long": b"<Delete>" + b" " * (5 * MIB) + b"</Delete>",
    "nothing": b"",
    "white space": b" " * 1000,
}


@pytest.mark.parametrize("what", DOCUMENTS)
def test_a_document_that_is_none_is_refused(server, bucket, what):
    began = time.monotonic()
    with memory(server) as grown:
        answer = ask(server, "POST", f"/{bucket}", "delete=", body=DOCUMENTS[what])
    took_seconds = time.monotonic() - began

    said_of_each_key = answer.status == 200 and b"<Error>" in answer.body  # a key that is too long is one's own fault
    assert said_of_each_key or answer.status == 400 or (what == "too long" and answer.status == CLOSED)
    assert grown[0] < 64 * MIB
    assert took_seconds < 5


GRANT = b"<Grant><Grantee><ID>nobody</ID></Grantee><Permission>READ</Permission></Grant>"
LISTS = {
    "more grants than a list may have": GRANT * 101,
    "as many grants as fit": GRANT * 50_000,
    "many grants of nothing": b"<Grant/>" * 500_000,
    "grants in grants": b"<Grant>" * 1000 + b"</Grant>" * 1000,
    "a long type": b'<Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="' + b"a" * 3_000_000
                   + b'"><ID>nobody</ID></Grantee><Permission>READ</Permission></Grant>',
    "a long id": b"<Grant><Grantee><ID>" + b"a" * 3_000_000 + b"</ID></Grantee><Permission>READ</Permission></Grant>",
}


@pytest.mark.parametrize("what", LISTS)
@pytest.mark.parametrize("on_object", [True, False])
def test_an_access_control_list_that_is_none_is_refused(server, s3, bucket, what, on_object):
    s3.put_object(Bucket=bucket, Key="shared", Body=b"")
    owner = s3.get_bucket_acl(Bucket=bucket)["Owner"]["ID"].encode()
    body = (b"<AccessControlPolicy><Owner><ID>" + owner + b"</ID></Owner><AccessControlList>" + LISTS[what]
            + b"</AccessControlList></AccessControlPolicy>")
    began = time.monotonic()
    with memory(server) as grown:
        answer = ask(server, "PUT", f"/{bucket}/shared" if on_object else f"/{bucket}", "acl=", body=body)
    took_seconds = time.monotonic() - began

    assert answer.status == 400
    assert grown[0] < 64 * MIB
    assert took_seconds < 5
    assert 1 == len(s3.get_object_acl(Bucket=bucket, Key="shared")["Grants"])


@pytest.mark.parametrize(("method", "query", "on_object"), [
    ("PUT", "acl=", True), ("PUT", "acl=", False), ("PUT", "ownershipControls=", False),
    ("PUT", "tagging=", True), ("PUT", "tagging=", False), ("PUT", "versioning=", False), ("PUT", "", False),
    ("POST", "uploadId=01a1fc0a545d8df16cfe3eb4ffbce7c3d386", True)])
@pytest.mark.parametrize("what", ["a billion laughs", "no UTF-8", "a million elements", "deep", "no XML"])
def test_every_document_is_read_with_the_same_care(server, path, bucket, method, query, on_object, what):
    target = path if on_object else f"/{bucket}" if query else f"/{bucket}-more"
    answer = ask(server, method, target, query, body=DOCUMENTS[what])

    assert answer.status in {400, 404}


def test_a_document_without_a_length_is_not_read_without_end(server, bucket):
    headers = {"transfer-encoding": "chunked"}
    with memory(server) as grown, Line(server) as line:
        line.send(signed(server, "POST", f"/{bucket}", "delete=", headers))
        taken = 0
        while taken < 256 and line.send(b"100000\r\n" + b" " * MIB + b"\r\n"):
            taken += 1
        answer = line.answer()

    assert (answer.status, answer.code) in {(400, "MaxMessageLengthExceeded"), (CLOSED, "")}
    assert taken < 64
    assert grown[0] < 64 * MIB
