"""Stored records: a value as bytes behind a format number, so that tomorrow's house reads today's rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Generic, TypeVar

import msgspec

T = TypeVar("T")

# what decoding raises for bytes that are no record: no text, and a format number that never was, among them
DAMAGE: Final = (msgspec.DecodeError, UnicodeDecodeError, LookupError)


class Unreadable(Exception):
    """The row cannot be read: refuse it rather than guess. `data` is its value."""

    def __init__(self, data: bytes, why: str) -> None:
        super().__init__(why)
        self.data = data


class UnknownFormat(Unreadable):
    """The row was written by a newer house."""

    def __init__(self, data: bytes, known: Iterable[int]) -> None:
        formats = ", ".join(map(str, known))
        super().__init__(
            data, f"its format is {data[0]}, this version knows {formats}; use the newer version")


class Records(Generic[T]):
    """Encodes and decodes records of one type. The first byte is the format, the rest is MessagePack.

    `older` says for each earlier format number how its bytes become today's value. Fields are only ever added
    at the end, with a default; anything else is a new format number.
    """

    def __init__(
        self, of: type[T], *, format: int = 1, older: Mapping[int, Callable[[bytes], T]] | None = None,
    ) -> None:
        self._prefix = bytes((format,))
        self._format = format
        self._older = dict(older or {})
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode: Callable[[bytes], T] = msgspec.msgpack.Decoder(of).decode

    def encode(self, value: T) -> bytes:
        return self._prefix + self._encode(value)

    def decode(self, data: bytes) -> T:
        """The value. Raises UnknownFormat for a newer one, Unreadable for bytes that are no such record."""
        try:
            if data[0] == self._format:
                return self._decode(data[1:])
            if data[0] > self._format:
                raise UnknownFormat(data, [*self._older, self._format])
            return self._older[data[0]](data[1:])
        except DAMAGE as error:
            raise Unreadable(data, f"it is damaged: {error}") from error

    def read(self, data: bytes) -> T | None:
        """As `decode`, but None for bytes that are no such record."""
        return readable(self.decode, data)

    def decode_all(self, rows: Sequence[bytes]) -> list[T]:
        """The values of many, in order: faster than asking for each. Raises as `decode`."""
        today, decode, other = self._format, self._decode, self.decode
        try:
            return [decode(data[1:]) if data[0] == today else other(data) for data in rows]
        except DAMAGE:
            return [other(data) for data in rows]  # which says which


def readable(decode: Callable[[bytes], T], data: bytes) -> T | None:
    """What is decoded; None for what is damaged. Raises UnknownFormat."""
    try:
        return decode(data)
    except UnknownFormat:
        raise
    except Unreadable:
        return None
