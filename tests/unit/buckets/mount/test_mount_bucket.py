"""What only a mount shows: files that others change, folders, ETags of what was never written through us."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from tests.unit.buckets.mount.mounted import SAID, Mounted, Run, md5, refusal
from trivium.base import faults
from trivium.base.faults import Fault
from trivium.buckets.bucket import Resting
from trivium.buckets.conditions import WriteIf
from trivium.buckets.mount import looks
from trivium.storage import keys


@pytest.mark.parametrize("data", [b"", b"hello", b"x" * 200_000])
def test_mounts_20_21_files_that_were_there_have_an_md5_that_all_show(run: Run, root: Path, data: bytes) -> None:
    (root / "a").mkdir()
    (root / "a" / "file.txt").write_bytes(data)

    async def story(mounted: Mounted) -> None:
        bucket = mounted.bucket
        (listed,) = await bucket.list("", "", 10)
        head, read = await bucket.head("a/file.txt"), (await bucket.read("a/file.txt")).entry

        assert {listed.etag, head.etag, read.etag} == {md5(data)}
        assert (head.size, head.attributes.content_type, head.attributes.owner) == (len(data), "text/plain", "owner")
        assert head.modified_ms == (root / "a" / "file.txt").stat().st_mtime_ns // 1_000_000

    run(story)


def test_mounts_20_a_file_is_read_once(run: Run, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "file").write_bytes(b"x" * 200_000)
    reads, pread = [], os.pread

    def counted(fd: int, size: int, offset: int) -> bytes:
        reads.append(offset)
        return pread(fd, size, offset)

    monkeypatch.setattr(os, "pread", counted)

    async def story(mounted: Mounted) -> None:
        entries = await asyncio.gather(*(mounted.bucket.head("file") for _ in range(5)))
        assert {entry.etag for entry in entries} == {md5(b"x" * 200_000)}

    run(story)
    assert reads == [0, 200_000]  # the bytes, and the end


def test_mounts_20_listings_read_within_a_budget_and_what_they_showed_stays(
    run: Run, root: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(looks, "PAGE_BUDGET_BYTES", 100)
    for name, size in (("a", 60), ("b", 60), ("c", 40), ("d", 1)):
        (root / name).write_bytes(b"x" * size)

    async def story(mounted: Mounted) -> None:
        listed = {entry.key: entry.etag for entry in await mounted.bucket.list("", "", 10)}

        assert [key for key, etag in listed.items() if etag.endswith("-1")] == ["b", "d"]
        assert listed == {key: (await mounted.bucket.head(key)).etag for key in listed}
        assert listed == {entry.key: entry.etag for entry in await mounted.bucket.list("", "", 10)}

    run(story)


def test_mounts_20_very_large_files_are_not_read(run: Run, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looks, "READ_FOR_ETAG_BYTES", 100)
    (root / "file").write_bytes(b"x" * 101)

    async def story(mounted: Mounted) -> None:
        etag = (await mounted.bucket.head("file")).etag
        assert etag.endswith("-1")
        assert [etag] == [entry.etag for entry in await mounted.bucket.list("", "", 10)]
        assert (await mounted.put("file", b"x" * 101)).etag == md5(b"x" * 101)

    run(story)


@pytest.mark.parametrize("how", ["in place", "by rename"])
def test_mounts_22_23_a_change_behind_our_back_is_seen_and_drops_attributes(run: Run, root: Path, how: str) -> None:
    async def story(mounted: Mounted) -> None:
        await mounted.put("file", b"ours")
        assert (await mounted.bucket.head("file")).attributes == SAID
        if how == "in place":
            (root / "file").write_bytes(b"else")
        else:
            (root / "other").write_bytes(b"else")
            (root / "other").rename(root / "file")

        for entry in (await mounted.bucket.list("", "", 1))[0], await mounted.bucket.head("file"):
            assert entry.etag == md5(b"else")
            assert entry.attributes.metadata == {}
            assert entry.attributes.owner == "owner"

    run(story)


def test_mounts_23_attributes_survive_a_touch_and_a_restore(run: Run, root: Path) -> None:
    async def story(mounted: Mounted) -> None:
        await mounted.put("file", b"ours")
        os.utime(root / "file", (1, 1))
        assert (await mounted.bucket.head("file")).attributes == SAID
        (root / "file").unlink()
        (root / "file").write_bytes(b"ours")
        assert (await mounted.bucket.head("file")).attributes == SAID

    run(story)


def test_mounts_19_23_the_etag_of_an_upload_in_parts_is_that_of_its_bytes(run: Run, root: Path) -> None:
    async def story(mounted: Mounted) -> None:
        await mounted.bucket.put("file", Resting(4, "parts-2", inline=b"ours"), SAID)

        async def shown() -> set[str]:
            bucket = mounted.bucket
            read, head = (await bucket.read("file")).entry, await bucket.head("file")
            return {read.etag, head.etag, *(entry.etag for entry in await bucket.list("", "", 10))}

        assert await shown() == {"parts-2"}
        os.utime(root / "file", (1, 1))
        assert await shown() == {"parts-2"}
        (root / "file").write_bytes(b"else")
        assert await shown() == {md5(b"else")}
        (root / "file").write_bytes(b"ours")
        assert await shown() == {md5(b"ours")}

    run(story)


def test_mounts_17_19_conditions_hold_with_the_etag_of_an_upload_in_parts(run: Run, root: Path) -> None:
    async def story(mounted: Mounted) -> None:
        content = Resting(4, "parts-2", inline=b"ours")
        await mounted.bucket.put("file", content, SAID)
        await mounted.bucket.put("file", content, SAID, only_if=WriteIf(match="parts-2"))
        assert await refusal(mounted.put("file", only_if=WriteIf(match=md5(b"ours")))) is faults.PreconditionFailed
        (root / "file").write_bytes(b"else")
        assert await refusal(mounted.put("file", only_if=WriteIf(match="parts-2"))) is faults.PreconditionFailed
        assert (await mounted.put("file", only_if=WriteIf(match=md5(b"else")))).etag == md5(b"data")

    run(story)


def test_mounts_22_what_changed_just_now_is_looked_at_each_time(run: Run, root: Path) -> None:
    (root / "file").write_bytes(b"x")

    async def story(mounted: Mounted) -> None:
        mounted.clock.advance(ms=-3_600_000)
        await mounted.bucket.head("file")
        await mounted.bucket.list("", "", 1)
        assert await mounted.rows(keys.FILE) == []
        mounted.clock.advance(ms=3_600_000)
        await mounted.bucket.head("file")
        assert len(await mounted.rows(keys.FILE)) == 1

    run(story)


def test_mounts_3_4_folders_and_files(run: Run, root: Path) -> None:
    async def story(mounted: Mounted) -> None:
        await mounted.put("a/b/", b"")
        await mounted.put("a/file")

        assert (root / "a" / "b").is_dir()
        assert ["a/b/", "a/file"] == await mounted.keys()
        folder = await mounted.bucket.head("a/b/")
        assert (folder.size, folder.etag, folder.attributes.metadata) == (0, md5(b""), {"a": "b"})
        assert await (await mounted.bucket.read("a/b/")).body() == b""
        assert await refusal(mounted.bucket.head("a/b")) is faults.NoSuchKey
        assert await refusal(mounted.put("a")) is faults.KeyNamesFolder
        assert await refusal(mounted.put("a/file/below")) is faults.KeyBelowFile
        assert await refusal(mounted.put("a/file/", b"")) is faults.KeyBelowFile
        assert await refusal(mounted.put("c/", b"body")) is faults.FolderHasBody
        assert await refusal(mounted.put("a/b/", b"", only_if=WriteIf(none_match="*"))) is faults.PreconditionFailed

    run(story)


def test_mounts_5_all_folders_are_listed_where_asked_for(run: Run, root: Path) -> None:
    async def story(mounted: Mounted) -> None:
        await mounted.put("a/b/file")

        assert ["a/", "a/b/", "a/b/file"] == await mounted.keys()

    run(story, folders="true")


def test_mounts_6_folders_that_keys_made_go_with_them_and_others_stay(run: Run, root: Path) -> None:
    (root / "there").mkdir()

    async def story(mounted: Mounted) -> None:
        await mounted.put("made/", b"")
        for key in ("there/x/y/file", "made/x/file", "implied/x/file", "implied/other"):
            await mounted.put(key)
        for key in ("there/x/y/file", "made/x/file", "implied/x/file"):
            await mounted.delete(key)
        assert ["implied/other", "made/", "there/"] == await mounted.keys()
        await mounted.delete("implied/other")
        await mounted.delete("made/")

        assert ["there/"] == await mounted.keys()
        assert await mounted.rows(keys.FILE) == []

    run(story)


def test_mounts_6_a_folder_whose_key_was_deleted_goes_with_the_last_key_in_it(run: Run, root: Path) -> None:
    (root / "there").mkdir()

    async def story(mounted: Mounted) -> None:
        await mounted.put("there/file")
        await mounted.delete("there/")
        assert ["there/file"] == await mounted.keys()
        await mounted.delete("there/file")
        assert await mounted.keys() == []

    run(story)


@pytest.mark.parametrize("key", ["/a", "a//b", "../a", "a/./b", ".trivium/lock", "a\0b", "b" * 256])
def test_mounts_2_keys_that_cannot_be_names_are_refused_and_never_there(run: Run, key: str) -> None:
    async def story(mounted: Mounted) -> None:
        with pytest.raises(Fault) as refused:
            await mounted.put(key)
        assert refused.value.kind.code == "InvalidArgument"
        assert await refusal(mounted.bucket.head(key)) is faults.NoSuchKey
        assert await refusal(mounted.bucket.read(key)) is faults.NoSuchKey
        await mounted.delete(key)
        assert await mounted.keys() == []

    run(story)
