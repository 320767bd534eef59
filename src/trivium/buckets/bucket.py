"""The bucket protocol: five verbs, and features that a bucket declares beyond them.

Theory of operation. A bucket is an ordered map from keys to entries. Objects, a mounted directory and a
branch of a repository are buckets alike; whoever stands above them (the S3 operations, copying, uploads,
lifecycle) uses these verbs and no other. What a kind cannot do is a feature that is None: the operation is
refused before its handler runs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec
from msgspec.structs import replace

from trivium.base.body import Body
from trivium.base.digests import Checksum
from trivium.base.faults import Fault
from trivium.base.incoming import Incoming
from trivium.base.span import Span
from trivium.buckets.acl import Acl
from trivium.buckets.conditions import ALWAYS, WriteIf
from trivium.buckets.entry import Attributes, Entry
from trivium.storage.blobs import Layout, LayoutPart
from trivium.storage.engine import Write


class Resting(msgspec.Struct, frozen=True):
    """Content that rests in this house already: a put of it into a bucket that `shares` writes rows only.

    Exactly one of `inline` (the bytes), `blob` (a blob's id), `layout_id` (an existing layout, to be shared)
    and `layout` (a new one) is given; `parts` is the number of a layout's parts. `owned` says, to a bucket
    that shares, that the caller hands over its ownership of the blobs (a completed upload's parts); else the
    put shares them (a copy).
    """

    size: int
    etag: str
    checksum: Checksum | None = None
    inline: bytes | None = None
    blob: str | None = None
    layout_id: str | None = None
    layout: Layout | None = None
    owned: bool = False
    parts: int = 0


Content = Incoming | Resting


class Reading(Protocol):
    """An entry whose bytes can be read, all of one version even when the key is overwritten meanwhile."""

    @property
    def entry(self) -> Entry: ...

    @property
    def parts(self) -> tuple[LayoutPart, ...]:
        """The parts of an object that was uploaded in parts; empty for every other."""
        ...

    @property
    def resting(self) -> Resting | None:
        """How another bucket of this house can take the content without moving bytes; None when it cannot."""
        ...

    async def body(self, span: Span | None = None) -> Body:
        """The bytes of the span, or all. The span lies within the object."""
        ...


class Deletion(msgspec.Struct, frozen=True):
    """A key, or one version of it, to be deleted."""

    key: str
    version: str | None = None
    only_if: WriteIf = ALWAYS


class Renaming(msgspec.Struct, frozen=True):
    """A key whose newest entry shall have another key, on conditions on either.

    `token` names the request, so that it can be repeated without being done twice; "" names none.
    """

    source: str
    key: str
    source_if: WriteIf = ALWAYS
    only_if: WriteIf = ALWAYS
    token: str = ""

    @property
    def fingerprint(self) -> bytes:
        """Equal for requests that ask for the same, whoever may ask it."""
        conditions = [replace(one, may_ask=None) for one in (self.source_if, self.only_if)]
        asked = (self.source, self.key, conditions)
        return hashlib.sha256(msgspec.msgpack.encode(asked)).digest()


class Gone(msgspec.Struct, frozen=True):
    """What a deletion did: `version` went or, when `marker_made`, is the new one's. `marker`: a marker went.

    `version` is None in a bucket that never kept versions.
    """

    key: str
    version: str | None = None
    marker: bool = False
    marker_made: bool = False


class VersionEntry(msgspec.Struct, frozen=True, gc=False):
    """An entry among the versions of its key."""

    entry: Entry
    latest: bool


def nothing(tx: Write, entry: Entry) -> None:
    """The companion that does nothing."""


Companion = Callable[[Write, Entry], None]


class Bucket(Protocol):
    """An ordered map from keys to entries, with their bytes."""

    @property
    def features(self) -> Features: ...

    async def head(self, key: str, version: str | None = None) -> Entry:
        """What is known of the key, or of one version. `version` "null" names the one written without
        versioning.

        Raises NoSuchKey, NoSuchVersion; KeyIsDeleteMarker where the newest is a marker, VersionIsDeleteMarker
        where the version asked for is one; InvalidVersionId where the text cannot be a version id.
        """
        ...

    async def read(self, key: str, version: str | None = None) -> Reading:
        """As `head`, and the bytes can be had."""
        ...

    async def put(
        self, key: str, content: Content, attributes: Attributes, *, only_if: WriteIf = ALWAYS,
        companion: Companion = nothing,
    ) -> Entry:
        """Write the key, durably and all at once; readers see the old entry or the new one.

        `companion` runs inside the same transaction, after the entry is written, and may raise to undo all.
        Raises what `only_if` and the content's own checks raise, NoSuchBucket when the bucket went meanwhile,
        NotImplemented where the bucket cannot be written.
        """
        ...

    async def delete(self, deletions: Sequence[Deletion], *, actor: str) -> list[Gone | Fault]:
        """Delete keys or versions; each succeeds or has its Fault at its place. A missing key is no fault.

        `actor` is the canonical id of who asks.
        """
        ...

    async def list(self, prefix: str, start: str, limit: int) -> list[Entry]:
        """Up to `limit` newest entries with `prefix`, from `start` on (included), by code point; no markers.

        Fewer than `limit` means that there are no more. The entries may lack attributes that listings do not
        show.
        """
        ...


class Versions(Protocol):
    """A bucket that keeps, or once kept, earlier entries of its keys."""

    @property
    def state(self) -> str:
        """Versioning of the bucket: "Enabled", "Suspended", or "" when it was never set."""
        ...

    async def set_state(self, state: str) -> None:
        """Make versioning "Enabled" or "Suspended". Raises NoSuchBucket; NotImplemented where that is not."""
        ...

    async def list(self, prefix: str, start: str, marker: str | None, limit: int) -> list[VersionEntry]:
        """Up to `limit` versions and markers with `prefix`, by key, newest first, from `start` on (included).

        With a `marker`, a version id, only versions of `start` behind that one count, then all of the keys
        behind. Raises InvalidVersionId.
        """
        ...


class Annotations(Protocol):
    """A bucket whose entries carry tags that can change without the bytes."""

    async def tag(self, key: str, version: str | None, tags: dict[str, str]) -> Entry:
        """Replace the tags of the entry; {} removes them. Raises as `Bucket.head`."""
        ...


class Acls(Protocol):
    """A bucket whose entries carry access control lists that can change without the bytes."""

    async def grant(
        self, key: str, version: str | None, rule: Callable[[Entry], Acl], *, actor: str,
    ) -> Entry:
        """Give the entry the list that `rule` says, which is asked about this very entry and may refuse.

        `actor` is the canonical id of who asks. Raises as `Bucket.head`, and what `rule` raises.
        """
        ...


class Renames(Protocol):
    """A bucket that can give a key's newest entry another key in one step."""

    async def rename(self, renaming: Renaming, *, actor: str) -> Entry | None:
        """The entry under its new key, LastModified as it was; the source is gone at the same instant. None
        when the actor's token says that this was done before.

        `actor` is the canonical id of who asks. Raises as `head` and `put` do, and
        IdempotencyParameterMismatch where something else was done under the token.
        Source: Amazon S3 User Guide, "Renaming objects in directory buckets": what is known of the object
        stays, its dates too.
        """
        ...


class Past(Protocol):
    """A bucket that can be read as it was."""

    async def at(self, moment_ms: int) -> Bucket:
        """The read-only bucket as at the end of that ms since 1970. What was removed for good is gone."""
        ...


class History(Protocol):
    """A bucket whose past is made of commits."""

    async def as_of(self, commit: str) -> Bucket:
        """The bucket, read-only, as of a commit: an id, `HEAD` (the newest), either with `^` and `~` behind.

        Raises NoSuchVersion, and InvalidVersionId where the text cannot mean a commit.
        """
        ...


class Features(msgspec.Struct, frozen=True):
    """What a bucket can do beyond the five verbs; None means that it cannot.

    `writes`: put and delete work. `shares`: a put of Resting content shares this house's blobs or takes them
    over (else it reads their bytes). `current`: it is the bucket as it is now, so that what the catalog keeps
    of it can be changed. `removable`: a request can delete the bucket.
    """

    writes: bool = True
    shares: bool = False
    versions: Versions | None = None
    annotations: Annotations | None = None
    acls: Acls | None = None
    renames: Renames | None = None
    past: Past | None = None
    history: History | None = None
    current: bool = True
    removable: bool = True
