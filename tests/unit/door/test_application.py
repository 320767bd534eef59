"""Requests and answers: what the HTTP server hands in becomes ours, what we answer goes out the cheapest way."""

from __future__ import annotations

import asyncio
import re

import pytest
from msgspec.structs import replace

from tests.unit.door.street import StreetScope, StreetWire, watch
from trivium.base.body import FileSpan, Pieces, Unsent
from trivium.base.names import RESERVED
from trivium.door.application import Application
from trivium.door.health import PATHS
from trivium.s3.dialect import Dialect
from trivium.s3.messages import Listener, Request, Response

LISTENER = Listener(Dialect("test"))


def served(response=None, *, scope=None, wire=None, looked_at=None, by=None, listener=LISTENER, **application):
    """The wire after a request was answered with `response`; `looked_at` gets the request."""
    wire = wire or StreetWire()

    async def serve(request):
        if looked_at is not None:
            looked_at.append(request)
        if by is not None:
            return await by(request)
        return response or Response(200, [])

    asyncio.run(Application(serve, listener, application.pop("watch", None) or watch(), **application)(
        scope or StreetScope(), wire))
    return wire


def request_of(scope, **application):
    seen: list[Request] = []
    served(scope=scope, looked_at=seen, **application)
    return seen[0]


def test_a_request_is_handed_on_as_it_came():
    request = request_of(StreetScope("PUT", "/b/k", "uploads", [("host", "h"), ("x-amz-date", "d")]), secure=True)

    assert (request.method, request.path, request.query_string) == ("PUT", "/b/k", "uploads")
    assert request.headers == {"host": "h", "x-amz-date": "d"}
    assert request.secure
    assert request.listener is LISTENER
    assert request.at_ms == 1_700_000_000_000


def test_headers_that_come_twice_are_joined():
    request = request_of(StreetScope(headers=[("x-a", "1"), ("host", "h"), ("x-a", "2")]))

    assert request.headers == {"x-a": "1,2", "host": "h"}


def test_every_request_has_an_id_of_its_own():
    seen: list[Request] = []
    shared = watch()
    for _ in range(2):
        served(looked_at=seen, watch=shared)

    assert [request.id for request in seen] == ["0123ABCD00000001", "0123ABCD00000002"]
    assert all(re.fullmatch("[0-9A-F]{16}", request.id) for request in seen)


def test_a_header_that_the_server_hides_is_refused_and_named():
    wire = served(scope=StreetScope(headers=[("host", "h")], hidden=["x-amz-meta-a"]))

    assert wire.status == 400
    assert b"<ArgumentName>x-amz-meta-a</ArgumentName>" in wire.body


def test_bytes_are_sent_as_bytes():
    wire = served(Response(201, [("etag", '"x"')], b"abc"))

    assert (wire.status, wire.body) == (201, b"abc")
    assert wire.headers == [("etag", '"x"'), ("server", "Trivium")]


def test_the_answer_to_a_head_tells_the_length_and_sends_nothing():
    wire = served(Response(200, [], Unsent(5 << 30)), scope=StreetScope("HEAD"))

    assert ("content-length", "5368709120") in wire.headers
    assert (wire.body, wire.file) == (b"", None)


def test_a_span_of_a_file_is_sent_by_the_server(tmp_path):
    path = tmp_path / "blob"
    path.write_bytes(b"0123456789")
    wire = served(Response(206, [], FileSpan(str(path), 2, 5)))

    assert wire.file == (str(path), 2, 6)
    assert ("content-length", "4") in wire.headers


def test_bytes_that_cannot_be_had_are_counted_as_an_internal_error(tmp_path):
    shared = watch()
    served(Response(200, [], FileSpan(str(tmp_path / "gone"), 0, 5)), watch=shared)

    assert shared.tally.counts().faults == {"none InternalError": 1}


@pytest.mark.parametrize("content", [None, b"01234"])
def test_bytes_that_cannot_be_had_are_an_internal_error_and_never_a_missing_object(tmp_path, content, caplog):
    path = tmp_path / "blob"
    if content is not None:
        path.write_bytes(content)
    wire = served(Response(200, [], FileSpan(str(path), 0, 5)), scope=StreetScope(path="/photos/cat.jpg"))

    assert wire.status == 500
    assert b"InternalError" in wire.body
    assert 'the bytes cannot be had:  of bucket photos, key "cat.jpg"' in caplog.text


def test_a_refused_body_is_read_away_before_the_answer():
    wire = StreetWire([b"abc"])
    served(Response(403, []), scope=StreetScope("PUT", headers=[("content-length", "3")]), wire=wire)

    assert wire.reads == 1


def test_a_refused_body_that_waits_to_be_asked_for_is_not_asked_for():
    wire = StreetWire([b"abc"])
    scope = StreetScope("PUT", headers=[("content-length", "3"), ("expect", "100-continue")])
    served(Response(403, []), scope=scope, wire=wire)

    assert wire.reads == 0


