"""What only a local directory can show: links, devices, crashes, other processes."""

from __future__ import annotations

import asyncio
import errno
import gc
import os
import socket
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.under.stores import DAY_MS, LARGE, chunks, leftovers, names, put, refusal, run
from trivium.base import faults
from trivium.base.clock import SetClock, SystemClock
from trivium.base.ids import SeededIds
from trivium.under.local import LocalStore, sweep


@pytest.mark.parametrize("inside", [True, False])
def test_mounts_8_links_are_invisible_and_lead_nowhere(root: Path, inside: bool) -> None:
    target = root / "target" if inside else root.parent / "outside"
    target.mkdir()
    (target / "secret").write_text("secret")
    (root / "folder").symlink_to(target)
    (root / "file").symlink_to(target / "secret")
    (root / "dangling").symlink_to("nowhere")

    async def story(store: LocalStore) -> None:
        for name in ("file", "folder/", "folder/secret", "dangling"):
            assert await store.stat(name) is None
            assert await store.open(name) is None
            async with store.removed(name) as there:
                assert not there
        assert await names(store) == (["target/", "target/secret"] if inside else [])
        assert await refusal(put(store, "file")) is faults.KeyNamesNoFile
        assert await refusal(put(store, "dangling")) is faults.KeyNamesNoFile
        assert await refusal(put(store, "folder/new")) is faults.KeyBelowFile
        assert await refusal(store.make_folder("folder/new/")) is faults.KeyBelowFile

    run(root, story)
    assert (target / "secret").read_text() == "secret"
    assert [child.name for child in target.iterdir()] == ["secret"]


def test_mounts_8_the_root_itself_may_be_a_link(root: Path) -> None:
    (root.parent / "link").symlink_to(root)
    (root / "file").write_text("x")

    async def story(store: LocalStore) -> None:
        assert await names(store) == ["file"]

    run(root.parent / "link", story)


def test_mounts_8_our_own_folder_is_not_followed_when_it_is_a_link(root: Path) -> None:
    (root.parent / "outside").mkdir()
    (root / ".trivium").symlink_to(root.parent / "outside")

    async def story(store: LocalStore) -> None:
        assert await refusal(put(store, "file")) is faults.KeyBelowFile

    run(root, story)
    assert list((root.parent / "outside").iterdir()) == []


def test_mounts_9_sockets_and_pipes_are_invisible_and_do_not_hang_anybody(root: Path) -> None:
    os.mkfifo(root / "pipe")

    async def story(store: LocalStore) -> None:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(root / "socket"))
            for name in ("pipe", "socket"):
                assert await store.open(name) is None
                assert await store.stat(name) is None
                assert await refusal(put(store, name)) is faults.KeyNamesNoFile
            assert await names(store) == []

    run(root, story)


def test_mounts_10_names_that_no_client_could_ask_for_are_not_listed(root: Path) -> None:
    Path(os.fsdecode(os.fsencode(root) + b"/bad\xff")).write_text("x")
    (root / "\ufffd").write_text("x")
    deep = root / "/".join(["d" * 250] * 4)
    deep.mkdir(parents=True)
    (deep / ("f" * 20)).write_text("x")
    (deep / ("f" * 21)).write_text("x")

    async def story(store: LocalStore) -> None:
        found = [stat.name for stat in await store.list("", "", 100)]
        assert [len(name) for name in found] == [1024]

    run(root, story)


def test_mounts_13_a_directory_that_is_gone_is_not_an_empty_one(root: Path) -> None:
    root.rmdir()

    async def story(store: LocalStore) -> None:
        for work in (store.stat("a"), store.open("a"), store.list("", "", 1), put(store, "a"), store.make_folder("a/")):
            assert await refusal(work) is faults.MountMissing

    run(root, story)
    assert faults.MountMissing.code == "ServiceUnavailable"  # what clients are shown
    assert not root.exists()


def test_mounts_13_the_log_tells_once_that_the_directory_is_gone_and_once_that_it_is_back(
    root: Path, caplog: pytest.LogCaptureFixture,
) -> None:
    away = root.with_name("away")

    async def story(store: LocalStore) -> None:
        for _ in range(2):
            await store.stat("a")
            root.rename(away)
            for work in (store.stat("a"), store.open("a"), store.list("", "", 1)):
                assert await refusal(work) is faults.MountMissing
            away.rename(root)
            assert await store.list("", "", 1) == []

    run(root, story)
    told = [record.getMessage() for record in caplog.records if record.name == "trivium.under"]
    assert 2 * [f"{root} is gone: what is asked of its mount is answered with 503", f"{root} is back"] == told


