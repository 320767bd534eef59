"""What buckets of branches are called: `[commit.]branch.repository`, and a repository alone for its master.

Source: Pachyderm's S3 gateway, "Bucket names" (names of repositories and branches; `master` where none is
said).
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from trivium.base import faults

MASTER: Final = "master"

_PART = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{32}", re.ASCII)


class BranchName(msgspec.Struct, frozen=True):
    """Which branch of which repository, and which commit of it; None means the branch as it is now."""

    repository: str
    branch: str
    commit: str | None = None

    @property
    def bucket(self) -> str:
        """The name of the branch's bucket, in full."""
        return f"{self.branch}.{self.repository}"


def read_name(bucket: str) -> BranchName:
    """What a bucket's name says. Raises InvalidBucketName when it cannot be one of a branch."""
    parts = bucket.split(".")
    commit = parts.pop(0) if len(parts) > 1 and _COMMIT.fullmatch(parts[0]) else None
    if len(parts) == 1:
        parts.insert(0, MASTER)
    if len(parts) > 2 or not all(map(_PART.fullmatch, parts)) or _COMMIT.fullmatch(parts[0]):
        raise faults.InvalidBucketName(BucketName=bucket)
    return BranchName(parts[1], parts[0], commit)
