"""Parts of uploads: sent, replaced, copied from other objects, and who owns their blobs."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator

import pytest

from tests.parts import Wanted, asking
from tests.unit.services.uploads.uploads_ward import RULES, Ward, blob, put, refused, told
from trivium.base import faults
from trivium.base.incoming import Given, Incoming
from trivium.base.span import Span
from trivium.buckets.bucket import Deletion
from trivium.services.uploads import copies
from trivium.storage import keys


def test_an_object_is_not_there_before_its_upload_is_completed() -> None:
    async def story(ward: Ward) -> None:
        await ward.add(await ward.begin(), 1, b"one")

        await refused(faults.NoSuchKey, ward.bucket.head("key"))
        assert [] == await ward.bucket.list("", "", 10)

    told(story)


def test_a_completed_upload_is_an_object_of_its_listed_parts() -> None:
    async def story(ward: Ward) -> None:
        upload = await ward.begin()
        two, one = await ward.add(upload, 2, b"two"), await ward.add(upload, 1, b"one")

        done = await ward.complete(upload, one, two)

        entry = await ward.bucket.head("key")
        digests = bytes.fromhex(one.etag) + bytes.fromhex(two.etag)
        assert hashlib.md5(digests).hexdigest() + "-2" == entry.etag == done.etag
        assert b"onetwo" == await ward.content("key")
        assert ("text/plain", 6) == (entry.attributes.content_type, entry.size)

    told(story)


def test_parts_of_the_object_are_known_by_their_numbers() -> None:
    async def story(ward: Ward) -> None:
        upload = await ward.begin()
        await ward.complete(upload, await ward.add(upload, 3, b"one"), await ward.add(upload, 7, b"three"))

        parts = (await ward.bucket.read("key")).parts
        assert [(3, 3), (7, 5)] == [(part.number, part.size) for part in parts]

    told(story)


def test_the_same_number_again_replaces_a_part_and_lets_go_of_its_blob() -> None:
    async def story(ward: Ward) -> None:
        upload = await ward.begin()
        first, second = await ward.add(upload, 1, b"first"), await ward.add(upload, 1, b"second")

        assert {blob(first): 0, blob(second): 1} == await ward.owners()
        await refused(faults.InvalidPart, ward.complete(upload, first))
        await ward.complete(upload, second)
        assert b"second" == await ward.content("key")

    told(story)


def test_an_empty_part_has_no_blob() -> None:
    async def story(ward: Ward) -> None:
        upload = await ward.begin()
        empty = await ward.add(upload, 1, b"")

        await ward.complete(upload, empty)

        assert () == empty.spans
        assert b"" == await ward.content("key")
        assert {} == await ward.owners()

    told(story)


def test_an_empty_part_of_unknown_size_leaves_no_blob() -> None:
    async def story(ward: Ward) -> None:
        upload = await ward.begin()

        part = await ward.uploads.put_part(upload, 1, Incoming(Given(b""), None))

        assert () == part.spans
        assert [] == [id async for id in ward.blobs.ids(older_than_ms=ward.clock.now_ms() + 1)]

    told(story)


def test_an_upload_of_another_key_or_with_another_id_is_not_found() -> None:
    async def story(ward: Ward) -> None:
        upload = await ward.begin()
        done = await ward.begin("done")
        await ward.complete(done, await ward.add(done, 1, b"part"))

        for key, id in (("another", upload.id), ("key", ""), ("key", "x" * 3000), ("key", done.id)):
            await refused(faults.NoSuchUpload, ward.uploads.find(ward.record, key, id))
        await refused(faults.NoSuchUpload, ward.uploads.complete(
            ward.opened, "key", done.id, asking((Wanted(1, "x"),)), RULES))

    told(story)


def test_an_upload_whose_bucket_went_cannot_begin() -> None:
    async def story(ward: Ward) -> None:
        await ward.engine.write(lambda tx: tx.delete(keys.text(keys.CATALOG, "bucket")))

        await refused(faults.NoSuchBucket, ward.begin())

    told(story)


def test_a_part_with_a_checksum_of_another_kind_is_refused() -> None:
    async def story(ward: Ward) -> None:
        upload = await ward.begin(algorithm="SHA256", type="COMPOSITE")

        await refused(faults.InvalidRequest, ward.uploads.put_part(
            upload, 1, Incoming(Given(b"x"), 1, checksum="CRC32")))

    told(story)


def test_a_part_keeps_the_checksum_that_it_came_with() -> None:
    async def story(ward: Ward) -> None:
        upload = await ward.begin()
        part = await ward.uploads.put_part(
            upload, 1, Incoming(Given(b"x"), 1, checksum="SHA1"))

        assert part.sent is not None
        asked = asking((Wanted(1, part.etag, {"SHA1": part.sent.value}),))
        done = await ward.uploads.complete(ward.opened, "key", upload.id, asked, RULES)
        assert done.checksum is not None
        assert "CRC64NVME" == done.checksum.algorithm

    told(story)


def test_a_part_that_comes_too_late_leaves_nothing() -> None:
    async def story(ward: Ward) -> None:
        upload = await ward.begin()

        class Late:
            async def whole(self) -> bytes:
                return b"late"

            async def chunks(self) -> AsyncIterator[bytes]:
                await ward.uploads.abort(ward.record, "key", upload.id)
                yield b"late"

        await refused(faults.NoSuchUpload, ward.uploads.put_part(
            upload, 1, Incoming(Late(), 4)))
        assert [] == [id async for id in ward.blobs.ids(older_than_ms=ward.clock.now_ms() + 1)]
        assert 0 == await ward.rows(keys.PART)

    told(story)


def test_a_copied_part_shares_the_blob_of_its_source() -> None:
    async def story(ward: Ward) -> None:
        await put(ward, "source", b"0123456789")
        upload = await ward.begin()

        part = await ward.uploads.copy_part(
            upload, 1, await ward.bucket.read("source"), Span(2, 5))

        assert {blob(part): 2} == await ward.owners()
        assert hashlib.md5(b"2345").hexdigest() == part.etag
        await ward.bucket.delete([Deletion("source")], actor="me")
        await ward.complete(upload, part)
        assert b"2345" == await ward.content("key")
        assert {blob(part): 1} == await ward.owners()

    told(story)


def test_a_copied_whole_object_is_not_read_again() -> None:
    async def story(ward: Ward) -> None:
        entry = await put(ward, "source", b"0123456789")
        reading = await ward.bucket.read("source")
        upload = await ward.begin()
        for id in await ward.owners():
            await ward.blobs.remove(id)

        part = await ward.uploads.copy_part(upload, 1, reading)

        assert entry.checksum is not None
        assert (entry.etag, entry.checksum.value) == (part.etag, part.checksum)

    told(story)


def test_a_copy_of_a_multipart_object_cuts_its_parts() -> None:
    async def story(ward: Ward) -> None:
        first = await ward.begin("source")
        parts = [await ward.add(first, number, b"part%d" % number) for number in (1, 2, 3)]
        await ward.complete(first, *parts)
        upload = await ward.begin(algorithm="SHA256", type="COMPOSITE")

        part = await ward.uploads.copy_part(
            upload, 1, await ward.bucket.read("source"), Span(3, 11))

        assert [blob(one) for one in parts] == [span.id for span in part.spans]
        await ward.complete(upload, part)
        assert b"t1part2pa" == await ward.content("key")

    told(story)


def test_a_copy_of_too_many_pieces_is_written_as_a_blob(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(ward: Ward) -> None:
        first = await ward.begin("source")
        await ward.complete(first, *[await ward.add(first, number, b"part%d" % number) for number in (1, 2, 3)])
        reading, upload = await ward.bucket.read("source"), await ward.begin()
        monkeypatch.setattr(copies, "_MAX_SPANS", 2)

        parts = [await ward.uploads.copy_part(upload, n, reading, span) for n, span in ((1, None), (2, Span(0, 9)))]

        assert [1, 2] == [len(part.spans) for part in parts]
        await ward.complete(upload, *parts)
        assert b"part1part2part3part1part2" == await ward.content("key")

    told(story)


@pytest.mark.parametrize(("data", "span", "expected"), [
    (b"tiny", None, b"tiny"), (b"tiny", Span(1, 2), b"in"), (b"", None, b"")])
def test_a_copy_of_what_rests_in_a_row_is_written_as_a_blob(
    data: bytes, span: Span | None, expected: bytes,
) -> None:
    async def story(ward: Ward) -> None:
        await put(ward, "source", data)
        upload = await ward.begin()

        reading = await ward.bucket.read("source")

        part = await ward.uploads.copy_part(upload, 1, reading, span)

        await ward.complete(upload, part)
        assert expected == await ward.content("key")

    told(story)
