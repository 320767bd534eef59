"""Listing as S3 has it, written once above every bucket: pages, markers, and keys folded at a delimiter.

Theory of operation. A `Flat` gives rows in key order from any place on; `Folding` decides what to ask it for
next and makes a page of the answers. A key that has the delimiter behind the prefix is folded: one common
prefix stands for all keys that begin like it, and the next question starts behind them all, so that cost
follows the page and not what is folded away. Questions are short where much is folded and grow where little
is. Keys, versions and uploads are listed alike: what one key has several of is told apart by a marker (a
version id, an upload id).

Source: Amazon S3 API Reference, ListObjects, ListObjectsV2, ListObjectVersions, ListMultipartUploads. A page
goes on behind its marker; a marker inside a common prefix lies behind that prefix, which is not given again.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Awaitable, Callable
from operator import attrgetter
from typing import Final, Generic, TypeVar

import msgspec

from trivium.base.names import successor
from trivium.buckets.bucket import Bucket, VersionEntry, Versions
from trivium.buckets.entry import Entry

T = TypeVar("T")

_FIRST_ROWS: Final = 64  # the first question of a folded page
_FEWEST_ROWS: Final = 4  # reading so few rows costs less than asking twice
_GROWTH: Final = 4
_QUESTIONS_A_TURN: Final = 64  # then others go first: an engine may answer without ever waiting


class Flat(msgspec.Struct, Generic[T], frozen=True):
    """Rows in order of their keys. `ask(prefix, start, marker, limit)` gives the first `limit` of them with
    the prefix.

    They begin at the key `start`, included; with a `marker`, behind that one of the rows of `start`. Fewer
    than `limit` means that there are no more. `marker` gives a row's; None where a key has one row.
    """

    ask: Callable[[str, str, str | None, int], Awaitable[list[T]]]
    key: Callable[[T], str]
    marker: Callable[[T], str | None]


class Position(msgspec.Struct, frozen=True):
    """A place between rows: behind all of `key`, or behind the one of its rows that has the `marker`."""

    key: str
    marker: str | None = None


class Page(msgspec.Struct, Generic[T], frozen=True):
    """Some rows and the common prefixes among them, each in order; together at most as many as was asked for.

    `truncated`: there are more, behind `last`. `last` is None where the page is empty.
    """

    items: list[T]
    prefixes: list[str]
    truncated: bool
    last: Position | None


def entries_of(bucket: Bucket) -> Flat[Entry]:

    async def ask(prefix: str, start: str, marker: str | None, limit: int) -> list[Entry]:
        return await bucket.list(prefix, start, limit)

    return Flat(ask, attrgetter("key"), lambda entry: None)


def versions_of(versions: Versions) -> Flat[VersionEntry]:
    """All versions; the marker is the version id."""
    return Flat(versions.list, attrgetter("entry.key"), attrgetter("entry.version"))


async def page_of(
    flat: Flat[T], *, limit: int, prefix: str = "", delimiter: str = "", after: Position | None = None,
    first: str = "",
) -> Page[T]:
    """The first `limit` rows and common prefixes behind `after`, and from the key `first` on, which is
    included.

    An empty `first` is any; an empty delimiter folds nothing. Raises what the flat listing raises:
    InvalidVersionId for a marker that cannot be one.
    """
    folding = Folding(flat, limit=limit, prefix=prefix, delimiter=delimiter, after=after, first=first)
    questions = 0
    while not folding.done:
        folding.take(await flat.ask(prefix, folding.start, folding.marker, folding.rows))
        questions += 1
        if questions % _QUESTIONS_A_TURN == 0:
            await asyncio.sleep(0)
    return folding.page()


class Folding(Generic[T]):
    """A page in the making. Until it is `done`: ask for `rows` rows from `start` on, and `take` them."""

    def __init__(
        self, flat: Flat[T], *, limit: int, prefix: str, delimiter: str, after: Position | None,
        first: str = "",
    ) -> None:
        self._flat, self._prefix, self._delimiter = flat, prefix, delimiter
        self._room = limit
        self._items: list[T] = []
        self._prefixes: list[str] = []
        self._truncated = False
        self._last: Position | None = None
        self.done = limit <= 0
        self.rows = min(limit + 1, _FIRST_ROWS) if delimiter else limit + 1
        self.start, self.marker = max(prefix, first), None if after is None else after.marker
        if after is not None:
            self._go_behind(after)

    def page(self) -> Page[T]:
        return Page(self._items, self._prefixes, self._truncated, self._last)

    def take(self, batch: list[T]) -> None:
        """Make the rows part of the page, as far as it has room."""
        before = self._room
        if self._may_fold(batch):
            self._take_folded(batch)
        else:
            self._take_items(batch)
        if len(batch) < self.rows or self._truncated:
            self.done = True
            return
        assert self._last is not None, "a full answer has rows"
        self._go_behind(self._last)
        gained = before - self._room
        self.rows = min(max(gained * _GROWTH, _FEWEST_ROWS), self._room + 1)

    def _may_fold(self, batch: list[T]) -> bool:
        """Whether one of them may have the delimiter. That is asked of all together, which costs little."""
        behind = len(self._prefix)
        return self._delimiter != "" and (
            self._delimiter in "".join([key[behind:] for key in map(self._flat.key, batch)]))

    def _take_items(self, batch: list[T]) -> None:
        taken = batch[: self._room]
        self._items += taken
        self._room -= len(taken)
        self._truncated = len(taken) < len(batch)
        if taken:
            self._last = Position(self._flat.key(taken[-1]), self._flat.marker(taken[-1]))

    def _take_folded(self, batch: list[T]) -> None:
        key_of, at = self._flat.key, 0
        while at < len(batch):
            if self._room == 0:
                self._truncated = True
                return
            item = batch[at]
            key = key_of(item)
            folded = fold(key, self._prefix, self._delimiter)
            self._room -= 1
            if folded is None:
                self._items.append(item)
                self._last = Position(key, self._flat.marker(item))
                at += 1
                continue
            self._prefixes.append(folded)
            self._last = Position(folded)
            behind = successor(folded)
            at = bisect_left(batch, behind, at + 1, key=key_of) if behind else len(batch)

    def _go_behind(self, position: Position) -> None:
        """Let the next question start behind the position, and behind the common prefix that it is in."""
        folded = fold(position.key, self._prefix, self._delimiter) if self._delimiter else None
        if folded is not None:
            self.start, self.marker = successor(folded), None
            self.done = self.done or not self.start
        elif position.key < self._prefix:
            self.start, self.marker = self._prefix, None
        elif position.marker is not None:
            self.start, self.marker = position.key, position.marker
        else:
            self.start, self.marker = position.key + "\x00", None


def fold(key: str, prefix: str, delimiter: str) -> str | None:
    """The common prefix that stands for the key: up to the first delimiter behind the prefix, if any."""
    if not key.startswith(prefix):
        return None
    at = key.find(delimiter, len(prefix))
    return None if at < 0 else key[: at + len(delimiter)]
