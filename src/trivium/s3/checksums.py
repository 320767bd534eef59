"""Checksums as the wire carries them in answers."""

from __future__ import annotations

from typing import Final

from trivium.base.digests import ALGORITHMS, Checksum


CHECKSUM_HEADERS: Final = (*(row.header for row in ALGORITHMS.values()), "x-amz-checksum-type")


def checksum_headers(checksum: Checksum | None) -> list[tuple[str, str]]:
    """The headers that tell an object's checksum and its type."""
    if checksum is None:
        return []
    return [(ALGORITHMS[checksum.algorithm].header, checksum.value), ("x-amz-checksum-type", checksum.type)]
