"""Bytes on their way in: checked and digested once, as they pass.

Theory of operation. A `Source` gives raw bytes (the wire, a decoder around the wire, a file). `Incoming`
wraps it for a bucket: whoever stores the bytes reads them through `whole` (small) or `chunks` (any size), and
every digest that the request needs is fed on the way, in a thread when there is much of it. At the end the
number of bytes and the caller's own checks must agree, else a Fault is raised before anything was promised;
then `receipt` holds the digests.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Final, Protocol

import msgspec

from trivium.base import faults
from trivium.base.digests import ALGORITHMS, Checksum, encode
from trivium.base.lane import Lane

_THREAD_FROM_BYTES: Final = 512 << 10  # digesting in a thread costs a hop: not worth it for a packet


class Source(Protocol):
    """Raw bytes, readable once, by one of the two ways."""

    async def whole(self) -> bytes: ...

    def chunks(self) -> AsyncIterator[bytes]: ...


class Receipt(msgspec.Struct, frozen=True):
    """What has come in: its size in bytes and, by algorithm name, the binary digests."""

    size: int
    digests: Mapping[str, bytes]

    @property
    def md5(self) -> str:
        """The MD5 in hexadecimal: the ETag of a plain object."""
        return self.digests["MD5"].hex()

    def checksum(self, algorithm: str) -> Checksum:
        """The named checksum, of the full object."""
        return Checksum(algorithm, encode(self.digests[algorithm]))


def accept(receipt: Receipt) -> None:
    """The check that finds nothing wrong."""


class Incoming:
    """An upload. `size` is the announced number of bytes, None when unknown.

    `algorithms` are the digests to compute besides MD5; `check` sees the receipt and raises a Fault to refuse
    the bytes. `checksum` names the algorithm whose value is kept with the object. Of bytes that are not
    `kept` only the `algorithms` are computed. `limit` is the most bytes that are taken where the size was not
    announced; None takes any number.
    """

    __slots__ = ("_algorithms", "_check", "_receipt", "_source", "checksum", "limit", "size")

    def __init__(
        self, source: Source, size: int | None, *, checksum: str = "CRC64NVME",
        algorithms: tuple[str, ...] = (), check: Callable[[Receipt], None] = accept, kept: bool = True,
    ) -> None:
        self._source, self.size, self.checksum, self._check = source, size, checksum, check
        self._algorithms = dict.fromkeys(("MD5", checksum, *algorithms) if kept else algorithms)
        self._receipt: Receipt | None = None
        self.limit: int | None = None

    @property
    def receipt(self) -> Receipt:
        """The digests; there are none before the last byte."""
        assert self._receipt is not None, "the upload has not been read to its end"
        return self._receipt

    def also(self, algorithm: str) -> None:
        """Compute this digest too. To be said before the first byte is read."""
        self._algorithms[algorithm] = None

    async def whole(self) -> bytes:
        """All bytes at once, of an upload whose `size` is small. Raises IncompleteBody, and as `check`."""
        data = await self._source.whole()
        self._finish(len(data), {name: ALGORITHMS[name].of(data) for name in self._algorithms})
        return data

    async def chunks(self) -> AsyncIterator[bytes]:
        """The bytes in order, as they come. Raises IncompleteBody and what check raises, at the end."""
        hashers, size = [ALGORITHMS[name].make() for name in self._algorithms], 0

        def digest(pieces: Sequence[bytes]) -> None:
            for hasher in hashers:
                for piece in pieces:
                    hasher.update(piece)

        digesting = Lane(None, digest)
        gathered: list[bytes] = []
        gathered_bytes = 0
        try:
            async for chunk in self._source.chunks():
                size += len(chunk)
                self._refuse(size)
                gathered.append(chunk)
                gathered_bytes += len(chunk)
                if gathered_bytes >= _THREAD_FROM_BYTES:
                    await digesting.put(gathered, gathered_bytes)
                    gathered, gathered_bytes = [], 0
                yield chunk
            await digesting.end()
        finally:
            await digesting.stop()
        digest(gathered)
        self._finish(
            size, {name: hasher.digest() for name, hasher in zip(self._algorithms, hashers, strict=True)})

    def _refuse(self, size: int) -> None:
        """Raise when that many bytes are too many."""
        if self.size is not None and size > self.size:
            raise faults.IncompleteBody()
        if self.limit is not None and size > self.limit:
            raise faults.EntityTooLarge(MaxSizeAllowed=self.limit)

    def _finish(self, size: int, digests: Mapping[str, bytes]) -> None:
        if self.size is not None and size != self.size:
            raise faults.IncompleteBody()
        receipt = Receipt(size, digests)
        self._check(receipt)
        self._receipt = receipt


class Given:
    """A source of bytes that are already here."""

    __slots__ = ("_data",)

    def __init__(self, data: bytes) -> None:
        self._data = data

    async def whole(self) -> bytes:
        return self._data

    async def chunks(self) -> AsyncIterator[bytes]:
        if self._data:
            yield self._data