def test_mounts_14_nothing_is_left_behind(root: Path) -> None:
    async def story(store: LocalStore) -> None:
        await put(store, "a/file", b"old")
        await put(store, "a/file", LARGE)
        assert await refusal(put(store, "a")) is faults.KeyNamesFolder
        with pytest.raises(ZeroDivisionError):
            async with store.staged(chunks(b"new")) as draft, store.published(draft, "a/file"):
                raise ZeroDivisionError
        async with store.removed("a/file"):
            pass

    run(root, story)
    assert leftovers(root) == []


def test_mounts_14_a_put_goes_on_where_the_folder_above_is_removed_meanwhile(
    root: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    rename, left = os.rename, [2]

    def racing(*args: object, **where: object) -> None:
        if left[0]:
            left[0] -= 1
            (root / "a").rmdir()
        rename(*args, **where)  # type: ignore[arg-type]  # passed on as it came

    monkeypatch.setattr(os, "rename", racing)

    async def story(store: LocalStore) -> None:
        await put(store, "a/file")

    run(root, story)
    assert (root / "a" / "file").read_bytes() == b"new"


@pytest.mark.parametrize(("code", "fault"), [
    (errno.ENOSPC, faults.InsufficientStorage), (errno.EIO, faults.InternalError), (errno.EACCES, faults.AccessDenied),
    (errno.EROFS, faults.AccessDenied),
])
@pytest.mark.parametrize("call", ["write", "fsync", "rename", "utime"])
def test_mounts_14_a_failing_disk_leaves_the_old_file(
    root: Path, monkeypatch: pytest.MonkeyPatch, call: str, code: int, fault: faults.FaultKind,
) -> None:
    (root / "file").write_bytes(b"old")
    (root / ".trivium").mkdir()

    def failing(*args: object, **where: object) -> None:
        raise OSError(code, os.strerror(code))

    async def story(store: LocalStore) -> None:
        with monkeypatch.context() as broken:
            broken.setattr(os, call, failing)
            assert await refusal(put(store, "file")) is fault
            assert await refusal(put(store, "a/b/file")) is fault
        assert await names(store) == ["file"]

    run(root, story)
    assert (root / "file").read_bytes() == b"old"
    assert leftovers(root) == []


def test_mounts_14_a_disk_that_fails_to_keep_the_new_name_gets_the_old_file_back(
    root: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    (root / "file").write_bytes(b"old")
    fsync, calls = os.fsync, [0]

    def second_fails(fd: int) -> None:
        calls[0] += 1
        if calls[0] == 3:  # our folder, the draft, then the folder of the file
            raise OSError(errno.EIO, "gone")
        fsync(fd)

    monkeypatch.setattr(os, "fsync", second_fails)

    async def story(store: LocalStore) -> None:
        assert await refusal(put(store, "file")) is faults.InternalError

    run(root, story)
    assert calls[0] > 3
    assert (root / "file").read_bytes() == b"old"


def test_mounts_14_a_client_that_leaves_leaves_nothing(root: Path) -> None:
    async def story(store: LocalStore) -> None:
        written = asyncio.Event()

        async def stuck() -> AsyncIterator[bytes]:
            yield b"first"
            written.set()
            await asyncio.Event().wait()

        async def upload() -> None:
            async with store.staged(stuck()) as draft, store.published(draft, "file"):
                pass

        task = asyncio.create_task(upload())
        await written.wait()
        assert len(leftovers(root)) == 1
        task.cancel()
        await asyncio.wait((task,))

        assert task.cancelled()
        assert await names(store) == []

    run(root, story)
    assert leftovers(root) == []


def test_mounts_18_what_crashes_left_is_removed_when_it_is_a_day_old(root: Path) -> None:
    draft, other = "0" * 32, "trivium.toml"
    (root / ".trivium").mkdir()
    (root / ".trivium" / draft).write_text("x")
    (root / ".trivium" / f"{draft}.old").write_text("x")
    (root / ".trivium" / other).write_text("somebody keeps his own there")
    now_ms = SystemClock().now_ms()
    sweep(str(root), now_ms + DAY_MS - 60_000)
    assert leftovers(root) == [draft, f"{draft}.old", other]
    sweep(str(root), now_ms + DAY_MS + 60_000)

    assert leftovers(root) == [other]


def test_mounts_22_what_changed_just_now_is_not_settled(root: Path) -> None:
    (root / "file").write_text("x")
    clock = SetClock(SystemClock().now_ms())

    async def story(store: LocalStore) -> None:
        before = await store.stat("file")
        clock.advance(ms=3_000)
        after = await store.stat("file")

        assert before is not None
        assert after is not None
        assert (before.settled, after.settled) == (False, True)

    run(root, story, clock)


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444, 0o777, 0o4755])
def test_mounts_29_a_file_that_is_replaced_keeps_its_permissions(root: Path, mode: int) -> None:
    (root / "file").touch()
    (root / "file").chmod(mode)

    async def story(store: LocalStore) -> None:
        await put(store, "file", LARGE)
        await put(store, "fresh")

    umask = os.umask(0o027)
    try:
        run(root, story)
    finally:
        os.umask(umask)
    modes = [stat.S_IMODE((root / name).stat().st_mode) for name in ("file", "fresh")]
    assert modes == [mode & 0o777, 0o640]
    assert leftovers(root) == []


