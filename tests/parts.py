"""Parts for tests without the wire: as a client lists them, and as a layout has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from trivium.buckets.conditions import ALWAYS, WriteIf
from trivium.services.uploads import Asked
from trivium.storage.blobs import Layout, LayoutPart, joined


class Wanted(msgspec.Struct, frozen=True):
    """The part's number, its ETag as sent, and checksums by algorithm name."""

    number: int
    etag: str | None = None
    checksums: Mapping[str, str] = {}


def asking(
    parts: Sequence[Wanted], checksums: Mapping[str, str] = {}, type: str | None = None, size: int | None = None,
    *, only_if: WriteIf = ALWAYS, bare: bool = False,
) -> Asked:
    """What a client says that lists these parts."""
    return Asked(
        parts, [one.number for one in parts], [one.etag for one in parts], checksums, type, size, only_if, bare)


def layout_of(parts: Sequence[LayoutPart]) -> Layout:
    """The layout of these parts."""
    return joined(len(parts), map(msgspec.msgpack.encode, parts))
