"""The bytes of a mount's files, in and out."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from functools import partial
from typing import Final

import msgspec

from trivium.base.body import Body, Pieces
from trivium.base.incoming import Incoming
from trivium.base.span import Span
from trivium.buckets.bucket import Content, Resting
from trivium.buckets.copying import BodySource
from trivium.buckets.entry import Attributes, Entry
from trivium.buckets.mount.notes import FileNote
from trivium.buckets.record import Ground
from trivium.storage import blobs
from trivium.storage.blobs import BlobSpan, LayoutPart
from trivium.under.store import Opened, Stat

_MD5: Final = "MD5"


class FileReading(msgspec.Struct, frozen=True):
    """A file of a mount, to be read; a folder, which is not `opened`, reads as no bytes."""

    entry: Entry
    opened: Opened | None
    parts: tuple[LayoutPart, ...] = ()
    resting: None = None

    async def body(self, span: Span | None = None) -> Body:
        """The bytes of the span, or all. Raises FileChanging when others have cut off a large file."""
        return b"" if self.opened is None else await self.opened.body(span)


class Arriving:
    """Content on its way into a file: first its bytes, then what is noted of them.

    What rests in this house is read like an upload, for its MD5: by that a later look tells that a file whose
    ETag is none still holds these bytes.
    """

    __slots__ = ("_content", "_incoming")

    def __init__(self, ground: Ground, content: Content) -> None:
        self._content = content
        self._incoming = content if isinstance(content, Incoming) else Incoming(
            BodySource(partial(_body, ground, content)), content.size, checksum=_MD5)

    @property
    def size(self) -> int | None:
        """The number of bytes, None when unknown."""
        return self._content.size

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The bytes. Memory use is constant. Raises what their checks raise."""
        async for chunk in self._incoming.chunks():
            yield chunk

    def note(self, stat: Stat, seq: int, attributes: Attributes) -> FileNote:
        """The note of the file that holds the bytes, once all have passed."""
        receipt, content = self._incoming.receipt, self._content
        if isinstance(content, Incoming):
            checksum = receipt.checksum(content.checksum)
            return FileNote(stat.mark, receipt.md5, seq, attributes, checksum)
        md5 = "" if content.etag == receipt.md5 else receipt.md5
        return FileNote(stat.mark, content.etag, seq, attributes, content.checksum, md5=md5)


async def _body(ground: Ground, content: Resting) -> Body:
    """The bytes of what rests in this house."""
    if content.inline is not None:
        return content.inline
    if content.blob is not None:
        return ground.blobs.locate(BlobSpan(content.blob, 0, content.size))
    layout, id = content.layout, content.layout_id
    if layout is None:
        assert id is not None, "resting content rests nowhere"
        layout = await ground.engine.read(lambda rows: blobs.get_layout(rows, id))
    return Pieces(tuple(ground.blobs.locate(span) for part in layout.parts for span in part.spans))
