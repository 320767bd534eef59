"""Whether the bytes in a row are those that were written, and others lie where the rows say."""

from __future__ import annotations

import asyncio
import hashlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivium.base.digests import ALGORITHMS, COMPOSITE, Checksum, encode
from trivium.buckets.entry import BlobContent, Entry, LayoutContent
from trivium.services.bodies import is_rotten, is_torn
from trivium.storage import keys
from trivium.storage.blobs import BLOBS, Blob, BlobSpan, LayoutPart, joined, name, put_layout
from trivium.storage.engine import Write
from trivium.storage.engines.memory import MemoryEngine


def entry(data: bytes, checksum: Checksum | None, *, etag: str | None = None) -> Entry:
    return Entry("key", 1, 0, len(data), etag or hashlib.md5(data).hexdigest(), checksum=checksum)


@given(st.binary(max_size=50), st.binary(max_size=50), st.sampled_from([None, *ALGORITHMS]))
def test_only_the_bytes_that_were_written_are_whole(data: bytes, other: bytes, algorithm: str | None) -> None:
    checksum = Checksum(algorithm, encode(ALGORITHMS[algorithm].of(data))) if algorithm else None

    assert not is_rotten(entry(data, checksum), data)
    assert is_rotten(entry(data, checksum), other) == (data != other)
    assert is_rotten(entry(data, checksum), None)


def test_a_composite_checksum_says_nothing_of_the_bytes() -> None:
    composite = Checksum("SHA256", "x-1", COMPOSITE)

    assert not is_rotten(entry(b"data", composite), b"data")
    assert is_rotten(entry(b"data", composite), b"dota")


@pytest.mark.parametrize("other", [
    Entry("key", 1, 0, 4, "x", content=BlobContent("b")), Entry("key", 1, 0, 0, "", marker=True)])
def test_what_has_no_bytes_in_its_row_is_not_looked_at(other: Entry) -> None:
    assert not is_rotten(other, None)


BLOB = Blob("b" * 32, 4, 0, 0)
PART = LayoutPart(1, 4, "etag", "", (BlobSpan(BLOB.id, 0, 4),))


@pytest.mark.parametrize(("parts", "size", "torn"), [(1, 4, False), (2, 8, False), (1, 5, True), (2, 4, True), (0, 4, True)])
@pytest.mark.parametrize("named", [True, False])
def test_parts_are_there_and_as_many_bytes_as_the_entry_says(parts: int, size: int, torn: bool, named: bool) -> None:
    def look(tx: Write) -> bool:
        if named:
            name(tx, BLOB)
        if parts:
            put_layout(tx, "l", joined(parts, [msgspec.msgpack.encode(PART)] * parts))
        return is_torn(tx, Entry("key", 1, 0, size, "etag-1", content=LayoutContent("l", parts)))

    assert (torn or not named) == asyncio.run(MemoryEngine().write(look))


@pytest.mark.parametrize(("value", "torn"), [
    (BLOBS.encode(BLOB), False), (BLOBS.encode(Blob("b" * 32, 5, 0, 0)), True), (b"\x01\xc1", True), (b"\x02tomorrow", False)])
def test_a_blobs_row_tells_of_as_many_bytes_as_the_entry(value: bytes, torn: bool) -> None:
    def look(tx: Write) -> bool:
        tx.put(keys.text(keys.BLOB, BLOB.id), value)
        return is_torn(tx, Entry("key", 1, 0, 4, "etag", content=BlobContent(BLOB.id)))

    assert torn == asyncio.run(MemoryEngine().write(look))
