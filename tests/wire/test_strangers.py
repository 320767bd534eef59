"""Every action is refused to a stranger: whatever is declared, another account and nobody get AccessDenied.

What an action would read or do is never seen: an action that is added without a thought for who may is found here.
"""

from __future__ import annotations

import pytest

from tests.wire.stage import Stage
from trivium.s3.messages import OBJECT, SERVICE
from trivium.s3.operations import load_all
from trivium.s3.registry import OPERATIONS

load_all()
PATHS = {SERVICE: "/", OBJECT: "/bucket/key"}
OUTSIDE = {"ListBuckets", "CreateBucket"}  # about no bucket that is there: any account may
HEADERS = {
    "x-amz-copy-source": "/bucket/key", "x-amz-rename-source": "key", "x-amz-object-attributes": "ETag",
    "x-amz-acl": "public-read-write",
}
DOCUMENTS = {
    "DeleteObjects": "<Delete><Object><Key>key</Key></Object></Delete>",
    "PutBucketOwnershipControls":
        "<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>",
    "PutBucketTagging": "<Tagging><TagSet/></Tagging>",
    "PutBucketVersioning": "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>",
    "PutObjectTagging": "<Tagging><TagSet/></Tagging>",
}


def stage() -> Stage:
    """alice has a private object in a private bucket."""
    house = Stage()
    assert house.ask("PUT", "/bucket").status == 200
    assert house.ask("PUT", "/bucket/key", body=b"secret").status == 200
    return house


def ask(house: Stage, name: str, user: str, version: str):
    operation = OPERATIONS[name]
    selectors = sorted(operation.selectors)
    query = "&".join([
        *(one if "=" in one else f"{one}={'1' if one == 'partNumber' else ''}"
          for one in selectors if not one.startswith("header:")),
        *([f"versionId={version}"] if operation.allow_version and version else [])])
    wanted = {one[7:] for one in selectors if one.startswith("header:")}
    headers = {
        header: value for header, value in HEADERS.items() if header in wanted
        or (header == "x-amz-acl" and name.endswith("Acl") and operation.method == "PUT")
        or (header == "x-amz-rename-source" and name == "RenameObject")
        or (header == "x-amz-object-attributes" and name == "GetObjectAttributes")}
    body = DOCUMENTS.get(name, "").encode()
    return house.ask(operation.method, PATHS.get(operation.target, "/bucket"), query, headers, body, user=user)


@pytest.mark.parametrize("user", ["bob", ""], ids=["another account", "nobody"])
@pytest.mark.parametrize("version", ["", "null", "0123456789abcdef0123456789abcdef"], ids=["newest", "null", "made up"])
@pytest.mark.parametrize("name", sorted(set(OPERATIONS) - OUTSIDE))
def test_a_stranger_is_refused_and_changes_nothing(name, version, user):
    house = stage()
    answer = ask(house, name, user, version)
    again = house.ask("GET", "/bucket/key")

    assert answer.status == 403
    assert b"secret" not in answer.body
    assert (200, b"secret") == (again.status, again.body)
    assert house.ask("HEAD", "/bucket", user=user).status == 403


@pytest.mark.parametrize("name", sorted(OUTSIDE))
def test_nobody_makes_or_lists_buckets(name):
    operation = OPERATIONS[name]

    assert stage().ask(operation.method, "/" if operation.target == SERVICE else "/new", user="").status == 403
