"""Commits: what they are, where they stand, and which of them a version id means.

Theory of operation. A commit stands under its branch's bucket and its number, so that the n-th before
another is one look-up; its id hides the number, so that finding it by its id is one too. Along a line seqs
and numbers rise, and times never fall. The newest commit of a branch is its head. Everything here runs
inside transactions.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from trivium.base import faults
from trivium.base.ids import hidden_in
from trivium.buckets.repo.line import Line
from trivium.buckets.repo.names import COMMIT
from trivium.storage import keys
from trivium.storage.engine import Read, Write
from trivium.storage.records import Records


class Commit(msgspec.Struct, frozen=True, array_like=True):
    """One step of a branch. `id` is 32 hexadecimal digits, `seq` that of its last change, `at_ms` since 1970.

    `parents` are the commits before it, none for the first of a repository; `author` is a canonical id.
    """

    id: str
    branch: str
    number: int
    seq: int
    at_ms: int
    parents: tuple[str, ...]
    message: str
    author: str


COMMITS = Records(Commit)


def put(tx: Write, bucket: int, commit: Commit) -> None:
    """Add the commit to the branch of that bucket, as its head."""
    tx.put(keys.numbered(keys.COMMIT, bucket, commit.number), COMMITS.encode(commit))


def head(rows: Read, line: Line) -> Commit | None:
    """The newest commit of the line; None before the first."""
    return next(log(rows, line), None)


def log(rows: Read, line: Line) -> Iterator[Commit]:
    """The commits of the line, the newest first. Lazy."""
    for level in line:
        start, stop = (keys.numbered(keys.COMMIT, level.bucket, number) for number in (0, level.number + 1))
        for _, data in rows.scan(start, stop, reverse=True):
            yield COMMITS.decode(data)


def numbered(rows: Read, line: Line, number: int) -> Commit | None:
    """The commit of the line with that number; None when there is none."""
    for level in line:
        if 0 < number <= level.number:
            data = rows.get(keys.numbered(keys.COMMIT, level.bucket, number))
            if data is not None:
                return COMMITS.decode(data)
    return None


def named(rows: Read, line: Line, id: str) -> Commit | None:
    """The commit of the line with that id; None when it is none, on no branch, or on another."""
    commit = numbered(rows, line, hidden_in(id) or 0)
    return commit if commit is not None and commit.id == id else None


def meant(rows: Read, line: Line, version: str) -> Commit:
    """The commit that a version id means: an id or HEAD, and how many commits before that.

    `^` and `~` are the same here: `HEAD^^`, `HEAD^2` and `HEAD~2` are the second before the newest
    (Pachyderm, ancestry). Raises InvalidVersionId when the text cannot mean a commit, NoSuchVersion when
    none of this line.
    """
    match = COMMIT.fullmatch(version)
    if match is None:
        raise faults.InvalidVersionId(ArgumentName="versionId", ArgumentValue=version)
    reference, marks, count = match.groups()
    commit = head(rows, line) if reference == "HEAD" else named(rows, line, reference)
    back = int(count) if count else len(marks or "")
    if commit is not None and back:
        commit = numbered(rows, line, commit.number - back) if back < commit.number else None
    if commit is None:
        raise faults.NoSuchVersion(VersionId=version)
    return commit


def as_of(rows: Read, line: Line, moment_ms: int) -> Commit | None:
    """The last commit of the line at or before that time (ms since 1970); None when there is none."""
    newest = head(rows, line)
    if newest is None or newest.at_ms <= moment_ms:
        return newest
    found, low, high = None, 1, newest.number
    while low < high:
        middle = (low + high) // 2
        commit = numbered(rows, line, middle)
        assert commit is not None, f"commit {middle} of a line is missing"
        if commit.at_ms <= moment_ms:
            found, low = commit, middle + 1
        else:
            high = middle
    return found
