"""How bytes come to rest in this house, are read again and let go: once for every kind of bucket.

Theory of operation. `keep` makes the bytes durable before any row speaks of them; `settle`, inside the
transaction that writes the row, names or shares them; `write` takes back what a refused transaction left.
Small bytes rest in the row itself, larger ones in a blob, those of a multipart upload in a layout of its
parts' blobs. What rests already is shared or taken over, never moved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import msgspec

from trivium.base import faults
from trivium.base.body import Body, Pieces
from trivium.base.digests import Checksum
from trivium.base.faults import Fault
from trivium.base.span import Span
from trivium.buckets.bucket import Content, Resting
from trivium.buckets.entry import BlobContent, Entry, LayoutContent
from trivium.buckets.record import Ground
from trivium.storage import blobs
from trivium.storage.blobs import Blob, Blobs, BlobSpan, Layout, LayoutPart
from trivium.storage.engine import Read, Write


class Kept(msgspec.Struct, frozen=True):
    """Durable content that waits for its row. `body` goes into the row; `content` is what the entry says.

    `blob` is a fresh one that nobody has named; `layout` one that nobody has stored. `owned` as in `Resting`.
    """

    size: int
    etag: str
    checksum: Checksum | None
    body: bytes | None = None
    content: BlobContent | LayoutContent | None = None
    blob: Blob | None = None
    layout: Layout | None = None
    owned: bool = False


async def keep(ground: Ground, content: Content) -> Kept:
    """Make the content durable, or find that it is. Raises what its checks and the blob store raise."""
    if isinstance(content, Resting):
        return _resting(ground, content)
    if content.size is not None and content.size <= ground.inline_bytes:
        body = await content.whole()
        receipt = content.receipt
        return Kept(receipt.size, receipt.md5, receipt.checksum(content.checksum), body)
    blob = await ground.blobs.write(content.chunks())
    receipt = content.receipt
    assert blob.size == receipt.size, "the blob store kept another number of bytes than came in"
    checksum = receipt.checksum(content.checksum)
    return Kept(receipt.size, receipt.md5, checksum, content=BlobContent(blob.id), blob=blob)


def settle(tx: Write, kept: Kept) -> None:
    """Give the content to the row that this transaction writes. Raises NoSuchKey when what rested is gone."""
    if kept.content is None:
        return
    if kept.blob is not None:
        blobs.name(tx, kept.blob)
    elif kept.layout is not None:
        if not kept.owned:
            for part in kept.layout.parts:
                for span in part.spans:
                    blobs.share(tx, span.id)
        blobs.put_layout(tx, kept.content.id, kept.layout)
    elif not kept.owned:
        blobs.share(tx, kept.content.id)


async def write(ground: Ground, kept: Kept, change: Callable[[Write], Entry]) -> Entry:
    """Run the transaction that settles the content. A fresh blob goes again when it is refused.

    A refusal comes before the commit. When the engine fails nobody knows: then the sweep decides.
    """
    try:
        return await ground.engine.write(change)
    except Fault as fault:
        if kept.blob is not None and fault.kind.status < faults.InternalError.status:
            await ground.blobs.remove(kept.blob.id)
        raise


def release(tx: Write, entry: Entry, *, now_ms: int) -> None:
    """Let go of the content of an entry that goes."""
    if entry.content is not None:
        blobs.release(tx, entry.content.id, now_ms=now_ms)


def share(tx: Write, entry: Entry) -> None:
    """Give the content of an entry one more owner. Bytes that rest in its row have none."""
    if entry.content is not None:
        blobs.share(tx, entry.content.id)


def body_of(rows: Read, row: bytes) -> bytes | None:
    """The bytes that rest in the row, which must be there."""
    found = rows.load(row)
    assert found is not None, "an entry was read, its row is gone"
    return found[1]


def layout_of(rows: Read, entry: Entry) -> Layout | None:
    """The layout of the entry's content; None where it has none."""
    return blobs.get_layout(rows, entry.content.id) if isinstance(entry.content, LayoutContent) else None


class StoredReading(msgspec.Struct, frozen=True, gc=False):
    """An entry whose bytes are in this house: in its row (`_body`), a blob, or the blobs of a layout."""

    _blobs: Blobs
    entry: Entry
    _body: bytes | None
    _layout: Layout | None

    @property
    def parts(self) -> tuple[LayoutPart, ...]:
        return () if self._layout is None else self._layout.parts

    @property
    def resting(self) -> Resting:
        entry = self.entry
        if isinstance(entry.content, LayoutContent):
            return Resting(
                entry.size, entry.etag, entry.checksum, layout_id=entry.content.id, parts=entry.content.parts)
        if isinstance(entry.content, BlobContent):
            return Resting(entry.size, entry.etag, entry.checksum, blob=entry.content.id)
        return Resting(entry.size, entry.etag, entry.checksum, inline=self._body)

    async def body(self, span: Span | None = None) -> Body:
        if self._body is not None:
            if len(self._body) != self.entry.size:
                raise self._damaged()
            return self._body if span is None else self._body[span.first : span.last + 1]
        first, size = (0, self.entry.size) if span is None else (span.first, span.size)
        if size == 0:
            return b""
        if isinstance(self.entry.content, BlobContent):
            return self._blobs.locate(BlobSpan(self.entry.content.id, first, size))
        if self._layout is None:
            raise self._damaged()
        pieces = tuple(map(self._blobs.locate, cut(self._layout.parts, first, size)))
        return pieces[0] if len(pieces) == 1 else Pieces(pieces)

    def _damaged(self) -> Fault:
        """The fault of bytes that are not those which the entry tells of. Its cause, logged, says which."""
        fault, entry = faults.InternalError(), self.entry
        fault.__cause__ = ValueError(f"the bytes of key {entry.key!r}, version {entry.version}, are damaged")
        return fault


def _resting(ground: Ground, resting: Resting) -> Kept:
    size, etag, checksum, owned = resting.size, resting.etag, resting.checksum, resting.owned
    if resting.inline is not None:
        return Kept(size, etag, checksum, resting.inline)
    if resting.blob is not None:
        return Kept(size, etag, checksum, content=BlobContent(resting.blob), owned=owned)
    if resting.layout_id is not None:
        shared = LayoutContent(resting.layout_id, resting.parts)
        return Kept(size, etag, checksum, content=shared, owned=owned)
    assert resting.layout is not None, "resting content rests nowhere"
    assert resting.parts > 0, "the parts of a layout are counted"
    content = LayoutContent(ground.ids.hexadecimal(32), resting.parts)
    return Kept(size, etag, checksum, content=content, layout=resting.layout, owned=owned)


def cut(parts: Iterable[LayoutPart], first: int, size: int) -> Iterator[BlobSpan]:
    """The blob spans that hold `size` bytes (at least one) of a layout's parts from their byte `first` on.

    Raises InternalError where the parts have fewer.
    """
    for part in parts:
        if first >= part.size:
            first -= part.size
            continue
        for span in part.spans:
            if first >= span.size:
                first -= span.size
                continue
            taken = min(size, span.size - first)
            yield BlobSpan(span.id, span.offset + first, taken)
            first, size = 0, size - taken
            if size == 0:
                return
    raise faults.InternalError()
