"""A bucket as somebody sees it to whom not all that is in there belongs.

Theory of operation. Whether an entry may be seen is decided on the very entry that is handed out or changed:
there is no second look that a writer could come before. Who may not know what a bucket holds is told
AccessDenied where something is not there (Amazon S3 API Reference, GetObject: 404 with s3:ListBucket, else
403).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import msgspec
from msgspec.structs import replace

from trivium.base import faults
from trivium.base.body import Body
from trivium.base.faults import Fault
from trivium.base.span import Span
from trivium.buckets.acl import WRITE, Acl
from trivium.buckets.bucket import (
    Acls,
    Bucket,
    Companion,
    Content,
    Deletion,
    Features,
    Gone,
    Reading,
    Renames,
    Renaming,
    Resting,
    nothing,
)
from trivium.buckets.conditions import ALWAYS, WriteIf
from trivium.buckets.entry import Attributes, Entry
from trivium.buckets.record import BucketRecord
from trivium.services.access.decide import decide_entry, decide_upload, denied, may_know
from trivium.services.access.users import Account
from trivium.services.catalog import Opened
from trivium.services.uploads import Uploads
from trivium.storage.blobs import LayoutPart

_ABSENT: Final = frozenset({
    faults.NoSuchKey, faults.NoSuchVersion, faults.KeyIsDeleteMarker, faults.VersionIsDeleteMarker})


class Watch(msgspec.Struct, frozen=True):
    """Who does what in which bucket."""

    account: Account
    action: str
    record: BucketRecord

    def check(self, entry: Entry) -> None:
        """Raise AccessDenied unless it may be done with this entry."""
        decide_entry(self.account, self.action, self.record, entry.attributes)

    def shown(self, entry: Entry) -> Entry:
        """The entry, without tags unless the account may read them: no list grants that; no copy has them."""
        if not entry.attributes.tags or self.account.id == self.record.owner:
            return entry
        return replace(entry, attributes=replace(entry.attributes, tags={}))

    def learn(self, entry: Entry | None) -> None:
        """Raise AccessDenied unless the account may learn how the entry is, or that there is none."""
        if entry is not None:
            self.check(entry)
        elif not may_know(self.account, self.record):
            raise denied(self.account)

    def told(self, fault: Fault) -> Fault:
        """The fault, or AccessDenied where it would tell what is not in the bucket to who may not know."""
        tells = fault.kind in _ABSENT and not may_know(self.account, self.record)
        return denied(self.account) if tells else fault


def guarded(opened: Opened, watch: Watch) -> Opened:
    """The bucket for an account that may do something in it, but perhaps not with everything."""
    return Opened(opened.record, GuardedBucket(opened.bucket, watch))


class GuardedBucket:
    """The bucket, of which entries are shown and changed only if the watch allows it."""

    __slots__ = ("_bucket", "_features", "_watch")

    def __init__(self, bucket: Bucket, watch: Watch) -> None:
        self._bucket, self._watch = bucket, watch
        features = bucket.features
        self._features = replace(
            features, acls=features.acls and GuardedAcls(features.acls, watch),
            renames=features.renames and GuardedRenames(features.renames, watch))

    @property
    def features(self) -> Features:
        return self._features

    async def head(self, key: str, version: str | None = None) -> Entry:
        try:
            entry = await self._bucket.head(key, version)
        except Fault as fault:
            raise self._watch.told(fault) from None
        self._watch.check(entry)
        return self._watch.shown(entry)

    async def read(self, key: str, version: str | None = None) -> Reading:
        try:
            reading = await self._bucket.read(key, version)
        except Fault as fault:
            raise self._watch.told(fault) from None
        self._watch.check(reading.entry)
        shown = self._watch.shown(reading.entry)
        return reading if shown is reading.entry else ShownReading(reading, shown)

    async def put(
        self, key: str, content: Content, attributes: Attributes, *, only_if: WriteIf = ALWAYS,
        companion: Companion = nothing,
    ) -> Entry:
        """As `Bucket.put`. Asking for a certain ETag needs the right to read; tags are the owner's to set.

        Those of a request were refused before; these may be copied. Source: Amazon S3 API Reference,
        PutObject: "you must have the s3:PutObjectTagging", which no list grants.
        """
        if attributes.tags and self._watch.account.id != self._watch.record.owner:
            raise denied(self._watch.account)
        return await self._bucket.put(
            key, content, attributes, only_if=asked(self._watch, only_if), companion=companion)

    async def delete(self, deletions: Sequence[Deletion], *, actor: str) -> list[Gone | Fault]:
        """As `Bucket.delete`. Only the bucket's owner removes versions: no permission includes that."""
        watch = self._watch
        if watch.account.id == watch.record.owner:
            return await self._bucket.delete(deletions, actor=actor)
        allowed = [
            replace(one, only_if=asked(watch, one.only_if)) for one in deletions if one.version is None]
        done = iter(await self._bucket.delete(allowed, actor=actor) if allowed else ())
        return [next(done) if one.version is None else denied(watch.account) for one in deletions]

    async def list(self, prefix: str, start: str, limit: int) -> list[Entry]:
        return await self._bucket.list(prefix, start, limit)


