"""Bytes that are not those which their entry tells of are never sent for them."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from trivium.base import faults
from trivium.base.clock import SetClock
from trivium.base.faults import Fault
from trivium.base.ids import SeededIds
from trivium.base.span import Span
from trivium.buckets.contents import StoredReading
from trivium.buckets.entry import Entry, LayoutContent
from trivium.storage.blobs import BlobSpan, LayoutPart, joined
from trivium.storage.blobstores.memory import MemoryBlobs


def reading(body: bytes | None) -> StoredReading:
    return StoredReading(MemoryBlobs(SetClock(), SeededIds()), Entry("key", 1, 0, 5, "etag"), body, None)


def test_a_body_in_a_row_is_sent_whole_or_in_part() -> None:
    assert b"12345" == asyncio.run(reading(b"12345").body())
    assert b"34" == asyncio.run(reading(b"12345").body(Span(2, 3)))


@pytest.mark.parametrize("body", [b"", b"1234", b"123456", None])
@pytest.mark.parametrize("span", [None, Span(0, 1)])
def test_a_body_in_a_row_that_lost_bytes_is_not_sent(body: bytes | None, span: Span | None) -> None:
    with pytest.raises(Fault) as caught:
        asyncio.run(reading(body).body(span))

    assert caught.value.kind is faults.InternalError


@pytest.mark.parametrize("span", [None, Span(1, 4)])
def test_parts_that_are_fewer_than_the_entry_says_are_not_sent(span: Span | None) -> None:
    part = LayoutPart(1, 4, "etag", "", (BlobSpan("b" * 32, 0, 4),))
    damaged = StoredReading(
        MemoryBlobs(SetClock(), SeededIds()), Entry("key", 1, 0, 5, "etag-1", content=LayoutContent("l", 1)), None,
        joined(1, [msgspec.msgpack.encode(part)]))
    with pytest.raises(Fault) as caught:
        asyncio.run(damaged.body(span))

    assert caught.value.kind is faults.InternalError
