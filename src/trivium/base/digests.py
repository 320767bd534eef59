"""Digests and checksums: every algorithm of S3, each a row, and how those of parts become one of the whole.

Source of names, header suffixes and which types an algorithm may have: Amazon S3 User Guide, "Checking object
integrity".
"""

from __future__ import annotations

import binascii
import hashlib
from collections.abc import Callable, Iterable
from typing import Final, Protocol

import msgspec
import xxhash
from awscrt import checksums

FULL_OBJECT: Final = "FULL_OBJECT"
COMPOSITE: Final = "COMPOSITE"


class Hasher(Protocol):
    """Takes bytes, gives a digest."""

    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...


class Checksum(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A checksum as S3 shows it: algorithm, base64 value (`…-N` when composite), FULL_OBJECT or COMPOSITE."""

    algorithm: str
    value: str
    type: str = FULL_OBJECT


class Algorithm(msgspec.Struct, frozen=True):
    """A row: its name in S3, how to make a hasher, its length in bytes, the types of multipart objects.

    `of` gives the digest of bytes that are all here, without a hasher. `combine(first, second, size of second
    in bytes)` gives the CRC of both together; None where there is no such way.
    """

    name: str
    make: Callable[[], Hasher]
    of: Callable[[bytes], bytes]
    length: int
    composite: bool
    full_object: bool
    combine: Callable[[int, int, int], int] | None = None

    def __repr__(self) -> str:
        return f"Algorithm({self.name})"

    @property
    def header(self) -> str:
        """The header that carries it: `x-amz-checksum-crc32`."""
        return f"x-amz-checksum-{self.name.lower()}"


class _Crc:
    """A CRC of awscrt in the shape of hashlib."""

    __slots__ = ("_compute", "_length", "_value")

    def __init__(self, compute: Callable[[bytes, int], int], length: int) -> None:
        self._compute, self._length, self._value = compute, length, 0

    def update(self, data: bytes, /) -> None:
        self._value = self._compute(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._length, "big")


_Compute = Callable[[bytes, int], int]
_Combine = Callable[[int, int, int], int]


def _crc(
    name: str, compute: _Compute, combine: _Combine, *, length: int, composite: bool = True,
) -> Algorithm:
    return Algorithm(
        name, lambda: _Crc(compute, length), lambda data: compute(data, 0).to_bytes(length, "big"), length,
        composite, True, combine)


def _hash(name: str, make: Callable[[bytes], Hasher], *, length: int) -> Algorithm:
    return Algorithm(name, lambda: make(b""), lambda data: make(data).digest(), length, True, False)


ALGORITHMS: Final[dict[str, Algorithm]] = {
    row.name: row
    for row in (
        _crc("CRC32", checksums.crc32, checksums.combine_crc32, length=4),
        _crc("CRC32C", checksums.crc32c, checksums.combine_crc32c, length=4),
        _crc("CRC64NVME", checksums.crc64nvme, checksums.combine_crc64nvme, length=8, composite=False),
        _hash("SHA1", hashlib.sha1, length=20),
        _hash("SHA256", hashlib.sha256, length=32),
        _hash("SHA512", hashlib.sha512, length=64),
        _hash("MD5", hashlib.md5, length=16),
        _hash("XXHASH64", xxhash.xxh64, length=8),
        _hash("XXHASH3", xxhash.xxh3_64, length=8),
        _hash("XXHASH128", xxhash.xxh3_128, length=16),
    )
}


def encode(digest: bytes) -> str:
    """A digest as S3 writes it: base64."""
    return binascii.b2a_base64(digest, newline=False).decode()


def composite(algorithm: Algorithm, digests: Iterable[bytes]) -> str:
    """The checksum of the parts' checksums, with the number of parts: base64, then `-N`.

    A piece of `digests` is one of them or several, laid end to end.
    """
    every = b"".join(digests)
    hasher = algorithm.make()
    hasher.update(every)
    return f"{encode(hasher.digest())}-{len(every) // algorithm.length}"


def combined(algorithm: Algorithm, parts: Iterable[bytes], sizes: Iterable[int]) -> bytes:
    """The CRC of the whole, from the parts' CRCs and sizes in bytes. The algorithm must have `combine`."""
    combine = algorithm.combine
    assert combine is not None, f"{algorithm.name} cannot be combined"
    value = 0
    for part, size in zip(map(int.from_bytes, parts), sizes, strict=True):  # big-endian, as the digests are
        value = combine(value, part, size)
    return value.to_bytes(algorithm.length, "big")


def multipart_etag(md5s: Iterable[bytes]) -> str:
    """The ETag of a multipart object, unquoted: MD5 of the parts' MD5s, then `-N`.

    A piece of `md5s` is one of them or several, laid end to end.
    """
    every = b"".join(md5s)
    whole = hashlib.md5(every, usedforsecurity=False)
    return f"{whole.hexdigest()}-{len(every) // whole.digest_size}"
