"""Who asks with a presigned URL; and each way to get it wrong."""

from __future__ import annotations

import pytest

from tests.unit.s3.signing.signed_requests import DIGEST, HOST, refusal
from tests.unit.s3.signing.signing_client import (
    AWS,
    NOON,
    SCOPE,
    USERS,
    ms,
    presigned_query,
    request,
    signed_headers,
)
from trivium.s3.messages import Request
from trivium.s3.signing.authenticate import authenticate


def test_header_and_query_together_are_refused() -> None:
    both = request("GET", "/b/k", presigned_query("GET", "/b/k"), signed_headers("GET", "/b/k"))
    old = request("GET", "/b/k", "AWSAccessKeyId=a&Expires=1&Signature=s", signed_headers("GET", "/b/k"))

    assert "OnlyOneAuthMechanismAllowed" == refusal(both).kind.name
    assert "OnlyOneAuthMechanismAllowed" == refusal(old).kind.name


def test_a_presigned_url_is_good_until_it_expires() -> None:
    query = presigned_query("GET", "/b/k", expires="300")

    assert authenticate(request("GET", "/b/k", query, HOST, at="20130524T120500Z"), USERS).presigned


def test_an_expired_url_says_when() -> None:
    query = presigned_query("GET", "/b/k", expires="300")
    fault = refusal(request("GET", "/b/k", query, HOST, at="20130524T120501Z"))

    assert ("RequestExpired", "AccessDenied", "Request has expired") == (
        fault.kind.name,
        fault.kind.code,
        fault.message,
    )
    assert {
        "X-Amz-Expires": 300,
        "Expires": "2013-05-24T12:05:00Z",
        "ServerTime": "2013-05-24T12:05:01Z",
    } == fault.facts


def test_a_url_from_the_future_is_not_valid_yet() -> None:
    query = presigned_query("GET", "/b/k")

    assert authenticate(request("GET", "/b/k", query, HOST, at="20130524T114500Z"), USERS).presigned
    assert (
        "RequestNotYetValid" == refusal(request("GET", "/b/k", query, HOST, at="20130524T114459Z")).kind.name
    )


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"X-Amz-Expires": "week"}, "XAmzExpiresShouldBeANumber"),
        ({"X-Amz-Expires": "+5"}, "XAmzExpiresShouldBeANumber"),
        ({"X-Amz-Expires": "٣"}, "XAmzExpiresShouldBeANumber"),
        ({"X-Amz-Expires": "-1"}, "XAmzExpiresMustBeNonNegative"),
        ({"X-Amz-Expires": "604801"}, "XAmzExpiresLongerThanAWeek"),
        ({"X-Amz-Expires": "9" * 5000}, "XAmzExpiresLongerThanAWeek"),
        ({"X-Amz-Algorithm": "AWS4-ECDSA-P256-SHA256"}, "XAmzAlgorithmUnsupported"),
        ({"X-Amz-Date": "Fri, 24 May 2013 12:00:00 GMT"}, "XAmzDateIncorrectFormat"),
        ({"X-Amz-Date": "20130525T000000Z"}, "V4QPCredentialDateNotSameAsXamzDate"),
        ({"X-Amz-Credential": "nothing"}, "V4QPAuthorizationCredentialMalformed"),
        ({"X-Amz-Credential": f"a\n/{SCOPE}"}, "V4QPAuthorizationCredentialMalformed"),
        ({"X-Amz-Credential": f"/{SCOPE}"}, "V4QPEmptyAuthorizationAccessKey"),
        ({"X-Amz-Credential": "a/1/us-east-1/s3/aws4_request"}, "V4QPIncorrectAuthorizationDateFormat"),
        ({"X-Amz-Credential": "a/20130524//s3/aws4_request"}, "V4QPEmptyAuthorizationRegion"),
        ({"X-Amz-Credential": "a/20130524/us-east-1/s4/aws4_request"}, "V4QPIncorrectAuthorizationService"),
        (
            {"X-Amz-Credential": "a/20130524/us-east-1/s3/aws5_request"},
            "V4QPIncorrectAuthorizationRequestType",
        ),
        ({"X-Amz-Credential": f"AKIAUNKNOWN/{SCOPE}"}, "InvalidAccessKeyId"),
        ({"X-Amz-SignedHeaders": "x-amz-date"}, "AuthorizationHeadersNotSigned"),
        ({"X-Amz-SignedHeaders": "host\nx"}, "XAmzSignedHeadersMalformed"),
    ],
)
def test_a_wrong_parameter_is_refused_by_the_name_of_its_flaw(changed: dict[str, str], name: str) -> None:
    fault = refusal(request("GET", "/b/k", presigned_query("GET", "/b/k", more=changed), HOST))

    assert name == fault.kind.name


