"""Rows of a document, which are given by column: they read as if each value had been written by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from hypothesis import example, given
from hypothesis import strategies as st

from trivium.s3.operations.listing import Contents
from trivium.s3.operations.version_listing import DeleteMarker, Version
from trivium.s3.shapes import Owner
from trivium.s3.xml import Rows, Shape, element, inside

TEXTS = st.text(st.sampled_from("ab/ <&>\"'\t\n\r\x00\x7f\x85\u00e9\u65e5\ufffe\U0001f600\ud800"))
PLAIN = st.sampled_from(["STANDARD", "GLACIER"])
OWNERS = st.sampled_from([Owner("1", "<me>"), Owner("2", "you")])
MAYBE = st.none() | PLAIN
CONTENTS = st.builds(Contents, TEXTS, PLAIN, PLAIN, MAYBE, MAYBE, st.integers(0), PLAIN, st.none() | OWNERS)
VERSIONS = st.builds(Version, TEXTS, TEXTS, st.booleans(), PLAIN, PLAIN, MAYBE, MAYBE, st.integers(0), PLAIN, OWNERS)
MARKERS = st.builds(DeleteMarker, TEXTS, TEXTS, st.booleans(), PLAIN, OWNERS)


class Page(Shape, frozen=True):
    """Rows of one shape."""

    things: Annotated[Rows[Contents], element("Thing")]


class MixedPage(Shape, frozen=True):
    """Rows of two."""

    things: Rows[Version | DeleteMarker]


def columns(values: Sequence[Shape], of: type[Shape]) -> dict[str, list[object]]:
    return {name: [getattr(value, name, None) for value in values] for name in of.__struct_fields__}


@given(st.lists(CONTENTS))
@example([Contents("a", "t", "e", None, None, 1, "STANDARD", None)] * 2)
def test_rows_are_written_as_each_of_them_would_be(values: list[Contents]) -> None:
    expected = "".join(f"<Thing>{inside(value)}</Thing>" for value in values)

    assert expected == inside(Page(Rows(values))) == inside(Page(Rows(columns=columns(values, Contents))))


@given(st.lists(VERSIONS | MARKERS))
def test_rows_of_several_shapes_name_each_by_its_shape(values: list[Version | DeleteMarker]) -> None:
    shapes = [type(value) for value in values]
    expected = "".join(
        f"<{shape.__name__}>{inside(value)}</{shape.__name__}>"
        for shape, value in zip(shapes, values, strict=True))

    assert expected == inside(MixedPage(Rows(columns=columns(values, Version) | {"__class__": list(shapes)})))


def test_a_column_that_may_be_absent_can_be_left_out() -> None:
    given_of_each = columns([Contents("k", "t", "e", None, None, 1, "S", None)], Contents)
    some = {name: column for name, column in given_of_each.items() if column != [None]}

    assert inside(Page(Rows(columns=given_of_each))) == inside(Page(Rows(columns=some)))
