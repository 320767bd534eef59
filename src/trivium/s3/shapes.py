"""Documents that several actions share, as shapes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated

from trivium.s3.xml import Shape, element
from trivium.services.access.users import Account


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


def common_prefixes(prefixes: Iterable[str], encode: Callable[[str], str]) -> tuple[CommonPrefix, ...]:
    """The prefixes that a listing is folded to."""
    return tuple(CommonPrefix(prefix=encode(prefix)) for prefix in prefixes)


def tagging(tags: dict[str, str]) -> Tagging:
    """The document of these tags, by key."""
    return Tagging(tags=tuple(Tag(key=key, value=value) for key, value in sorted(tags.items())))
