"""The access log: a line a request, and no secrets."""

from __future__ import annotations

import json

from trivium.door.access import MAX_WAITING, AccessLog
from trivium.s3.dialect import Dialect
from trivium.s3.messages import Listener, Request


def request(query=""):
    one = Request(
        "GET", "/b/k", query, {"user-agent": "aws-cli"}, Listener(Dialect("test")), at_ms=1_700_000_000_123, id="0A",
        client="192.0.2.7")
    one.action, one.account = "GetObject", "me"
    return one


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_request_is_a_line(tmp_path):
    log = AccessLog(str(tmp_path / "log"))
    log.add(request(), 200, 0, 4096, 1_234_567)
    log.flush()

    assert lines(tmp_path / "log") == [{
        "time": "2023-11-14T22:13:20.123Z", "id": "0A", "client": "192.0.2.7", "account": "me", "method": "GET",
        "path": "/b/k", "query": "", "action": "GetObject", "status": 200, "fault": "", "bytes_in": 0,
        "bytes_out": 4096, "took_ms": 1.235, "agent": "aws-cli", "referer": ""}]


def test_nobody_can_repeat_a_presigned_request_from_its_line(tmp_path):
    log = AccessLog(str(tmp_path / "log"))
    log.add(request("X-Amz-Date=1&X-Amz-Signature=abc&x-amz-security-token=def&versionId=2"), 200, 0, 0, 0)
    signed = request("Signature=abc&Expires=1")
    signed.headers["referer"] = "http://h/b/page?X-Amz-Signature=abc&versionId=2"  # a page behind such a URL asks for more
    log.add(signed, 200, 0, 0, 0)
    log.flush()

    assert [line["query"] for line in lines(tmp_path / "log")] == [
        "X-Amz-Date=1&X-Amz-Signature=-&x-amz-security-token=-&versionId=2", "Signature=-&Expires=1"]
    assert lines(tmp_path / "log")[1]["referer"] == "http://h/b/page?X-Amz-Signature=-&versionId=2"


def test_lines_that_cannot_wait_any_more_are_counted(tmp_path):
    log = AccessLog(str(tmp_path / "log"))
    for _ in range(MAX_WAITING + 3):
        log.add(request(), 200, 0, 0, 0)

    assert log.flush() == 3
    assert log.flush() == 0


def test_a_log_that_was_renamed_away_begins_anew(tmp_path):
    log = AccessLog(str(tmp_path / "log"))
    log.add(request(), 200, 0, 0, 0)
    log.flush()
    (tmp_path / "log").rename(tmp_path / "log.1")
    log.add(request(), 200, 0, 0, 0)
    log.flush()

    assert len(lines(tmp_path / "log")) == 1
