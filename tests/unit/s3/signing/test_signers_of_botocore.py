"""botocore as the oracle: what its signers sign is accepted, and any change to it is not."""

from __future__ import annotations

from datetime import datetime
from unittest.mock import patch
from urllib.parse import quote, unquote, urlsplit

from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.unit.s3.signing.signing_client import ACCESS_KEY, NOON, SECRET_KEY, USERS, request
from trivium.base.faults import Fault
from trivium.s3.messages import Request
from trivium.s3.signing.authenticate import authenticate

CREDENTIALS = Credentials(ACCESS_KEY, SECRET_KEY)
KEYS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20
) | st.sampled_from(
    [
        "a b",
        "ä/€",
        "//",
        "a//b/../c",
        "a+b",
        "100%",
        "~tilde",
        "%41",
        "a?b#c",
        "😀",
        "",
        "a&b=c;d",
        "it's(*)!",
    ]
)
NAMES = st.sampled_from(
    ["prefix", "marker", "versionId", "list-type", "a-b", "a", "uploads", "response-content-type", "é"]
)
QUERIES = st.lists(
    st.tuples(NAMES, st.text(st.characters(exclude_categories=["Cs"]), max_size=10)),
    max_size=4,
    unique_by=lambda p: p[0],
)
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=16)
HEADERS = st.dictionaries(
    st.sampled_from(
        ["x-amz-meta-a", "x-amz-meta-b", "x-amz-tagging", "content-type", "content-md5", "range"]
    ),
    st.lists(VALUES, min_size=1, max_size=2),
    max_size=4,
)
METHODS = st.sampled_from(["GET", "PUT", "HEAD", "DELETE", "POST"])


def sent(
    method: str,
    key: str,
    query: list[tuple[str, str]],
    headers: dict[str, list[str]],
    *,
    presign: bool = False,
) -> Request:
    """A request as botocore signs it and the door hands it in."""
    url = "http://127.0.0.1:9000/bucket/" + quote(key, safe="/~")
    if query:
        url += "?" + "&".join(
            f"{quote(name, safe='-._~')}={quote(value, safe='-._~')}" for name, value in query
        )
    asked = AWSRequest(method=method, url=url, data=b"")
    for name, values in headers.items():
        for value in values:
            asked.headers.add_header(name, value)
    kind = S3SigV4QueryAuth if presign else S3SigV4Auth
    with patch("botocore.auth.get_current_datetime", lambda: datetime.strptime(NOON, "%Y%m%dT%H%M%SZ")):
        kind(CREDENTIALS, "s3", "us-east-1").add_auth(asked)
    parts = urlsplit(asked.url)
    given = {
        name.lower(): ",".join(value.strip() for value in asked.headers.get_all(name))
        for name in asked.headers
    }
    return request(
        method, unquote(parts.path), parts.query, {"host": "127.0.0.1:9000", "user-agent": "x"} | given
    )


@settings(max_examples=150, deadline=None)
@given(METHODS, KEYS, QUERIES, HEADERS, st.booleans())
def test_what_botocore_signs_is_accepted(
    method: str,
    key: str,
    query: list[tuple[str, str]],
    headers: dict[str, list[str]],
    presign: bool,
) -> None:
    claim = authenticate(sent(method, key, query, headers, presign=presign), USERS)

    assert (ACCESS_KEY, presign) == (claim.access_key, claim.presigned)


def accepted(asked: Request) -> bool:
    """Is the request taken as ACCESS_KEY's? Refusals must be faults."""
    try:
        return authenticate(asked, USERS).access_key == ACCESS_KEY
    except Fault:
        return False


def changed(text: str, at: int, character: str) -> str:
    at %= len(text) + 1
    return text[:at] + character + text[at + 1 :]


@settings(max_examples=300, deadline=None)
@given(
    KEYS,
    QUERIES,
    st.booleans(),
    st.sampled_from(["path", "query", "authorization", "x-amz-meta-a", "host"]),
    st.integers(0, 2000),
    st.characters(exclude_categories=[]),
)
def test_whatever_changes_is_refused_and_never_crashes(
    key: str,
    query: list[tuple[str, str]],
    presign: bool,
    what: str,
    at: int,
    character: str,
) -> None:
    right = sent("GET", key, query, {"x-amz-meta-a": ["value"]}, presign=presign)
    path, text, headers = right.path, right.query_string, dict(right.headers)
    if what == "path":
        path = changed(path, at, character)
        assume(path != right.path)
    elif what == "query":
        text = changed(text, at, character)
        assume(same_query(text) != same_query(right.query_string))
    else:
        assume(what in headers)
        headers[what] = changed(headers[what], at, character)
        assume(same_header(headers[what]) != same_header(right.headers[what]))
    wrong = Request("GET", path, text, headers, right.listener, at_ms=right.at_ms)

    assert not accepted(wrong)


def same_query(text: str) -> list[tuple[str, str]]:
    """What a query means, by other words than ours."""
    items = [item.partition("=") for item in text.split("&") if item]
    return sorted(
        (unquote(name.replace("+", " ")), unquote(value.replace("+", " "))) for name, _, value in items
    )


def same_header(text: str) -> str:
    return " ".join(text.split()).replace(", ", ",").replace(" ,", ",")


@settings(max_examples=300, deadline=None)
@given(
    st.text(max_size=80),
    st.text(max_size=80),
    st.dictionaries(
        st.sampled_from(["authorization", "x-amz-date", "date", "x-amz-content-sha256", "host"]),
        st.text(max_size=60),
    ),
)
def test_any_text_at_all_meets_a_claim_or_a_fault(path: str, query: str, headers: dict[str, str]) -> None:
    for text in (
        query,
        f"X-Amz-Signature={query}",
        f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date={NOON}&{query}",
    ):
        for authorization in ({}, {"authorization": f"AWS4-HMAC-SHA256 {headers.get('authorization', '')}"}):
            assert not accepted(request("GET", path, text, headers | authorization))


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(["Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature"]),
    st.text(max_size=30),
)
def test_any_value_of_a_presigned_parameter_meets_a_fault(name: str, value: str) -> None:
    right = sent("GET", "k", [], {}, presign=True)
    items = dict(item.split("=", 1) for item in right.query_string.split("&"))
    assume(unquote(items[f"X-Amz-{name}"]) != value)
    items[f"X-Amz-{name}"] = quote(value, safe="", errors="surrogatepass")
    query = "&".join(f"{one}={text}" for one, text in items.items())

    assert not accepted(request("GET", right.path, query, right.headers))
