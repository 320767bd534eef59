"""Who asks with an Authorization header, or with none; and each way to get it wrong."""

from __future__ import annotations

import pytest

from tests.unit.s3.signing.signed_requests import DIGEST, HOST, refusal, with_authorization
from tests.unit.s3.signing.signing_client import (
    ACCESS_KEY,
    EMPTY,
    NOON,
    SCOPE,
    USERS,
    authorization,
    presigned_query,
    request,
    signature,
    signed_headers,
)
from trivium.s3.signing.authenticate import authenticate
from trivium.services.access.users import ANONYMOUS


def test_a_request_without_credentials_is_anonymous() -> None:
    claim = authenticate(request("GET", "/b/k", "list-type=2", HOST), USERS)

    assert not claim.access_key
    assert ANONYMOUS == claim.account


def test_an_empty_authorization_header_counts_as_none() -> None:
    assert ANONYMOUS == authenticate(request("GET", "/b/k", headers={**HOST, "authorization": ""}), USERS).account


def test_nobody_may_send_chunks_with_a_trailer_but_not_signed_ones() -> None:
    unsigned = {**HOST, "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}
    signed = {**HOST, "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"}

    assert authenticate(request("PUT", "/b/k", headers=unsigned), USERS).payload.chunked
    assert "InvalidRequest" == refusal(request("PUT", "/b/k", headers=signed)).kind.code


MALFORMED = {
    "invalid_header": ("AuthorizationHeaderNeedsOneSpace", "InvalidArgument"),
    "AWS4-ECDSA-P256-SHA256 Credential=a/b": ("UseV4AuthorizationMechanism", "InvalidRequest"),
    "Bearer token": ("UnsupportedAuthorizationType", "InvalidArgument"),
    "AWS4-HMAC-SHA256 x": ("AuthorizationHeaderRequiresThreeComponents", "AuthorizationHeaderMalformed"),
    f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/{SCOPE},Signature=0": (
        "AuthorizationHeaderRequiresThreeComponents",
        "AuthorizationHeaderMalformed",
    ),
    f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/{SCOPE},SignedHeaders-host,Signature=0": (
        "AuthorizationComponentMalformed",
        "AuthorizationHeaderMalformed",
    ),
    f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/{SCOPE},SignedHeaders=,Signature=0": (
        "AuthorizationComponentMalformed",
        "AuthorizationHeaderMalformed",
    ),
    f"AWS4-HMAC-SHA256 Creds={ACCESS_KEY}/{SCOPE},SignedHeaders=host,Signature=0": (
        "MissingAuthorizationCredential",
        "AuthorizationHeaderMalformed",
    ),
    f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/{SCOPE},Signed=host,Signature=0": (
        "MissingAuthorizationSignedHeaders",
        "AuthorizationHeaderMalformed",
    ),
    f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/{SCOPE},SignedHeaders=host,Sign=0": (
        "MissingAuthorizationSignature",
        "AuthorizationHeaderMalformed",
    ),
    authorization("host", "0", scope="20130524/us-east-1/aws4_request"): (
        "V4MHAuthorizationCredentialMalformed",
        "AuthorizationHeaderMalformed",
    ),
    authorization("host", "0", access_key=""): (
        "V4MHEmptyAuthorizationAccessKey",
        "AuthorizationHeaderMalformed",
    ),
    authorization("host", "0", scope="20130524//s3/aws4_request"): (
        "V4MHEmptyAuthorizationRegion",
        "AuthorizationHeaderMalformed",
    ),
    authorization("host", "0", scope="2013052/us-east-1/s3/aws4_request"): (
        "V4MHIncorrectAuthorizationDateFormat",
        "AuthorizationHeaderMalformed",
    ),
    authorization("host", "0", scope="20130524/us-east-1/ec2/aws4_request"): (
        "V4MHIncorrectAuthorizationService",
        "AuthorizationHeaderMalformed",
    ),
    authorization("host", "0", scope="20130524/us-east-1/s3/aws_request"): (
        "V4MHIncorrectAuthorizationRequestType",
        "AuthorizationHeaderMalformed",
    ),
    authorization("host", "0", scope="20130523/us-east-1/s3/aws4_request"): (
        "CredentialDateNotSameAsXamzDate",
        "AuthorizationHeaderMalformed",
    ),
    authorization("x-amz-date", "0"): ("AuthorizationHeadersNotSigned", "AccessDenied"),
    # each repetition would repeat the header's value in what is signed: gigabytes of it
    authorization("host;x-amz-date;host", "0"): ("AuthorizationComponentMalformed", "AuthorizationHeaderMalformed"),
    # a signing key is kept for each region: a long one would fill the memory
    authorization("host;x-amz-date", "0", scope=f"20130524/{'r' * 512}/s3/aws4_request"): (
        "V4MHAuthorizationCredentialMalformed", "AuthorizationHeaderMalformed",
    ),
    authorization("host;x-amz-date", "0", access_key="AKIAUNKNOWN"): (
        "InvalidAccessKeyId",
        "InvalidAccessKeyId",
    ),
}


