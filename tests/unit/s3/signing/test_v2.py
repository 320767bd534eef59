"""Version 2: the examples of the User Guide, and each rule of the text that is signed."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.s3.signing.signing_client import ACCESS_KEY, SECRET_KEY, USERS, request
from tests.unit.s3.signing.signing_v2_client import DATE, LATER, signed, url_query
from trivium.base.faults import Fault
from trivium.s3.dialect import Dialect
from trivium.s3.messages import Listener, Request
from trivium.s3.operations import load_all
from trivium.s3.registry import OPERATIONS, REFUSED
from trivium.s3.signing import v2
from trivium.s3.signing.authenticate import authenticate

GUIDE = Listener(Dialect("aws"), domains=("s3.us-west-1.amazonaws.com",))
PHOTOS = {"host": "awsexamplebucket1.s3.us-west-1.amazonaws.com"}
SERVICE = {"host": "s3.us-west-1.amazonaws.com"}


def accepted(asked: Request) -> bool:
    try:
        return authenticate(asked, USERS).access_key == ACCESS_KEY
    except Fault:
        return False


def example(
    method: str, path: str, query: str, headers: dict[str, str], date: str, at: str, sign: str
) -> Request:
    given = {**headers, "date": f"{date} +0000", "authorization": f"AWS {ACCESS_KEY}:{sign}"}
    return request(method, path, query, given, at=at, listener=GUIDE)


# "Authentication examples" of "Signing and authenticating REST requests (AWS signature version 2)"
EXAMPLES = {
    "Object GET": example(
        "GET", "/photos/puppy.jpg", "", PHOTOS, "Tue, 27 Mar 2007 19:36:42", "20070327T193642Z",
        "qgk2+6Sv9/oM7G3qLEjTH1a1l1g="),
    "Object PUT": example(
        "PUT", "/photos/puppy.jpg", "", {**PHOTOS, "content-type": "image/jpeg", "content-length": "94328"},
        "Tue, 27 Mar 2007 21:15:45", "20070327T211545Z", "iqRzw+ileNPu1fhspnRs8nOjjIA="),
    "List": example(
        "GET", "/", "prefix=photos&max-keys=50&marker=puppy", {**PHOTOS, "user-agent": "Mozilla/5.0"},
        "Tue, 27 Mar 2007 19:42:41", "20070327T194241Z", "m0WP8eCtspQl5Ahe6L1SozdX9YA="),
    "Fetch": example(
        "GET", "/", "acl", PHOTOS, "Tue, 27 Mar 2007 19:44:46", "20070327T194446Z",
        "82ZHiFIjc+WbcwFKGUVEQspPn+0="),
    "List all my buckets": example(
        "GET", "/", "", SERVICE, "Wed, 28 Mar 2007 01:29:59", "20070328T012959Z",
        "qGdzdERIC03wnaRNKh6OqZehG9s="),
    "Query string request authentication": request(
        "GET", "/photos/puppy.jpg",
        f"AWSAccessKeyId={ACCESS_KEY}&Signature=1No4mq5ETf02z8aet9voy6gui6E%3D&Expires=1175139620", PHOTOS,
        at="20070329T034020Z", listener=GUIDE),
}  # fmt: skip


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_of_the_guide_are_signed_by_their_key(name: str) -> None:
    claim = authenticate(EXAMPLES[name], USERS)

    assert (ACCESS_KEY, name.startswith("Query")) == (claim.access_key, claim.presigned)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_of_the_guide_are_refused_with_another_method_path_or_secret(name: str) -> None:
    right = EXAMPLES[name]
    for method, path in (("DELETE", right.path), (right.method, right.path + "x")):
        wrong = Request(method, path, right.query_string, right.headers, GUIDE, at_ms=right.at_ms)
        assert not accepted(wrong)


def test_the_guides_upload_joins_sorts_and_lowers_its_amz_headers() -> None:
    headers = {
        "content-md5": "4gJE4saaMU4BqNR0kLY+lw==",
        "content-type": "application/x-download",
        "content-encoding": "gzip",
        "x-amz-meta-reviewedby": "joe@awsexamplebucket1.net,jane@awsexamplebucket1.net",
        "x-amz-meta-filechecksum": "0x02661779",
        "x-amz-acl": "public-read",
        "x-amz-meta-checksumalgorithm": "crc32",
    }
    (path,) = v2.paths("/db-backup.dat.gz", "", "static.awsexamplebucket1.net")
    text = v2.text_head("PUT", headers, "Tue, 27 Mar 2007 21:06:08 +0000") + path

    assert "dKZcB+bz2EPXgSdXZp9ozGeOM4I=" == v2.sign(SECRET_KEY, text)


def test_x_amz_date_leaves_the_place_of_the_date_empty() -> None:
    # The guide's Delete example signs its value in Date's place; its text, and S3, say that place is empty.
    right = f"DELETE\n\n\n\nx-amz-date:{DATE}\n/b/k"
    example = f"DELETE\n\n\n{DATE}\n/b/k"
    headers = {"x-amz-date": DATE, "date": "Fri, 24 May 2013 11:59:59 GMT"}

    assert accepted(signed(right, "DELETE", headers=headers))
    assert not accepted(signed(example, "DELETE", headers=headers))


# Headers


def test_values_are_trimmed_and_unfolded_and_names_sorted() -> None:
    given = {"x-amz-b": " two\r\n\t words\n  more ", "x-amz-a": "a  b", "x-amz": "no", "x-amz-": ""}

    assert "x-amz-:\nx-amz-a:a  b\nx-amz-b:two words more\n" == v2.amz_headers(given)


def test_content_type_and_md5_are_signed_by_their_place() -> None:
    text = f"PUT\nmd5\ntext/plain\n{DATE}\n/b/k"

    assert accepted(signed(text, "PUT", headers={"content-md5": "md5", "content-type": "text/plain"}))
    assert not accepted(signed(text, "PUT", headers={"content-md5": "md5"}))
    assert not accepted(signed(text, "PUT", headers={"content-md5": "text/plain", "content-type": "md5"}))


# The resource

PART = f"PUT\n\n\n{DATE}\n/b/k?partNumber=1&uploadId=u"


def test_sub_resources_are_sorted_and_the_rest_is_left_out() -> None:
    query = {"uploadId": "a/b", "prefix": "p", "acl": "", "response-expires": "Thu, 1 Jan", "list-type": "2"}

    assert "?acl&response-expires=Thu, 1 Jan&uploadId=a/b" == v2.subresources(query)
    assert "" == v2.subresources({"prefix": "p", "x-id": "GetObject"})


def test_an_empty_value_is_signed_as_none() -> None:
    assert accepted(signed(f"POST\n\n\n{DATE}\n/b/k?uploads", "POST", query="uploads="))


@pytest.mark.parametrize("query", ["partNumber=1&uploadId=u", "uploadId=u&x-id=UploadPart&partNumber=1"])
def test_the_order_of_the_query_does_not_matter(query: str) -> None:
    assert accepted(signed(PART, "PUT", query=query))


@pytest.mark.parametrize("query", [
    "partNumber=1", "partNumber=2&uploadId=u", "partNumber=1&uploadId=u&versionId=v",
    "partNumber=1%26uploadId%3Du", "partNumber=3&partNumber=1&uploadId=u",
])  # fmt: skip
def test_another_sub_resource_is_another_text(query: str) -> None:
    assert not accepted(signed(PART, "PUT", query=query))


@pytest.mark.parametrize("name", sorted(v2.UNCOVERED))
def test_an_action_selected_by_what_is_not_signed_is_refused(name: str) -> None:
    with pytest.raises(Fault, match=f"does not cover the sub-resource {name}. Please use AWS4") as raised:
        authenticate(signed(f"PUT\n\n\n{DATE}\n/b/k", "PUT", query=name), USERS)

    assert "UseV4AuthorizationMechanism" == raised.value.kind.name


def test_every_parameter_that_selects_an_action_is_signed_or_refused() -> None:
    load_all()
    rows = [operation.selectors for operation in OPERATIONS.values()] + [row[2] for row in REFUSED.values()]
    names = {one.partition("=")[0] for row in rows for one in row if not one.startswith("header:")}

    # The two listings are one permission, and no client signs which of them it wants.
    assert names <= v2.SUBRESOURCES | v2.UNCOVERED | {"list-type"}
    assert v2.SUBRESOURCES.isdisjoint(v2.UNCOVERED)


PIECES = st.lists(
    st.sampled_from(["acl", "versionId", "uploadId", "&", "=", "?", "v", "", "%26"]), max_size=6
).map("".join)


@given(*[st.dictionaries(st.sampled_from(["acl", "versionId", "uploadId"]), PIECES, max_size=3)] * 2)
def test_one_text_never_stands_for_two_requests(one: dict[str, str], other: dict[str, str]) -> None:
    try:
        texts = v2.subresources(one), v2.subresources(other)
    except Fault:
        return
    assert (texts[0] == texts[1]) == (one == other)


# The path

SPELT = "/b/it's (~)+ä"


@pytest.mark.parametrize("spelling", [
    "/b/it%27s%20%28~%29%2B%C3%A4",
    "/b/it%27s%20%28%7E%29%2B%C3%A4",
    "/b/it's%20(~)+%C3%A4",
    "/b/it's%20(~)%2B%C3%A4",
    "/b/it%27s%20%28~%29%2b%c3%a4",
])  # fmt: skip
def test_a_path_may_be_spelt_as_clients_do(spelling: str) -> None:
    assert accepted(signed(f"GET\n\n\n{DATE}\n{spelling}", path=SPELT))


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=12))
def test_no_spelling_of_a_path_reads_as_another(key: str) -> None:
    for spelling in v2.paths(f"/b/{key}", "", ""):
        assert spelling.isascii()
        assert set("?#\n ").isdisjoint(spelling)
        assert {f"/b/{key}", f"/b/{key}/"} >= {unquote(spelling)} or not key


@pytest.mark.parametrize(("path", "base", "bucket", "spellings"), [
    ("/", "", "", ["/"]),
    ("/b", "", "", ["/b", "/b/"]),
    ("/b/", "", "", ["/b/", "/b"]),
    ("/b/k", "", "", ["/b/k"]),
    ("/b/k/", "", "", ["/b/k/"]),
    ("/", "", "v", ["/v/"]),
    ("/k", "", "v", ["/v/k"]),
    ("/k/", "", "v", ["/v/k/"]),
    ("/base/b/k", "/base", "", ["/base/b/k", "/b/k"]),
    ("/base/b", "/base", "", ["/base/b", "/b", "/base/b/", "/b/"]),
    ("/base", "/base", "", ["/base", "/"]),
    ("/base/k", "/base", "v", ["/v/k"]),
    ("/base/base/k", "/base", "", ["/base/base/k"]),
    ("/base/base", "/base", "", ["/base/base", "/base/base/"]),
])  # fmt: skip
def test_buckets_and_base_paths_are_signed_as_clients_do(
    path: str, base: str, bucket: str, spellings: list[str]
) -> None:
    assert spellings == list(v2.paths(path, base, bucket))


@given(st.tuples(*[st.lists(st.sampled_from(["base", "b", "base2"]), max_size=4)] * 2))
def test_below_a_base_path_no_text_stands_for_two_paths(both: tuple[list[str], list[str]]) -> None:
    one, other = ("/".join(["/base", *names]) for names in both)

    assert (one == other) != set(v2.paths(one, "/base", "")).isdisjoint(v2.paths(other, "/base", ""))


names = st.lists(st.sampled_from(["base", "b", "base2"]), max_size=4)
bases = st.sampled_from(["", "/base", "/base/b", "/base2"])


@given(names, names, bases, bases, st.sampled_from(["", "base", "v"]), st.sampled_from(["", "base", "v"]))
def test_at_no_two_listeners_a_text_stands_for_two_objects(
    one: list[str], other: list[str], base: str, other_base: str, bucket: str, other_bucket: str
) -> None:
    both = (base, other_base)
    texts = set(v2.paths("/".join([base, *one]) or "/", base, bucket, both))
    others = set(v2.paths("/".join([other_base, *other]) or "/", other_base, other_bucket, both))
    objects = [[place, *keys] if place else keys for place, keys in ((bucket, one), (other_bucket, other))]

    assert objects[0] == objects[1] or texts.isdisjoint(others)


@given(names, bases, bases)
def test_what_begins_with_no_base_path_is_signed_as_ever(keys: list[str], base: str, other: str) -> None:
    path = "/".join([base, "bucket", *keys])

    assert list(v2.paths(path, base, "", ())) == list(v2.paths(path, base, "", (base,)))
    assert "/".join(["/bucket", *keys]) in set(v2.paths(path, base, "", (base, other)))


def test_a_url_for_one_listener_opens_nothing_else_at_another() -> None:
    """What curl signs for the bucket `base` at a plain listener, and what it signs below `/base`, is one text."""
    plain, below = (Listener(Dialect("aws"), base_path=base, bases=("/base",)) for base in ("", "/base"))

    def opens(path: str, listener: Listener) -> bool:
        return accepted(signed(f"GET\n\n\n{DATE}\n/base/b/k", path=path, listener=listener))

    assert [False, True] == [opens("/base/b/k", plain), opens("/base/b/k", below)]


def test_a_virtual_host_stands_in_front_in_lower_case() -> None:
    headers = {"host": "Awsexamplebucket1.s3.us-west-1.amazonaws.com:80"}

    def is_signed(path: str) -> bool:
        return accepted(signed(f"GET\n\n\n{DATE}\n{path}", path="/k", headers=headers, listener=GUIDE))

    assert is_signed("/awsexamplebucket1/k")
    assert not is_signed("/k")


def test_a_presigned_url_signs_its_expiry_in_place_of_the_date() -> None:
    query = url_query(f"GET\n\n\n{LATER}\n/b/k?versionId=v", more="versionId=v")

    assert accepted(request("GET", "/b/k", query, {"host": "h", "x-amz-date": "ignored"}))
    assert not accepted(request("GET", "/b/k", query.replace(LATER, LATER + "0"), {"host": "h"}))
