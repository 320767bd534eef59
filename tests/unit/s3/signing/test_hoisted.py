"""Headers that a presigned URL carries in its query: signed with it, and read as the headers they stand for."""

from __future__ import annotations

from urllib.parse import urlsplit

from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from trivium.s3.dialects import DIALECTS
from trivium.s3.messages import Listener, Request
from trivium.s3.signing.authenticate import authenticate
from trivium.s3.signing.v4 import time_ms
from trivium.services.access.users import Account, Credential, Users

USERS = Users([Credential("AKID", "secret", Account("me", "me"))])


def test_x_amz_parameters_of_a_presigned_url_are_headers():
    signed = AWSRequest("PUT", "http://host/b/k?x-amz-storage-class=STANDARD_IA&x-amz-meta-a=b%20c&x-id=PutObject")
    S3SigV4QueryAuth(Credentials("AKID", "secret"), "s3", "us-east-1", expires=60).add_auth(signed)
    url = urlsplit(signed.url)
    when = next(one for one in url.query.split("&") if one.startswith("X-Amz-Date=")).partition("=")[2]
    request = Request("PUT", url.path, url.query, {"host": "host"}, Listener(DIALECTS["aws"]), at_ms=time_ms(when))

    authenticate(request, USERS)

    assert {"host": "host", "x-amz-storage-class": "STANDARD_IA", "x-amz-meta-a": "b c"} == request.headers
