"""boto3: the client that most of the world has, with its checksums in trailers and its transfer manager."""

from __future__ import annotations

import hashlib
import io
import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from boto3.s3.transfer import TransferConfig
from botocore import UNSIGNED
from botocore.exceptions import ClientError

from tests.conftest import make_client
from tests.servers import Server

MIB = 1 << 20


def code(error: pytest.ExceptionInfo[ClientError]) -> tuple[int, str]:
    response = error.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


def test_a_large_file_goes_up_in_parts_and_comes_down_equal(s3, bucket, tmp_path):
    data = os.urandom(20 * MIB + 17)
    (tmp_path / "up").write_bytes(data)
    config = TransferConfig(multipart_threshold=8 * MIB, multipart_chunksize=8 * MIB, max_concurrency=4)

    s3.upload_file(str(tmp_path / "up"), bucket, "big", Config=config)
    s3.download_file(bucket, "big", str(tmp_path / "down"), Config=config)

    assert data == (tmp_path / "down").read_bytes()
    assert s3.head_object(Bucket=bucket, Key="big")["ETag"].endswith('-3"')


def test_an_unseekable_stream_is_taken(s3, bucket):
    class Pipe:
        def __init__(self):
            self._left = io.BytesIO(b"a" * 1000 + b"b" * 1000)

        def read(self, size=-1):
            return self._left.read(size)

    s3.upload_fileobj(Pipe(), bucket, "pipe")

    assert b"a" * 1000 + b"b" * 1000 == s3.get_object(Bucket=bucket, Key="pipe")["Body"].read()


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"])
def test_a_checksum_is_checked_kept_and_told(s3, bucket, algorithm):
    put = s3.put_object(Bucket=bucket, Key="sum", Body=b"some bytes", ChecksumAlgorithm=algorithm)
    head = s3.head_object(Bucket=bucket, Key="sum", ChecksumMode="ENABLED")

    assert put[f"Checksum{algorithm}"] == head[f"Checksum{algorithm}"]
    with pytest.raises(ClientError) as refused:
        s3.put_object(Bucket=bucket, Key="sum", Body=b"x", **{f"Checksum{algorithm}": put[f"Checksum{algorithm}"]})
    assert (400, "BadDigest") == code(refused)


def test_a_wrong_content_md5_leaves_the_old_object(s3, bucket):
    s3.put_object(Bucket=bucket, Key="kept", Body=b"old")

    with pytest.raises(ClientError) as refused:
        s3.put_object(Bucket=bucket, Key="kept", Body=b"new", ContentMD5="1B2M2Y8AsgTpgAmY7PhCfg==")

    assert (400, "BadDigest") == code(refused)
    assert b"old" == s3.get_object(Bucket=bucket, Key="kept")["Body"].read()


def test_only_one_of_many_writers_creates_a_key(s3, bucket):
    def create(number):
        try:
            s3.put_object(Bucket=bucket, Key="lock", Body=str(number).encode(), IfNoneMatch="*")
        except ClientError as error:
            assert error.response["Error"]["Code"] == "PreconditionFailed"
            return None
        return number

    with ThreadPoolExecutor(8) as pool:
        winners = [number for number in pool.map(create, range(16)) if number is not None]

    assert 1 == len(winners)
    assert str(winners[0]).encode() == s3.get_object(Bucket=bucket, Key="lock")["Body"].read()


def test_compare_and_swap_loses_no_increment(s3, bucket):
    s3.put_object(Bucket=bucket, Key="counter", Body=b"0")

    def increment(_):
        while True:
            now = s3.get_object(Bucket=bucket, Key="counter")
            value = int(now["Body"].read())
            try:
                s3.put_object(Bucket=bucket, Key="counter", Body=str(value + 1).encode(), IfMatch=now["ETag"])
            except ClientError as error:
                assert "PreconditionFailed" == error.response["Error"]["Code"]
            else:
                return

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(increment, range(12)))

    assert b"12" == s3.get_object(Bucket=bucket, Key="counter")["Body"].read()


