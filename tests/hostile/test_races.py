"""Many connections to two workers at once: exactly one wins, and what was acknowledged is there for everybody."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from tests.conftest import make_client
from tests.hostile.conftest import ended_well, start
from tests.hostile.street import Line, ask, blob_files, head, signed, until, workers
from tests.servers import run_scrub

ROUNDS = 6
CROWD = 12


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A server of two workers; when all is over its rows and files must agree."""
    started = start(tmp_path_factory.mktemp("races"), workers=2)
    before = workers(started.server)
    yield started
    ended_well(started, before)
    assert run_scrub(started.data) == ""


@pytest.fixture
def bucket(house):
    return house.bucket()


@pytest.fixture
def each(server):
    """A connection to each of the two workers; request ids begin with their process's own digits."""
    found: dict[str, Line] = {}
    lines: list[Line] = []
    for _ in range(100):
        lines.append(Line(server))
        found.setdefault(tell(server, lines[-1], "GET", "/").headers["x-amz-request-id"][:8], lines[-1])
        if len(found) == 2:
            break
    assert len(found) == 2, "all connections went to one worker"
    yield list(found.values())
    for line in lines:
        line.socket.close()


def tell(server, line, method, path, query="", headers=None, *, body=b""):
    line.send(signed(server, method, path, query, headers, length=len(body)) + body)
    return line.answer(body=method != "HEAD")


def at_once(count, work):
    """Do `work(number)` in so many threads that begin together; what came of each."""
    start_line = threading.Barrier(count)

    def one(number):
        start_line.wait(20)
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def code_of(call, **arguments) -> str:
    """The fault's code, "" when all went well."""
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] < 500, error
        return error.response["Error"]["Code"]
    return ""


def test_what_one_worker_acknowledged_the_other_has(server, each):
    one, other = each
    for number in range(20):
        bucket = f"here-and-there-{number}"
        assert tell(server, one, "PUT", f"/{bucket}").status == 200
        assert tell(server, other, "PUT", f"/{bucket}/k", body=b"first").status == 200
        assert tell(server, one, "GET", f"/{bucket}/k").body == b"first"
        assert tell(server, one, "PUT", f"/{bucket}/k", body=b"second").status == 200
        assert tell(server, other, "GET", f"/{bucket}/k").body == b"second"
        assert b"<Key>k</Key>" in tell(server, other, "GET", f"/{bucket}").body
        assert tell(server, other, "DELETE", f"/{bucket}/k").status == 204
        assert tell(server, one, "HEAD", f"/{bucket}/k").status == 404
        assert tell(server, one, "DELETE", f"/{bucket}").status == 204
        assert tell(server, other, "GET", f"/{bucket}/k").code == "NoSuchBucket"
        one, other = other, one


def test_versioning_that_one_worker_turned_on_the_other_obeys(server, each):
    one, other = each
    on = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
    for number in range(10):
        bucket = f"on-and-on-{number}"
        tell(server, one, "PUT", f"/{bucket}")
        assert "x-amz-version-id" not in tell(server, other, "PUT", f"/{bucket}/k", body=b"a").headers
        assert tell(server, one, "PUT", f"/{bucket}", "versioning=", body=on).status == 200
        assert "x-amz-version-id" in tell(server, other, "PUT", f"/{bucket}/k", body=b"b").headers
        one, other = other, one


def test_what_one_worker_shared_or_took_back_the_other_obeys(server, each):
    one, other = each
    nobody = {"host": f"127.0.0.1:{server.port}"}

    def seen_by_nobody(line, path):
        line.send(head("GET", path, nobody))
        return line.answer().status

    assert tell(server, one, "PUT", "/shared").status == 200
    assert tell(server, one, "PUT", "/shared/k", body=b"k").status == 200
    for _ in range(20):
        for path, acl, status in (
            ("/shared", "public-read", 200), ("/shared/k", "public-read", 200), ("/shared", "private", 403),
            ("/shared/k", "private", 403),
        ):
            assert tell(server, one, "PUT", path, "acl=", {"x-amz-acl": acl}).status == 200
            assert seen_by_nobody(other, path) == status
        one, other = other, one


