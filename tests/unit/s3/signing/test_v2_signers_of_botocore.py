"""botocore as the oracle of version 2: what its signers sign is accepted, any change to it is not."""

from __future__ import annotations

from unittest.mock import patch
from urllib.parse import quote, unquote, urlsplit

from botocore.auth import HmacV1Auth, HmacV1QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.unit.s3.signing.signing_client import ACCESS_KEY, SECRET_KEY, USERS, request
from tests.unit.s3.signing.signing_v2_client import DATE, LATER
from trivium.base.faults import Fault
from trivium.s3.messages import Request
from trivium.s3.signing import v2
from trivium.s3.signing.authenticate import authenticate

CREDENTIALS = Credentials(ACCESS_KEY, SECRET_KEY)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
KEYS = TEXTS | st.sampled_from([
    "a b", "ä/€", "//", "a//b/../c", "a+b", "100%", "~tilde", "%41", "a?acl#c", "😀", "", "a&b=c;d",
    "it's(*)!", "back\\slash", "\"<>^`{|}",
])  # fmt: skip
SIGNED_NAMES = ["versionId", "uploads", "response-content-type", "acl", "partNumber", "uploadId", "tagging"]
QUERIES = st.lists(
    st.tuples(st.sampled_from([*SIGNED_NAMES, "prefix", "marker", "list-type", "a-b", "é"]), TEXTS),
    max_size=4, unique_by=lambda pair: pair[0])  # fmt: skip
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=16)
REPEATED = st.dictionaries(
    st.sampled_from(["x-amz-meta-a", "X-Amz-Meta-B", "x-amz-tagging"]),
    st.lists(VALUES, min_size=1, max_size=2), max_size=3)  # fmt: skip
SINGLE = st.dictionaries(st.sampled_from(["Content-Type", "content-md5", "range"]), VALUES, max_size=3)
METHODS = st.sampled_from(["GET", "PUT", "HEAD", "DELETE", "POST"])


def sent(
    method: str, key: str, query: list[tuple[str, str]], headers: list[tuple[str, str]], *, presign: bool
) -> Request:
    """A request as botocore signs it and the door hands it in."""
    url = "http://127.0.0.1:9000/bucket/" + quote(key, safe="/~")
    if query:  # botocore signs what is sent, and sends a bare name for what has no value
        url += "?" + "&".join([
            f"{quote(name)}={quote(value, safe='-._~')}" if value else quote(name) for name, value in query])
    asked = AWSRequest(method=method, url=url, data=b"")
    for name, value in headers:
        asked.headers.add_header(name, value)
    kind = HmacV1QueryAuth if presign else HmacV1Auth
    with patch.object(kind, "_get_date", lambda _: LATER if presign else DATE):
        kind(CREDENTIALS).add_auth(asked)
    parts = urlsplit(asked.url)
    given: dict[str, str] = {}
    if not presign:
        for name, value in asked.headers.items():
            lower = name.lower()
            given[lower] = f"{given[lower]},{value.strip()}" if lower in given else value.strip()
    given |= {"host": "127.0.0.1:9000", "user-agent": "x"}
    return request(method, unquote(parts.path), parts.query, given)


def plain(query: list[tuple[str, str]]) -> bool:
    """May version 2 say this? A value that reads as a further parameter is refused."""
    return not any(f"&{name}" in value for _, value in query for name in v2.SUBRESOURCES)


@settings(max_examples=200, deadline=None)
@given(METHODS, KEYS, QUERIES, REPEATED, SINGLE, st.booleans())
def test_what_botocore_signs_is_accepted(
    method: str,
    key: str,
    query: list[tuple[str, str]],
    repeated: dict[str, list[str]],
    single: dict[str, str],
    presign: bool,
) -> None:
    assume(plain(query))
    last = -1 if presign else 0  # its signer for URLs puts but one of repeated headers there
    headers = [(name, value) for name, values in repeated.items() for value in values[last:]]
    asked = sent(method, key, query, [*headers, *single.items()], presign=presign)
    claim = authenticate(asked, USERS)

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


@settings(max_examples=400, deadline=None)
@given(
    KEYS,
    QUERIES,
    st.booleans(),
    st.sampled_from(["path", "query", "authorization", "x-amz-meta-a", "content-type", "date"]),
    st.integers(0, 2000),
    st.characters(exclude_categories=[]),
)
def test_whatever_is_signed_and_changes_is_refused_and_nothing_crashes(
    key: str, query: list[tuple[str, str]], presign: bool, what: str, at: int, character: str
) -> None:
    assume(plain(query))
    headers_sent = [("x-amz-meta-a", "value"), ("content-type", "text/plain")]
    right = sent("GET", key, query, headers_sent, presign=presign)
    path, text, headers = right.path, right.query_string, dict(right.headers)
    if what == "path":
        path = changed(path, at, character)
        assume(path != right.path)
    elif what == "query":
        text = changed(text, at, character)
        assume(signed_part(text) != signed_part(right.query_string))
    else:
        assume(what in headers)
        headers[what] = changed(headers[what], at, character)
        assume(headers[what].strip() != right.headers[what])
    wrong = Request("GET", path, text, headers, right.listener, at_ms=right.at_ms)

    assert not accepted(wrong)


def signed_part(text: str) -> list[tuple[str, str]]:
    """What a query says that is signed, by other words than ours; of what is given twice the first counts."""
    found: dict[str, str] = {}
    for item in text.split("&"):
        name, _, value = item.partition("=")
        found.setdefault(unquote(name.replace("+", " ")), unquote(value.replace("+", " ")))
    credentials = {"AWSAccessKeyId", "Expires", "Signature"}
    return sorted(
        (name.lower() if hoisted(name) else name, value.strip() if hoisted(name) else value)
        for name, value in found.items()
        if hoisted(name) or name in v2.SUBRESOURCES | v2.UNCOVERED | credentials)  # fmt: skip


def hoisted(name: str) -> bool:
    return name.lower().startswith("x-amz-") or name.lower() in ("content-type", "content-md5")


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
    whole = f"AWSAccessKeyId={ACCESS_KEY}&Expires={LATER}&Signature={query}"
    for text in (query, f"Signature={query}", whole):
        authorization = {"authorization": f"AWS {headers.get('authorization', '')}", "date": DATE}
        for more in ({}, authorization, {"authorization": f"AWS {ACCESS_KEY}:{query}", "date": DATE}):
            assert not accepted(request("GET", path, text, headers | more))


def test_botocore_signs_the_same_parameters() -> None:
    # Two of its list are Google's and select nothing here.
    assert v2.SUBRESOURCES == set(HmacV1Auth.QSAOfInterest) - {"defaultObjectAcl", "storageClass"}
