"""Answers: replies and faults as status, headers and body."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from tests.unit.s3.requests_for_tests import request
from trivium.base import faults
from trivium.base.faults import Fault
from trivium.s3.answer import write_fault
from trivium.s3.dialects import DIALECTS
from trivium.s3.messages import Listener, Request, Response


def headers_of(response: Response) -> dict[str, str]:
    return {name: value for name, value in response.headers if not name.startswith("x-amz-id")}


def error_of(response: Response) -> dict[str, str]:
    assert isinstance(response.body, bytes)
    return {one.tag: one.text or "" for one in ET.fromstring(response.body)}


def asked(method: str = "GET", dialect: str = "aws") -> Request:
    made = request(method, "/b/a&b", listener=Listener(DIALECTS[dialect]))
    made.id = "the-id"
    return made


def test_a_fault_is_a_document_with_its_code_its_facts_and_the_request() -> None:
    response = write_fault(faults.NoSuchKey(Key="a&b"), asked())

    assert 404 == response.status
    assert {"Code": "NoSuchKey", "Key": "a&b", "Resource": "/b/a&b", "RequestId": "the-id"}.items() <= (
        error_of(response).items())
    assert "application/xml" == headers_of(response)["content-type"]


def test_a_dialect_may_show_the_fine_name() -> None:
    fault = faults.VersionedBucketNotEmpty(BucketName="b")

    assert "BucketNotEmpty" == error_of(write_fault(fault, asked()))["Code"]
    assert "VersionedBucketNotEmpty" == error_of(write_fault(fault, asked(dialect="activescale")))["Code"]


def test_a_name_that_is_ours_alone_is_shown_by_nobody() -> None:
    fault = faults.KeyIsDeleteMarker(Key="k")

    assert "NoSuchKey" == error_of(write_fault(fault, asked()))["Code"]
    assert "NoSuchKey" == error_of(write_fault(fault, asked(dialect="activescale")))["Code"]


def test_a_fine_name_may_have_another_status() -> None:
    fault = faults.UnexpectedQueryStringParameter(Header="x")
    answer = write_fault(fault, asked(dialect="activescale"))

    assert (400, "UnexpectedQueryStringParameter") == (answer.status, error_of(answer)["Code"])
    assert 501 == write_fault(fault, asked()).status
    assert (400, b"") == (write_fault(fault, asked("HEAD", "activescale")).status, b"")


def test_the_log_is_told_the_fine_name() -> None:
    made = asked()

    write_fault(faults.KeyIsDeleteMarker(Key="k"), made)

    assert "KeyIsDeleteMarker" == made.fault


def test_head_and_not_modified_have_no_body() -> None:
    assert b"" == write_fault(faults.NoSuchKey(), asked("HEAD")).body
    not_modified = write_fault(faults.NotModified(ETag='"e"'), asked())

    assert (304, b"") == (not_modified.status, not_modified.body)
    assert '"e"' == headers_of(not_modified)["etag"]
    assert "content-type" not in headers_of(not_modified)


def test_a_delete_marker_is_told_in_headers() -> None:
    headers = headers_of(write_fault(faults.KeyIsDeleteMarker(DeleteMarker="true", VersionId="v"), asked()))

    assert ("true", "v") == (headers["x-amz-delete-marker"], headers["x-amz-version-id"])


@pytest.mark.parametrize("fault", [
    faults.NoSuchVersion(VersionId="v\r\nx-evil: 1"), faults.InvalidArgument(ETag="e\r\n", Allow="a\r\n", DeleteMarker="\n"),
])
def test_what_a_client_said_never_becomes_a_header(fault: Fault) -> None:
    response = write_fault(fault, asked())

    assert {"x-amz-request-id", "content-type"} == set(headers_of(response))
    assert all(value.isprintable() for value in headers_of(response).values())
