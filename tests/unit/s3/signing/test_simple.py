"""Listeners that believe: the access key is the user."""

from __future__ import annotations

import pytest

from tests.unit.s3.signing.signing_client import ACCESS_KEY, ALICE, USERS, request
from trivium.base.faults import Fault
from trivium.s3.dialect import Dialect
from trivium.s3.messages import Listener
from trivium.s3.signing.authenticate import authenticate
from trivium.s3.signing.claim import Claim
from trivium.services.access.users import ANONYMOUS, Account

SIMPLE = Listener(Dialect("alluxio"), authentication="simple", default_user="root")


def claim(headers: dict[str, str], query: str = "", listener: Listener = SIMPLE) -> Claim:
    return authenticate(request("PUT", "/b/k", query, headers, listener=listener), USERS)


@pytest.mark.parametrize(
    "text",
    [
        "AWS4-HMAC-SHA256 Credential=testuser/... SignedHeaders=... Signature=...",
        "AWS4-HMAC-SHA256 Credential=testuser/",
        "AWS4-HMAC-SHA256 SignedHeaders=host, Credential=testuser/20130524/r/s3/aws4_request, Signature=0",
        "AWS testuser:frJIUN8DYpKDtOLCwo//yllqDzg=",
        "AWS testuser:",
    ],
)
def test_the_access_key_is_believed(text: str) -> None:
    found = claim({"authorization": text})

    assert ("testuser", Account("testuser", "testuser")) == (found.access_key, found.account)


def test_a_declared_account_is_found_by_access_key_and_by_name() -> None:
    by_key = claim({"authorization": f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/"})
    by_name = claim({"authorization": "AWS4-HMAC-SHA256 Credential=Alice/"})

    assert [ALICE, ALICE] == [by_key.account, by_name.account]


@pytest.mark.parametrize(
    "text", ["AWS testuser", "AWS test user:x", "Basic dGVzdDp0ZXN0", "AWS4-HMAC-SHA256 Credential=x", "x"]
)
def test_an_odd_header_is_malformed(text: str) -> None:
    with pytest.raises(Fault) as raised:
        claim({"authorization": text})

    assert "AuthorizationHeaderMalformed" == raised.value.kind.name


def test_without_credentials_the_default_user_asks() -> None:
    assert "root" == claim({}).account.name
    assert claim({}, listener=Listener(Dialect("alluxio"), authentication="simple")).account == ANONYMOUS


@pytest.mark.parametrize(
    "text", ["AWS4-HMAC-SHA256 Credential=/20130524/r/s3/aws4_request, Signature=0", "AWS :c2lnbmF0dXJl"]
)
def test_an_empty_access_key_is_the_default_user(text: str) -> None:
    assert "root" == claim({"authorization": text}).account.name
    assert "root" == claim({}, "X-Amz-Credential=%2F20130524%2Fus-east-1%2Fs3%2Faws4_request").account.name
    assert "root" == claim({}, "AWSAccessKeyId=&Expires=1&Signature=x").account.name


def test_a_presigned_url_names_its_user() -> None:
    assert "bob" == claim({}, "X-Amz-Credential=bob%2F20130524%2Fus-east-1%2Fs3%2Faws4_request").access_key
    assert "bob" == claim({}, "AWSAccessKeyId=bob&Expires=1&Signature=x").access_key


def test_chunks_are_decoded_and_their_signatures_ignored() -> None:
    by_length = claim({"x-amz-decoded-content-length": "5"}).payload
    by_name = claim({"x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"}).payload
    digest = claim({"x-amz-content-sha256": "0" * 64}).payload

    assert (True, None, False) == (by_length.chunked, by_length.signing, by_length.trailer)
    assert (True, None, True) == (by_name.chunked, by_name.signing, by_name.trailer)
    assert ("0" * 64, False) == (digest.sha256, digest.chunked)
