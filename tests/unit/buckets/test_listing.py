"""Pages, markers and folding, against a reference that sorts and groups everything."""

from __future__ import annotations

import asyncio
from itertools import groupby, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trivium.buckets.listing import Flat, Page, Position, page_of

Row = tuple[str, int]  # a key, and which of its rows; those of a key are listed with the greatest first


class Rows:
    """A flat listing of rows in memory, that counts what it is asked for."""

    def __init__(self, rows: list[Row]) -> None:
        self.rows = sorted(rows, key=_order)
        self.questions = self.given = 0

    def flat(self, *, single: bool = False) -> Flat[Row]:
        return Flat(self.ask, lambda row: row[0], lambda row: None if single else str(row[1]))

    async def ask(self, prefix: str, start: str, marker: str | None, limit: int) -> list[Row]:
        assert limit > 0
        found = [
            row for row in self.rows
            if row[0].startswith(prefix) and row[0] >= start
            and (marker is None or row[0] != start or row[1] < int(marker))
        ][:limit]
        self.questions += 1
        self.given += len(found)
        return found


def _order(row: Row) -> tuple[str, int]:
    return row[0], -row[1]


def reference(
    rows: list[Row], limit: int, prefix: str, delimiter: str, after: Position | None,
) -> tuple[list[Row | str], bool]:
    """All rows, sorted and grouped, then cut: what a page must hold, in order, and whether there is more."""

    def group(row: Row) -> Row | str:
        at = row[0].find(delimiter, len(prefix)) if delimiter else -1
        return row if at < 0 else row[0][: at + len(delimiter)]

    def wanted(one: Row | str) -> bool:
        if after is None:
            return True
        if isinstance(one, str):
            return one > after.key
        behind = after.marker is not None and one[1] < int(after.marker)
        return one[0] > after.key or (one[0] == after.key and behind)

    ordered = sorted((row for row in rows if row[0].startswith(prefix)), key=_order)
    groups = [one for one, _ in groupby(map(group, ordered)) if wanted(one)]
    return groups[:limit], limit > 0 and len(groups) > limit


def flattened(page: Page[Row]) -> list[Row | str]:
    """A page's rows and prefixes in one order."""
    both: list[Row | str] = [*page.items, *page.prefixes]
    return sorted(both, key=lambda one: (one, 0) if isinstance(one, str) else _order(one))


def walk(rows: list[Row], limit: int, prefix: str, delimiter: str, *, single: bool) -> list[Row | str]:
    """All pages, one behind the other."""
    flat, after, found = Rows(rows).flat(single=single), None, list[Row | str]()
    for _ in range(len(rows) + 2):
        page = asyncio.run(page_of(flat, limit=limit, prefix=prefix, delimiter=delimiter, after=after))
        found += flattened(page)
        if not page.truncated:
            return found
        after = page.last
    raise AssertionError("the pages have no end")


KEYS = st.text(alphabet="ab/-\U0010ffff", max_size=6)
ROWS = st.lists(st.tuples(KEYS, st.integers(1, 4)), unique=True, max_size=40)
SINGLE = st.lists(KEYS.map(lambda key: (key, 1)), unique=True, max_size=40)
PREFIXES = st.text(alphabet="ab/", max_size=3)
DELIMITERS = st.sampled_from(["", "/", "a", "ab", "/a", "\U0010ffff", "--", "b/"])
POSITIONS = st.none() | st.builds(Position, KEYS, st.none() | st.integers(1, 4).map(str))


@given(ROWS, st.integers(0, 12), PREFIXES, DELIMITERS, POSITIONS)
def test_a_page_is_what_sorting_and_grouping_everything_gives(
    rows: list[Row], limit: int, prefix: str, delimiter: str, after: Position | None,
) -> None:
    page = asyncio.run(page_of(
        Rows(rows).flat(), limit=limit, prefix=prefix, delimiter=delimiter, after=after))
    expected, more = reference(rows, limit, prefix, delimiter, after)

    assert flattened(page) == expected
    assert page.truncated == more


