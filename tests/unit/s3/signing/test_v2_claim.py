"""Who asks by version 2: header, presigned URL, each way to get it wrong, and a listener that refuses both."""

from __future__ import annotations

import pytest

from tests.unit.s3.signing.signing_client import (
    ACCESS_KEY,
    ALICE,
    EMPTY,
    SECRET_KEY,
    USERS,
    presigned_query,
    request,
    signed_headers,
)
from tests.unit.s3.signing.signing_v2_client import (
    DATE,
    HOST,
    LATER,
    NOON_SECONDS,
    authorization,
    iso,
    signature,
    signed,
    url_query,
)
from trivium.base.faults import Fault
from trivium.s3.dialect import Dialect
from trivium.s3.messages import Listener, Request
from trivium.s3.signing.authenticate import authenticate

TEXT = f"GET\n\n\n{DATE}\n/b/k"
URL_TEXT = f"GET\n\n\n{LATER}\n/b/k"
STRICT = Listener(Dialect("aws"), signature_v2=False)


def refusal(asked: Request) -> Fault:
    with pytest.raises(Fault) as raised:
        authenticate(asked, USERS)
    return raised.value


def with_header(text: str) -> Request:
    return request("GET", "/b/k", headers={**HOST, "date": DATE, "authorization": text})


def test_the_claim_is_the_keys_account() -> None:
    in_header = authenticate(signed(TEXT), USERS)
    in_query = authenticate(request("GET", "/b/k", url_query(URL_TEXT), HOST), USERS)

    assert (ALICE, ACCESS_KEY, False) == (in_header.account, in_header.access_key, in_header.presigned)
    assert (ALICE, ACCESS_KEY, True) == (in_query.account, in_query.access_key, in_query.presigned)


# The header


@pytest.mark.parametrize("text", ["AWS HAHAHA", "AWS :sig", "AWS key:", "AWS ", "AWS a b:c", "AWS a:b:c"])
def test_a_header_of_another_form_is_refused(text: str) -> None:
    fault = refusal(with_header(text))

    assert ("InvalidV2AuthorizationHeader", "InvalidArgument", 400) == (
        fault.kind.name, fault.kind.code, fault.kind.status)  # fmt: skip
    assert {"ArgumentName": "Authorization", "ArgumentValue": text} == fault.facts


def test_an_unknown_access_key_is_named() -> None:
    fault = refusal(with_header(authorization(TEXT, access_key="AKIAUNKNOWN")))

    assert ("InvalidAccessKeyId", {"AWSAccessKeyId": "AKIAUNKNOWN"}) == (fault.kind.name, fault.facts)


def test_a_signature_that_does_not_match_comes_with_the_text_that_was_signed() -> None:
    fault = refusal(with_header(authorization(TEXT, secret_key="wrong")))

    assert "SignatureDoesNotMatch" == fault.kind.name
    assert {
        "AWSAccessKeyId": ACCESS_KEY,
        "StringToSign": TEXT,
        "SignatureProvided": signature(TEXT, "wrong"),
        "StringToSignBytes": TEXT.encode().hex(" "),
    } == fault.facts


@pytest.mark.parametrize("text", ["x", "=" * 28, "ü" * 28, signature(TEXT)[:-1], signature(TEXT) + " "])
def test_a_signature_that_is_none_does_not_match(text: str) -> None:
    assert "SignatureDoesNotMatch" == refusal(with_header(f"AWS {ACCESS_KEY}:{text}")).kind.name


def test_every_part_of_the_text_counts() -> None:
    headers = {"content-md5": "m", "content-type": "t", "x-amz-meta-a": "v"}
    text = f"PUT\nm\nt\n{DATE}\nx-amz-meta-a:v\n/b/k?acl"
    right = signed(text, "PUT", query="acl", headers=headers)
    assert ACCESS_KEY == authenticate(right, USERS).access_key

    changes = [
        {"content-md5": "n"}, {"content-type": "u"}, {"x-amz-meta-a": "w"}, {"x-amz-meta-b": "v"},
        {"date": "Fri, 24 May 2013 12:00:01 GMT"}, {"x-amz-date": DATE}, {"x-amz-content-sha256": EMPTY},
    ]  # fmt: skip
    wrong = [request("PUT", "/b/k", "acl", {**right.headers, **change}) for change in changes]
    wrong += [request("POST", "/b/k", "acl", right.headers), request("PUT", "/b/j", "acl", right.headers)]
    wrong += [request("PUT", "/b/k", query, right.headers) for query in ("", "acl=1", "acl&cors", "policy")]
    wrong += [
        request("PUT", "/b/k", "acl", {name: value for name, value in right.headers.items() if name != gone})
        for gone in headers]  # fmt: skip

    assert {"SignatureDoesNotMatch"} == {refusal(one).kind.name for one in wrong}


