"""Repositories and their branches: made, forked, listed, deleted; for CreateBucket, commands, the catalog.

Theory of operation. A repository is nothing but its branches: the first makes it, the last one's end is its
own, and it belongs to the owner of its branches. A fork is the two rows of every new branch, its record
and its name in the repository: the record says which line it starts from. Deleting a branch takes its name
away at once; its rows go afterwards, some hundred at a time (`clearing`).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import islice

import msgspec

from trivium.base import faults
from trivium.base.faults import Fault
from trivium.base.names import check_not_reserved
from trivium.buckets import clearing
from trivium.buckets.acl import explicit
from trivium.buckets.record import (
    BRANCH,
    ENABLED,
    BucketRecord,
    Ground,
    Settled,
    bare,
    confirm,
    enroll,
    find,
    settle,
    taken,
)
from trivium.buckets.repo import commits
from trivium.buckets.repo.commits import Commit
from trivium.buckets.repo.line import Line, forked, line_of, start_of, written
from trivium.buckets.repo.names import BranchName, read_name
from trivium.buckets.repo.reading import Reader
from trivium.storage import keys
from trivium.storage.engine import Read, Write
from trivium.storage.records import Records


class BranchRow(msgspec.Struct, frozen=True, array_like=True):
    """Which bucket a branch is: its number and its name in the catalog."""

    bucket: int
    name: str


BRANCHES = Records(BranchRow)


class Repositories:
    """The repositories of a house."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    async def create(
        self, bucket: str, owner: str, region: str = "", settled: Settled = bare,
    ) -> BucketRecord:
        """Make the branch that the bucket's name says, empty, and its repository when it is missing.

        Its bucket has the name in full, also where the repository alone was said. `settled` settles in the
        same transaction what else is known of it.

        Raises InvalidBucketName, BucketAlreadyOwnedByYou, BucketAlreadyExists, and AccessDenied when the
        repository is somebody else's.
        """
        name = _new_name(bucket)

        def change(tx: Write) -> BucketRecord:
            record = self._add(tx, name, bucket, owner, region, ())
            settled(tx, record)
            return record

        return await self._ground.engine.write(change)

    async def fork(self, repository: str, branch: str, new: str, *, at: str = "HEAD") -> BucketRecord:
        """Make the branch `new` from another, as it is or was at its commit `at`: two small rows, always.

        Raises NoSuchBucket, NoSuchVersion, BucketAlreadyExists, and as `create`.
        """
        name = _new_name(BranchName(repository, new).bucket)

        def change(tx: Write) -> BucketRecord:
            if find(tx, name.bucket) is not None:
                raise faults.BucketAlreadyExists("There is a branch or a bucket of that name already.",
                                                 BucketName=name.bucket)
            source = _branch(tx, repository, branch)
            if source is None:
                raise faults.NoSuchBucket(
                    "There is no such branch.", BucketName=BranchName(repository, branch).bucket)
            line = line_of(source)
            if at == "HEAD":
                commit = commits.head(tx, line)
            else:
                commit = commits.meant(tx, line, at)
            start = forked(line, commit.seq, commit.number) if commit else ()
            fork = self._add(tx, name, name.bucket, source.owner, source.region, start)
            return _shared_alike(tx, source, fork)

        return await self._ground.engine.write(change)

    async def delete(self, record: BucketRecord) -> None:
        """Delete the branch of the record, which must show no keys, with all its commits.

        Raises NoSuchBucket, BucketNotEmpty, and BranchHasForks while another branch starts from its past.
        """
        reader = Reader(self._ground, line_of(record))
        while True:
            before = await self.head(record)
            if await reader.list("", "", 1):
                raise faults.BucketNotEmpty(BucketName=record.name)
            if await self._ground.engine.write(partial(_drop_unless_changed, record, before)):
                break
        await clearing.clear(self._ground)

    async def raze(self, record: BucketRecord) -> None:
        """Delete the branch of the record with keys and commits. Raises NoSuchBucket, BranchHasForks."""
        await self._ground.engine.write(partial(_drop, record))
        await clearing.clear(self._ground)

    async def branches(self, repository: str) -> list[BucketRecord]:
        """The branches of the repository, by name; none when there is no such repository."""
        return await self._ground.engine.read(lambda rows: list(_records(rows, repository)))

    async def head(self, record: BucketRecord) -> Commit | None:
        """The newest commit of the branch, which may be one it was forked from; None before the first."""
        return await self._ground.engine.read(lambda rows: commits.head(rows, line_of(record)))

    async def log(self, record: BucketRecord, *, limit: int = 100) -> list[Commit]:
        """Up to `limit` commits of the branch, newest first."""
        return await self._ground.engine.read(
            lambda rows: list(islice(commits.log(rows, line_of(record)), limit)))

    def _add(
        self, tx: Write, name: BranchName, bucket: str, owner: str, region: str, start: Line,
    ) -> BucketRecord:
        there = find(tx, bucket) or _branch(tx, name.repository, name.branch)
        if there is not None:
            raise taken(there, owner, bucket)
        if any(one.owner != owner for one in islice(_records(tx, name.repository), 1)):
            raise faults.AccessDenied(BucketName=bucket)
        facts = {"repository": name.repository, "branch": name.branch, "line": written(start)}
        record = enroll(
            tx, name.bucket, BRANCH, owner, now_ms=self._ground.clock.now_ms(), versioning=ENABLED,
            region=region, facts=facts)
        tx.put(keys.branch(name.repository, name.branch), BRANCHES.encode(BranchRow(record.id, record.name)))
        return record


