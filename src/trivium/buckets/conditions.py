"""Conditions of reads and writes: pure rules over the entry that is there.

Source: RFC 9110 §13; Amazon S3 API Reference, PutObject, GetObject, DeleteObject and CopyObject; User Guide,
"Conditional writes". An entry that is a marker counts as absent.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from trivium.base import faults
from trivium.base.etag import named
from trivium.buckets.entry import Entry


class WriteIf(msgspec.Struct, frozen=True):
    """What must be true of the newest entry for a write or delete to happen. None means not asked.

    `size` (bytes) and `modified_ms` are DeleteObject's `x-amz-if-match-size` and `…-last-modified-time`;
    `modified_since_ms` and `unmodified_since_ms` are RenameObject's. Times are compared by whole seconds.
    `may_ask` sees the entry before any of them is looked at, None where nothing is there, and raises a Fault
    for who may not learn from the answer how that entry is.
    """

    match: str | None = None
    none_match: str | None = None
    size: int | None = None
    modified_ms: int | None = None
    modified_since_ms: int | None = None
    unmodified_since_ms: int | None = None
    may_ask: Callable[[Entry | None], None] | None = None

    def check(self, entry: Entry | None) -> None:
        """Raise NoSuchKey (If-Match, nothing there), PreconditionFailed, or what `may_ask` raises."""
        if entry is not None and entry.marker:
            entry = None
        if self.may_ask is not None:
            self.may_ask(entry)
        if self.none_match is not None and entry is not None and named(self.none_match, entry.etag):
            raise faults.PreconditionFailed(Condition="If-None-Match")
        if self.match is not None:
            if entry is None:
                raise faults.NoSuchKey()
            if not named(self.match, entry.etag):
                raise faults.PreconditionFailed(Condition="If-Match")
        if self.size is not None and (entry is None or entry.size != self.size):
            raise faults.PreconditionFailed(Condition="x-amz-if-match-size")
        if self.modified_ms is not None and (
                entry is None or entry.modified_ms // 1000 != self.modified_ms // 1000):
            raise faults.PreconditionFailed(Condition="x-amz-if-match-last-modified-time")
        self._check_times(entry)

    def _check_times(self, entry: Entry | None) -> None:
        since, until = self.modified_since_ms, self.unmodified_since_ms
        if since is not None and (entry is None or entry.modified_ms // 1000 <= since // 1000):
            raise faults.PreconditionFailed(Condition="If-Modified-Since")
        if until is not None and (entry is None or entry.modified_ms // 1000 > until // 1000):
            raise faults.PreconditionFailed(Condition="If-Unmodified-Since")

    def check_deletion(self, entry: Entry | None) -> None:
        """Raise PreconditionFailed, or NoSuchKey where If-Match meets nothing at all; a marker matches no
        ETag.

        The other conditions ask how an object is that is there: where nothing is, deleting is a success.
        Source: User Guide, "Conditional deletes"; API Reference, DeleteObject, x-amz-if-match-size.
        """
        if self.may_ask is not None:
            self.may_ask(None if entry is None or entry.marker else entry)
        if entry is not None and entry.marker and self.match is not None:
            raise faults.PreconditionFailed(Condition="If-Match")
        if entry is not None or self.match is not None:
            self.check(entry)


ALWAYS: Final = WriteIf()


class ReadIf(msgspec.Struct, frozen=True):
    """Conditions of GET, HEAD and copy sources. Times in ms since 1970, by whole seconds. None: not asked."""

    match: str | None = None
    none_match: str | None = None
    modified_since_ms: int | None = None
    unmodified_since_ms: int | None = None

    def check(self, entry: Entry, *, modified: faults.FaultKind = faults.NotModified) -> None:
        """Raise PreconditionFailed, or `modified` (304 for reads, 412 for copies) when the reader has it.

        If-Match outweighs If-Unmodified-Since, If-None-Match outweighs If-Modified-Since (RFC 9110 §13.2.2).
        """
        seconds = entry.modified_ms // 1000
        if self.match is not None:
            if not named(self.match, entry.etag):
                raise faults.PreconditionFailed(Condition="If-Match")
        elif self.unmodified_since_ms is not None and seconds > self.unmodified_since_ms // 1000:
            raise faults.PreconditionFailed(Condition="If-Unmodified-Since")
        if self.none_match is not None:
            if named(self.none_match, entry.etag):
                raise modified(Condition="If-None-Match")
        elif self.modified_since_ms is not None and seconds <= self.modified_since_ms // 1000:
            raise modified(Condition="If-Modified-Since")


ANY: Final = ReadIf()
