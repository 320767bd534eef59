"""Byte ranges: what part of an object is meant."""

from __future__ import annotations

import re

import msgspec

from trivium.base import faults

_RANGE = re.compile(r"bytes=(\d{0,99})-(\d{0,99})", re.ASCII)  # int() refuses thousands of digits


class Span(msgspec.Struct, frozen=True):
    """Bytes `first` to `last`, both included, like the wire. An empty object has no span."""

    first: int
    last: int

    @property
    def size(self) -> int:
        return self.last - self.first + 1


def read_range(header: str, size: int) -> Span | None:
    """The span that a Range header means in a body of `size` bytes; None means the whole body.

    A header that is no single byte range is ignored, as RFC 9110 §14.2 allows and S3 does. Raises
    InvalidRange when it starts behind the end or asks for the last zero bytes.
    """
    match = _RANGE.fullmatch(header.strip())
    if match is None or (not match[1] and not match[2]):
        return None
    if not match[1]:
        return _suffix(int(match[2]), size, header)
    first = int(match[1])
    last = int(match[2]) if match[2] else size - 1
    if match[2] and last < first:
        return None
    if first >= size:
        raise faults.InvalidRange(RangeRequested=header, ActualObjectSize=size)
    return Span(first, min(last, size - 1))


def _suffix(length: int, size: int, header: str) -> Span:
    if length == 0 or size == 0:
        raise faults.InvalidRange(RangeRequested=header, ActualObjectSize=size)
    return Span(max(0, size - length), size - 1)
