"""Finding the row that a look or a change could not read, so that the log can name it."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from typing import Final

from trivium.base.faults import Fault
from trivium.storage import keys
from trivium.storage.engine import Read
from trivium.storage.records import Unreadable

_REMEMBERED: Final = 20_000  # rows: more than any look reads before it decodes them
_log = logging.getLogger(__name__)


def name_row(work: Callable[[Witness], object], rows: Read) -> None:
    """Log which row the work, which has failed with Unreadable, cannot read.

    Values do not know their keys, and remembering them would cost every reader: the work is run again, on
    rows that it cannot change.
    """
    witness = Witness(rows)
    try:
        with suppress(Fault, AssertionError):  # what it had written itself it does not find
            work(witness)
    except Unreadable as error:
        found = witness.row_of(error.data)
        _log.error("row %s cannot be read: %s", "?" if found is None else keys.shown(found), error)


class Witness:
    """A view of rows that remembers what it gave. Writing to it does nothing."""

    def __init__(self, rows: Read) -> None:
        self._rows = rows
        self._numbers = count(1)
        self._given: deque[tuple[bytes, bytes]] = deque(maxlen=_REMEMBERED)

    def row_of(self, value: bytes) -> bytes | None:
        """The key of the newest row given with this value."""
        return next((key for key, given in reversed(self._given) if given == value), None)

    def get(self, key: bytes) -> bytes | None:
        value = self._rows.get(key)
        if value is not None:
            self._given.append((key, value))
        return value

    def load(self, key: bytes) -> tuple[bytes, bytes | None] | None:
        found = self._rows.load(key)
        if found is not None:
            self._given.append((key, found[0]))
        return found

    def scan(self, start: bytes, stop: bytes, *, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        for row in self._rows.scan(start, stop, reverse=reverse):
            self._given.append(row)
            yield row

    def values(self, start: bytes, stop: bytes) -> Iterator[bytes]:
        return (value for _, value in self.scan(start, stop))

    def put(self, key: bytes, value: bytes, body: bytes | None = None) -> None:
        pass

    def delete(self, key: bytes) -> None:
        pass

    def move(self, key: bytes, to: bytes, value: bytes) -> None:
        pass

    def sequence(self) -> int:
        return next(self._numbers)

    def announce(self) -> None:
        pass
