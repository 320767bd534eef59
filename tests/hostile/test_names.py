"""Keys, buckets and parameters that are odd: kept byte for byte, or refused as what they are."""

from __future__ import annotations

import random
import re
from urllib.parse import quote, unquote

import pytest

from tests.hostile.street import Line, ask, head, sign, signed

KEYS = {
    "dots": "..", "dots before": "../../etc/passwd", "dots inside": "a/../b", "a dot": ".", "a slash": "/",
    "slashes": "//", "a slash behind": "a/", "slashes inside": "a//b", "a space": " ", "spaces": " a ",
    "a plus": "a+b", "a percent sign": "100%", "an escape": "%2e%2e%2f", "a question mark": "a?b", "a hash": "a#b",
    "a backslash": "..\\a", "an emoji": "🌍", "a family": "👩‍👩‍👧", "a line break": "a\nb", "a return": "a\rb", "a tab": "a\tb",
    "control characters": "\x01\x02\x1b[31m\x7f\x80\x9f", "markup": "<a href=\"x\">&amp;'</a>", "CDATA": "]]>",
    "right to left": "\u202egpj.exe", "a mark of order": "\ufeffa", "decomposed": "u\u0308", "composed": "\u00fc",
    "the last code point": "\U0010ffff", "no character": "\uffff", "longest": "k" * 1024, "longest in UTF-8": "é" * 512,
}


@pytest.fixture(scope="module")
def odd(house):
    """A bucket with all odd keys; each object's content is its own key."""
    name = house.bucket()
    for key in KEYS.values():
        target = f"/{name}/{quote(key, safe='')}"
        answer = ask(house.server, "PUT", f"/{name}/{key}", body=key.encode(), target=target)
        assert answer.status == 200, (key, answer)
    return name


@pytest.mark.parametrize("what", KEYS)
def test_an_odd_key_is_kept_as_it_is(server, odd, what):
    answer = ask(server, "GET", f"/{odd}/{KEYS[what]}", target=f"/{odd}/{quote(KEYS[what], safe='')}")

    assert answer.body.decode() == KEYS[what]


def test_odd_keys_are_listed_encoded_in_the_order_of_their_bytes(server, odd):
    body = ask(server, "GET", f"/{odd}", "encoding-type=url&list-type=2").body.decode()
    listed = [unquote(key.replace("+", " ")) for key in re.findall("<Key>(.*?)</Key>", body, re.DOTALL)]

    assert listed == sorted(KEYS.values(), key=str.encode)


def test_odd_keys_are_listed_in_pages(s3, odd):
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=odd, PaginationConfig={"PageSize": 3})

    assert [one["Key"] for page in pages for one in page["Contents"]] == sorted(KEYS.values(), key=str.encode)


def test_odd_keys_are_listed_as_they_are_with_references(server, odd):
    """XML 1.0 has no way to say U+0001; AWS writes a reference nevertheless, and clients ask for encoding-type."""
    answer = ask(server, "GET", f"/{odd}", "list-type=2")

    assert answer.status == 200
    assert b"&lt;a href=" in answer.body
    assert b"<a href" not in answer.body
    assert b"&#x1;" in answer.body
    assert b"a&#xd;b" in answer.body  # a bare CR would be read as a line break
    assert answer.body.decode().count("<Contents>") == len(KEYS)


@pytest.mark.parametrize("key", ["k" * 1025, "é" * 513, "🌍" * 257])
def test_longer_keys_are_refused(server, bucket, key):
    answer = ask(server, "PUT", f"/{bucket}/{key}", body=b"", target=f"/{bucket}/{quote(key)}")

    assert (answer.status, answer.code) == (400, "KeyTooLongError")


@pytest.mark.parametrize("escape", ["%ff", "%c3%28", "%ed%a0%80", "%f5%80%80%80", "%c0%af", "a%80"])
def test_keys_that_are_no_utf8_are_refused(server, bucket, escape):
    with Line(server) as line:
        line.send(head("PUT", f"/{bucket}/{escape}", {**sign(server, "PUT", f"/{bucket}/k"), "content-length": "0"}))
        answer = line.answer()

    assert (answer.status, answer.code) == (400, "InvalidURI")


@pytest.mark.parametrize("escape", ["%", "%2", "%zz", "%%", "a%0", "%u0041"])
def test_escapes_that_are_none_do_not_hurt(server, bucket, escape):
    for target in (f"/{bucket}/{escape}", f"/{bucket}?prefix={escape}", f"/{escape}"):
        with Line(server) as line:
            line.send(head("GET", target, sign(server, "GET", f"/{bucket}/k")))
            assert line.answer().status in {400, 403, 404}


def test_nul_is_a_character_like_others_or_refused(server, bucket):
    answer = ask(server, "PUT", f"/{bucket}/a\0b", body=b"nul", target=f"/{bucket}/a%00b")

    assert answer.status in {200, 400}
    if answer.status == 200:
        assert ask(server, "GET", f"/{bucket}/a\0b", target=f"/{bucket}/a%00b").body == b"nul"
        assert ask(server, "GET", f"/{bucket}/a").status == 404


