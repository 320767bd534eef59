"""Records: many at once are what they are one by one, whichever house wrote them."""

from __future__ import annotations

from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivium.storage.records import Records, UnknownFormat, Unreadable


class Row(msgspec.Struct, frozen=True, array_like=True):
    """A row of today's house."""

    name: str
    size: int = 0


def old(data: bytes) -> Row:
    return Row(data.decode())


ROWS = Records(Row, format=2, older={1: old})


@given(st.lists(st.builds(Row, st.text(), st.integers(0, 2**63))))
def test_many_are_decoded_as_each_is(rows: list[Row]) -> None:
    assert rows == ROWS.decode_all([ROWS.encode(row) for row in rows])


def test_rows_of_an_older_house_may_be_among_them() -> None:
    assert [Row("a"), Row("b", 1)] == ROWS.decode_all([b"\x01a", ROWS.encode(Row("b", 1))])


def test_a_row_of_a_newer_house_is_refused_among_others_too() -> None:
    with pytest.raises(UnknownFormat):
        ROWS.decode_all([ROWS.encode(Row("a")), b"\x03b"])


@pytest.mark.parametrize("data", [b"", b"\0", b"\x02", b"\x02\xc1", b"\x02\xa0", b"\x02\x91\xa1\xff", b"\x01\xff"])
def test_bytes_that_are_no_record_are_unreadable(data: bytes) -> None:
    with pytest.raises(Unreadable) as one:
        ROWS.decode(data)
    with pytest.raises(Unreadable) as many:
        ROWS.decode_all([data])

    assert one.value.data == many.value.data == data
    assert ROWS.read(data) is None


def test_who_can_do_without_a_damaged_row_cannot_do_without_one_of_a_newer_house() -> None:
    assert ROWS.read(ROWS.encode(Row("a"))) == Row("a")
    with pytest.raises(UnknownFormat):
        ROWS.read(b"\x03b")


@given(st.builds(Row, st.text(), st.integers(0, 2**63)), st.binary(max_size=3), st.data())
def test_whatever_becomes_of_a_row_it_is_read_or_unreadable(row: Row, other: bytes, data: st.DataObject) -> None:
    value = bytearray(ROWS.encode(row))
    at = data.draw(st.integers(0, len(value)))
    value[at:at + len(other)] = other

    with suppress(Unreadable):
        ROWS.decode(bytes(value))