def test_what_is_not_signed_may_change() -> None:
    right = signed(TEXT)
    other = request("GET", "/b/k", "prefix=p", {**right.headers, "host": "other", "range": "bytes=0-1"})

    assert ACCESS_KEY == authenticate(other, USERS).access_key


# Dates


@pytest.mark.parametrize("at", ["20130524T114500Z", "20130524T121500Z"])
def test_a_request_may_be_fifteen_minutes_early_or_late(at: str) -> None:
    assert ACCESS_KEY == authenticate(signed(TEXT, at=at), USERS).access_key


@pytest.mark.parametrize("at", ["20130524T114459Z", "20130524T121501Z"])
def test_more_than_fifteen_minutes_is_too_skewed(at: str) -> None:
    fault = refusal(signed(TEXT, at=at))

    assert "RequestTimeTooSkewed" == fault.kind.name
    assert {
        "RequestTime": DATE,
        "ServerTime": f"2013-05-24T{at[9:11]}:{at[11:13]}:{at[13:15]}Z",
        "MaxAllowedSkewMilliseconds": 900_000,
    } == fault.facts


@pytest.mark.parametrize("date", ["", "Bad Date", "Tue, 07 Jul 1950 21:53:04 GMT", "2013" * 100])
@pytest.mark.parametrize("name", ["date", "x-amz-date"])
def test_a_date_that_is_none_is_refused(name: str, date: str) -> None:
    headers = {**HOST, "date": DATE, "authorization": authorization(TEXT), name: date}
    fault = refusal(request("GET", "/b/k", headers=headers))

    assert ("AWSAuthenticationRequiresDate", "AccessDenied") == (fault.kind.name, fault.kind.code)


def test_a_request_without_a_date_is_refused() -> None:
    headers = {**HOST, "authorization": authorization("GET\n\n\n\n/b/k")}
    fault = refusal(request("GET", "/b/k", headers=headers))

    assert "AWSAuthenticationRequiresDate" == fault.kind.name


@pytest.mark.parametrize("date", ["Fri, 24 May 2013 14:00:00 +0200", "20130524T120000Z"])
def test_a_date_of_another_form_is_taken_as_it_was_written(date: str) -> None:
    asked = signed(f"GET\n\n\n\nx-amz-date:{date}\n/b/k", headers={"x-amz-date": date})

    assert ACCESS_KEY == authenticate(asked, USERS).access_key


# Presigned URLs


def test_a_url_is_good_until_the_second_it_names() -> None:
    def at(second: int) -> Request:
        query = url_query(f"GET\n\n\n{NOON_SECONDS - second}\n/b/k", str(NOON_SECONDS - second))
        return request("GET", "/b/k", query, HOST)

    fault = refusal(at(1))
    assert authenticate(at(0), USERS).presigned
    assert ("RequestExpired", "AccessDenied", 403) == (fault.kind.name, fault.kind.code, fault.kind.status)
    assert {"Expires": iso(NOON_SECONDS - 1), "ServerTime": iso(NOON_SECONDS)} == fault.facts


def test_a_url_may_live_for_years() -> None:
    query = url_query("GET\n\n\n999999999999999\n/b/k", "999999999999999")

    assert authenticate(request("GET", "/b/k", query, HOST), USERS).presigned


@pytest.mark.parametrize("expires", ["soon", "-5", "1.5", "٣", "9" * 16, " 1"])
def test_an_expiry_that_is_no_number_is_refused(expires: str) -> None:
    fault = refusal(request("GET", "/b/k", url_query(URL_TEXT, expires), HOST))

    assert ("InvalidDate", "AccessDenied", 403) == (fault.kind.name, fault.kind.code, fault.kind.status)
    assert f"Invalid date (should be seconds since epoch): {expires}" == fault.message


@pytest.mark.parametrize("name", ["AWSAccessKeyId", "Expires", "Signature"])
@pytest.mark.parametrize("empty", ["", "{name}="])
def test_every_parameter_is_needed(name: str, empty: str) -> None:
    items = [one for one in url_query(URL_TEXT).split("&") if not one.startswith(name + "=")]
    query = "&".join([*items, empty.format(name=name)])
    fault = refusal(request("GET", "/b/k", query, HOST))

    assert ("QueryAuthenticationRequiresParameters", "AccessDenied", 403) == (
        fault.kind.name, fault.kind.code, fault.kind.status)  # fmt: skip


def test_headers_in_the_query_are_signed_and_count_instead_of_those_that_are_sent() -> None:
    text = f"PUT\n\ntext/plain\n{LATER}\nx-amz-meta-a:b c\nx-amz-storage-class:STANDARD\n/b/k"
    query = url_query(text, more="Content-Type=text%2Fplain&x-amz-meta-a=b+c&X-Amz-Storage-Class=STANDARD")
    asked = request("PUT", "/b/k", query, {**HOST, "content-type": "text/html", "x-amz-meta-a": "other"})

    assert authenticate(asked, USERS).presigned
    assert {
        **HOST, "content-type": "text/plain", "x-amz-meta-a": "b c", "x-amz-storage-class": "STANDARD",
    } == asked.headers  # fmt: skip


