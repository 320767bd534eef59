"""Contents that rest in the house already: blobs and layouts of parts, shared or handed over."""

from __future__ import annotations

from functools import partial

from tests.parts import layout_of
from tests.unit.buckets.objects.objects_room import BIG, Room, refused, run
from trivium.base import faults
from trivium.base.body import FileSpan, Pieces
from trivium.base.incoming import Given
from trivium.base.span import Span
from trivium.buckets.bucket import Resting
from trivium.buckets.copying import chunks_of
from trivium.buckets.entry import Attributes
from trivium.storage import blobs, keys
from trivium.storage.blobs import BlobSpan, Layout, LayoutPart


def test_a_copy_of_what_the_sweep_has_removed_is_refused() -> None:
    async def story(room: Room) -> None:
        gone = Resting(5, "etag", blob="0" * 32)

        assert (await refused(room.bucket.put("key", gone, Attributes()))).kind is faults.NoSuchKey

    run(story)


async def _layout(room: Room, *contents: tuple[bytes, ...]) -> Layout:
    """Parts whose spans are blobs of more than their own bytes."""
    parts = []
    for number, pieces in enumerate(contents, 1):
        spans = []
        for piece in pieces:
            blob = await room.blobs.write(Given(b"<" + piece + b">").chunks())
            await room.engine.write(partial(blobs.name, blob=blob))
            spans.append(BlobSpan(blob.id, 1, len(piece)))
        parts.append(LayoutPart(number, sum(map(len, pieces)), "", "", tuple(spans)))
    return layout_of(parts)


def test_any_span_of_many_parts_can_be_read() -> None:
    async def story(room: Room) -> None:
        layout = await _layout(room, (b"ab", b"cde"), (b"f",), (b"ghi", b"jkl"))
        await room.bucket.put("key", Resting(12, "etag-3", layout=layout, owned=True, parts=3), Attributes())
        reading = await room.bucket.read("key")

        assert reading.parts == layout.parts
        for first in range(12):
            for last in range(first, 12):
                body = await reading.body(Span(first, last))
                found = b"".join([chunk async for chunk in chunks_of(body)])
                assert found == b"abcdefghijkl"[first : last + 1]
        assert isinstance(await reading.body(Span(5, 5)), FileSpan)
        assert isinstance(await reading.body(), Pieces)

    run(story)


def test_a_layout_that_nobody_hands_over_shares_its_blobs() -> None:
    async def story(room: Room) -> None:
        layout = await _layout(room, (b"ab",), (b"cd",))
        whole = Resting(4, "etag-2", layout=layout, parts=2)
        await room.bucket.put("one", whole, Attributes())
        await room.bucket.put("two", whole, Attributes())
        owners = await room.engine.read(
            lambda rows: [rows.get(keys.text(keys.SHARE, part.spans[0].id)) for part in layout.parts])

        assert await room.content("one") == await room.content("two") == b"abcd"
        assert owners == [keys.number(3), keys.number(3)]

    run(story)


def test_a_blob_that_is_handed_over_has_no_more_owners_than_before() -> None:
    async def story(room: Room) -> None:
        blob = await room.blobs.write(Given(BIG).chunks())
        await room.engine.write(partial(blobs.name, blob=blob))
        await room.bucket.put("key", Resting(blob.size, "etag", blob=blob.id, owned=True), Attributes())

        assert await room.content("key") == BIG
        assert await room.engine.read(lambda rows: rows.get(keys.text(keys.SHARE, blob.id))) is None

    run(story)


def test_a_copy_of_many_parts_is_one_row_and_says_how_many_parts_it_has() -> None:
    async def story(room: Room) -> None:
        layout = await _layout(room, (b"ab",), (b"cd",))
        source = await room.bucket.put(
            "key", Resting(4, "etag-2", layout=layout, owned=True, parts=2), Attributes())
        resting = (await room.bucket.read("key")).resting
        copy = await room.bucket.put("copy", resting, Attributes())
        await room.delete("key")

        assert copy.content == source.content
        assert (resting.parts, len((await room.bucket.read("copy")).parts)) == (2, 2)
        assert await room.content("copy") == b"abcd"

    run(story)
