"""What buckets of branches are called."""

from __future__ import annotations

import pytest

from trivium.base import faults
from trivium.base.faults import Fault
from trivium.buckets.repo.names import BranchName, read_name

COMMIT = "0123456789abcdef" * 2


@pytest.mark.parametrize(("bucket", "expected"), [
    ("master.images", BranchName("images", "master")),
    ("dev.images", BranchName("images", "dev")),
    ("images", BranchName("images", "master")),
    (f"{COMMIT}.dev.images", BranchName("images", "dev", COMMIT)),
    (f"{COMMIT}.images", BranchName("images", "master", COMMIT)),
    (COMMIT, BranchName(COMMIT, "master")),
    ("HEAD.dev.images", BranchName("images", "dev", "HEAD")),
    ("HEAD^.dev.images", BranchName("images", "dev", "HEAD^")),
    ("HEAD~2.images", BranchName("images", "master", "HEAD~2")),
    (f"{COMMIT}^^.images", BranchName("images", "master", f"{COMMIT}^^")),
    ("HEAD.images", BranchName("images", "HEAD")),
    ("HEAD", BranchName("HEAD", "master")),
])
def test_history_1_2_a_name_says_branch_and_repository(bucket: str, expected: BranchName) -> None:
    assert read_name(bucket) == expected


@pytest.mark.parametrize("bucket", [
    "", ".", "a.", ".a", "a..b", "a.b.c", f"{COMMIT}.a.b.c", f"{COMMIT}.{COMMIT}.a", "a b.c", "a/b.c", "\u00e9.a",
    "HEAD^", "HEAD^~.dev.images", "HEAD^.HEAD^.images", "dev^.images", f"{COMMIT}.", "HEAD^.a.b.c",
])
def test_history_1_other_names_are_refused(bucket: str) -> None:
    with pytest.raises(Fault) as refused:
        read_name(bucket)

    assert refused.value.kind is faults.InvalidBucketName


def test_the_name_in_full() -> None:
    assert read_name("images").bucket == "master.images"