def test_headers_may_be_sent_as_headers_when_they_are_signed() -> None:
    query = url_query(f"PUT\n\ntext/plain\n{LATER}\nx-amz-meta-a:b\n/b/k")
    headers = {**HOST, "content-type": "text/plain", "x-amz-meta-a": "b"}

    assert authenticate(request("PUT", "/b/k", query, headers), USERS).presigned
    assert "SignatureDoesNotMatch" == refusal(request("PUT", "/b/k", query, HOST)).kind.name
    more = {**headers, "x-amz-acl": "public-read"}
    assert "SignatureDoesNotMatch" == refusal(request("PUT", "/b/k", query, more)).kind.name


@pytest.mark.parametrize("pair", ["x-amz-meta-a=1%0Ax-amz-b:2", "x-amz-meta-a%3A1=2", "content-type=%C3%A4"])
def test_a_header_in_the_query_must_be_one_that_could_be_sent(pair: str) -> None:
    fault = refusal(request("PUT", "/b/k", url_query(URL_TEXT, more=pair), HOST))

    assert "InvalidArgument" == fault.kind.name


# Bodies


def payload_of(sha256: str, **more: str) -> Request:
    headers = {"x-amz-content-sha256": sha256, **more}
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    return signed(f"PUT\n\n\n{DATE}\n{lines}/b/k", "PUT", headers=headers)


def test_a_body_is_not_signed_unless_a_hash_is_sent() -> None:
    assert "" == authenticate(signed(TEXT), USERS).payload.sha256
    assert "" == authenticate(payload_of("UNSIGNED-PAYLOAD"), USERS).payload.sha256
    assert EMPTY == authenticate(payload_of(EMPTY), USERS).payload.sha256
    assert "InvalidContentSha256" == refusal(payload_of("GIBBERISH")).kind.name


@pytest.mark.parametrize("sha256", [
    "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
])  # fmt: skip
def test_framed_bodies_need_version_4(sha256: str) -> None:
    fault = refusal(payload_of(sha256))

    assert ("UseV4AuthorizationMechanism", "InvalidRequest") == (fault.kind.name, fault.kind.code)


def test_a_framed_body_that_does_not_say_so_is_refused_too() -> None:
    fault = refusal(payload_of("UNSIGNED-PAYLOAD", **{"x-amz-decoded-content-length": "5"}))

    assert "UseV4AuthorizationMechanism" == fault.kind.name


def test_a_security_token_is_refused_because_nobody_issued_one() -> None:
    headers = {"x-amz-security-token": "t"}
    in_header = signed(f"GET\n\n\n{DATE}\nx-amz-security-token:t\n/b/k", headers=headers)
    text = f"GET\n\n\n{LATER}\nx-amz-security-token:t\n/b/k"
    in_query = request("GET", "/b/k", url_query(text, more="x-amz-security-token=t"), HOST)

    assert {"InvalidToken"} == {refusal(one).kind.name for one in (in_header, in_query)}


# Two at once, or not at all


def test_two_mechanisms_together_are_refused() -> None:
    both = request("GET", "/b/k", url_query(URL_TEXT), signed(TEXT).headers)
    old_and_new = request("GET", "/b/k", presigned_query("GET", "/b/k"), signed(TEXT).headers)
    new_and_old = request("GET", "/b/k", url_query(URL_TEXT), signed_headers("GET", "/b/k"))
    faults = {refusal(one).kind.name for one in (both, old_and_new, new_and_old)}

    assert {"OnlyOneAuthMechanismAllowed"} == faults


def test_a_listener_may_refuse_version_2() -> None:
    in_header = signed(TEXT, listener=STRICT)
    in_query = request("GET", "/b/k", url_query(URL_TEXT), HOST, listener=STRICT)
    new = request("GET", "/b/k", headers=signed_headers("GET", "/b/k"), listener=STRICT)

    assert {"UseV4AuthorizationMechanism"} == {refusal(one).kind.name for one in (in_header, in_query)}
    assert ACCESS_KEY == authenticate(new, USERS).access_key


def test_text_that_utf8_cannot_say_is_refused() -> None:
    asked = request("GET", "/b/\ud800", headers=signed(TEXT).headers)

    assert "InvalidURI" == refusal(asked).kind.name


def test_the_secret_is_in_no_fault() -> None:
    fault = refusal(with_header(authorization(TEXT, secret_key="wrong")))

    assert SECRET_KEY not in repr(fault)