@pytest.mark.parametrize("name", [
    "..", "a%00b", "%ff%ff", "%2e%2e", "a%2Fb", "A_B", "x" * 300, "%F0%9F%8C%8D", "a@b", "@", "a@2026-13-45T99:99:99Z", " ", "-", "a%0Ab"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD"])
def test_a_bucket_that_cannot_be_is_not_there(server, method, name):
    path = "/" + unquote(name, errors="replace")
    answer = ask(server, method, path, target=f"/{name}", body=b"" if method == "PUT" else None)

    assert answer.status in {400, 403, 404, 405}


OUTSIDE = ["..", "../secret", "a/../../secret", "%2e%2e/secret", "/secret", "//secret", "a//b", "./secret", "a/.", "a/..",
           "out/secret", "deep/out/secret", "file/under", "a\\..\\b", "n\x00ul", "x" * 300, "d/" * 400 + "x", ".trivium", "loop"]


@pytest.mark.parametrize("key", OUTSIDE)
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_nothing_leads_out_of_a_mount(server, house, key, method):
    secret = house.files.parent / "secret"
    secret.write_bytes(b"secret")
    (house.files / "deep").mkdir(exist_ok=True)
    (house.files / "file").write_bytes(b"file")
    for link, goal in {"out": house.files.parent, "deep/out": house.files.parent, "loop": "loop"}.items():
        if not (house.files / link).is_symlink():
            (house.files / link).symlink_to(goal)
    around = {path.name for path in house.files.parent.iterdir()}

    answer = ask(
        server, method, f"/mounted/{key}", target=f"/mounted/{quote(key, safe='')}", body=b"overwritten" if method == "PUT" else None)

    assert answer.status in {200, 204, 400, 403, 404, 409}
    assert b"secret" not in re.sub(rb"<Error>.*", b"", answer.body, flags=re.DOTALL)
    assert secret.read_bytes() == b"secret"
    assert {path.name for path in house.files.parent.iterdir()} == around
    assert (house.files / "file").read_bytes() == b"file"


WORDS = [
    "", "0", "-1", "1", "\u00b2", "\u0663", "99999999999999999999", "1e9", "abc", "\x00", "\x01", "%", "+", "/", "//", "..", "🌍",
    "null", "HEAD^", "true", "a" * 2000, "\ufffd", "\n", "<a>", "&", "=", "\"", "2026-13-45T99:99:99Z", "bytes=0-", "AAAA",
]
QUERIES = {
    "GET bucket": ["list-type", "prefix", "delimiter", "marker", "max-keys", "start-after", "continuation-token", "encoding-type",
                   "fetch-owner", "versions", "key-marker", "version-id-marker", "uploads", "upload-id-marker", "max-uploads",
                   "location", "versioning", "tagging", "acl", "x-id"],
    "GET object": ["versionId", "partNumber", "uploadId", "max-parts", "part-number-marker", "tagging", "attributes",
                   "response-content-type", "response-expires", "acl"],
    "PUT object": ["partNumber", "uploadId", "tagging", "versionId", "renameObject", "acl"],
    "POST object": ["uploads", "uploadId", "restore", "select"],
    "DELETE object": ["versionId", "uploadId", "tagging"],
    "GET service": ["prefix", "max-buckets", "continuation-token", "bucket-region"],
}
HEADERS = [
    "range", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "x-amz-copy-source", "x-amz-copy-source-range",
    "x-amz-copy-source-if-match", "x-amz-rename-source", "content-md5", "x-amz-checksum-crc32", "x-amz-checksum-algorithm",
    "x-amz-sdk-checksum-algorithm", "x-amz-tagging", "x-amz-metadata-directive", "x-amz-tagging-directive", "x-amz-storage-class",
    "x-amz-expected-bucket-owner", "x-amz-object-attributes", "x-amz-max-parts", "x-amz-part-number-marker", "x-amz-mp-object-size",
    "x-amz-checksum-type", "x-amz-if-match-size", "x-amz-if-match-last-modified-time", "x-amz-acl", "x-amz-meta-a", "expires",
    "x-amz-website-redirect-location", "x-amz-decoded-content-length", "x-amz-trailer", "x-amz-date", "date",
]


def asked_at_random(chance, bucket):
    """A request whose parameters and headers are anything: method, path, query and headers."""
    what = chance.choice(list(QUERIES))
    method, _, kind = what.partition(" ")
    path = {"service": "/", "bucket": f"/{bucket}", "object": f"/{bucket}/k"}[kind]
    query = {name: chance.choice(WORDS) for name in chance.sample(QUERIES[what], chance.randint(0, 3))}
    printable = [word for word in WORDS if word.isascii() and (word.isprintable())]
    headers = {name: chance.choice(printable) for name in chance.sample(HEADERS, chance.randint(0, 3))}
    if "date" in headers or "x-amz-date" in headers:
        headers = {name: value for name, value in headers.items() if name not in {"date", "x-amz-date"}}
    encoded = "&".join(sorted(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in query.items()))
    return method, path, encoded, headers


@pytest.mark.parametrize("seed", range(8))
def test_whatever_is_asked_gets_an_answer_that_is_no_500(server, house, seed):
    chance, bucket = random.Random(seed), house.bucket()
    ask(server, "PUT", f"/{bucket}/k", body=b"content")
    broken: list[tuple[object, ...]] = []
    with Line(server) as line:
        for _ in range(150):
            method, path, query, headers = asked_at_random(chance, bucket)
            length = 0 if method in {"PUT", "POST"} else None
            if not line.send(signed(server, method, path, query, headers, length=length)):
                broken.append(("closed", method, path, query, headers))
                break
            answer = line.answer()
            if not 200 <= answer.status < 500 and answer.status != 501:
                broken.append((answer.status, answer.code, method, path, query, headers))

    assert broken == []
