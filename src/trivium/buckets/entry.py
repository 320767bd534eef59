"""What a bucket says about a key: values that every kind of bucket gives and that are stored as rows."""

from __future__ import annotations

from typing import Final

import msgspec

from trivium.base import faults
from trivium.base.digests import Checksum
from trivium.base.faults import Fault
from trivium.buckets.acl import Acl
from trivium.storage.records import Records

NULL: Final = "null"  # the version id of what was written while the bucket kept no versions


class Attributes(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What the writer said about an object besides its bytes. "" and empty mean not said.

    `headers` are the content headers as sent, by lower-case name: cache-control, content-disposition,
    content-encoding, content-language, expires. `metadata` are the user's, without the prefix x-amz-meta-.
    `owner` is a canonical id, `acl` what the owner granted to others.
    """

    content_type: str = ""
    headers: dict[str, str] = {}
    metadata: dict[str, str] = {}
    tags: dict[str, str] = {}
    storage_class: str = "STANDARD"
    redirect: str = ""
    owner: str = ""
    acl: Acl = None


class BlobContent(msgspec.Struct, frozen=True, array_like=True, tag=1, gc=False):
    """The bytes are one whole blob."""

    id: str


class LayoutContent(msgspec.Struct, frozen=True, array_like=True, tag=2, gc=False):
    """The bytes are a layout of parts."""

    id: str
    parts: int


class Entry(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One version of one key.

    `seq` orders all writes of a house; `modified_ms` is LastModified (ms since 1970, UTC); `etag` is
    unquoted; `version` is the version id, "null" for what was written without versioning. A marker is a
    delete marker, or a tombstone. `content` says where the bytes rest; None means in the row itself, or that
    the bucket knows by the key. `null_seq` is, in the newest entry of a key only, the seq of an older null
    version (0: there is none). `renamed_ms` is when a rename gave it its key (0: none did).
    """

    key: str
    seq: int
    modified_ms: int
    size: int
    etag: str
    version: str = NULL
    marker: bool = False
    attributes: Attributes = Attributes()
    content: BlobContent | LayoutContent | None = None
    checksum: Checksum | None = None
    null_seq: int = 0
    renamed_ms: int = 0

    @property
    def began_ms(self) -> int:
        """When it became its key's entry (ms since 1970): a rename keeps LastModified."""
        return self.renamed_ms or self.modified_ms


ENTRIES: Final = Records(Entry)


def hidden(marker: Entry, *, asked_for: bool) -> Fault:
    """The fault of an object hidden behind the marker, or of the marker itself where it was `asked_for`."""
    if not asked_for:
        return faults.KeyIsDeleteMarker(Key=marker.key, VersionId=marker.version, DeleteMarker="true")
    return faults.VersionIsDeleteMarker(
        Key=marker.key, VersionId=marker.version, DeleteMarker="true", LastModified=marker.modified_ms)