@given(ROWS, st.integers(1, 9), PREFIXES, DELIMITERS)
def test_pages_of_versions_one_behind_the_other_are_the_whole(
    rows: list[Row], limit: int, prefix: str, delimiter: str,
) -> None:
    expected, _ = reference(rows, 1000, prefix, delimiter, None)

    assert walk(rows, limit, prefix, delimiter, single=False) == expected


@given(SINGLE, st.integers(1, 9), PREFIXES, DELIMITERS)
def test_pages_of_keys_one_behind_the_other_are_the_whole(
    rows: list[Row], limit: int, prefix: str, delimiter: str,
) -> None:
    expected, _ = reference(rows, 1000, prefix, delimiter, None)

    assert walk(rows, limit, prefix, delimiter, single=True) == expected


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 50), st.sampled_from([1, 2, 3, 5, 40]))
def test_many_keys_are_the_same_in_pages_of_any_size(limit: int, in_each: int) -> None:
    rows = [(f"dir{number // in_each:03d}/{number:04d}", 1) for number in range(300)]
    rows += [(f"plain{number:03d}", 1) for number in range(150)]
    expected, _ = reference(rows, 1000, "", "/", None)

    assert walk(rows, limit, "", "/", single=True) == expected


def test_a_flat_page_asks_once() -> None:
    rows = Rows([(f"{number:05d}", 1) for number in range(5000)])
    page = asyncio.run(page_of(rows.flat(single=True), limit=1000))

    assert (len(page.items), page.truncated, page.last) == (1000, True, Position("00999"))
    assert (rows.questions, rows.given) == (1, 1001)


def test_what_is_folded_away_is_not_read() -> None:
    rows = Rows([(f"{directory}/{number:05d}", 1) for directory in "abcd" for number in range(10_000)])
    page = asyncio.run(page_of(rows.flat(single=True), limit=1000, delimiter="/"))

    assert (page.prefixes, page.truncated) == (["a/", "b/", "c/", "d/"], False)
    assert rows.given < 100


def test_a_page_that_asks_much_lets_others_go_first() -> None:
    rows = Rows([(f"{number // 50:03d}/{number:05d}", 1) for number in range(10_000)])
    turns: list[int] = []

    async def other() -> None:
        while True:
            turns.append(rows.questions)
            await asyncio.sleep(0)

    async def story() -> Page[Row]:
        task = asyncio.create_task(other())
        page = await page_of(rows.flat(single=True), limit=1000, delimiter="/")
        task.cancel()
        return page

    assert len(asyncio.run(story()).prefixes) == 200
    assert [b - a <= 64 for a, b in pairwise([0, *turns])] == [True] * len(turns)
    assert len(turns) == rows.questions // 64


@pytest.mark.parametrize("after", ["a/", "a/5", "a/~"])
def test_a_marker_inside_a_common_prefix_lies_behind_it(after: str) -> None:
    rows = Rows([("a/1", 1), ("a/9", 1), ("b/1", 1), ("c", 1)])
    page = asyncio.run(page_of(rows.flat(single=True), limit=10, delimiter="/", after=Position(after)))

    assert (page.prefixes, page.items) == (["b/"], [("c", 1)])


def test_a_page_for_nothing_is_empty_and_not_truncated() -> None:
    page = asyncio.run(page_of(Rows([("a", 1)]).flat(), limit=0))

    assert page == Page([], [], truncated=False, last=None)


def test_a_page_that_ends_in_a_common_prefix_goes_on_behind_it() -> None:
    rows = [("a/1", 1), ("a/2", 1), ("b", 1)]
    first = asyncio.run(page_of(Rows(rows).flat(), limit=1, delimiter="/"))
    second = asyncio.run(page_of(Rows(rows).flat(), limit=1, delimiter="/", after=first.last))

    assert (first.prefixes, first.truncated, first.last) == (["a/"], True, Position("a/"))
    assert (second.items, second.truncated) == ([("b", 1)], False)
