"""Whatever is asked, in whatever words: an answer that is no 500, with headers that can be sent and XML that can be read."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.wire.stage import Answer, Stage
from trivium.buckets.record import BRANCH, OBJECTS
from trivium.s3.fields import Derived, Header, Query, sources
from trivium.s3.operations import load_all
from trivium.s3.registry import OPERATIONS, REFUSED, Operation

load_all()
METHODS = ("GET", "PUT", "POST", "DELETE", "HEAD")
PATHS = ("/", "/bucket", "/bucket/key", "/bucket/a b/../\U0001f600", "/nowhere/key", "/bucket@2026-11-01T12:00:05Z/key")
SELECTORS = sorted({
    one for _, _, selectors in [*((o.method, o.target, o.selectors) for o in OPERATIONS.values()), *REFUSED.values()]
    for one in selectors if not one.startswith("header:")})
WORDS = st.one_of(
    st.sampled_from([
        "", "0", "1", "-1", "2147483648", "9" * 30, "bytes=" + "9" * 5000 + "-", "null", "*", '"e"', "url", "true", "ENABLED", "COPY", "REPLACE", "CRC32",
        "SHA256", "COMPOSITE", "bucket/key", "/bucket/key?versionId=null", "bytes=0-1", "bytes=1-0", "a=1&b=2", "STANDARD",
        "Sun, 01 Nov 2026 12:00:00 GMT", "2026-11-01T12:00:00Z", "ETag,ObjectSize", "private", "id-of-alice", "%ff", "%00",
        "AAAA", "AAAAAA==", "1B2M2Y8AsgTpgAmY7PhCfg==", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "x-amz-checksum-crc32",
    ]),
    st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20))
BODIES = st.one_of(
    st.just(b""), st.binary(max_size=40), st.sampled_from([
        b"<Delete><Object><Key>key</Key></Object></Delete>", b"<Tagging><TagSet/></Tagging>",
        b"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>",
        b"<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>",
        b"<CreateBucketConfiguration><LocationConstraint>x</LocationConstraint></CreateBucketConfiguration>",
        b"<Delete><Object><Key>a</Key><Size>1e9</Size></Object></Delete>", b"5;chunk-signature=0\r\nhello\r\n0\r\n\r\n"]))


def names_read(operation: Operation) -> Iterator[tuple[str, bool]]:
    """Names of headers (True) and query parameters (False) that the operation reads."""
    for mark in sources(operation.ask).values():
        if isinstance(mark, Header | Query):
            yield mark.name, isinstance(mark, Header)
        elif isinstance(mark, Derived):
            yield from ((name, True) for name in mark.headers)
            yield from ((name, False) for name in mark.queries)


READ = sorted({name for one in OPERATIONS.values() for name in names_read(one)})
HEADERS = sorted({name + ("x" if name.endswith("-") else "") for name, header in READ if header} | {
    "content-length", "content-md5", "x-amz-content-sha256", "x-amz-decoded-content-length", "x-amz-sdk-checksum-algorithm",
    "x-amz-trailer", "x-amz-expected-bucket-owner", "transfer-encoding", "x-amz-checksum-crc32", "x-amz-mfa"})
QUERIES = sorted({name for name, header in READ if not header})


@pytest.fixture(scope="module", params=[OBJECTS, BRANCH])
def stage(request: pytest.FixtureRequest) -> Stage:
    found = Stage(creates=request.param)
    found.ask("PUT", "/bucket")
    found.ask("PUT", "/bucket", "versioning", body=b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>")
    return found


def check(answer: Answer) -> None:
    assert answer.status < 500 or answer.status == 501, answer
    for name, value in answer.headers:
        assert name == name.lower()
        assert not set(value) & set("\r\n\x00"), (name, value)
    if answer.status >= 400 and answer.body:
        assert {"Code", "Message", "RequestId"} <= {one.tag for one in ET.fromstring(answer.body)}


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.sampled_from(METHODS), st.sampled_from(PATHS), st.sets(st.sampled_from(SELECTORS), max_size=2),
    st.dictionaries(st.sampled_from(QUERIES), WORDS, max_size=3), st.dictionaries(st.sampled_from(HEADERS), WORDS, max_size=4),
    BODIES)
def test_it_is_answered(
    stage: Stage, method: str, path: str, selectors: set[str], query: dict[str, str], headers: dict[str, str], body: bytes,
) -> None:
    text = "&".join([*sorted(selectors), *(f"{name}={value}" for name, value in query.items())])

    check(stage.ask(method, path, text, headers, body))


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@pytest.mark.parametrize("name", sorted(OPERATIONS))
@given(data=st.data())
def test_every_action_answers_whatever_its_parameters_say(stage: Stage, name: str, data: Any) -> None:  # Any: hypothesis' own
    one = OPERATIONS[name]
    read = sorted(names_read(one))
    given_: dict[tuple[str, bool], str] = data.draw(st.dictionaries(st.sampled_from(read), WORDS, max_size=4)) if read else {}
    query = [selector for selector in one.selectors if not selector.startswith("header:")]
    query += [f"{key}={value}" for (key, header), value in given_.items() if not header and key not in query]
    headers = {key: value for (key, header), value in given_.items() if header and not key.endswith("-")}
    headers |= {selector[7:]: data.draw(WORDS) for selector in one.selectors if selector.startswith("header:")}
    path = {"service": "/", "bucket": "/bucket", "object": "/bucket/key"}[one.target]
    if name == "DeleteBucket":
        path = "/nowhere"

    check(stage.ask(one.method, path, "&".join(query), headers, data.draw(BODIES)))
