"""Pages are read many rows at a time; what they say is what each row says."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.buckets.objects.objects_room import Room
from trivium.base.digests import Checksum
from trivium.buckets.acl import Grant
from trivium.buckets.entry import ENTRIES, Attributes, BlobContent, Entry, LayoutContent
from trivium.storage import keys
from trivium.storage.engine import Write
from trivium.storage.records import Unreadable

SAID = st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2)
ACLS = st.none() | st.lists(st.builds(Grant, st.text(max_size=3), st.just("READ")), max_size=2).map(tuple)
ATTRIBUTES = st.builds(
    Attributes, st.text(max_size=3), SAID, SAID, SAID, st.sampled_from(["STANDARD", "GLACIER"]), st.just(""),
    st.sampled_from(["me", "you"]), ACLS)
CONTENTS = st.none() | st.builds(BlobContent, st.text(max_size=3)) | st.builds(LayoutContent, st.just("l"), st.just(2))
CHECKSUMS = st.none() | st.builds(Checksum, st.just("CRC32"), st.text(max_size=3))
ENTRIES_ = st.builds(
    Entry, st.text("abc/\x00\u00e9", max_size=3), st.integers(1, 2**40), st.integers(0, 2**45),
    st.integers(0, 2**40), st.text(max_size=3), attributes=ATTRIBUTES | st.just(Attributes(owner="me")), content=CONTENTS,
    checksum=CHECKSUMS)


def put(room: Room, rows: dict[str, bytes]) -> None:
    def change(tx: Write) -> None:
        for key, data in rows.items():
            tx.put(keys.current(room.record.id, key), data)

    asyncio.run(room.engine.write(change))


def facts(entry: Entry) -> dict[str, object]:
    return {name: getattr(entry, name) for name in Entry.__struct_fields__}


def key_of(entry: Entry) -> str:
    return entry.key


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(ENTRIES_, unique_by=key_of) | st.lists(ENTRIES_, unique_by=key_of, min_size=16, max_size=20))
def test_a_page_says_what_its_rows_say(entries: list[Entry]) -> None:
    room = Room()
    put(room, {entry.key: ENTRIES.encode(entry) for entry in entries})
    listed = asyncio.run(room.bucket.list("", "", len(entries) + 1))
    versions = room.bucket.features.versions
    assert versions is not None
    of_versions = asyncio.run(versions.list("", "", None, len(entries) + 1))

    expected = [facts(entry) for entry in sorted(entries, key=key_of)]
    assert expected == [facts(entry) for entry in listed]
    assert expected == [facts(one.entry) for one in of_versions]


@pytest.mark.parametrize("different", [None, 0, 1, 19])
def test_rows_that_say_the_same_share_it_with_no_others(different: int | None) -> None:
    alike, other = Attributes("type", owner="me"), Attributes("type", owner="you")
    said = [other if number == different else alike for number in range(20)]
    names = [f"{number:02d}" for number in range(20)]
    room = Room()
    put(room, {name: ENTRIES.encode(Entry(name, 1, 2, 3, "etag", attributes=one))
               for name, one in zip(names, said, strict=True)})
    listed = asyncio.run(room.bucket.list("", "", 100))

    assert list(zip(names, said, strict=True)) == [(entry.key, entry.attributes) for entry in listed]
    assert (different is None) == (len({id(entry.attributes) for entry in listed}) == 1)


def test_rows_of_a_house_that_knew_fewer_fields_are_listed() -> None:
    room = Room()
    put(room, {"a": b"\x01" + msgspec.msgpack.encode(["a", 1, 2, 3, "etag"])})
    (listed,) = asyncio.run(room.bucket.list("", "", 10))

    assert facts(Entry("a", 1, 2, 3, "etag")) == facts(listed)


@pytest.mark.parametrize("attributes", [["type", "no headers"], 7, None, b"x"])
@pytest.mark.parametrize("count", [1, 50])
def test_a_row_with_attributes_that_are_none_is_named(attributes: object, count: int) -> None:
    room = Room()
    good = {f"a{number}": ENTRIES.encode(Entry(f"a{number}", 1, 2, 3, "etag")) for number in range(count)}
    bad = b"\x01" + msgspec.msgpack.encode(["b", 1, 2, 3, "etag", "null", False, attributes])
    put(room, {**good, "b": bad})

    with pytest.raises(Unreadable) as raised:
        asyncio.run(room.bucket.list("", "", 100))
    assert bad == raised.value.data
