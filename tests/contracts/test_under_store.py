"""What every under-store promises, asked of each of them."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from trivium.base import faults
from trivium.base.body import Body, HeldSpan
from trivium.base.clock import SetClock
from trivium.base.faults import Fault
from trivium.base.ids import SeededIds
from trivium.base.span import Span
from trivium.under.local import LocalStore
from trivium.under.store import Placed, UnderStore

STORES: dict[str, Callable[[Path, SetClock], UnderStore]] = {
    "local": lambda folder, clock: LocalStore(str(folder), clock, SeededIds()),
}
Story = Callable[[UnderStore], Awaitable[None]]
Run = Callable[[Story], None]
LARGE = bytes(range(256)) * 1000


@pytest.fixture(params=STORES)
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Run:
    """Runs a story with the store of this run, which is empty."""

    def whole(story: Story) -> None:
        async def inside() -> None:
            await story(STORES[request.param](tmp_path, SetClock()))

        asyncio.run(inside())

    return whole


async def chunks(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        await asyncio.sleep(0)
        yield piece


async def put(store: UnderStore, name: str, content: bytes = b"x") -> Placed:
    async with store.staged(chunks(content)) as draft, store.published(draft, name) as placed:
        return placed


async def remove(store: UnderStore, name: str) -> bool:
    async with store.removed(name) as there:
        return there


async def content(store: UnderStore, name: str, span: Span | None = None) -> bytes:
    opened = await store.open(name)
    assert opened is not None, f"{name} is not there"
    return bytes_of(await opened.body(span))


def bytes_of(body: Body) -> bytes:
    if isinstance(body, HeldSpan):
        return os.pread(body.file.number, body.size, body.first)
    assert isinstance(body, bytes)
    return body


async def names(store: UnderStore, prefix: str = "", start: str = "", limit: int = 100, *, folders: bool = False) -> list[str]:
    return [stat.name for stat in await store.list(prefix, start, limit, folders=folders)]


def test_what_was_published_is_read_back_and_seen(run: Run) -> None:
    async def story(store: UnderStore) -> None:
        async with store.staged(chunks(b"hel", b"lo")) as draft, store.published(draft, "a/b/c") as placed:
            pass

        assert await content(store, "a/b/c") == b"hello"
        assert await store.stat("a/b/c") == placed.stat
        assert placed.made == ("a/", "a/b/")

    run(story)


@pytest.mark.parametrize("data", [b"", b"small", LARGE])
def test_bodies_spans_and_digests_of_any_size(run: Run, data: bytes) -> None:
    async def story(store: UnderStore) -> None:
        await put(store, "k", data)
        opened = await store.open("k")
        assert opened is not None

        assert bytes_of(await opened.body(None)) == data
        assert await opened.digest() == hashlib.md5(data).hexdigest()
        if data:
            assert bytes_of(await opened.body(Span(1, 3))) == data[1:4]

    run(story)


def test_a_draft_is_not_seen_and_is_gone_unless_published(run: Run) -> None:
    async def story(store: UnderStore) -> None:
        async with store.staged(chunks(b"x")):
            assert await names(store, folders=True) == []
            assert await store.stat("k") is None

        assert await names(store, folders=True) == []

    run(story)


def test_chunks_that_break_leave_nothing(run: Run) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"x"
        raise faults.IncompleteBody()

    async def story(store: UnderStore) -> None:
        await put(store, "k", b"old")
        with pytest.raises(Fault, match="number of bytes"):
            async with store.staged(broken()) as draft, store.published(draft, "k"):
                pass

        assert await content(store, "k") == b"old"

    run(story)


def test_a_write_is_undone_by_an_exception_inside(run: Run) -> None:
    async def story(store: UnderStore) -> None:
        await put(store, "k", b"old")
        before = await store.stat("k")
        for name in ("k", "new/folder/k"):
            with pytest.raises(ZeroDivisionError):
                async with store.staged(chunks(b"new")) as draft, store.published(draft, name):
                    assert await content(store, name) == b"new"
                    raise ZeroDivisionError

        assert await content(store, "k") == b"old"
        assert await store.stat("k") == before
        assert await names(store, folders=True) == ["k"]

    run(story)


def test_a_removal_is_undone_by_an_exception_inside(run: Run) -> None:
    async def story(store: UnderStore) -> None:
        await put(store, "k", b"old")
        await store.make_folder("empty/")
        for name in ("k", "empty/"):
            with pytest.raises(ZeroDivisionError):
                async with store.removed(name) as there:
                    assert there
                    assert await store.stat(name) is None
                    raise ZeroDivisionError

        assert await names(store) == ["empty/", "k"]
        assert await content(store, "k") == b"old"

    run(story)


def test_removing_says_whether_there_was_something(run: Run) -> None:
    async def story(store: UnderStore) -> None:
        await put(store, "a/k")

        assert not await remove(store, "a/missing")
        assert not await remove(store, "a/")
        assert await remove(store, "a/k")
        assert await remove(store, "a/")
        assert not await remove(store, "a/")

    run(story)


def test_another_content_has_another_mark(run: Run) -> None:
    async def story(store: UnderStore) -> None:
        marks = {(await put(store, "k", b"same")).stat.mark for _ in range(20)}

        assert len(marks) == 20

    run(story)


def test_names_are_listed_by_code_points_of_the_whole_name(run: Run) -> None:
    async def story(store: UnderStore) -> None:
        all_names = ["a!", "a/b", "a/b.c", "a/c/d", "a0", "b", "z\u00e9", "\uffee", "\U0001f600"]
        for name in reversed(all_names):
            await put(store, name)

        assert await names(store) == all_names
        assert await names(store, folders=True) == ["a!", "a/", "a/b", "a/b.c", "a/c/", *all_names[3:]]

    run(story)


@pytest.mark.parametrize(("prefix", "start", "expected"), [
    ("a/", "", ["a/b", "a/b/c", "a/d/e"]),
    ("a", "", ["a/b", "a/b/c", "a/d/e", "a0"]),
    ("a/d", "", ["a/d/e"]),
    ("a/d/", "a/d/e", ["a/d/e"]),
    ("a/d/", "a/d/f", []),
    ("", "a/b0", ["a/d/e", "a0", "b"]),
    ("", "a/d/e0", ["a0", "b"]),
    ("a/b/c/d", "", []),
    ("b", "a", ["b"]),
    ("c", "", []),
])
def test_a_listing_starts_and_ends_where_it_is_told(run: Run, prefix: str, start: str, expected: list[str]) -> None:
    async def story(store: UnderStore) -> None:
        for name in ("a/b/c", "a/d/e", "a0", "b"):
            await put(store, name)

        found = await names(store, prefix, start)
        assert found == [name for name in expected if name != "a/b"]

    run(story)


def test_pages_follow_one_another(run: Run) -> None:
    async def story(store: UnderStore) -> None:
        all_names = sorted(f"{a}/{b}" for a in "abc" for b in "xyz")
        for name in all_names:
            await put(store, name)
        found: list[str] = []
        while page := await names(store, start=found[-1] + "\x01" if found else "", limit=2):
            found += page

        assert found == all_names

    run(story)


def test_folders_are_made_seen_and_listed_while_empty(run: Run) -> None:
    async def story(store: UnderStore) -> None:
        placed = await store.make_folder("a/b/")

        assert placed.made == ("a/", "a/b/")
        assert (await store.make_folder("a/b/")).made == ()
        assert placed.stat == await store.stat("a/b/")
        assert (placed.stat.name, placed.stat.size) == ("a/b/", 0)
        assert await names(store) == ["a/b/"]
        await put(store, "a/b/c")
        assert await names(store) == ["a/b/c"]

    run(story)


def test_a_file_and_a_folder_are_not_taken_for_each_other(run: Run) -> None:
    async def story(store: UnderStore) -> None:
        await put(store, "file")
        await store.make_folder("folder/")

        assert await store.stat("file/") is None
        assert await store.stat("folder") is None
        assert await store.open("folder") is None
        assert await store.open("folder/") is None
        assert await store.stat("file/below") is None
        assert await store.open("file/below") is None
        assert not await remove(store, "file/")
        assert not await remove(store, "folder")

    run(story)


@pytest.mark.parametrize(("name", "fault"), [
    ("file/below", faults.KeyBelowFile), ("file/far/below", faults.KeyBelowFile), ("folder", faults.KeyNamesFolder),
])
def test_what_a_name_is_already_stays(run: Run, name: str, fault: faults.FaultKind) -> None:
    async def story(store: UnderStore) -> None:
        await put(store, "file", b"old")
        await store.make_folder("folder/")
        with pytest.raises(Fault) as refused:
            await put(store, name)

        assert refused.value.kind is fault
        assert await names(store) == ["file", "folder/"]

    run(story)


def test_a_folder_cannot_be_made_below_a_file(run: Run) -> None:
    async def story(store: UnderStore) -> None:
        await put(store, "file", b"old")
        for name in ("file/", "file/below/"):
            with pytest.raises(Fault) as refused:
                await store.make_folder(name)
            assert refused.value.kind is faults.KeyBelowFile

    run(story)


def test_one_at_a_time_is_alone_with_a_name(run: Run) -> None:
    async def story(store: UnderStore) -> None:
        inside = 0

        async def one() -> None:
            nonlocal inside
            async with store.alone("k"):
                inside += 1
                assert inside == 1
                await asyncio.sleep(0)
                inside -= 1

        async with store.alone("other"):
            await asyncio.gather(*(one() for _ in range(20)))

    run(story)
