"""What a handler may use: its parsed input, the opened bucket and the house. Nothing of HTTP."""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

from trivium.base import faults
from trivium.base.incoming import Incoming
from trivium.buckets.bucket import Bucket
from trivium.buckets.entry import NULL
from trivium.buckets.record import BucketRecord
from trivium.s3.dialect import Dialect
from trivium.s3.messages import Listener, Request
from trivium.s3.signing.claim import Claim
from trivium.s3.signing.content import incoming
from trivium.services.access.users import Account
from trivium.services.catalog import Opened
from trivium.services.house import House

A = TypeVar("A", bound=msgspec.Struct)


class Call(msgspec.Struct, Generic[A], gc=False):
    """One request, understood and permitted. `name` and `key` are the bucket's and the object's, "" where
    there is none.

    `opened` is the bucket, `source` the one of `x-amz-copy-source`; None where the operation opens none.
    """

    house: House
    _request: Request
    ask: A
    claim: Claim
    name: str
    key: str
    opened: Opened | None
    source: Opened | None = None

    @property
    def dialect(self) -> Dialect:
        """Whose S3 is spoken."""
        return self._request.listener.dialect

    @property
    def bucket(self) -> Bucket:
        """The bucket of the request, opened."""
        assert self.opened is not None, "the operation opens no bucket"
        return self.opened.bucket

    @property
    def record(self) -> BucketRecord:
        assert self.opened is not None, "the operation opens no bucket"
        return self.opened.record

    @property
    def account(self) -> Account:
        return self.claim.account

    @property
    def listener(self) -> Listener:
        return self._request.listener

    @property
    def at_ms(self) -> int:
        """When the request arrived, ms since 1970."""
        return self._request.at_ms

    @property
    def versioned(self) -> bool:
        """Does the bucket show version ids? It does from the day on which versioning is first set."""
        versions = self.bucket.features.versions
        return versions is not None and versions.state != ""

    def written_version(self, version: str) -> str | None:
        """The version id to tell of a write. Where versioning is suspended S3 tells none, though the version
        is "null".

        What counts is the version: versioning may have been enabled between opening the bucket and writing to
        it.
        """
        return version if version != NULL and self.bucket.features.versions is not None else None

    def incoming(self) -> Incoming:
        """The bytes of an upload, checked as they pass. Raises MissingContentLength, InvalidDigest,
        EntityTooLarge…
        """
        upload = incoming(self._request, self.claim)
        upload.limit = limit = self.dialect.limits.max_put_bytes
        if upload.size is not None and upload.size > limit:
            raise faults.EntityTooLarge(ProposedSize=upload.size, MaxSizeAllowed=limit)
        return upload