@pytest.mark.parametrize("headers", [(), [("content-length", "0")]])
def test_no_body_is_read_where_there_is_none(headers):
    async def read(request):
        assert await request.body.whole() == b""
        return Response(200, [])

    wire = StreetWire()
    served(by=read, scope=StreetScope("PUT", headers=headers), wire=wire)

    assert wire.reads == 0


def test_what_was_answered_is_counted_under_its_action():
    shared = watch()

    async def put(request):
        request.action, request.fault = "PutObject", "NoSuchBucket"
        await request.body.whole()
        return Response(404, [], b"four")

    served(by=put, scope=StreetScope("PUT", headers=[("content-length", "3")]), wire=StreetWire([b"abc"]), watch=shared)
    row = shared.tally.counts().actions["PutObject"]

    assert row[:3] == [1, 3, 4]
    assert shared.tally.counts().faults == {"PutObject NoSuchBucket": 1}


@pytest.mark.parametrize("path", [
    "/health/live", "/health/ready", "/minio/health/live", "/minio/health/ready", "/minio/health/cluster",
    "/minio/health/cluster/read"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_health_is_answered_without_credentials(method, path):
    seen: list[Request] = []
    wire = served(scope=StreetScope(method, path), looked_at=seen)

    assert (wire.status, seen) == (200, [])


@pytest.mark.parametrize("asked", [
    {"headers": [("authorization", "AWS4-HMAC-SHA256 …")]}, {"query_string": "X-Amz-Signature=1"},
    {"query_string": "AWSAccessKeyId=a"}, {"headers": [("host", "bucket.s3.test")]}])
@pytest.mark.parametrize("path", ["/health/live", "/minio/health/ready"])
def test_what_may_be_about_an_object_is_no_question_after_health(path, asked):
    seen: list[Request] = []
    served(scope=StreetScope("GET", path, **asked), looked_at=seen, listener=replace(LISTENER, domains=("s3.test",)))

    assert [path] == [request.path for request in seen]


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "OPTIONS", "PATCH"])
def test_who_would_change_something_is_never_told_that_all_is_well(method):
    seen: list[Request] = []
    served(scope=StreetScope(method, "/health/live"), looked_at=seen)

    assert [method] == [request.method for request in seen]


def test_health_is_asked_beside_a_base_path_and_never_below_it():
    seen: list[Request] = []
    beside, below = replace(LISTENER, base_path="/api/v1/s3"), replace(LISTENER, base_path="/health")
    wire = served(scope=StreetScope("GET", "/health/live"), looked_at=seen, listener=beside)

    assert (wire.status, seen) == (200, [])

    served(scope=StreetScope("GET", "/health/live"), looked_at=seen, listener=below)

    assert ["/health/live"] == [request.path for request in seen]


def test_no_bucket_can_have_an_object_where_health_is_asked():
    assert {path.split("/")[1] for path in PATHS} == RESERVED


@pytest.mark.parametrize("headers", [[], [("host", "a"), ("host", "b")], [("host", "a"), ("host", "a")]])
@pytest.mark.parametrize("path", ["/", "/b/k"])
def test_a_request_without_its_one_host_is_refused(path, headers):
    seen: list[Request] = []
    wire = served(scope=StreetScope("GET", path, headers=headers, http_version="1.1"), looked_at=seen)

    assert (wire.status, seen) == (400, [])
    assert b"<Code>BadRequest</Code>" in wire.body


@pytest.mark.parametrize("scope", [
    StreetScope(headers=[("host", "")], http_version="1.1"), StreetScope(headers=[("host", "a")], http_version="1.1"),
    StreetScope()])
def test_an_empty_host_will_do_and_so_will_none_in_http_1_0(scope):
    assert 200 == served(scope=scope).status


def test_a_worker_that_stops_lives_but_is_not_ready():
    shared = watch()
    shared.health.stopping = True

    assert served(scope=StreetScope("GET", "/health/live"), watch=shared).status == 200
    assert served(scope=StreetScope("GET", "/health/ready"), watch=shared).status == 503


def test_bytes_that_cannot_be_had_are_an_internal_error(tmp_path):
    gone = Pieces((FileSpan(str(tmp_path / "gone"), 0, 1),))

    assert served(Response(200, [], gone)).status == 500


def test_where_all_pipes_are_in_use_what_needs_one_is_refused_and_nothing_else(tmp_path):
    (tmp_path / "blob").write_bytes(b"blob")
    span = FileSpan(str(tmp_path / "blob"), 0, 3)
    full, seen = watch(pipes=0), list[Request]()
    refused = served(Response(200, [], Pieces((span,))), watch=full, looked_at=seen)

    assert (refused.status, seen[0].fault) == (503, "SlowDown")
    assert b"<Code>SlowDown</Code>" in refused.body
    assert served(Response(200, [], span), watch=full).status == 200
    assert served(Response(200, [], b"bytes"), watch=full).status == 200
    assert served(scope=StreetScope("GET", "/health/ready"), watch=full).status == 200
