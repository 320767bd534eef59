"""Headers that a presigned URL carries in its query: signed with it, and read as the headers they stand for."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from trivium.base.faults import Fault
from trivium.s3.dialects import DIALECTS
from trivium.s3.messages import Listener, Request
from trivium.s3.signing.authenticate import authenticate
from trivium.s3.signing.v4 import time_ms
from trivium.services.access.users import Account, Credential, Users

USERS = Users([Credential("AKID", "secret", Account("me", "me"))])


def presigned(query: str) -> Request:
    signed = AWSRequest("PUT", f"http://host/b/k?{query}")
    S3SigV4QueryAuth(Credentials("AKID", "secret"), "s3", "us-east-1", expires=60).add_auth(signed)
    url = urlsplit(signed.url)
    when = next(one for one in url.query.split("&") if one.startswith("X-Amz-Date=")).partition("=")[2]
    at_ms = time_ms(when)
    assert at_ms is not None, when
    return Request("PUT", url.path, url.query, {"host": "host"}, Listener(DIALECTS["aws"]), at_ms=at_ms)


def test_x_amz_parameters_of_a_presigned_url_are_headers():
    request = presigned("x-amz-storage-class=STANDARD_IA&x-amz-meta-a=b%20c&x-id=PutObject")

    authenticate(request, USERS)

    assert {"host": "host", "x-amz-storage-class": "STANDARD_IA", "x-amz-meta-a": "b c"} == request.headers


def test_user_metadata_may_go_beyond_ascii():
    request = presigned("x-amz-meta-a=%C3%A4")

    authenticate(request, USERS)

    assert "ä" == request.headers["x-amz-meta-a"]


@pytest.mark.parametrize("pair", ["x-amz-meta-a=1%0D%0Ab:2", "x-amz-tagging=%C3%A4", "x-amz-meta-a%3A1=2"])
def test_a_parameter_that_no_header_could_be_is_refused(pair):
    with pytest.raises(Fault) as raised:
        authenticate(presigned(pair), USERS)

    assert "InvalidArgument" == raised.value.kind.name
