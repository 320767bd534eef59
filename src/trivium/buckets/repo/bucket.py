"""A branch as a bucket, and each of its commits as one that is read only.

Theory of operation. A put makes its bytes durable; then one transaction moves the branch's own newest row
of the key to OLD, writes the new one, and writes the commit and the Change that names it. Nothing is ever
removed: a deletion writes a tombstone. The keys of branches that this one was forked from are read through
their rows, and hidden by rows of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from trivium.base import faults
from trivium.base.faults import Fault
from trivium.buckets import contents
from trivium.buckets.bucket import Companion, Content, Deletion, Features, Gone, Resting, nothing
from trivium.buckets.conditions import ALWAYS, WriteIf
from trivium.buckets.contents import Kept, StoredReading
from trivium.buckets.entry import Attributes, Entry
from trivium.buckets.readonly import ReadOnly
from trivium.buckets.record import BucketRecord, Ground
from trivium.buckets.repo import commits, views
from trivium.buckets.repo.commits import Commit
from trivium.buckets.repo.features import BranchAnnotations, BranchRenames
from trivium.buckets.repo.line import line_of, up_to
from trivium.buckets.repo.reading import LineVersions, Reader
from trivium.buckets.repo.writing import Branch, Step
from trivium.storage.engine import Read, Write
from trivium.storage.journal import PUT

_READ_ONLY = "A commit cannot be changed."
_KEPT = "A commit cannot be taken out of the past of a branch."


class BranchBucket:
    """The branch of `record`, as it was when the engine had that `generation`."""

    __slots__ = ("_branch", "_reader", "features")

    def __init__(self, ground: Ground, record: BucketRecord, generation: int) -> None:
        self._branch = branch = Branch(ground, record, generation, line_of(record))
        self._reader = reader = Reader(ground, branch.line)
        past = BranchPast(reader)
        self.features = Features(
            shares=True, versions=LineVersions(reader), annotations=BranchAnnotations(branch, reader),
            renames=BranchRenames(branch, reader), past=past, history=past)

    async def head(self, key: str, version: str | None = None) -> Entry:
        return await self._reader.head(key, version)

    async def read(self, key: str, version: str | None = None) -> StoredReading:
        return await self._reader.read(key, version)

    async def put(
        self, key: str, content: Content, attributes: Attributes, *, only_if: WriteIf = ALWAYS,
        companion: Companion = nothing,
    ) -> Entry:
        """As `Bucket.put`: one commit."""
        ground = self._branch.ground
        if only_if is not ALWAYS and not isinstance(content, Resting):
            await ground.engine.read(lambda rows: self._check(rows, key, only_if))  # before its bytes travel
        kept = await contents.keep(ground, content)
        change = self._putting(key, kept, attributes, only_if, companion)
        return await contents.write(ground, kept, change)

    async def delete(self, deletions: Sequence[Deletion], *, actor: str) -> list[Gone | Fault]:
        """As `Bucket.delete`: all together one commit, none where nothing was there; versions stay."""

        def change(tx: Write) -> list[Gone | Fault]:
            step = Step(tx, self._branch, actor)
            done = [self._bury(tx, step, deletion) for deletion in deletions]
            gone = [one.key for one in done if isinstance(one, Gone) and one.marker_made]
            if gone:
                step.close(f"delete {gone[0]}" if len(gone) == 1 else f"delete {len(gone)} keys")
            return done

        return await self._branch.ground.engine.write(change)

    async def list(self, prefix: str, start: str, limit: int) -> list[Entry]:
        return await self._reader.list(prefix, start, limit)

    def _putting(
        self, key: str, kept: Kept, attributes: Attributes, only_if: WriteIf, companion: Companion,
    ) -> Callable[[Write], Entry]:
        def change(tx: Write) -> Entry:
            step = Step(tx, self._branch, attributes.owner)
            if only_if is not ALWAYS:
                self._check(tx, key, only_if)
            contents.settle(tx, kept)
            entry = step.write(PUT, Entry(
                key, 0, step.at_ms, kept.size, kept.etag, attributes=attributes, content=kept.content,
                checksum=kept.checksum), kept.body)
            step.close(f"put {key}")
            companion(tx, entry)
            return entry

        return change

    def _check(self, rows: Read, key: str, only_if: WriteIf) -> None:
        found = views.find(rows, self._reader.line, key)
        only_if.check(None if found is None else found.entry)

    def _bury(self, tx: Write, step: Step, deletion: Deletion) -> Gone | Fault:
        if deletion.version is not None:
            return faults.NotImplemented_(_KEPT)
        found = views.find(tx, self._reader.line, deletion.key)
        try:
            deletion.only_if.check_deletion(None if found is None else found.entry)
        except Fault as fault:
            return fault
        if found is None or found.entry.marker:
            return Gone(deletion.key)
        step.bury(deletion.key)
        return Gone(deletion.key, step.id, marker_made=True)


class BranchPast(msgspec.Struct, frozen=True):
    """The past of a branch, by time and by commit."""

    _reader: Reader

    async def at(self, moment_ms: int) -> ReadOnly:
        """The bucket as of the last commit until then; an empty one before the first."""
        return await self._then(lambda rows: commits.as_of(rows, self._reader.line, moment_ms))

    async def as_of(self, commit: str) -> ReadOnly:
        return await self._then(lambda rows: commits.meant(rows, self._reader.line, commit))

    async def _then(self, look: Callable[[Read], Commit | None]) -> ReadOnly:
        """The branch as of the commit that is found, or before the first. `HEAD` is that commit."""
        commit = await self._reader.ground.engine.read(look)
        line = () if commit is None else up_to(self._reader.line, commit.seq, commit.number)
        then = msgspec.structs.replace(self._reader, line=line)
        return ReadOnly(then, _READ_ONLY, versions=LineVersions(then))