def test_a_rename_whose_answer_was_lost_is_asked_for_again(s3, bucket):
    s3.put_object(Bucket=bucket, Key="old", Body=b"1")
    asked = {"Bucket": bucket, "Key": "new", "RenameSource": "old", "ClientToken": "a-token"}

    s3.rename_object(**asked)
    s3.rename_object(**asked)

    assert b"1" == s3.get_object(Bucket=bucket, Key="new")["Body"].read()
    with pytest.raises(ClientError) as other:
        s3.rename_object(**{**asked, "Key": "newer"})
    assert (400, "IdempotencyParameterMismatch") == code(other)
    with pytest.raises(ClientError) as without:
        s3.rename_object(Bucket=bucket, Key="new", RenameSource="old")
    assert (404, "NoSuchKey") == code(without)


def test_a_download_goes_on_with_the_same_object_only(s3, bucket):
    etag = s3.put_object(Bucket=bucket, Key="key", Body=b"hello")["ETag"]

    def go_on(request, **_):
        request.headers["If-Range"] = etag

    s3.meta.events.register("before-sign.s3.GetObject", go_on)
    assert b"lo" == s3.get_object(Bucket=bucket, Key="key", Range="bytes=3-")["Body"].read()
    s3.put_object(Bucket=bucket, Key="key", Body=b"other")
    assert b"other" == s3.get_object(Bucket=bucket, Key="key", Range="bytes=3-")["Body"].read()
    s3.meta.events.unregister("before-sign.s3.GetObject", go_on)


def test_odd_keys_are_keys(s3, bucket):
    keys = ["..", "../up", "a//b", "/lead", "trail ", " lead", "emoji-🎈", "plus+plus", "per%cent", "tilde~", "q?x=1&y",
            "semi;colon", "quote\"'", "new\nline", "back\\slash", "a", "a/b", "a/", "ü" * 512, "k" * 1024]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())

    listed = [one["Key"] for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, PaginationConfig={
        "PageSize": 3}) for one in page["Contents"]]

    assert sorted(keys, key=str.encode) == listed
    assert all(key.encode() == s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys)
    with pytest.raises(ClientError) as refused:
        s3.put_object(Bucket=bucket, Key="k" * 1025, Body=b"")
    assert (400, "KeyTooLongError") == code(refused)


def test_a_versioned_bucket_remembers(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"before")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket=bucket, Key="k", Body=b"one")["VersionId"]
    s3.put_object(Bucket=bucket, Key="k", Body=b"two")
    marker = s3.delete_object(Bucket=bucket, Key="k")

    assert marker["DeleteMarker"] is True
    assert b"one" == s3.get_object(Bucket=bucket, Key="k", VersionId=first)["Body"].read()
    assert b"before" == s3.get_object(Bucket=bucket, Key="k", VersionId="null")["Body"].read()
    listed = s3.list_object_versions(Bucket=bucket)
    assert 3 == len(listed["Versions"])
    assert [True] == [one["IsLatest"] for one in listed["DeleteMarkers"]]
    s3.delete_object(Bucket=bucket, Key="k", VersionId=marker["VersionId"])
    assert b"two" == s3.get_object(Bucket=bucket, Key="k")["Body"].read()


def test_metadata_and_headers_come_back(s3, bucket):
    s3.put_object(Bucket=bucket, Key="m", Body=b"", Metadata={"colour": "blue"}, ContentType="text/x", CacheControl="no-store",
                  ContentDisposition="attachment", ContentLanguage="en", ContentEncoding="gzip", Tagging="a=b&c=d")

    head = s3.head_object(Bucket=bucket, Key="m")

    assert {"colour": "blue"} == head["Metadata"]
    assert ("text/x", "no-store", "attachment", "en", "gzip") == (
        head["ContentType"], head["CacheControl"], head["ContentDisposition"], head["ContentLanguage"],
        head["ContentEncoding"])
    assert [{"Key": "a", "Value": "b"}, {"Key": "c", "Value": "d"}] == s3.get_object_tagging(Bucket=bucket, Key="m")["TagSet"]


def test_a_presigned_url_works_without_keys(s3, bucket):
    import urllib.request

    url = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "p q"}, ExpiresIn=60)
    with urllib.request.urlopen(urllib.request.Request(url, data=b"by url", method="PUT")) as answer:
        assert 200 == answer.status
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "p q"}, ExpiresIn=60)
    with urllib.request.urlopen(url) as answer:
        assert b"by url" == answer.read()