def called(rows: Read, bucket: str) -> BucketRecord | None:
    """The record of the branch that the name means; None where it means none, or a commit.

    A branch answers to `branch.repository`, and the master to the repository's name alone (Pachyderm, "Bucket
    names"), whichever of them it was made with.
    """
    try:
        name = read_name(bucket)
    except Fault:
        return None
    return _branch(rows, name.repository, name.branch) if name.commit is None else None


def _shared_alike(tx: Write, source: BucketRecord, fork: BucketRecord) -> BucketRecord:
    """A fork's record: private; what others own in the source is theirs, and lists count as there."""
    acl = None if source.acl is None else explicit(None, fork.owner)
    shared = msgspec.structs.replace(fork, acl=acl, ownership=source.ownership)
    settle(tx, shared)
    return shared


def _new_name(bucket: str) -> BranchName:
    """What the name of a new branch says. A commit cannot be made, nor what answers to a reserved name."""
    name = read_name(bucket)
    if name.commit is not None:
        raise faults.InvalidBucketName(BucketName=bucket)
    check_not_reserved(name.repository)
    return name


def _branch(rows: Read, repository: str, branch: str) -> BucketRecord | None:
    data = rows.get(keys.branch(repository, branch))
    return None if data is None else find(rows, BRANCHES.decode(data).name)


def _records(rows: Read, repository: str) -> Iterator[BucketRecord]:
    """The records of all branches of the repository."""
    prefix = keys.branches(repository)
    for _, data in rows.scan(prefix, keys.after(prefix)):
        record = find(rows, BRANCHES.decode(data).name)
        assert record is not None, "a branch has no bucket"
        yield record


def _drop_unless_changed(record: BucketRecord, seen: Commit | None, tx: Write) -> bool:
    """Take the branch away, if `seen` is still its head."""
    confirm(tx, record)
    if commits.head(tx, line_of(record)) != seen:
        return False
    _drop(record, tx)
    return True


def _drop(record: BucketRecord, tx: Write) -> None:
    """Take the branch away. Raises NoSuchBucket, and BranchHasForks."""
    repository = record.facts["repository"]
    for other in _records(tx, repository):
        if any(level.bucket == record.id for level in start_of(other)):
            raise faults.BranchHasForks(BucketName=record.name, Fork=other.name)
    clearing.raze(tx, record)
    tx.delete(keys.branch(repository, record.facts["branch"]))
