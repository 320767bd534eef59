"""The table of actions and kinds of bucket is true: what it calls possible is done, and the rest is NotImplemented."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
from msgspec.structs import replace

from scripts.pages import operations
from tests.wire.stage import Answer, Stage
from trivium.app.build import house_of
from trivium.app.mounts import declare_mounts
from trivium.app.settings import MountSettings, Settings
from trivium.base.faults import Fault
from trivium.base.ids import SeededIds
from trivium.buckets.record import BRANCH, OBJECTS
from trivium.buckets.repo.repository import Repositories
from trivium.s3.operations import load_all
from trivium.s3.registry import OPERATIONS
from trivium.storage import keys

load_all()

BUCKETS = {
    "objects": "objects", "view of the past": "objects@{now}", "mount": "mount", "branch": "master.branch",
    "commit": "HEAD.master.branch"}
TAGS = b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"
PARTS = b"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"


class Sent(NamedTuple):
    """A request that a bucket which can do it answers with success. `{upload}` is a running upload, `{etag}` of its part 1."""

    query: str = ""
    headers: Mapping[str, str] = {}
    body: bytes = b""
    key: str = "key"


REQUESTS = {
    "AbortMultipartUpload": Sent("uploadId={upload}"),
    "CompleteMultipartUpload": Sent("uploadId={upload}", body=PARTS),
    "CopyObject": Sent(headers={"x-amz-copy-source": "objects/key"}, key="copy"),
    "CreateMultipartUpload": Sent("uploads"),
    "DeleteBucket": Sent(),
    "DeleteBucketOwnershipControls": Sent("ownershipControls"),
    "DeleteBucketTagging": Sent("tagging"),
    "DeleteObject": Sent(),
    "DeleteObjectTagging": Sent("tagging"),
    "DeleteObjects": Sent("delete", body=b"<Delete><Object><Key>key</Key></Object></Delete>"),
    "GetBucketAcl": Sent("acl"),
    "GetBucketLocation": Sent("location"),
    "GetBucketOwnershipControls": Sent("ownershipControls"),
    "GetBucketTagging": Sent("tagging"),
    "GetBucketVersioning": Sent("versioning"),
    "GetObject": Sent(),
    "GetObjectAcl": Sent("acl"),
    "GetObjectAttributes": Sent("attributes", {"x-amz-object-attributes": "ETag"}),
    "GetObjectTagging": Sent("tagging"),
    "HeadBucket": Sent(),
    "HeadObject": Sent(),
    "ListMultipartUploads": Sent("uploads"),
    "ListObjectVersions": Sent("versions"),
    "ListObjects": Sent(),
    "ListObjectsV2": Sent("list-type=2"),
    "ListParts": Sent("uploadId={upload}"),
    "PutBucketAcl": Sent("acl", {"x-amz-acl": "public-read"}),
    "PutBucketOwnershipControls": Sent("ownershipControls", body=(
        b"<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>")),
    "PutBucketTagging": Sent("tagging", body=TAGS),
    "PutBucketVersioning": Sent("versioning", body=(
        b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>")),
    "PutObject": Sent(),
    "PutObjectAcl": Sent("acl", {"x-amz-acl": "public-read"}),
    "PutObjectTagging": Sent("tagging", body=TAGS),
    "RenameObject": Sent("renameObject", {"x-amz-rename-source": "key"}, key="renamed"),
    "UploadPart": Sent("uploadId={upload}&partNumber=2", body=b"part"),
    "UploadPartCopy": Sent("uploadId={upload}&partNumber=2", {"x-amz-copy-source": "objects/key"}),
}


def cells() -> dict[tuple[str, str], str]:
    """What the generated page says of each action and kind."""
    lines = [line.strip("| ").split(" | ") for line in operations().splitlines() if line.startswith("| ")]
    kinds = lines[0][5:]
    rows = [line for line in lines[1:] if line[0].startswith("[")]
    return {(row[0][1:].partition("]")[0], kind): said for row in rows for kind, said in zip(kinds, row[5:], strict=True)}


CELLS = cells()


def house(folder: Path, dialect: str = "aws") -> Stage:
    """A house with a bucket of each kind, a key in it, and all that a bucket may have."""
    stage = Stage(dialect)
    ground, mounted = stage.house.ground, MountSettings("mount", str(folder), "Alice")
    settings = Settings(mounts=(mounted,), inline_bytes=16)
    stage.house = house_of(settings, ground.engine, ground.blobs, stage.house.users, stage.clock, SeededIds())
    asyncio.run(declare_mounts(ground.engine, settings, stage.house.users, stage.clock))
    for name, creates in (("objects", OBJECTS), ("master.branch", BRANCH)):
        stage.creates(creates)
        fine(stage.ask("PUT", f"/{name}"))
    fine(ask(stage, "PutBucketVersioning", "objects"))
    for name in ("objects", "mount", "master.branch"):
        fine(ask(stage, "PutObject", name))
        fine(ask(stage, "PutBucketTagging", name))
        fine(ask(stage, "PutBucketOwnershipControls", name))
    return stage


def ask(stage: Stage, action: str, bucket: str, **upload: str) -> Answer:
    one, sent = OPERATIONS[action], REQUESTS[action]
    path = f"/{bucket}/{sent.key}" if one.target == "object" else f"/{bucket}"
    body = sent.body.decode().replace("{etag}", upload.get("etag", "")).encode()
    return stage.ask(one.method, path, sent.query.format(**upload), sent.headers, body)


def begun(stage: Stage, bucket: str) -> dict[str, str]:
    """A running upload with a part in the bucket."""
    answer = fine(stage.ask("POST", f"/{bucket}/key", "uploads"))
    upload = answer.body.decode().partition("<UploadId>")[2].partition("<")[0]
    part = fine(stage.ask("PUT", f"/{bucket}/key", f"uploadId={upload}&partNumber=1", body=b"part"))
    return {"upload": upload, "etag": dict(part.headers)["etag"]}


def fine(answer: Answer) -> Answer:
    assert answer.status < 300, answer
    return answer


@pytest.mark.parametrize(("action", "kind"), [cell for cell, said in CELLS.items() if said != "–"])
def test_what_the_table_says_is_true(tmp_path: Path, action: str, kind: str) -> None:
    stage = house(tmp_path)
    name = BUCKETS[kind].format(now="2026-11-01T12:00:30Z")
    upload = begun(stage, name.rpartition("@")[0] or name.removeprefix("HEAD."))
    if action == "DeleteBucket":
        for bucket in ("objects", "master.branch"):
            fine(ask(stage, "DeleteObject", bucket))
        versions = stage.ask("GET", "/objects", "versions").body.decode().split("<VersionId>")[1:]
        for version in versions:
            fine(stage.ask("DELETE", "/objects/key", f"versionId={version.partition('<')[0]}"))
    answer = ask(stage, action, name, **upload)

    if CELLS[action, kind] == "yes":
        assert answer.status < 300, answer
    else:
        assert answer.status == 501, answer


def rows(stage: Stage) -> list[tuple[bytes, bytes]]:
    """All that the house keeps."""
    return asyncio.run(stage.house.ground.engine.read(
        lambda rows: [row for table in keys.TABLES for row in rows.scan(table, keys.after(table))]))


@pytest.mark.parametrize(("kind", "status"), [
    ("view of the past", 501), ("mount", 501), ("commit", 501), ("branch", 409)])
def test_what_may_not_be_deleted_is_not_emptied_either(tmp_path: Path, kind: str, status: int) -> None:
    stage = house(tmp_path, "pachyderm")  # its buckets are deleted with all that is in them
    repositories = Repositories(stage.house.ground)
    asyncio.run(repositories.fork("branch", "master", "fork"))
    before = rows(stage)

    assert status == stage.ask("DELETE", "/" + BUCKETS[kind].format(now="2026-11-01T12:00:30Z")).status
    assert before == rows(stage)
    assert (tmp_path / "key").exists()


@pytest.mark.parametrize("kind", ["view of the past", "mount", "commit", "branch", "objects"])
def test_a_kind_that_refuses_to_be_razed_changes_nothing(tmp_path: Path, kind: str) -> None:
    """Asked below the gate that stands before the handler."""
    stage = house(tmp_path)
    asyncio.run(Repositories(stage.house.ground).fork("branch", "master", "fork"))
    catalog = stage.house.catalog
    opened = asyncio.run(catalog.open(BUCKETS[kind].format(now="2026-11-01T12:00:30Z")))
    gone = replace(opened.record, id=10_000) if kind in ("objects", "view of the past") else opened.record
    before = rows(stage)

    with pytest.raises(Fault):
        asyncio.run(catalog.raze(gone))
    with pytest.raises(Fault):
        asyncio.run(catalog.delete(gone))
    assert before == rows(stage)
    assert (tmp_path / "key").exists()


@pytest.mark.parametrize("kind", ["objects", "branch"])
def test_a_bucket_that_is_razed_leaves_nothing_but_what_is_to_be_swept(tmp_path: Path, kind: str) -> None:
    stage = house(tmp_path, "pachyderm")
    name = BUCKETS[kind]
    for body in (b"larger than a row takes", b"another of that size", b""):
        fine(stage.ask("PUT", f"/{name}/large", body=body))
    fine(stage.ask("DELETE", f"/{name}/large"))
    bucket = asyncio.run(stage.house.catalog.open(name)).record.id

    assert stage.ask("DELETE", f"/{name}").status == 204
    assert stage.ask("HEAD", f"/{name}").status == 404
    left = [row for row, _ in rows(stage) if row[1:].startswith(bucket.to_bytes(8, "big"))]
    assert [] == left
    assert 2 == sum(row.startswith(keys.GARBAGE) for row, _ in rows(stage))


def test_every_action_of_the_table_is_asked_for() -> None:
    assert {action for (action, _), said in CELLS.items() if said != "–"} == set(REQUESTS)
    assert {kind for _, kind in CELLS} == set(BUCKETS)
