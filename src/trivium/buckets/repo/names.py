"""What buckets of branches are called: `[commit.]branch.repository`, and a repository alone for its master.

Source: Pachyderm's S3 gateway, "Bucket names" (names of repositories and branches; `master` where none is
said) and "GetObject" (what may stand for a commit: its id, or `HEAD^`).
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from trivium.base import faults

MASTER: Final = "master"

# An id or HEAD, and how many commits before that: `HEAD^^`, `HEAD^2` and `HEAD~2` are the second before the
# newest
COMMIT: Final = re.compile(r"(HEAD|[0-9a-f]{32})(?:(\^+|~+)|[\^~](\d{1,18}))?", re.ASCII)

_PART = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)


class BranchName(msgspec.Struct, frozen=True):
    """Which branch of which repository, and what means a commit of it; None means the branch as it is now."""

    repository: str
    branch: str
    commit: str | None = None

    @property
    def bucket(self) -> str:
        """The name of the branch's bucket, in full."""
        return f"{self.branch}.{self.repository}"


def read_name(bucket: str) -> BranchName:
    """What a bucket's name says. Raises InvalidBucketName when it cannot be one of a branch."""
    commit, branch = split(bucket)
    parts = branch.split(".")
    if len(parts) == 1:
        parts.insert(0, MASTER)
    if len(parts) > 2 or not all(map(_PART.fullmatch, parts)) or _ID.fullmatch(parts[0]):
        raise faults.InvalidBucketName(BucketName=bucket)
    return BranchName(parts[1], parts[0], commit)


def split(bucket: str) -> tuple[str | None, str]:
    """What means a commit in front of the name, or None, and the name of the branch's own bucket.

    `HEAD` alone needs branch and repository behind it: `HEAD.images` is the branch HEAD of the repository
    images.
    """
    first, _, rest = bucket.partition(".")
    if rest and COMMIT.fullmatch(first) and (first != "HEAD" or "." in rest):
        return first, rest
    return None, bucket
