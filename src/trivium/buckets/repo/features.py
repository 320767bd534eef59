"""What a branch can do beyond the five verbs: change tags, rename. Both are commits."""

from __future__ import annotations

import msgspec

from trivium.base import faults
from trivium.buckets import contents
from trivium.buckets.bucket import Renaming
from trivium.buckets.entry import Entry
from trivium.buckets.repo import views
from trivium.buckets.repo.reading import Reader
from trivium.buckets.repo.writing import Branch, Step
from trivium.buckets.tokens import first_rename
from trivium.storage.engine import Write
from trivium.storage.journal import ATTRIBUTES, PUT


class BranchAnnotations(msgspec.Struct, frozen=True):
    """The tags of a branch's newest entries. The bytes and LastModified stay as they are."""

    _branch: Branch
    _reader: Reader

    async def tag(self, key: str, version: str | None, tags: dict[str, str]) -> Entry:
        """As `Annotations.tag`. Raises NotImplemented for the past: a version that is not the newest."""

        def change(tx: Write) -> Entry:
            found = self._reader.visible(tx, key, version)
            if version is not None and found != views.find(tx, self._reader.line, key):
                raise faults.NotImplemented_("The tags of the past of a branch cannot be changed.")
            attributes = msgspec.structs.replace(found.entry.attributes, tags=tags)
            step = Step(tx, self._branch, "")
            contents.share(tx, found.entry)
            entry = step.write(
                ATTRIBUTES, msgspec.structs.replace(found.entry, attributes=attributes),
                contents.body_of(tx, found.row))
            step.close(f"tag {key}")
            return entry

        return await self._branch.ground.engine.write(change)


class BranchRenames(msgspec.Struct, frozen=True):
    """Another key for a newest entry, in one commit with the tombstone of the former."""

    _branch: Branch
    _reader: Reader

    async def rename(self, renaming: Renaming, *, actor: str) -> Entry | None:
        branch, source, key = self._branch, renaming.source, renaming.key

        def change(tx: Write) -> Entry | None:
            if not first_rename(tx, branch.record.id, renaming, actor, now_ms=branch.ground.clock.now_ms()):
                return None
            found = self._reader.visible(tx, source, None)
            renaming.source_if.check(found.entry)
            there = views.find(tx, self._reader.line, key)
            renaming.only_if.check(None if there is None else there.entry)
            if source == key:
                return found.entry
            step = Step(tx, self._branch, actor)
            contents.share(tx, found.entry)
            entry = step.write(
                PUT, msgspec.structs.replace(found.entry, key=key),
                contents.body_of(tx, found.row))
            step.bury(source)
            step.close(f"rename {source} to {key}")
            return entry

        return await self._branch.ground.engine.write(change)