def test_the_longest_life_is_a_week() -> None:
    query = presigned_query("GET", "/b/k", expires="604800")

    assert authenticate(request("GET", "/b/k", query, HOST), USERS).presigned


@pytest.mark.parametrize("name", ["Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature"])
def test_every_parameter_is_needed(name: str) -> None:
    items = presigned_query("GET", "/b/k").split("&")
    query = "&".join(item for item in items if not item.startswith(f"X-Amz-{name}="))

    assert "NotAllV4QueryParametersProvided" == refusal(request("GET", "/b/k", query, HOST)).kind.name


def test_the_signature_may_stand_anywhere_in_the_query() -> None:
    items = presigned_query("GET", "/b/k", more={"versionId": "1", "zeta": ""}).split("&")

    for at in range(len(items)):
        query = "&".join([*items[:at], items[-1], *items[at:-1]])
        assert authenticate(request("GET", "/b/k", query, HOST), USERS).presigned


def test_headers_added_to_a_presigned_url_must_be_signed() -> None:
    query = presigned_query("PUT", "/b/k")
    fault = refusal(request("PUT", "/b/k", query, {**HOST, "x-amz-acl": "public-read"}))

    assert {"HeadersNotSigned": "x-amz-acl"} == fault.facts
    assert authenticate(
        request("PUT", "/b/k", query, {**HOST, "content-type": "text/plain"}), USERS
    ).presigned


def test_signed_headers_of_a_presigned_url_must_arrive() -> None:
    query = presigned_query("PUT", "/b/k", headers={"x-amz-acl": "private"})

    assert authenticate(request("PUT", "/b/k", query, {**HOST, "x-amz-acl": "private"}), USERS).presigned
    assert "SignatureDoesNotMatch" == refusal(request("PUT", "/b/k", query, HOST)).kind.name


def test_a_presigned_body_is_unsigned_unless_a_signed_hash_says_otherwise() -> None:
    plain = request("PUT", "/b/k", presigned_query("PUT", "/b/k"), {**HOST, "x-amz-content-sha256": DIGEST})
    in_query = request(
        "PUT",
        "/b/k",
        presigned_query("PUT", "/b/k", more={"X-Amz-Content-Sha256": DIGEST}, sha256=DIGEST),
        HOST,
    )
    header = {"x-amz-content-sha256": DIGEST}
    in_header = request(
        "PUT", "/b/k", presigned_query("PUT", "/b/k", headers=header, sha256=DIGEST), {**HOST, **header}
    )

    assert ["", DIGEST, DIGEST] == [
        authenticate(one, USERS).payload.sha256 for one in (plain, in_query, in_header)
    ]


def test_what_is_kept_of_a_query_does_not_make_another_one_good() -> None:
    query = presigned_query("GET", "/b/k")

    assert authenticate(request("GET", "/b/k", query, HOST), USERS).presigned
    assert "SignatureDoesNotMatch" == refusal(request("GET", "/b/j", query, HOST)).kind.name
    assert (
        "RequestExpired"
        == refusal(Request("GET", "/b/k", query, HOST, AWS, at_ms=ms(NOON) + 300_001)).kind.name
    )
