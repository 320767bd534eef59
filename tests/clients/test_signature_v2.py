"""boto3 with the signatures it had before version 4: in headers (`s3`) and in every URL (`s3-query`)."""

from __future__ import annotations

import urllib.error
import urllib.request

import boto3
import pytest
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.servers import Server, free_port

KEYS = ["k", "a b/ä+ü//~%", "/x", "it's(*)!$&,;=:@", "a?acl", "a%3Facl", "//", "a/../b", "😀", '\\"<>^`{|}']
MIB = 1 << 20
BASE = """
[[listeners]]
listen = "127.0.0.1:{port}"
base_path = "/api/v1/s3"
domains = ["s3.test"]
signature_v2 = {accepted}
"""


def client(server, endpoint="", version="s3", secret_key=""):
    return boto3.client(
        "s3", endpoint_url=endpoint or server.endpoint, region_name="us-east-1",
        aws_access_key_id=server.access_key, aws_secret_access_key=secret_key or server.secret_key,
        config=Config(
            signature_version=version, retries={"max_attempts": 0}, s3={"addressing_style": "path"}))


def fetch(url, method="GET", data=None, **headers):
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    with urllib.request.urlopen(urllib.request.Request(url, data, given, method=method)) as answer:
        return answer.read()


@pytest.fixture(params=["s3", "s3-query"])
def old(server, request):
    return client(server, version=request.param)


@pytest.mark.parametrize("key", KEYS)
def test_any_key_can_be_written_read_and_presigned(server, old, bucket, key):
    metadata = {"a": "b  c", "z": "1"}
    old.put_object(Bucket=bucket, Key=key, Body=b"old", ContentType="text/plain", Metadata=metadata)
    asked = {"Bucket": bucket, "Key": key, "ResponseContentDisposition": 'attachment; filename="a&b+c.txt"'}

    assert metadata == old.head_object(Bucket=bucket, Key=key)["Metadata"]
    assert 'attachment; filename="a&b+c.txt"' == old.get_object(**asked)["ContentDisposition"]
    assert b"old" == fetch(client(server).generate_presigned_url("get_object", asked, 60))


def test_buckets_listings_versions_copies_and_deletes(old, bucket):
    name = f"{bucket}-old"
    old.create_bucket(Bucket=name)
    old.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    put = old.put_object(Bucket=name, Key="a/k", Body=b"old")
    old.copy_object(Bucket=name, Key="copy", CopySource={"Bucket": name, "Key": "a/k"})

    assert "Enabled" == old.get_bucket_versioning(Bucket=name)["Status"]
    assert ["a/k", "copy"] == [one["Key"] for one in old.list_objects_v2(Bucket=name)["Contents"]]
    assert ["a/"] == [one["Prefix"] for one in old.list_objects(Bucket=name, Delimiter="/")["CommonPrefixes"]]
    assert b"old" == old.get_object(Bucket=name, Key="a/k", VersionId=put["VersionId"])["Body"].read()
    old.delete_objects(Bucket=name, Delete={"Objects": [{"Key": "a/k"}]})
    for kind in ("Versions", "DeleteMarkers"):
        for one in old.list_object_versions(Bucket=name).get(kind, []):
            old.delete_object(Bucket=name, Key=one["Key"], VersionId=one["VersionId"])
    old.delete_bucket(Bucket=name)


def test_a_large_file_goes_up_in_parts(server, bucket, tmp_path):
    (tmp_path / "up").write_bytes(b"x" * (12 * MIB))
    s3, config = client(server), TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB)
    s3.upload_file(str(tmp_path / "up"), bucket, "a b", Config=config)
    s3.download_file(bucket, "a b", str(tmp_path / "down"))

    assert (tmp_path / "up").read_bytes() == (tmp_path / "down").read_bytes()


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA256"])
def test_a_checksum_in_a_header_is_checked_and_kept(server, bucket, algorithm):
    put = client(server).put_object(Bucket=bucket, Key="sum", Body=b"x", ChecksumAlgorithm=algorithm)
    head = client(server).head_object(Bucket=bucket, Key="sum", ChecksumMode="ENABLED")

    assert put[f"Checksum{algorithm}"] == head[f"Checksum{algorithm}"]


def test_a_presigned_upload_brings_its_type_and_metadata(server, bucket):
    wanted = {"Bucket": bucket, "Key": "up", "ContentType": "text/plain", "Metadata": {"a": "b"}}
    url = client(server).generate_presigned_url("put_object", wanted, 60)
    fetch(url, "PUT", b"data", content_type="text/html")
    head = client(server).head_object(Bucket=bucket, Key="up")

    assert ("text/plain", {"a": "b"}) == (head["ContentType"], head["Metadata"])
    with pytest.raises(urllib.error.HTTPError, match="403"):
        fetch(url, "PUT", b"data", x_amz_meta_more="c")
    with pytest.raises(urllib.error.HTTPError, match="403"):
        fetch(url)


def test_a_wrong_secret_is_told_what_was_signed(server):
    with pytest.raises(ClientError) as refused:
        client(server, secret_key="wrong").list_buckets()

    error = refused.value.response["Error"]
    assert "SignatureDoesNotMatch" == error["Code"]
    assert error["StringToSign"].startswith("GET\n\n\n")


def test_a_base_path_is_signed_with_and_without_it_and_a_listener_may_refuse(tmp_path_factory):
    for accepted in ("true", "false"):
        folder = tmp_path_factory.mktemp("listeners")
        port = free_port()
        started = Server.start(folder / "data", config=BASE.format(port=port, accepted=accepted))
        try:
            s3 = client(started, f"http://127.0.0.1:{port}/api/v1/s3")
            if accepted == "false":
                with pytest.raises(ClientError, match="Please use AWS4-HMAC-SHA256"):
                    s3.create_bucket(Bucket="below")
                continue
            s3.create_bucket(Bucket="below")
            there = {"Bucket": "below", "Key": "k ü"}
            s3.put_object(**there, Body=b"below")
            assert b"below" == s3.get_object(**there)["Body"].read()
            assert b"below" == fetch(s3.generate_presigned_url("get_object", there, 60))
        finally:
            assert started.stop() == 0