def test_ranges_and_parts_can_be_read(s3, bucket):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="parts")["UploadId"]
    bodies = [os.urandom(5 * MIB), b"end"]
    parts = [
        {"PartNumber": number, "ETag": s3.upload_part(Bucket=bucket, Key="parts", UploadId=upload, PartNumber=number,
                                                      Body=body)["ETag"]}
        for number, body in enumerate(bodies, 1)
    ]
    done = s3.complete_multipart_upload(Bucket=bucket, Key="parts", UploadId=upload, MultipartUpload={"Parts": parts})

    digest = hashlib.md5(b"".join(hashlib.md5(body).digest() for body in bodies)).hexdigest()
    assert f'"{digest}-2"' == done["ETag"]
    second = s3.get_object(Bucket=bucket, Key="parts", PartNumber=2)
    assert (b"end", 2, 206) == (
        second["Body"].read(), second["PartsCount"], second["ResponseMetadata"]["HTTPStatusCode"])
    across = s3.get_object(Bucket=bucket, Key="parts", Range=f"bytes={5 * MIB - 2}-")
    assert bodies[0][-2:] + b"end" == across["Body"].read()


def test_an_object_is_shared_with_the_world_and_taken_back(s3, server, bucket):
    nobody = make_client(server, signature_version=UNSIGNED)
    s3.put_object(Bucket=bucket, Key="page", Body=b"hello")
    with pytest.raises(ClientError) as before:
        nobody.get_object(Bucket=bucket, Key="page")
    s3.put_object_acl(Bucket=bucket, Key="page", ACL="public-read")
    shared = nobody.get_object(Bucket=bucket, Key="page")["Body"].read()
    s3.put_object_acl(Bucket=bucket, Key="page", ACL="private")
    with pytest.raises(ClientError) as after:
        nobody.get_object(Bucket=bucket, Key="page")

    assert b"hello" == shared
    assert (403, "AccessDenied") == code(before) == code(after)


def test_a_list_that_was_got_can_be_added_to_and_put(s3, bucket):
    everybody = {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/global/AllUsers"}
    s3.put_object(Bucket=bucket, Key="key", Body=b"")
    got = s3.get_object_acl(Bucket=bucket, Key="key")
    grants = [*got["Grants"], {"Grantee": everybody, "Permission": "READ"}]
    s3.put_object_acl(Bucket=bucket, Key="key", AccessControlPolicy={"Owner": got["Owner"], "Grants": grants})
    s3.put_bucket_acl(Bucket=bucket, AccessControlPolicy={"Owner": got["Owner"], "Grants": grants})
    put = s3.get_object_acl(Bucket=bucket, Key="key")["Grants"]

    assert [("Group", "READ"), ("CanonicalUser", "FULL_CONTROL")] == [
        (grant["Grantee"]["Type"], grant["Permission"]) for grant in put]
    assert put == s3.get_bucket_acl(Bucket=bucket)["Grants"]


def test_an_account_puts_into_a_bucket_that_was_shared_with_it(tmp_path):
    config = '[[accounts]]\nname = "bob"\nemail = "bob@example.com"\nkeys = [{ access_key = "BOB", secret_key = "bobs-secret" }]'
    server = Server.start(tmp_path / "data", workers=2, config=config)
    try:
        alice, bob = make_client(server), make_client(server, access_key="BOB", secret_key="bobs-secret")
        alice.create_bucket(Bucket="shared")
        alice.put_bucket_acl(
            Bucket="shared", GrantWrite='emailAddress="bob@example.com"', GrantRead='emailAddress="bob@example.com"')
        bob.upload_fileobj(io.BytesIO(b"x" * (9 * MIB)), "shared", "parts")
        bob.put_object(Bucket="shared", Key="given", Body=b"1", ACL="bucket-owner-full-control")
        with pytest.raises(ClientError) as refused:
            alice.get_object(Bucket="shared", Key="parts")
        owners = [one["Owner"]["DisplayName"] for one in bob.list_objects(Bucket="shared")["Contents"]]

        assert ["bob", "bob"] == owners
        assert (403, "AccessDenied") == code(refused)
        assert b"1" == alice.get_object(Bucket="shared", Key="given")["Body"].read()
        alice.delete_object(Bucket="shared", Key="parts")
        for _ in range(20):  # whichever worker answers has heard of it
            alice.put_bucket_acl(Bucket="shared", ACL="private")
            with pytest.raises(ClientError):
                bob.put_object(Bucket="shared", Key="late", Body=b"1")
            alice.put_bucket_acl(Bucket="shared", GrantWrite='emailAddress="bob@example.com"')
            bob.put_object(Bucket="shared", Key="early", Body=b"1")
    finally:
        server.stop()
