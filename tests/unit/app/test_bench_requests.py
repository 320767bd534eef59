"""Presigned requests, and the answers to them."""

from datetime import UTC, datetime

import pytest

from trivium.app.bench.client import Broken, Head, read_head
from trivium.app.bench.presigned import Endpoint, content, presign, request

NOW = datetime(2013, 5, 24, tzinfo=UTC)
ENDPOINT = Endpoint("127.0.0.1", 9000, "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")


def test_the_signature_is_that_of_the_manual():
    # Amazon S3 API Reference, "Authenticating Requests: Using Query Parameters", the example
    target = presign(ENDPOINT, "GET", "/test.txt", {}, {"host": "examplebucket.s3.amazonaws.com"}, now=NOW)

    assert target.startswith("/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&")
    assert target.endswith("=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404")


def test_a_request_carries_its_length_and_its_body():
    data = request(ENDPOINT, "PUT", "/b/a key", body=b"1234", now=NOW)

    assert data.startswith(b"PUT /b/a%20key?")
    assert b"\r\nHost: 127.0.0.1:9000\r\n" in data
    assert data.endswith(b"\r\nContent-Length: 4\r\n\r\n1234")


def test_a_request_without_a_body_has_no_length():
    assert b"Content-Length" not in request(ENDPOINT, "GET", "/b/k", now=NOW)


def test_headers_of_amazon_are_signed():
    data = request(ENDPOINT, "PUT", "/b/k", now=NOW, headers={"x-amz-copy-source": "/b/other"})

    assert b"X-Amz-SignedHeaders=host%3Bx-amz-copy-source&" in data
    assert b"\r\nx-amz-copy-source: /b/other\r\n" in data


def test_content_is_as_long_as_asked_for():
    assert len(content(4096)) == 4096


def test_a_head_says_where_its_body_begins():
    data = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\netag: x\r\n\r\nhello"

    assert Head(200, 5, len(data) - 5) == read_head(data, bodyless=False)


def test_a_head_that_is_not_whole_is_waited_for():
    assert read_head(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n", bodyless=False) is None


@pytest.mark.parametrize(("data", "bodyless"), [
    (b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n", True),
    (b"HTTP/1.1 204 No Content\r\n\r\n", False),
    (b"HTTP/1.1 200 OK\r\netag: x\r\n\r\n", False),
])
def test_answers_without_a_body_have_none(data, bodyless):
    head = read_head(data, bodyless=bodyless)

    assert head is not None
    assert head.size == 0


def test_an_answer_in_chunks_is_refused():
    with pytest.raises(Broken):
        read_head(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", bodyless=False)
