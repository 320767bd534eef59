"""Immutable contents: bytes that are written once, read often and shared by name.

Theory of operation. Bytes come first, rows second. `write` makes a blob durable under a fresh id and returns
its facts; nothing refers to it until a transaction calls `name` with those facts, together with whatever row
needs the blob. A crash in between leaves an unnamed blob, which the sweep removes after a grace time. A named
blob has one owner; `share` adds owners (copies, renames, completed uploads), `release` takes one away, and
the last release leaves a garbage row, which the sweep turns into a removal once no reader can be using the
blob any more. A layout is an immutable list of blob spans and may be shared and released in the same way:
copying an object of ten thousand parts touches one row.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Final, Protocol, TypeVar

import msgspec
from msgspec.msgpack import Decoder

from trivium.base import faults
from trivium.base.body import FileSpan
from trivium.storage import keys
from trivium.storage.engine import Read, Write
from trivium.storage.records import DAMAGE, Records, Unreadable

T = TypeVar("T")


class Blob(msgspec.Struct, frozen=True, array_like=True):
    """What is known of a blob: its id (32 hexadecimal digits), size in bytes, CRC64NVME of its bytes, time of
    writing.
    """

    id: str
    size: int
    crc64: int
    written_ms: int


class BlobSpan(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """`size` bytes of the blob `id`, from `offset` on. Both in bytes; `size` is never 0."""

    id: str
    offset: int
    size: int


class LayoutPart(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One part of a multipart object: its number, size, ETag, checksum (base64 or "") and where its bytes
    lie.

    Those who keep more of a part extend it. A layout of theirs is kept with all that they know, and read
    without.
    """

    number: int
    size: int
    etag: str
    checksum: str
    spans: tuple[BlobSpan, ...]


class Layout(msgspec.Struct, frozen=True, array_like=True):
    """What a multipart object is made of, in order: its parts, encoded, since most who hand it on do not look
    inside.
    """

    encoded: msgspec.Raw

    @property
    def parts(self) -> tuple[LayoutPart, ...]:
        """The parts. Raises `Unreadable`."""
        return self.read(_PARTS)

    def read(self, decoder: Decoder[T]) -> T:
        """The parts, as the decoder knows them. Raises `Unreadable`."""
        try:
            return decoder.decode(self.encoded)
        except DAMAGE as error:
            raise Unreadable(bytes(self.encoded), f"it is damaged: {error}") from error


def joined(count: int, packs: Iterable[bytes]) -> Layout:
    """The layout of so many parts, each in MessagePack, laid end to end."""
    return Layout(msgspec.Raw(b"".join([b"\xdd", count.to_bytes(4, "big"), *packs])))


_PARTS: Final = Decoder(tuple[LayoutPart, ...])
BLOBS = Records(Blob)
LAYOUTS = Records(Layout)


class Blobs(Protocol):
    """A place that keeps blobs."""

    async def write(self, chunks: AsyncIterator[bytes]) -> Blob:
        """Keep the bytes durably under a fresh id. When the iterator raises, nothing stays and its exception
        goes on.

        Raises InsufficientStorage when the disk is full, InternalError when it fails. Memory use is constant.
        """
        ...

    def locate(self, span: BlobSpan) -> FileSpan:
        """Where the door finds the bytes."""
        ...

    async def read(self, span: BlobSpan) -> bytes:
        """The bytes themselves, for our own use. Raises InternalError when they are gone or short."""
        ...

    async def size(self, id: str) -> int | None:
        """How many bytes are kept of the blob; None when it is not there."""
        ...

    async def remove(self, id: str) -> None:
        """Let go of the blob's bytes; nothing happens when there are none."""
        ...

    def ids(self, *, older_than_ms: int) -> AsyncIterator[str]:
        """All blobs whose bytes were last written before that time (ms since 1970), named or not, in no
        order.
        """
        ...


def name(tx: Write, blob: Blob) -> None:
    """Make the blob's facts part of this transaction: from its commit on the blob is kept, and has one owner.
    """
    tx.put(keys.text(keys.BLOB, blob.id), BLOBS.encode(blob))


def put_layout(tx: Write, id: str, layout: Layout) -> None:
    """Keep a layout, with one owner. It takes over one ownership of each of its spans' blobs from the caller.
    """
    tx.put(keys.text(keys.LAYOUT, id), LAYOUTS.encode(layout))


def get_layout(tx: Read, id: str) -> Layout:
    """The layout. It must exist: rows that name one own it."""
    data = tx.get(keys.text(keys.LAYOUT, id))
    assert data is not None, f"layout {id} is owned but missing"
    return LAYOUTS.decode(data)


def share(tx: Write, id: str) -> None:
    """One more owner for the blob or layout. What lost its last owner is owned again until the sweep has
    removed it.

    Raises NoSuchKey when the sweep has: its last owner is long gone.
    """
    row = keys.text(keys.SHARE, id)
    owners = tx.get(row)
    if owners is None:
        if tx.get(keys.text(keys.BLOB, id)) is None and tx.get(keys.text(keys.LAYOUT, id)) is None:
            raise faults.NoSuchKey()
        tx.put(row, keys.number(2))
        return
    tx.put(row, keys.number(keys.read_number(owners) + 1))


def release(tx: Write, id: str, *, now_ms: int) -> None:
    """One owner fewer for the blob or layout. The last one leaves zero owners and a garbage row for the
    sweep.
    """
    row = keys.text(keys.SHARE, id)
    owners = tx.get(row)
    left = 0 if owners is None else keys.read_number(owners) - 1
    assert left >= 0, f"{id} was released more often than owned"
    if left > 0:
        tx.put(row, keys.number(left))
        return
    garbage = Garbage(id, now_ms, tx.sequence())
    tx.put(row, _nobody(garbage))
    tx.put(keys.garbage(now_ms, garbage.seq), GARBAGE.encode(garbage))


class Garbage(msgspec.Struct, frozen=True, array_like=True):
    """A blob or layout that lost its last owner, and when (ms since 1970).

    Or, with an empty `id`, the blobs that a layout which is gone owned: an ownership of each is to be
    released.
    """

    id: str
    since_ms: int
    seq: int
    owned: tuple[str, ...] = ()


GARBAGE = Records(Garbage)


def is_owned_by_nobody(tx: Read, garbage: Garbage) -> bool:
    """Whether the garbage row still counts: the blob or layout has had no owner since."""
    return tx.get(keys.text(keys.SHARE, garbage.id)) == _nobody(garbage)


def _nobody(garbage: Garbage) -> bytes:
    """No owners, and which garbage row says so: an earlier one, from before it was shared again, does not
    count.
    """
    return keys.number(0) + keys.number(garbage.seq)
