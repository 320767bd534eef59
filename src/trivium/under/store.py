"""The seam to stores that others own, and that others change behind our back.

Theory of operation. A store knows names and bytes; ETags, attributes and conditions are the mount's
business. It says what it sees in a `Stat`, whose `mark` changes whenever the content may have changed.
Writing goes in two steps: a draft takes the bytes, durably and unseen, then `published` gives it its name.
`published` and `removed` stay in doubt until their block ends: an exception inside puts back what was
there, so that a row which cannot be written undoes the file. Whoever reads, decides and then writes does so
inside `alone`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import msgspec

from trivium.base.body import Body
from trivium.base.span import Span


class Stat(msgspec.Struct, frozen=True):
    """What a store sees of a name. Folders end in a slash and have no size.

    `mark` changes when the content changes, as far as the store can tell. `settled` says that the last
    change lies far enough back for every later one to change the mark; facts about the content of an
    unsettled name must not be kept.
    """

    name: str
    size: int
    modified_ms: int
    mark: str
    settled: bool = True


class Opened(Protocol):
    """A name whose bytes can be read."""

    @property
    def stat(self) -> Stat: ...

    async def body(self, span: Span | None) -> Body:
        """The bytes of the span, or all, as at the opening. Raises FileChanging when they are gone."""
        ...

    async def digest(self) -> str | None:
        """The MD5 of the bytes, in hexadecimal, which are read for it; None when they changed on the way."""
        ...


class Draft(msgspec.Struct, frozen=True):
    """Bytes that rest durably in the store and have no name yet."""

    id: str


class Placed(msgspec.Struct, frozen=True):
    """What came of a write: the name as it is now seen, and the folders that had to be made for it."""

    stat: Stat
    made: tuple[str, ...]


class UnderStore(Protocol):
    """Names and bytes of somebody else.

    Every verb may raise AccessDenied, MountMissing (the whole store is out of reach), InsufficientStorage,
    InternalError. Names have passed `check_name`.
    """

    async def stat(self, name: str) -> Stat | None:
        """What is seen of the name; None when it is not there, or is something else than a file or folder."""
        ...

    async def open(self, name: str) -> Opened | None:
        """The file, to be read; None as for `stat`."""
        ...

    async def list(self, prefix: str, start: str, limit: int, *, folders: bool = False) -> list[Stat]:
        """Up to `limit` names with `prefix`, from `start` on (included), by code points of the whole name.

        Fewer than `limit` means that there are no more. Empty folders are listed, and with `folders` all.
        """
        ...

    def alone(self, name: str) -> AbstractAsyncContextManager[None]:
        """While inside, nobody else is inside for this name, in any process of ours. Not to be nested."""
        ...

    def staged(self, chunks: AsyncIterator[bytes]) -> AbstractAsyncContextManager[Draft]:
        """A draft of the bytes, durable inside; it is gone afterwards unless it was published."""
        ...

    def published(self, draft: Draft, name: str) -> AbstractAsyncContextManager[Placed]:
        """Inside, the draft has its name, durably; readers saw the change happen all at once. Missing
        folders are made.

        An exception inside undoes it. Raises KeyBelowFile, KeyNamesFolder, KeyNamesNoFile.
        """
        ...

    async def make_folder(self, name: str) -> Placed:
        """The folder, made if it was not there; `made` may name it too. Raises KeyBelowFile."""
        ...

    def removed(self, name: str) -> AbstractAsyncContextManager[bool]:
        """Inside, file or empty folder is durably gone; False: none was. An exception inside undoes it."""
        ...
