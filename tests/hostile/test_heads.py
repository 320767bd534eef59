"""Heads of requests as no client sends them: refused as what they are, and the server goes on."""

from __future__ import annotations

import pytest

from tests.hostile.street import CLOSED, EMPTY, KIB, MIB, UNSIGNED, Line, ask, head, memory, sign, signed

REFUSED = {400, 403, 404, 405, 408, 411, 413, 414, 417, 431, 501, 505, CLOSED}


def garbled(server):
    """Heads by what is wrong with them."""
    host = f"Host: 127.0.0.1:{server.port}\r\n".encode()
    get = b"GET /b-1/k HTTP/1.1\r\n" + host
    put = b"PUT /b-1/k HTTP/1.1\r\n" + host
    return {
        "no HTTP": b"hello\r\n\r\n",
        "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200) + b"\r\n\r\n",
        "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "HTTP/3.7": b"GET / HTTP/3.7\r\n\r\n",
        "no version": b"GET /b-1/k\r\n\r\n",
        "no target": b"GET HTTP/1.1\r\n\r\n",
        "NUL in the target": b"GET /b-1/\x00 HTTP/1.1\r\n" + host + b"\r\n",
        "a space in the target": b"GET /b-1/a b HTTP/1.1\r\n" + host + b"\r\n",
        "UTF-8 in the target": "GET /b-1/ü HTTP/1.1\r\n".encode() + host + b"\r\n",
        "a long target": b"GET /" + b"a" * MIB + b" HTTP/1.1\r\n" + host + b"\r\n",
        "a long query": b"GET /b-1?prefix=" + b"a" * (60 * KIB) + b" HTTP/1.1\r\n" + host + b"\r\n",
        "a long method": b"G" * 100_000 + b" / HTTP/1.1\r\n" + host + b"\r\n",
        "an unknown method": b"BREW /b-1/k HTTP/1.1\r\n" + host + b"\r\n",
        "an asterisk": b"OPTIONS * HTTP/1.1\r\n" + host + b"\r\n",
        "a tunnel": b"CONNECT example.com:443 HTTP/1.1\r\n" + host + b"\r\n",
        "no host": b"GET /b-1/k HTTP/1.1\r\n\r\n",
        "two hosts": get + b"Host: other\r\n\r\n",
        "NUL in a value": get + b"x-amz-meta-a: \x00\r\n\r\n",
        "latin-1 in a value": get + b"x-amz-meta-a: \xe9\r\n\r\n",
        "UTF-8 in a value": get + "x-amz-meta-a: é\r\n\r\n".encode(),
        "no UTF-8 in a value": get + b"authorization: \xff\xfe\r\n\r\n",
        "bytes in a name": get + b"x-\xff\x80: a\r\n\r\n",
        "a space in a name": get + b"x amz: a\r\n\r\n",
        "no colon": get + b"x-amz-meta-a\r\n\r\n",
        "no name": get + b": a\r\n\r\n",
        "a folded line": get + b"x-amz-meta-a: a\r\n b\r\n\r\n",
        "a long value": get + b"x-amz-meta-a: " + b"a" * (100 * KIB) + b"\r\n\r\n",
        "a very long value": get + b"x-amz-meta-a: " + b"a" * (2 * MIB) + b"\r\n\r\n",
        "ten thousand headers": get + b"".join(b"x-%d: a\r\n" % number for number in range(10_000)) + b"\r\n",
        "the same header a hundred times": get + b"x-amz-meta-a: a\r\n" * 90 + b"\r\n",
        "a negative length": put + b"Content-Length: -1\r\n\r\n",
        "a signed length": put + b"Content-Length: +1\r\n\r\na",
        "a length in words": put + b"Content-Length: one\r\n\r\na",
        "an empty length": put + b"Content-Length: \r\n\r\n",
        "a hexadecimal length": put + b"Content-Length: 0x1\r\n\r\na",
        "a length beyond 64 bits": put + b"Content-Length: 99999999999999999999\r\n\r\n",
        "a length of 64 bits": put + b"Content-Length: 18446744073709551615\r\n\r\n",
        "two lengths": put + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "two equal lengths": put + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\na",
        "two equal lengths in one": put + b"Content-Length: 1, 1\r\n\r\na",
        "length and chunks": put + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nX",
        "an unknown transfer coding": put + b"Transfer-Encoding: gzip\r\n\r\n",
        "chunks inside out": put + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "a chunk of no size": put + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        "a chunk beyond 64 bits": put + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
        "an unknown expectation": put + b"Expect: tea\r\nContent-Length: 0\r\n\r\n",
        "an upgrade": get + b"Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
    }


