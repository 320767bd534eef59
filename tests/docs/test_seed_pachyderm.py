"""What Pachyderm's page says of branches and their past, asked by boto3 of a listener that speaks as Pachyderm does.

The page: ListBuckets "lists all of the branches across all of the repos as S3 buckets", and "You can use s3's versioning API
to get the object at a non-HEAD commit by specifying either a specific commit ID, or by using the caret syntax". A commit in
front of the name of a branch is a bucket too, read-only.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.servers import Server, free_port

_numbers = count(1)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    """A boto3 client of a listener as in `examples/pachyderm.toml`."""
    address = f"127.0.0.1:{free_port()}"
    config = f'[[listeners]]\nlisten = "{address}"\ndialect = "pachyderm"\ncreates = "branches"\n'
    server = Server.start(tmp_path_factory.mktemp("pachyderm") / "data", config=config)
    yield boto3.client(
        "s3", endpoint_url=f"http://{address}", region_name="us-east-1", aws_access_key_id=server.access_key,
        aws_secret_access_key=server.secret_key, config=Config(s3={"addressing_style": "path"}))
    assert server.stop() == 0, server.log.read_text()


@pytest.fixture
def branch(gateway) -> str:
    """The name of a new branch, the master of a repository of its own."""
    name = f"master.images{next(_numbers)}"
    gateway.create_bucket(Bucket=name)
    return name


def refused(error: pytest.ExceptionInfo[ClientError]) -> tuple[int, str]:
    response = error.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


def read(gateway, bucket: str, key: str, **which: str) -> bytes:
    return gateway.get_object(Bucket=bucket, Key=key, **which)["Body"].read()


def test_every_branch_is_listed_in_full_and_a_repository_alone_is_its_master(gateway):
    for made, name, other in (("words", "words", "master.words"), ("master.lists", "master.lists", "lists")):
        gateway.create_bucket(Bucket=made)
        gateway.put_object(Bucket=name, Key="a.txt", Body=b"1")
        assert b"1" == read(gateway, other, "a.txt")
    gateway.create_bucket(Bucket="dev.words")

    listed = [one["Name"] for one in gateway.list_buckets()["Buckets"]]
    assert ["dev.words", "master.lists", "master.words"] == [name for name in listed if name.endswith(("words", "lists"))]


def test_get_object_at_a_commit_id_or_by_the_caret_syntax(gateway, branch):
    first = gateway.put_object(Bucket=branch, Key="a.txt", Body=b"1")["VersionId"]
    gateway.put_object(Bucket=branch, Key="a.txt", Body=b"2")

    assert b"2" == read(gateway, branch, "a.txt")
    assert b"1" == read(gateway, branch, "a.txt", VersionId=first)
    assert b"1" == read(gateway, branch, "a.txt", VersionId="HEAD^")


def test_a_commit_in_front_of_the_branch_is_a_bucket(gateway, branch):
    gateway.put_object(Bucket=branch, Key="dir/a.txt", Body=b"1")
    commit = gateway.put_object(Bucket=branch, Key="b.txt", Body=b"2")["VersionId"]
    gateway.delete_object(Bucket=branch, Key="b.txt")
    view = f"{commit}.{branch}"

    pages = gateway.get_paginator("list_objects_v2").paginate(Bucket=view, PaginationConfig={"PageSize": 1})
    assert ["b.txt", "dir/a.txt"] == [found["Key"] for page in pages for found in page["Contents"]]
    assert ["dir/"] == [one["Prefix"] for one in gateway.list_objects(Bucket=view, Delimiter="/")["CommonPrefixes"]]
    assert b"2" == read(gateway, view, "b.txt")
    assert 206 == gateway.get_object(
        Bucket=view, Key="b.txt", Range="bytes=0-0")["ResponseMetadata"]["HTTPStatusCode"]


def test_what_is_in_a_commit_can_be_copied_back(gateway, branch):
    commit = gateway.put_object(Bucket=branch, Key="a.txt", Body=b"1")["VersionId"]
    gateway.delete_object(Bucket=branch, Key="a.txt")

    gateway.copy_object(Bucket=branch, Key="a.txt", CopySource={"Bucket": f"{commit}.{branch}", "Key": "a.txt"})

    assert b"1" == read(gateway, branch, "a.txt")


def test_a_commit_cannot_be_changed_and_one_that_is_not_there_is_no_bucket(gateway, branch):
    commit = gateway.put_object(Bucket=branch, Key="a.txt", Body=b"1")["VersionId"]
    with pytest.raises(ClientError) as written:
        gateway.put_object(Bucket=f"{commit}.{branch}", Key="a.txt", Body=b"2")
    with pytest.raises(ClientError) as unknown:
        gateway.get_object(Bucket=f"{'0' * 32}.{branch}", Key="a.txt")

    assert (501, "NotImplemented") == refused(written)
    assert (404, "NoSuchBucket") == refused(unknown)