def test_mounts_29_a_file_that_is_replaced_keeps_its_owner_where_that_may_be(root: Path) -> None:
    (root / "file").touch()
    (root / "file").chmod(0o660)
    wanted = (12, 34) if os.getuid() == 0 else (os.getuid(), os.getgid())
    os.chown(root / "file", *wanted)

    async def story(store: LocalStore) -> None:
        await put(store, "file")

    run(root, story)
    seen = (root / "file").stat()
    assert (seen.st_uid, seen.st_gid, stat.S_IMODE(seen.st_mode)) == (*wanted, 0o660)


def test_a_store_without_writes_makes_nothing(root: Path) -> None:
    async def inside() -> None:
        store = LocalStore(str(root), SetClock(), SeededIds(), writes=False)
        async with store.alone("file"):
            pass

    asyncio.run(inside())
    assert list(root.iterdir()) == []


def test_mounts_7_the_deepest_tree_that_a_key_can_name_is_listed(root: Path) -> None:
    deepest = "a/" * 511 + "b"

    async def story(store: LocalStore) -> None:
        await put(store, deepest)
        gc.collect()  # what other tests have left would be closed meanwhile
        before = len(os.listdir("/dev/fd"))
        assert len(await names(store)) == 100
        assert [stat.name for stat in await store.list("", "a/" * 511, 100)] == [deepest]
        assert before == len(os.listdir("/dev/fd"))

    run(root, story)


def test_mounts_7_a_large_folder_is_read_again_once_it_changed(root: Path) -> None:
    for number in range(1200):
        (root / f"{number:04}").touch()
    clock = SetClock(SystemClock().now_ms() + 10_000)

    async def story(store: LocalStore) -> None:
        assert [stat.name for stat in await store.list("", "0500", 2)] == ["0500", "0501"]
        (root / "0500").unlink()
        (root / "0500b").touch()
        assert [stat.name for stat in await store.list("", "0500", 2)] == ["0500b", "0501"]

    run(root, story, clock)


OTHER_PROCESS = """
import asyncio, sys
from trivium.base.clock import SystemClock
from trivium.base.ids import RandomIds
from trivium.under.local import LocalStore

async def story():
    store = LocalStore(sys.argv[1], SystemClock(), RandomIds())
    async with store.alone("file"):
        print("inside", flush=True)
        sys.stdin.readline()

asyncio.run(story())
"""


def test_mounts_17_one_process_waits_for_the_other(root: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OTHER_PROCESS, str(root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdin is not None
        assert other.stdout.readline() == "inside\n"
        stdin = other.stdin

        async def story(store: LocalStore) -> None:
            async def inside() -> None:
                async with store.alone("file"):
                    pass

            async with store.alone("another"):
                pass
            waiting = asyncio.create_task(inside())
            done, _ = await asyncio.wait((waiting,), timeout=0.05)
            assert not done
            stdin.write("go\n")
            stdin.flush()
            await asyncio.wait_for(waiting, 10)

        run(root, story)