@pytest.mark.parametrize("text", MALFORMED)
def test_a_malformed_authorization_header_is_refused_by_the_name_of_its_flaw(text: str) -> None:
    fault = refusal(with_authorization(text))

    assert MALFORMED[text] == (fault.kind.name, fault.kind.code)


def test_a_wrong_credential_is_named_in_the_message() -> None:
    fault = refusal(
        with_authorization(authorization("host", "0", scope="20130524/us-east-1/ec2/aws4_request"))
    )

    assert (
        'The authorization header is malformed; incorrect service "ec2". This endpoint belongs to "s3".'
        == fault.message
    )


def test_the_components_may_stand_in_any_order() -> None:
    given = signed_headers("GET", "/b/k")
    mechanism, _, rest = given["authorization"].partition(" ")
    given["authorization"] = f"{mechanism} {','.join(reversed(rest.split(',')))}"

    assert ACCESS_KEY == authenticate(request("GET", "/b/k", headers=given), USERS).access_key


def test_an_unknown_access_key_is_named() -> None:
    fault = refusal(with_authorization(authorization("host;x-amz-date", "0", access_key="AKIAUNKNOWN")))

    assert {"AWSAccessKeyId": "AKIAUNKNOWN"} == fault.facts


def test_any_region_is_accepted() -> None:
    given = signed_headers("GET", "/b/k", scope="20130524/mars-north-7/s3/aws4_request")

    assert ACCESS_KEY == authenticate(request("GET", "/b/k", headers=given), USERS).access_key


def test_a_signature_that_does_not_match_comes_with_all_that_was_signed() -> None:
    given = signed_headers("GET", "/b/k ä", secret_key="wrong")
    fault = refusal(request("GET", "/b/k ä", headers=given))

    wanted = fault.facts["CanonicalRequest"]
    assert isinstance(wanted, str)
    assert "GET\n/b/k%20%C3%A4\n\nhost:s3.example.com\n" == wanted[: wanted.index("x-amz-content")]
    assert [
        "AWSAccessKeyId",
        "StringToSign",
        "SignatureProvided",
        "StringToSignBytes",
        "CanonicalRequest",
        "CanonicalRequestBytes",
    ] == list(fault.facts)
    assert f"41 57 53 34 2d {b'HMAC'.hex(' ')}" == str(fault.facts["StringToSignBytes"])[: 9 * 3 - 1]


@pytest.mark.parametrize("text", ["0" * 63, "0" * 64, "0" * 65, "", "ü" * 64, "\n"])
def test_a_signature_that_is_none_does_not_match(text: str) -> None:
    assert (
        "SignatureDoesNotMatch"
        == refusal(with_authorization(authorization("host;x-amz-content-sha256;x-amz-date", text))).kind.name
    )


def test_a_request_may_be_fifteen_minutes_early_or_late() -> None:
    given = signed_headers("GET", "/b/k")

    for at in ("20130524T114500Z", "20130524T121500Z"):
        assert ACCESS_KEY == authenticate(request("GET", "/b/k", headers=given, at=at), USERS).access_key


@pytest.mark.parametrize("at", ["20130524T114459Z", "20130524T121501Z"])
def test_more_than_fifteen_minutes_is_too_skewed(at: str) -> None:
    fault = refusal(request("GET", "/b/k", headers=signed_headers("GET", "/b/k"), at=at))

    server_time = f"2013-05-24T{at[9:11]}:{at[11:13]}:{at[13:15]}Z"
    assert "RequestTimeTooSkewed" == fault.kind.name
    assert {
        "RequestTime": NOON,
        "ServerTime": server_time,
        "MaxAllowedSkewMilliseconds": 900_000,
    } == fault.facts


def test_the_date_header_serves_when_there_is_no_x_amz_date() -> None:
    date = "Fri, 24 May 2013 12:00:00 GMT"
    names = "date;host;x-amz-content-sha256"
    lines = f"date:{date}\nhost:s3.example.com\nx-amz-content-sha256:UNSIGNED-PAYLOAD\n"
    signed = signature(f"GET\n/b/k\n\n{lines}\n{names}\nUNSIGNED-PAYLOAD")
    given = {
        **HOST,
        "date": date,
        "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
        "authorization": authorization(names, signed),
    }

    assert ACCESS_KEY == authenticate(request("GET", "/b/k", headers=given), USERS).access_key


@pytest.mark.parametrize("date", ["", "yesterday", "20131324T000000Z", "Fri, 99 May 2013", "2013" * 100])
def test_a_date_that_is_none_is_refused(date: str) -> None:
    fault = refusal(with_authorization(authorization("host;x-amz-date", "0"), **{"x-amz-date": date}))

    assert ("AWSAuthenticationRequiresDate", "AccessDenied") == (fault.kind.name, fault.kind.code)