def test_a_garbled_head_is_refused_and_nothing_else_happens(server):
    found = {}
    with memory(server) as grown:
        for what, data in garbled(server).items():
            with Line(server) as line:
                line.send(data)
                line.end()
                found[what] = line.answer().status

    assert {what: status for what, status in found.items() if status not in REFUSED} == {}
    assert grown[0] < 32 * MIB
    assert ask(server, "GET", "/").status == 200


@pytest.mark.parametrize("hosts", [b"", b"Host: a\r\nHost: b\r\n"])
def test_a_request_without_its_one_host_is_bad(server, hosts):
    """RFC 9112 §3.2."""
    for target in (b"/", b"/b-1/k", b"/health/live", b"http://b/k"):
        with Line(server) as line:
            line.send(b"GET %s HTTP/1.1\r\n%s\r\n" % (target, hosts))
            answer = line.answer()

        assert (answer.status, answer.code) == (400, "BadRequest"), target


def test_a_head_has_room_for_a_hundred_fields(server, path):
    """The HTTP server's own bound, which README tells."""
    bare = len(sign(server, "PUT", path)) + 1  # Content-Length
    for names, status in ((100 - bare, 200), (101 - bare, 431)):
        headers = {f"x-amz-meta-{number}": "a" for number in range(names)}

        assert ask(server, "PUT", path, headers=headers, body=b"").status == status
    assert len([name for name in ask(server, "HEAD", path).headers if name.startswith("x-amz-meta-")]) == 100 - bare


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "PATCH"])
@pytest.mark.parametrize("target", ["/health/live", "/health/ready", "/minio/health/live"])
def test_who_would_change_something_is_not_told_that_all_is_well(server, method, target):
    with Line(server) as line:
        line.send(head(method, target, {"host": "a", "content-length": "1"}) + b"a")

        assert line.answer().status in {403, 404, 405}


def test_a_length_said_twice_alike_is_one_length_or_none(server, path):
    """RFC 9110 §8.6: it may be taken as one, or refused."""
    with Line(server) as line:
        line.send(head("PUT", path, {**sign(server, "PUT", path), "content-length": "1\r\ncontent-length: 1"}) + b"a")
        status = line.answer().status

    assert status in {200, 400}


def test_a_length_may_have_zeros_in_front(server, bucket):
    with Line(server) as line:
        line.send(head("PUT", f"/{bucket}/k", {**sign(server, "PUT", f"/{bucket}/k"), "content-length": "0003"}) + b"abc")
        line.send(head("PUT", f"/{bucket}/empty", {**sign(server, "PUT", f"/{bucket}/empty"), "content-length": "00"}))
        statuses = [line.answer().status, line.answer().status]

    assert statuses == [200, 200]
    assert ask(server, "GET", f"/{bucket}/k").body == b"abc"


def test_a_signed_header_that_comes_twice_counts_joined(server, path):
    headers = sign(server, "PUT", path, headers={"x-amz-meta-a": "1,2"})
    headers["x-amz-meta-a"] = "1\r\nx-amz-meta-a: 2"
    headers["content-length"] = "0"
    with Line(server) as line:
        line.send(head("PUT", path, headers))
        assert line.answer().status == 200

    assert ask(server, "HEAD", path).headers["x-amz-meta-a"] == "1,2"


def test_requests_may_come_before_their_answers(server, bucket):
    puts = [signed(server, "PUT", f"/{bucket}/{number}", length=1) + b"%d" % number for number in range(5)]
    gets = [signed(server, "GET", f"/{bucket}/{number}") for number in range(5)]
    with Line(server) as line:
        line.send(b"".join(puts) + b"".join(gets))
        answers = [line.answer() for _ in range(10)]

    assert [one.status for one in answers] == [200] * 10
    assert [one.body for one in answers[5:]] == [b"0", b"1", b"2", b"3", b"4"]