@pytest.mark.parametrize("size", [10, 200_000])
def test_of_many_conditional_creates_one_wins(house, server, bucket, size):
    lines, before = [Line(server) for _ in range(CROWD)], blob_files(house.data)
    for number in range(ROUNDS):
        answers = at_once(CROWD, lambda who, number=number: tell(
            server, lines[who], "PUT", f"/{bucket}/k{number}", "", {"if-none-match": "*"}, body=b"%10d" % who * (size // 10)))
        statuses = [answer.status for answer in answers]

        assert sorted(set(statuses) - {409}) == [200, 412]
        assert statuses.count(200) == 1
        assert ask(server, "GET", f"/{bucket}/k{number}").body == b"%10d" % statuses.index(200) * (size // 10)
    for line in lines:
        line.socket.close()
    kept = 0 if size == 10 else ROUNDS  # small objects rest in their rows
    assert until(lambda: len(blob_files(house.data) - before) == kept), "those who lost left their bytes"


def test_of_many_compare_and_swaps_none_is_lost(server, s3, bucket):
    clients = [make_client(server) for _ in range(6)]
    s3.put_object(Bucket=bucket, Key="n", Body=b"0")

    def add_ten(who):
        added = 0
        while added < 10:
            now = clients[who].get_object(Bucket=bucket, Key="n")
            number = int(now["Body"].read())
            added += not code_of(
                clients[who].put_object, Bucket=bucket, Key="n", Body=b"%d" % (number + 1), IfMatch=now["ETag"])

    at_once(6, add_ten)

    assert s3.get_object(Bucket=bucket, Key="n")["Body"].read() == b"60"


@pytest.mark.parametrize("size", [10, 100_000])
def test_a_bucket_that_goes_while_it_is_written_to(server, s3, size):
    """Either the object is in, and the bucket stays; or the bucket goes, and the object was refused."""
    clients = [make_client(server) for _ in range(4)]
    for number in range(ROUNDS * 2):
        bucket = f"going-{size}-{number}"
        s3.create_bucket(Bucket=bucket)

        def act(who, bucket=bucket):
            if who == 0:
                return code_of(clients[0].delete_bucket, Bucket=bucket)
            return code_of(clients[who].put_object, Bucket=bucket, Key=f"k{who}", Body=bytes(size))

        gone, *written = at_once(4, act)
        assert gone in {"", "BucketNotEmpty"}
        assert set(written) <= {"", "NoSuchBucket"}
        assert gone or "" not in written, "an object was acknowledged, and its bucket deleted as empty"
        if not gone:
            s3.create_bucket(Bucket=bucket)
            assert "Contents" not in s3.list_objects_v2(Bucket=bucket), "an object outlived its bucket"


def test_a_bucket_is_made_once(server, s3):
    clients = [make_client(server) for _ in range(6)]
    for number in range(ROUNDS):
        codes = at_once(6, lambda who, number=number: code_of(clients[who].create_bucket, Bucket=f"once-{number}"))
        assert set(codes) <= {"", "BucketAlreadyOwnedByYou"}
        assert "" in codes
    names = [one["Name"] for one in s3.list_buckets(Prefix="once-")["Buckets"]]

    assert names == [f"once-{number}" for number in range(ROUNDS)]


def test_versioning_is_toggled_under_load(server, s3, bucket):
    clients = [make_client(server) for _ in range(4)]
    written, done = [], threading.Event()

    def act(who):
        if who == 0:
            for number in range(30):
                s3.put_bucket_versioning(
                    Bucket=bucket, VersioningConfiguration={"Status": ("Enabled", "Suspended")[number % 2]})
            done.set()
            return
        for number in range(1000):
            if done.is_set():
                return
            body = f"{who} {number}".encode()
            answer = clients[who].put_object(Bucket=bucket, Key="k", Body=body)
            written.append((answer.get("VersionId", "null"), body))

    at_once(4, act)
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket)
    listed = [one["VersionId"] for page in pages for one in page["Versions"]]

    assert len(listed) == len(set(listed))
    assert {version for version, _ in written} - {"null"} == set(listed) - {"null"}
    for version, body in written:
        if version != "null":
            assert s3.get_object(Bucket=bucket, Key="k", VersionId=version)["Body"].read() == body


def test_completing_aborting_and_completing_again_at_once(server, s3, bucket):
    clients = [make_client(server) for _ in range(4)]
    for number in range(ROUNDS * 2):
        key = f"k{number}"
        upload = s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
        etag = s3.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=1, Body=b"a" * 100_000)["ETag"]
        parts = {"Parts": [{"PartNumber": 1, "ETag": etag}]}

        def act(who, key=key, upload=upload, parts=parts):
            if who == 0:
                return code_of(clients[0].abort_multipart_upload, Bucket=bucket, Key=key, UploadId=upload)
            return code_of(
                clients[who].complete_multipart_upload, Bucket=bucket, Key=key, UploadId=upload, MultipartUpload=parts)

        _, *completed = at_once(4, act)

        assert len(set(completed)) == 1, completed
        if completed[0]:
            assert completed[0] == "NoSuchUpload"
            assert code_of(s3.head_object, Bucket=bucket, Key=key) == "404"
        else:
            assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == b"a" * 100_000


def test_a_listing_never_misses_what_was_there_throughout(server, s3, bucket):
    clients = [make_client(server) for _ in range(4)]
    steady = [f"k{number:03}-steady" for number in range(100)]
    for key in steady:
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    done = threading.Event()

    def act(who):
        if who == 0:
            missed = []
            for _ in range(12):
                pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, PaginationConfig={"PageSize": 17})
                listed = [one["Key"] for page in pages for one in page.get("Contents", ())]
                missed += [key for key in steady if key not in listed] + [key for key in listed if listed.count(key) > 1]
                assert listed == sorted(listed)
            done.set()
            return missed
        number = 0
        while not done.is_set():
            key = f"k{number % 100:03}-{'passing' if who < 3 else 'z'}-{who}"
            clients[who].put_object(Bucket=bucket, Key=key, Body=b"")
            clients[who].delete_object(Bucket=bucket, Key=key)
            clients[who].put_object(Bucket=bucket, Key=steady[number % 100], Body=b"")
            number += 1
        return []

    missed, *_ = at_once(4, act)

    assert missed == []


def test_an_upload_that_versioning_overtakes_tells_the_version_it_became(server, bucket, each):
    """The server asks for the body when it has opened the bucket; versioning is enabled then."""
    one, other = each
    on = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
    one.send(signed(server, "PUT", f"/{bucket}/k", headers={"expect": "100-continue"}, length=100_000))
    assert one.more().startswith(b"HTTP/1.1 100 ")
    assert tell(server, other, "PUT", f"/{bucket}", "versioning=", body=on).status == 200
    one.send(bytes(100_000))
    version = one.answer().headers["x-amz-version-id"]

    assert tell(server, other, "GET", f"/{bucket}/k", f"versionId={version}").body == bytes(100_000)
