"""Checksums as the wire carries them: headers and elements."""

from __future__ import annotations

from operator import attrgetter
from typing import Final

from trivium.base import faults
from trivium.base.digests import ALGORITHMS, Checksum
from trivium.s3.messages import Request
from trivium.s3.shapes import Checksums

CHECKSUM_HEADERS: Final = (*(row.header for row in ALGORITHMS.values()), "x-amz-checksum-type")

def algorithm(value: str, _: str) -> str:
    """The name of a checksum algorithm. Raises InvalidRequest for one that S3 does not have."""
    name = value.upper()
    if name not in ALGORITHMS:
        raise faults.InvalidRequest(
            "Checksum algorithm provided is unsupported. Please try again with any of the valid types:"
            f" [{', '.join(ALGORITHMS)}]")
    return name


_HEADERS: Final = {row.header: row.name for row in ALGORITHMS.values()}
CHECKSUM_FIELDS: Final = tuple(name.lower() for name in ALGORITHMS)  # of a `Checksums` shape
_values_in: Final = attrgetter(*CHECKSUM_FIELDS)
_NO_VALUES: Final = (None,) * len(ALGORITHMS)


def checksum_headers(checksum: Checksum | None) -> list[tuple[str, str]]:
    """The headers that tell an object's checksum and its type."""
    if checksum is None:
        return []
    return [(ALGORITHMS[checksum.algorithm].header, checksum.value), ("x-amz-checksum-type", checksum.type)]


def value_header(checksum: Checksum) -> list[tuple[str, str]]:
    """The header that tells a part's checksum."""
    return [(ALGORITHMS[checksum.algorithm].header, checksum.value)]


def sent_checksums(request: Request) -> dict[str, str]:
    """The values of the checksum headers of a request, by algorithm."""
    return {_HEADERS[name]: value for name, value in request.headers.items() if name in _HEADERS}


def checksums_in(shape: Checksums) -> dict[str, str]:
    """The values of the checksum elements of a document, by algorithm."""
    values = _values_in(shape)
    if values == _NO_VALUES:
        return {}
    return {name: value for name, value in zip(ALGORITHMS, values, strict=True) if value is not None}
