"""Who asks: headers, presigned URLs, nobody; and each way to get it wrong, by the name of its fault."""

from __future__ import annotations

import pytest
from signing_client import (
    ACCESS_KEY,
    ALICE,
    AWS,
    EMPTY,
    NOON,
    SCOPE,
    USERS,
    authorization,
    ms,
    presigned_query,
    request,
    signature,
    signed_headers,
)

from trivium.base.faults import Fault
from trivium.s3.messages import Request
from trivium.s3.signing.authenticate import authenticate
from trivium.services.access.users import ANONYMOUS

HOST = {"host": "s3.example.com"}
DIGEST = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"


def refusal(asked: Request) -> Fault:
    with pytest.raises(Fault) as raised:
        authenticate(asked, USERS)
    return raised.value


def with_authorization(text: str, **headers: str) -> Request:
    given = signed_headers("GET", "/b/k")
    return request("GET", "/b/k", headers={**given, "authorization": text, **headers})


# The examples of the Amazon S3 API Reference, "Signature Calculations for the Authorization Header"

EXAMPLE_HOST = "examplebucket.s3.amazonaws.com"
MIDNIGHT = "20130524T000000Z"


def example(method: str, path: str, query: str, headers: dict[str, str], names: str, signed: str) -> Request:
    given = {"host": EXAMPLE_HOST, "authorization": authorization(names, signed), **headers}
    return request(method, path, query, given, at=MIDNIGHT)


EXAMPLES = {
    "GET Object": example(
        "GET",
        "/test.txt",
        "",
        {"range": "bytes=0-9", "x-amz-content-sha256": EMPTY, "x-amz-date": MIDNIGHT},
        "host;range;x-amz-content-sha256;x-amz-date",
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
    ),
    "PUT Object": example(
        "PUT",
        "/test$file.text",
        "",
        {
            "date": "Fri, 24 May 2013 00:00:00 GMT",
            "x-amz-date": MIDNIGHT,
            "x-amz-storage-class": "REDUCED_REDUNDANCY",
            "x-amz-content-sha256": DIGEST,
        },
        "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
    ),
    "GET Bucket Lifecycle": example(
        "GET",
        "/",
        "lifecycle",
        {"x-amz-date": MIDNIGHT, "x-amz-content-sha256": EMPTY},
        "host;x-amz-content-sha256;x-amz-date",
        "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
    ),
    "List Objects": example(
        "GET",
        "/",
        "max-keys=2&prefix=J",
        {"x-amz-date": MIDNIGHT, "x-amz-content-sha256": EMPTY},
        "host;x-amz-content-sha256;x-amz-date",
        "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
    ),
    "presigned GET": request(
        "GET",
        "/test.txt",
        "X-Amz-Algorithm=AWS4-HMAC-SHA256"
        "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
        "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
        "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
        {"host": EXAMPLE_HOST},
        at=MIDNIGHT,
    ),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_of_the_manual_are_signed_by_their_key(name: str) -> None:
    claim = authenticate(EXAMPLES[name], USERS)

    assert (ACCESS_KEY, ALICE) == (claim.access_key, claim.account)
    assert (name == "presigned GET") == claim.presigned


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_of_the_manual_are_refused_with_another_method(name: str) -> None:
    right = EXAMPLES[name]
    wrong = Request("DELETE", right.path, right.query_string, right.headers, AWS, at_ms=right.at_ms)

    assert "SignatureDoesNotMatch" == refusal(wrong).kind.name


# Nobody


def test_a_request_without_credentials_is_anonymous() -> None:
    claim = authenticate(request("GET", "/b/k", "list-type=2", HOST), USERS)

    assert claim.anonymous
    assert ANONYMOUS == claim.account


def test_an_empty_authorization_header_counts_as_none() -> None:
    assert authenticate(request("GET", "/b/k", headers={**HOST, "authorization": ""}), USERS).anonymous


def test_nobody_may_send_chunks_with_a_trailer_but_not_signed_ones() -> None:
    unsigned = {**HOST, "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}
    signed = {**HOST, "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"}

    assert authenticate(request("PUT", "/b/k", headers=unsigned), USERS).payload.chunked
    assert "InvalidRequest" == refusal(request("PUT", "/b/k", headers=signed)).kind.code


# The Authorization header

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


# Dates


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


# What must be signed


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


# How the body is signed


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


# Two at once


def test_header_and_query_together_are_refused() -> None:
    both = request("GET", "/b/k", presigned_query("GET", "/b/k"), signed_headers("GET", "/b/k"))
    old = request("GET", "/b/k", "AWSAccessKeyId=a&Expires=1&Signature=s", signed_headers("GET", "/b/k"))

    assert "OnlyOneAuthMechanismAllowed" == refusal(both).kind.name
    assert "OnlyOneAuthMechanismAllowed" == refusal(old).kind.name


# Presigned URLs


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


# Odd but possible


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