def test_a_refused_body_is_not_taken_for_the_next_request(server, bucket):
    """The body of the refused request is a request itself; it must never be answered."""
    smuggled = signed(server, "PUT", f"/{bucket}/smuggled", length=0)
    with Line(server) as line:
        line.send(b"PUT /%s/k HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n" % (bucket.encode(), len(smuggled)) + smuggled)
        line.send(signed(server, "GET", f"/{bucket}/smuggled"))
        first, second = line.answer(), line.answer()

    assert first.status == 403
    assert second.status in {404, CLOSED}
    assert ask(server, "GET", f"/{bucket}/smuggled").status == 404


def test_old_http_is_answered_and_closed(server, bucket):
    headers = sign(server, "GET", f"/{bucket}")
    with Line(server) as line:
        line.send(head("GET", f"/{bucket}", headers).replace(b"HTTP/1.1", b"HTTP/1.0"))
        answer = line.answer()

        assert (answer.status, line.more()) == (200, b"")


def test_an_absolute_target_is_its_path(server, bucket):
    with Line(server) as line:
        line.send(signed(server, "GET", f"/{bucket}", target=f"http://127.0.0.1:{server.port}/{bucket}"))

        assert line.answer().status == 200


def mutations(signature: str):
    """The Authorization header with one thing wrong at each place, by a few kinds of wrong."""
    for at in range(0, len(signature), 5):
        for other in ("\x01", " ", "0", "Z", "/", "=", ",", ";", "\xff", ""):
            changed = signature[:at] + other + signature[at + 1 :]
            if changed != signature:
                yield changed


def test_no_mutated_signature_opens_anything(server, bucket):
    headers = sign(server, "GET", f"/{bucket}", sha256=EMPTY)
    found = set()
    line = Line(server)
    for changed in mutations(headers["authorization"]):
        data = head("GET", f"/{bucket}", {**headers, "authorization": "?"}).replace(
            b"authorization: ?", b"authorization: " + changed.encode("latin-1"))
        line.send(data)
        answer = line.answer()
        found.add(answer.status)
        if answer.status in (CLOSED, 400) and answer.headers.get("x-amz-request-id") is None:
            line.socket.close()
            line = Line(server)
    line.socket.close()

    # A space may stand between the components, and around them: those are no mutations
    assert found - {200} == {400, 403}


def test_no_mutated_header_passes_for_the_signed_one(server, bucket):
    headers = sign(server, "GET", f"/{bucket}", headers={"x-amz-expected-bucket-owner": "a"})
    wrong = {
        "host": "127.0.0.1:1", "x-amz-date": "20130524T000000Z", "x-amz-content-sha256": EMPTY,
        "x-amz-expected-bucket-owner": "b",
    }
    for name, value in wrong.items():
        with Line(server) as line:
            line.send(head("GET", f"/{bucket}", {**headers, name: value}))
            assert line.answer().status in {400, 403}, name
    for name in wrong:
        with Line(server) as line:
            line.send(head("GET", f"/{bucket}", {other: value for other, value in headers.items() if other != name}))
            assert line.answer().status in {400, 403}, name


@pytest.mark.parametrize("unsigned", ["x-amz-meta-a", "x-amz-acl", "x-amz-copy-source"])
def test_no_header_of_amazon_can_be_added_behind_the_signature(server, bucket, unsigned):
    headers = {**sign(server, "PUT", f"/{bucket}/k"), unsigned: "private", "content-length": "0"}
    with Line(server) as line:
        line.send(head("PUT", f"/{bucket}/k", headers))

        assert line.answer().status == 403


def test_the_hash_of_the_body_is_held_to(server, path):
    with Line(server) as line:
        line.send(signed(server, "PUT", path, sha256=EMPTY, length=3) + b"abc")
        answer = line.answer()

    assert (answer.status, answer.code) == (400, "XAmzContentSHA256Mismatch")
    assert ask(server, "GET", path).status == 404


def test_unsigned_bodies_may_be_of_any_bytes(server, path):
    assert ask(server, "PUT", path, body=bytes(range(256))).status == 200
    assert ask(server, "GET", path).body == bytes(range(256))
    assert UNSIGNED in sign(server, "GET", "/").values()
