"""Documents that several actions share, as shapes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any

from trivium.buckets.entry import Entry
from trivium.s3.fields import iso_times
from trivium.s3.pages import all_encoded
from trivium.s3.xml import Rows, Shape, element
from trivium.services.access.users import Account, Users


class Tag(Shape, frozen=True):
    """A tag: its key and value."""

    key: str
    value: str


class Tagging(Shape, frozen=True):
    """The tags of an object or a bucket."""

    tags: Annotated[tuple[Tag, ...], element("Tag", wrapper="TagSet")]


class Owner(Shape, frozen=True):
    """Whose something is: canonical id and display name."""

    id: str
    display_name: str


class CommonPrefix(Shape, frozen=True):
    """What stands for all keys that begin like it."""

    prefix: str


class Checksums(Shape, frozen=True):
    """The checksum of something, in the element of its algorithm; the others are absent."""

    crc32: Annotated[str | None, element("ChecksumCRC32")] = None
    crc32c: Annotated[str | None, element("ChecksumCRC32C")] = None
    crc64nvme: Annotated[str | None, element("ChecksumCRC64NVME")] = None
    sha1: Annotated[str | None, element("ChecksumSHA1")] = None
    sha256: Annotated[str | None, element("ChecksumSHA256")] = None
    sha512: Annotated[str | None, element("ChecksumSHA512")] = None
    md5: Annotated[str | None, element("ChecksumMD5")] = None
    xxhash64: Annotated[str | None, element("ChecksumXXHASH64")] = None
    xxhash3: Annotated[str | None, element("ChecksumXXHASH3")] = None
    xxhash128: Annotated[str | None, element("ChecksumXXHASH128")] = None


def checksum_fields(algorithm: str, value: str) -> dict[str, str]:
    """The field of a `Checksums` shape that this checksum is; none for no value."""
    return {algorithm.lower(): value} if value else {}


def owner(account: Account) -> Owner:
    """The account, as documents show it."""
    return Owner(id=account.id, display_name=account.name)


def common_prefixes(prefixes: list[str], encode: Callable[[str], str]) -> Rows[CommonPrefix]:
    """The prefixes that a listing is folded to."""
    return Rows(columns={"prefix": all_encoded(prefixes, encode)})


def entry_columns(
    entries: Sequence[Entry], encode: Callable[[str], str], users: Users | None,
) -> dict[str, list[Any]]:
    """What every listing shows of entries, as the columns of its rows; their owners only with `users`."""
    attributes = [entry.attributes for entry in entries]
    checksums = [entry.checksum for entry in entries]
    columns: dict[str, list[Any]] = {
        "key": all_encoded([entry.key for entry in entries], encode),
        "last_modified": iso_times([entry.modified_ms for entry in entries]),
        "etag": [entry.etag for entry in entries],
        "size": [entry.size for entry in entries],
        "storage_class": [one.storage_class for one in attributes],
    }
    if checksums.count(None) < len(checksums):
        columns["checksum_algorithm"] = [checksum and checksum.algorithm for checksum in checksums]
        columns["checksum_type"] = [checksum and checksum.type for checksum in checksums]
    if users is not None:
        owners = {id: owner(users.account(id)) for id in {one.owner for one in attributes}}
        columns["owner"] = [owners[one.owner] for one in attributes]
    return columns


def tagging(tags: dict[str, str]) -> Tagging:
    """The document of these tags, by key."""
    return Tagging(tags=tuple(Tag(key=key, value=value) for key, value in sorted(tags.items())))
