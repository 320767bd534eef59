"""Requests that tests of signatures send, and how they are refused."""

from __future__ import annotations

import pytest

from tests.unit.s3.signing.signing_client import USERS, request, signed_headers
from trivium.base.faults import Fault
from trivium.s3.messages import Request
from trivium.s3.signing.authenticate import authenticate

HOST = {"host": "s3.example.com"}
DIGEST = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"


def refusal(asked: Request) -> Fault:
    with pytest.raises(Fault) as raised:
        authenticate(asked, USERS)
    return raised.value


def with_authorization(text: str, **headers: str) -> Request:
    given = signed_headers("GET", "/b/k")
    return request("GET", "/b/k", headers={**given, "authorization": text, **headers})
