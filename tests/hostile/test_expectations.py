"""Clients that ask before they send (Expect: 100-continue), as aws and boto3 do for every upload."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest

from tests.hostile.street import MIB, Line, ask, head, sign, signed

EXPECT = {"expect": "100-continue"}


def next_line(line: Line) -> bytes:
    """The status line that comes next."""
    found = b""
    while not found.endswith(b"\r\n\r\n"):
        found += line.socket.recv(1)
    return found.split(b"\r\n")[0]


def test_a_body_is_asked_for_once(server, path):
    with Line(server) as line:
        line.send(signed(server, "PUT", path, headers=EXPECT, length=5))
        assert next_line(line) == b"HTTP/1.1 100 Continue"
        line.send(b"hello")
        assert next_line(line) == b"HTTP/1.1 200 OK"
        line.send(signed(server, "GET", path))
        assert line.answer().body == b"hello"


def test_a_body_that_comes_unasked_is_taken(server, path):
    """Clients wait a second at most."""
    with Line(server) as line:
        for _ in range(3):
            line.send(signed(server, "PUT", path, headers=EXPECT, length=MIB) + bytes(MIB))
            answer = line.answer()
            assert (answer.status, answer.headers.get("connection")) == (200, None)

    assert ask(server, "GET", path).body == bytes(MIB)


def test_an_answer_in_place_of_continue_ends_the_connection_when_nothing_is_to_be_sent(server, path):
    """awscli 1.46 took the status of this answer for that of the next: `upload failed … 'ETag'`."""
    with Line(server) as line:
        line.send(signed(server, "PUT", path, headers=EXPECT, length=0))
        answer = line.answer()

        assert (answer.status, answer.headers["connection"], line.more()) == (200, "close", b"")


@pytest.mark.parametrize("length", [1, 5 * MIB])
def test_an_answer_in_place_of_continue_ends_the_connection_when_the_body_is_refused(server, path, length):
    with Line(server) as line:
        line.send(head("PUT", path, {**sign(server, "GET", path), **EXPECT, "content-length": str(length)}))
        answer = line.answer()

        assert (answer.status, answer.headers["connection"], line.more()) == (403, "close", b"")


def test_uploads_follow_empty_ones_on_few_connections(server, bucket):
    """Whichever connection an upload gets: each must see its own answer."""
    s3 = boto3.client(
        "s3", endpoint_url=server.endpoint, region_name="us-east-1", aws_access_key_id=server.access_key,
        aws_secret_access_key=server.secret_key)
    with ThreadPoolExecutor(4) as pool:
        bodies = [b"" if number % 2 else b"x" * (number + 1) for number in range(40)]
        etags = list(pool.map(
            lambda item: s3.put_object(Bucket=bucket, Key=f"few/{item[0]}", Body=item[1])["ETag"], enumerate(bodies)))

    assert etags == [s3.head_object(Bucket=bucket, Key=f"few/{number}")["ETag"] for number in range(40)]
