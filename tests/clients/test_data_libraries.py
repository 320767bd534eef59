"""minio, pyarrow, polars and obstore: libraries that read and write tables and commit with conditions."""

from __future__ import annotations

import io
import os

import obstore
import polars
import pyarrow
import pytest
from minio import Minio
from minio.commonconfig import CopySource, Tags
from obstore.store import S3Store
from pyarrow import fs, parquet

MIB = 1 << 20


def test_minio_puts_lists_tags_copies_and_removes(server, bucket):
    client = Minio(server.endpoint.removeprefix("http://"), access_key=server.access_key, secret_key=server.secret_key,
                   secure=False)
    data = os.urandom(12 * MIB)
    tags = Tags.new_object_tags()
    tags["a"] = "b"

    client.put_object(bucket_name=bucket, object_name="dir/x", data=io.BytesIO(data), length=-1, part_size=5 * MIB,
                      metadata={"colour": "blue"})
    client.set_object_tags(bucket_name=bucket, object_name="dir/x", tags=tags)
    client.copy_object(bucket_name=bucket, object_name="dir/y", source=CopySource(bucket_name=bucket, object_name="dir/x"))

    answer = client.get_object(bucket_name=bucket, object_name="dir/y")
    assert data == answer.read()
    answer.close()
    assert {"a": "b"} == dict(client.get_object_tags(bucket_name=bucket, object_name="dir/y") or {})
    assert "blue" == (client.stat_object(bucket_name=bucket, object_name="dir/y").metadata or {})["x-amz-meta-colour"]
    assert ["dir/x", "dir/y"] == [one.object_name for one in client.list_objects(bucket_name=bucket, recursive=True)]
    client.remove_object(bucket_name=bucket, object_name="dir/x")
    assert ["dir/"] == [one.object_name for one in client.list_objects(bucket_name=bucket)]


def test_pyarrow_writes_a_dataset_and_reads_it_back(server, bucket):
    store = fs.S3FileSystem(
        access_key=server.access_key, secret_key=server.secret_key, endpoint_override=server.endpoint.removeprefix("http://"),
        scheme="http", region="us-east-1")
    table = pyarrow.table({"n": list(range(100_000)), "t": [f"text {n}" for n in range(100_000)]})

    parquet.write_table(table, f"{bucket}/tables/a.parquet", filesystem=store)
    with store.open_output_stream(f"{bucket}/tables/raw") as out:
        out.write(b"x" * (11 * MIB))

    assert table.equals(parquet.read_table(f"{bucket}/tables/a.parquet", filesystem=store))
    assert [11 * MIB] == [one.size for one in store.get_file_info([f"{bucket}/tables/raw"])]
    found = store.get_file_info(fs.FileSelector(f"{bucket}/tables"))
    assert {"a.parquet", "raw"} == {one.base_name for one in found}


def test_polars_scans_what_it_wrote(server, bucket):
    options = {"aws_access_key_id": server.access_key, "aws_secret_access_key": server.secret_key,
               "aws_endpoint_url": server.endpoint, "aws_region": "us-east-1", "aws_allow_http": "true"}
    frame = polars.DataFrame({"n": range(1000)})

    frame.write_parquet(f"s3://{bucket}/p/one.parquet", storage_options=options)
    found = polars.scan_parquet(f"s3://{bucket}/p/*.parquet", storage_options=options).select(polars.col("n").sum()).collect()

    assert 499_500 == found.item()


def test_obstore_commits_only_once(server, bucket):
    store = S3Store(bucket, endpoint=server.endpoint, access_key_id=server.access_key, secret_access_key=server.secret_key,
                    region="us-east-1", client_options={"allow_http": True}, conditional_put="etag")

    first = obstore.put(store, "log/0001", b"commit", mode="create")
    with pytest.raises(obstore.exceptions.AlreadyExistsError):
        obstore.put(store, "log/0001", b"other", mode="create")
    obstore.put(store, "log/0001", b"next", mode={"e_tag": first["e_tag"]})
    with pytest.raises(obstore.exceptions.PreconditionError):
        obstore.put(store, "log/0001", b"late", mode={"e_tag": first["e_tag"]})

    assert b"next" == bytes(obstore.get(store, "log/0001").bytes())