def test_every_x_amz_header_must_be_signed() -> None:
    given = signed_headers("PUT", "/b/k") | {
        "x-amz-tagging": "a=b",
        "x-amz-copy-source": "/b/j",
        "content-md5": "x",
    }
    fault = refusal(request("PUT", "/b/k", headers=given))

    assert ("AuthorizationHeadersNotSigned", 403) == (fault.kind.name, fault.kind.status)
    assert {"HeadersNotSigned": "x-amz-copy-source, x-amz-tagging"} == fault.facts


def test_the_content_hash_need_not_be_among_the_signed_headers() -> None:
    names = "host;x-amz-date"
    signed = signature(f"GET\n/b/k\n\nhost:s3.example.com\nx-amz-date:{NOON}\n\n{names}\nUNSIGNED-PAYLOAD")
    given = {
        **HOST,
        "x-amz-date": NOON,
        "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
        "authorization": authorization(names, signed),
    }

    assert ACCESS_KEY == authenticate(request("GET", "/b/k", headers=given), USERS).access_key


def test_a_security_token_is_refused_because_nobody_issued_one() -> None:
    given = signed_headers("GET", "/b/k", headers={"x-amz-security-token": "t"})
    query = presigned_query("GET", "/b/k", more={"X-Amz-Security-Token": "t"})

    assert "InvalidToken" == refusal(request("GET", "/b/k", headers=given)).kind.name
    assert "InvalidToken" == refusal(request("GET", "/b/k", query, HOST)).kind.name


def test_the_content_hash_says_how_the_body_is_signed() -> None:
    def payload(sha256: str) -> tuple[str, bool, bool, bool]:
        given = signed_headers("PUT", "/b/k", sha256=sha256)
        found = authenticate(request("PUT", "/b/k", headers=given), USERS).payload
        return found.sha256, found.chunked, found.signing is not None, found.trailer

    assert (DIGEST, False, False, False) == payload(DIGEST)
    assert (DIGEST, False, False, False) == payload(DIGEST.upper())
    assert (EMPTY, False, False, False) == payload(EMPTY)
    assert ("", False, False, False) == payload("UNSIGNED-PAYLOAD")
    assert ("", True, False, True) == payload("STREAMING-UNSIGNED-PAYLOAD-TRAILER")
    assert ("", True, True, False) == payload("STREAMING-AWS4-HMAC-SHA256-PAYLOAD")
    assert ("", True, True, True) == payload("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER")


def test_signed_chunks_start_from_the_signature_of_the_headers() -> None:
    given = signed_headers("PUT", "/b/k", sha256="STREAMING-AWS4-HMAC-SHA256-PAYLOAD")
    signing = authenticate(request("PUT", "/b/k", headers=given), USERS).payload.signing

    assert signing is not None
    assert (NOON, SCOPE, given["authorization"][-64:]) == (signing.amz_date, signing.scope, signing.seed)


@pytest.mark.parametrize(
    ("sha256", "name"),
    [
        ("GIBBERISH", "InvalidContentSha256"),
        ("", "EmptyContentSha256"),
        (DIGEST[1:], "InvalidContentSha256"),
        ("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", "NotImplemented"),
        ("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER", "NotImplemented"),
    ],
)
def test_another_content_hash_is_refused(sha256: str, name: str) -> None:
    assert (
        name
        == refusal(request("PUT", "/b/k", headers=signed_headers("PUT", "/b/k", sha256=sha256))).kind.name
    )


def test_the_content_hash_must_be_there() -> None:
    given = signed_headers("GET", "/b/k")
    del given["x-amz-content-sha256"]
    fault = refusal(request("GET", "/b/k", headers=given))

    assert ("MissingContentSha256", "InvalidRequest", 400) == (
        fault.kind.name,
        fault.kind.code,
        fault.kind.status,
    )


def test_text_that_utf8_cannot_say_is_refused() -> None:
    given = signed_headers("GET", "/b/k")

    assert "InvalidURI" == refusal(request("GET", "/b/\ud800", headers=given)).kind.name


def test_a_long_list_of_signed_headers_is_read_each_time() -> None:
    more = {f"x-amz-meta-{number:03d}": "v" for number in range(100)}
    query = presigned_query("PUT", "/b/k", headers=more)
    given = signed_headers("PUT", "/b/k", headers=more)

    assert authenticate(request("PUT", "/b/k", query, {**HOST, **more}), USERS).presigned
    assert ACCESS_KEY == authenticate(request("PUT", "/b/k", headers=given), USERS).access_key


def test_a_header_name_with_a_percent_sign_can_be_signed() -> None:
    given = signed_headers("GET", "/b/k", headers={"x-amz-meta-100%s": "v"})

    assert ACCESS_KEY == authenticate(request("GET", "/b/k", headers=given), USERS).access_key
