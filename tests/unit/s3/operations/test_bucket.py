"""CreateBucket, the same name again: 200 only in us-east-1, and only where nothing is left undone."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.wire.stage import Stage

HERE, THERE, ELSEWHERE = "us-east-1", "eu-west-1", "ap-south-1"


def configuration(region: str) -> bytes:
    return (f"<CreateBucketConfiguration><LocationConstraint>{region}</LocationConstraint>"
            "</CreateBucketConfiguration>").encode() if region else b""


@pytest.mark.parametrize(("server", "first", "again", "status"), [
    (HERE, "", "", 200),
    (HERE, "", HERE, 200),
    (HERE, HERE, "", 200),
    (HERE, "", THERE, 409),
    (HERE, THERE, "", 409),
    (HERE, THERE, THERE, 409),
    (THERE, "", "", 409),
    (THERE, HERE, "", 409),
    (THERE, HERE, HERE, 200),
    (THERE, ELSEWHERE, ELSEWHERE, 409),
])
@pytest.mark.parametrize("dialect", ["aws", "alluxio", "activescale"])
def test_ones_own_bucket_again(server: str, first: str, again: str, status: int, dialect: str) -> None:
    stage = Stage(dialect)
    stage.house = replace(stage.house, region=server)
    stage.ask("PUT", "/bucket", body=configuration(first))
    expected = {"aws": status, "alluxio": 200, "activescale": 409}[dialect]

    assert expected == stage.ask("PUT", "/bucket", body=configuration(again)).status


def test_a_bucket_that_is_not_as_asked_for_stays_as_it_is() -> None:
    stage = Stage()
    stage.ask("PUT", "/bucket")
    asked = stage.ask("PUT", "/bucket", headers={"x-amz-object-ownership": "BucketOwnerEnforced"})

    assert 409 == asked.status
    assert 404 == stage.ask("GET", "/bucket", "ownershipControls").status
