"""A bucket that can only be read: somebody who reads, behind the five verbs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from trivium.base import faults
from trivium.base.faults import Fault
from trivium.buckets.bucket import Companion, Content, Deletion, Features, Gone, Reading, Versions, nothing
from trivium.buckets.conditions import ALWAYS, WriteIf
from trivium.buckets.entry import Attributes, Entry


class Reads(Protocol):
    """The three verbs of `Bucket` that change nothing."""

    async def head(self, key: str, version: str | None = None) -> Entry: ...

    async def read(self, key: str, version: str | None = None) -> Reading: ...

    async def list(self, prefix: str, start: str, limit: int) -> list[Entry]: ...


class ReadOnly:
    """The bucket that `reads` shows. To change it is NotImplemented, and `why` says so."""

    __slots__ = ("_features", "_reads", "_why")

    def __init__(self, reads: Reads, why: str, *, versions: Versions | None = None) -> None:
        self._reads, self._why = reads, why
        self._features = Features(writes=False, versions=versions, current=False, removable=False)

    @property
    def features(self) -> Features:
        return self._features

    async def head(self, key: str, version: str | None = None) -> Entry:
        return await self._reads.head(key, version)

    async def read(self, key: str, version: str | None = None) -> Reading:
        return await self._reads.read(key, version)

    async def put(
        self, key: str, content: Content, attributes: Attributes, *, only_if: WriteIf = ALWAYS,
        companion: Companion = nothing,
    ) -> Entry:
        raise faults.NotImplemented_(self._why)

    async def delete(self, deletions: Sequence[Deletion], *, actor: str) -> list[Gone | Fault]:
        raise faults.NotImplemented_(self._why)

    async def list(self, prefix: str, start: str, limit: int) -> list[Entry]:
        return await self._reads.list(prefix, start, limit)