def asked(watch: Watch, only_if: WriteIf) -> WriteIf:
    """The condition as the account may ask it: AccessDenied where it would tell something of an object which
    the account may not read.

    That is decided where the condition is, on the same entry: an answer of before would tell of an object
    that was written meanwhile. Source: Amazon S3 User Guide, "Conditional writes" and "Conditional deletes":
    If-Match asks for s3:GetObject too, If-None-Match does not.
    """
    if only_if in (ALWAYS, WriteIf(none_match="*")):
        return only_if
    return replace(only_if, may_ask=replace(watch, action="s3:GetObject").learn)


class ShownReading:
    """A reading whose entry is shown otherwise."""

    __slots__ = ("_reading", "entry")

    def __init__(self, reading: Reading, entry: Entry) -> None:
        self._reading, self.entry = reading, entry

    @property
    def parts(self) -> tuple[LayoutPart, ...]:
        return self._reading.parts

    @property
    def resting(self) -> Resting | None:
        return self._reading.resting

    async def body(self, span: Span | None = None) -> Body:
        return await self._reading.body(span)


class GuardedAcls:
    """The lists of the bucket's entries, changed only where the watch allows it."""

    __slots__ = ("_acls", "_watch")

    def __init__(self, acls: Acls, watch: Watch) -> None:
        self._acls, self._watch = acls, watch

    async def grant(
        self, key: str, version: str | None, rule: Callable[[Entry], Acl], *, actor: str,
    ) -> Entry:
        def checked(entry: Entry) -> Acl:
            self._watch.check(entry)
            return rule(entry)

        try:
            return await self._acls.grant(key, version, checked, actor=actor)
        except Fault as fault:
            raise self._watch.told(fault) from None


class GuardedRenames:
    """The renames of the bucket, on conditions that the account may ask for."""

    __slots__ = ("_renames", "_watch")

    def __init__(self, renames: Renames, watch: Watch) -> None:
        self._renames, self._watch = renames, watch

    async def rename(self, renaming: Renaming, *, actor: str) -> Entry | None:
        source_if, only_if = asked(self._watch, renaming.source_if), asked(self._watch, renaming.only_if)
        try:
            return await self._renames.rename(
                replace(renaming, source_if=source_if, only_if=only_if), actor=actor)
        except Fault as fault:
            raise self._watch.told(fault) from None


async def check_upload(uploads: Uploads, watch: Watch, key: str, upload_id: str) -> None:
    """Raise AccessDenied unless the upload is the account's to use so, and NoSuchUpload to who may know that.

    Who began an upload never changes: what is decided here holds until it is used.
    """
    account, record = watch.account, watch.record
    try:
        upload = await uploads.known(record, key, upload_id)
    except Fault:
        if may_know(account, record) or may_know(account, record, WRITE):
            raise
        raise denied(account) from None
    decide_upload(account, watch.action, record, upload.initiator)
