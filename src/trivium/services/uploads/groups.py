"""Parts that share a row: neighbours of an upload, and of a full row what completing wants to know of it.

Theory of operation. A row has the parts of up to `records.PARTS_A_ROW` neighbouring numbers, so that an
upload of a thousand parts is read in sixteen rows. A part that comes rewrites its row, which is nothing
beside its bytes.
When the last of a row has come, the row is summed up: then completing need not look at its parts at all,
and they pass into the object's layout as they are, encoded. A row that is not full, or that an earlier house
wrote for one part alone, is summed up when it is read.
"""

from __future__ import annotations

from binascii import a2b_base64
from collections.abc import Sequence
from typing import Final

import msgspec

from trivium.base.digests import ALGORITHMS, COMPOSITE, Checksum, combined
from trivium.storage.blobs import BlobSpan, LayoutPart, joined
from trivium.storage.records import Records


class Part(LayoutPart, frozen=True, array_like=True, gc=False):
    """A part as a layout has it, and when it was written, in ms since 1970. Its ETag is an MD5 in
    hexadecimal, its checksum by the upload's kept algorithm.

    `sent` is a checksum by another algorithm that came with the part. Its row owns each of the spans' blobs
    once a span.
    """

    modified_ms: int
    sent: Checksum | None = None


class Columns(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What completing looks at, of one part after the other: numbers, sizes in bytes; MD5s and kept checksums
    as bytes, laid end to end.

    `crc` is that of all their bytes; empty where the checksum of the whole is a composite.
    """

    numbers: tuple[int, ...]
    sizes: tuple[int, ...]
    md5s: bytes
    checksums: bytes
    crc: bytes


class Group(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A row: its parts in order, packed, and how many there are. `columns`: None until it is full."""

    count: int
    packed: bytes
    columns: Columns | None = None

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts. Raises `Unreadable`."""
        return joined(self.count, [self.packed]).read(_PARTS)


def group_of(parts: Sequence[Part], columns: Columns | None = None) -> Group:
    """The parts as a row. They are in order."""
    return Group(len(parts), b"".join(map(_encode, parts)), columns)


def columns_of(parts: Sequence[Part], algorithm: str, type: str) -> Columns:
    """The parts in columns. Algorithm and type are those of the upload's kept checksum."""
    sizes = tuple([part.size for part in parts])
    digests = [a2b_base64(part.checksum) for part in parts]
    crc = b"" if type == COMPOSITE else combined(ALGORITHMS[algorithm], digests, sizes)
    return Columns(
        tuple([part.number for part in parts]), sizes, bytes.fromhex("".join([part.etag for part in parts])),
        b"".join(digests), crc)


class _Part1(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A part as it was written first."""

    number: int
    size: int
    md5: str
    modified_ms: int
    checksum: str
    spans: tuple[BlobSpan, ...]
    sent: Checksum | None = None


def _group_of_1(data: bytes) -> Group:
    old = msgspec.msgpack.decode(data, type=_Part1)
    return group_of([Part(old.number, old.size, old.md5, old.checksum, old.spans, old.modified_ms, old.sent)])


def _group_of_2(data: bytes) -> Group:
    return Group(1, data)


_encode: Final = msgspec.msgpack.Encoder().encode
_PARTS: Final = msgspec.msgpack.Decoder(tuple[Part, ...])
GROUPS: Final = Records(Group, format=3, older={1: _group_of_1, 2: _group_of_2})
