"""The bytes of a mount's files, in and out."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from typing import Final

from trivium.base.body import Body
from trivium.base.span import Span
from trivium.buckets.bucket import Content, Resting
from trivium.buckets.entry import Entry
from trivium.buckets.record import Ground
from trivium.storage import blobs
from trivium.storage.blobs import BlobSpan, Layout, LayoutPart
from trivium.storage.engine import Write
from trivium.under.store import Opened

_PIECE_BYTES: Final = 1 << 20


class FileReading:
    """A file of a mount, to be read; a folder reads as no bytes."""

    __slots__ = ("_opened", "entry")

    def __init__(self, entry: Entry, opened: Opened | None) -> None:
        self.entry, self._opened = entry, opened

    @property
    def parts(self) -> tuple[LayoutPart, ...]:
        return ()

    @property
    def resting(self) -> Resting | None:
        return None

    async def body(self, span: Span | None = None) -> Body:
        """The bytes of the span, or all. Raises FileChanging when a large file was replaced meanwhile."""
        return b"" if self._opened is None else await self._opened.body(span)


async def chunks_of(ground: Ground, content: Content) -> AsyncGenerator[bytes, None]:
    """The bytes of what comes in, or of what rests in this house. Memory use is constant."""
    if not isinstance(content, Resting):
        async for chunk in content.chunks():
            yield chunk
        return
    if content.inline is not None:
        yield content.inline
        return
    for span in await _spans(ground, content):
        for offset in range(0, span.size, _PIECE_BYTES):
            size = min(_PIECE_BYTES, span.size - offset)
            yield await ground.blobs.read(BlobSpan(span.id, span.offset + offset, size))


def release(tx: Write, content: Content, *, now_ms: int) -> None:
    """Let go of blobs whose ownership was handed over: their bytes are in a file now."""
    if not isinstance(content, Resting) or not content.owned:
        return
    if content.layout is not None:
        for span in _of_layout(content.layout):
            blobs.release(tx, span.id, now_ms=now_ms)
    for id in (content.blob, content.layout_id):
        if id is not None:
            blobs.release(tx, id, now_ms=now_ms)


async def _spans(ground: Ground, content: Resting) -> Iterable[BlobSpan]:
    if content.blob is not None:
        return (BlobSpan(content.blob, 0, content.size),)
    if content.layout is not None:
        return _of_layout(content.layout)
    assert content.layout_id is not None, "resting content rests nowhere"
    layout_id = content.layout_id
    return _of_layout(await ground.engine.read(lambda rows: blobs.get_layout(rows, layout_id)))


def _of_layout(layout: Layout) -> Iterable[BlobSpan]:
    return (span for part in layout.parts for span in part.spans)
