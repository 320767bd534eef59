"""Files of a local directory that are open for a reader: replaced, cut off, moved away, one too many."""

from __future__ import annotations

import gc
import hashlib
import os
import resource
from contextlib import suppress
from pathlib import Path

import pytest

from tests.unit.under.stores import LARGE, bytes_of, put, refusal, run
from trivium.base import faults
from trivium.base.faults import Fault
from trivium.base.span import Span
from trivium.under.local import LocalStore


@pytest.mark.parametrize("content", [LARGE, LARGE * 16])
def test_mounts_26_a_file_that_was_replaced_is_read_as_it_was_opened(root: Path, content: bytes) -> None:
    async def story(store: LocalStore) -> None:
        await put(store, "file", content)
        opened = await store.open("file")
        assert opened is not None
        await put(store, "file", bytes(len(content)))
        body, digest = await opened.body(None), await opened.digest()

        assert digest == hashlib.md5(content).hexdigest()
        assert content == bytes_of(body)
        assert content[7:100_000] == bytes_of(await opened.body(Span(7, 99_999)))

    run(root, story)


@pytest.mark.parametrize("where", ["folder/file", "folder"])
def test_mounts_26_a_link_that_takes_the_place_of_an_opened_file_is_not_sent(root: Path, where: str) -> None:
    outside = root.parent / "outside"
    outside.mkdir()
    (outside / "file").write_bytes(b"secret" * (1 << 20))

    async def story(store: LocalStore) -> None:
        await put(store, "folder/file", LARGE * 16)
        opened = await store.open("folder/file")
        assert opened is not None
        (root / where).rename(root / "away")
        (root / where).symlink_to(outside / where.removeprefix("folder").strip("/"))

        assert LARGE * 16 == bytes_of(await opened.body(None))
        assert await store.open("folder/file") is None

    run(root, story)


@pytest.mark.parametrize("content", [LARGE, LARGE * 16])
def test_mounts_26_a_file_that_was_cut_off_is_refused(root: Path, content: bytes) -> None:
    async def story(store: LocalStore) -> None:
        await put(store, "file", content)
        opened = await store.open("file")
        assert opened is not None
        os.truncate(root / "file", 10)

        assert await refusal(opened.body(None)) is faults.FileChanging
        assert await opened.digest() is None

    run(root, story)


def test_where_no_more_files_can_be_opened_a_reader_shall_come_again(root: Path) -> None:
    (root / "file").touch()

    async def story(store: LocalStore) -> None:
        await store.stat("file")  # its thread is there
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))
        try:
            assert await refusal(store.open("file")) is faults.SlowDown
            with pytest.raises(Fault) as refused:
                await store.alone("file").__aenter__()
            assert refused.value.kind is faults.SlowDown
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)

    run(root, story)


def test_an_opened_file_is_closed_when_nobody_wants_it_any_more(root: Path) -> None:
    (root / "large").write_bytes(LARGE * 16)

    async def story(store: LocalStore) -> None:
        gc.collect()  # others' leavings
        before = len(os.listdir("/dev/fd"))
        opened = await store.open("large")
        assert opened is not None
        body = await opened.body(None)
        assert before + 1 == len(os.listdir("/dev/fd"))
        del body
        os.truncate(root / "large", 10)
        with suppress(faults.Fault):  # `pytest.raises` would keep it
            await opened.body(None)
        del opened

        assert before == len(os.listdir("/dev/fd"))

    run(root, story)
