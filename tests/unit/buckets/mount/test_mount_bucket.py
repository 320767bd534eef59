"""What only a mount shows: files that others change, folders, ETags of what was never written through us."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from trivium.base import faults
from trivium.base.clock import SetClock, SystemClock
from trivium.base.digests import Checksum
from trivium.base.faults import Fault
from trivium.base.ids import SeededIds
from trivium.base.incoming import Given, Incoming
from trivium.buckets.acl import READ, Grant
from trivium.buckets.bucket import Deletion, Resting
from trivium.buckets.conditions import ALWAYS, WriteIf
from trivium.buckets.entry import Attributes, Entry
from trivium.buckets.mount import looks
from trivium.buckets.mount.bucket import MountBucket
from trivium.buckets.mount.mounts import Mounts
from trivium.buckets.record import BUCKETS, BucketRecord, Ground
from trivium.storage import blobs, keys
from trivium.storage.blobs import BlobSpan, Layout, LayoutPart
from trivium.storage.blobstores.memory import MemoryBlobs
from trivium.storage.engine import Write
from trivium.storage.engines.memory import MemoryEngine
from trivium.storage.journal import CHANGES, DELETE, PUT, Change
from trivium.under.local import LocalStore

ACL = (Grant("friend", READ),)
SAID = Attributes("text/x-mine", metadata={"a": "b"}, tags={"t": "1"}, owner="writer")


class Mounted:
    """A mount of a fresh directory, and what is around it. The clock is an hour ahead: every file has
    settled.
    """

    def __init__(self, root: Path, **facts: str) -> None:
        self.root = root
        self.clock, self.ids, self.engine = SetClock(SystemClock().now_ms() + 3_600_000), SeededIds(), MemoryEngine()
        self.blobs = MemoryBlobs(self.clock, self.ids)
        self.ground = Ground(self.engine, self.blobs, self.clock, self.ids)
        self.record = BucketRecord(7, "bucket", "mount", "owner", 0, facts={"path": str(root), **facts})
        self.mounts = Mounts(self.ground, lambda facts: LocalStore(facts["path"], self.clock, self.ids))

    @property
    def bucket(self) -> MountBucket:
        return self.mounts.bucket(self.record)

    async def put(
        self, key: str, data: bytes = b"data", said: Attributes = SAID, *, only_if: WriteIf = ALWAYS,
    ) -> Entry:
        return await self.bucket.put(key, Incoming(Given(data), len(data)), said, only_if=only_if)

    async def delete(self, key: str) -> None:
        (gone,) = await self.bucket.delete([Deletion(key)], actor="actor")
        assert not isinstance(gone, Fault), gone

    async def keys(self) -> list[str]:
        return [entry.key for entry in await self.bucket.list("", "", 1000)]

    async def rows(self, table: bytes) -> list[bytes]:
        prefix = keys.of_bucket(table, self.record.id)
        return await self.engine.read(lambda rows: [value for _, value in rows.scan(prefix, keys.after(prefix))])


Story = Callable[[Mounted], Awaitable[None]]
Run = Callable[..., None]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    root.mkdir()
    return root


@pytest.fixture
def run(root: Path) -> Run:
    def whole(story: Story, **facts: str) -> None:
        async def inside() -> None:
            mounted = Mounted(root, **facts)
            row = keys.text(keys.CATALOG, mounted.record.name)
            await mounted.engine.write(lambda tx: tx.put(row, BUCKETS.encode(mounted.record)))
            await story(mounted)

        asyncio.run(inside())

    return whole


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


async def refusal(work: Awaitable[object]) -> faults.FaultKind:
    with pytest.raises(Fault) as refused:
        await work
    return refused.value.kind


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


@pytest.mark.parametrize("key", ["file", "new/folder/file", "new/folder/"])
def test_mounts_14_a_companion_that_refuses_undoes_the_file(run: Run, root: Path, key: str) -> None:
    def refuse(tx: Write, entry: Entry) -> None:
        raise faults.NoSuchUpload()

    async def story(mounted: Mounted) -> None:
        old = await mounted.put("file", b"old")
        empty = Incoming(Given(b"" if key.endswith("/") else b"new"), None)
        assert await refusal(mounted.bucket.put(key, empty, Attributes(), companion=refuse)) is faults.NoSuchUpload

        assert await mounted.keys() == ["file"]
        assert await mounted.bucket.head("file") == old
        assert (root / "file").read_bytes() == b"old"
        assert sorted(child.name for child in root.iterdir()) == [".trivium", "file"]

    run(story)


def test_mounts_14_16_a_bucket_that_went_changes_nothing(run: Run, root: Path) -> None:
    async def story(mounted: Mounted) -> None:
        await mounted.put("file", b"old")
        await mounted.engine.write(lambda tx: tx.delete(keys.text(keys.CATALOG, "bucket")))

        assert await refusal(mounted.put("file", b"new")) is faults.NoSuchBucket
        (fault,) = await mounted.bucket.delete([Deletion("file")], actor="actor")
        assert isinstance(fault, Fault)
        assert fault.kind is faults.NoSuchBucket
        assert (root / "file").read_bytes() == b"old"

    run(story)


def test_mounts_17_of_many_who_create_a_key_one_succeeds(run: Run) -> None:
    async def story(mounted: Mounted) -> None:
        puts = [mounted.put("file", b"%d" % number, only_if=WriteIf(none_match="*")) for number in range(10)]
        results = await asyncio.gather(*puts, return_exceptions=True)

        won = [result for result in results if isinstance(result, Entry)]
        assert len(won) == 1
        assert (await mounted.bucket.head("file")).etag == won[0].etag

    run(story)


def test_mounts_17_conditions_see_what_others_have_done(run: Run, root: Path) -> None:
    async def story(mounted: Mounted) -> None:
        entry = await mounted.put("file", b"ours")
        (root / "file").write_bytes(b"else")
        match = WriteIf(match=entry.etag)

        assert await refusal(mounted.put("file", b"new", only_if=match)) is faults.PreconditionFailed
        await mounted.put("file", b"new", only_if=WriteIf(match=md5(b"else")))

    run(story)


def test_what_rests_in_the_house_is_copied_and_what_was_handed_over_let_go(run: Run, root: Path) -> None:
    async def story(mounted: Mounted) -> None:
        one, two = [await mounted.blobs.write(Given(data).chunks()) for data in (b"hello ", b"world!")]

        def name(tx: Write) -> None:
            for blob in (one, two):
                blobs.name(tx, blob)

        await mounted.engine.write(name)
        spans = [(BlobSpan(one.id, 0, 6),), (BlobSpan(two.id, 0, 5),)]
        parts = tuple(LayoutPart(n, span[0].size, "", "", span) for n, span in enumerate(spans, 1))
        checksum = Checksum("CRC32", "abc-2", "COMPOSITE")
        content = Resting(11, "multi-2", checksum, layout=Layout(parts), owned=True)
        entry = await mounted.bucket.put("whole", content, SAID)
        await mounted.bucket.put("inline", Resting(4, "etag", inline=b"data"), SAID)
        await mounted.bucket.put("blob", Resting(6, "etag", blob=one.id), SAID)

        assert (entry.etag, entry.checksum) == ("multi-2", checksum)
        assert (await mounted.bucket.head("whole")).etag == "multi-2"
        assert [(root / name).read_bytes() for name in ("whole", "inline", "blob")] == [b"hello world", b"data", b"hello "]
        garbage = await mounted.engine.read(lambda rows: list(rows.scan(keys.GARBAGE, keys.after(keys.GARBAGE))))
        assert len(garbage) == 2

    run(story)


def test_changes_through_us_are_in_the_journal(run: Run) -> None:
    async def story(mounted: Mounted) -> None:
        put = await mounted.put("a/file")
        await mounted.delete("a/file")
        await mounted.delete("a/file")
        now_ms = mounted.clock.now_ms()

        changes = [CHANGES.decode(row) for row in await mounted.rows(keys.LOG)]
        assert [Change(put.seq, PUT, "a/file", "null", now_ms, 4, put.etag, actor="writer")] == changes[:1]
        assert [(DELETE, "a/file", "actor")] == [(change.kind, change.key, change.actor) for change in changes[1:]]

    run(story)


def test_mounts_23_tags_can_be_set_on_what_others_wrote(run: Run, root: Path) -> None:
    (root / "file").write_bytes(b"x")

    async def story(mounted: Mounted) -> None:
        annotations = mounted.bucket.features.annotations
        assert annotations is not None
        tagged = await annotations.tag("file", None, {"a": "b"})

        assert tagged == await mounted.bucket.head("file")
        assert tagged.attributes.tags == {"a": "b"}
        assert await refusal(annotations.tag("missing", None, {})) is faults.NoSuchKey
        assert await refusal(annotations.tag("..", None, {})) is faults.NoSuchKey

    run(story)


def test_a_readonly_mount_writes_nothing(run: Run, root: Path) -> None:
    (root / "file").write_bytes(b"x")

    async def story(mounted: Mounted) -> None:
        assert not mounted.bucket.features.writes
        assert mounted.bucket.features.annotations is None
        assert await refusal(mounted.put("file")) is faults.NotImplemented_
        assert await refusal(mounted.bucket.delete([Deletion("file")], actor="")) is faults.NotImplemented_
        assert (await mounted.bucket.head("file")).etag == md5(b"x")

    run(story, readonly="true")


def test_a_file_of_a_readonly_mount_can_be_shared_and_stays_as_it_is(run: Run, root: Path) -> None:
    (root / "file").write_bytes(b"x")
    before = (root / "file").stat()

    async def story(mounted: Mounted) -> None:
        assert mounted.bucket.features.acls is not None
        await mounted.bucket.features.acls.grant("file", None, lambda entry: ACL, actor="me")

        assert (await mounted.bucket.head("file")).attributes.acl == ACL
        assert (root / "file").stat() == before

    run(story, readonly="true")


def test_a_file_that_others_change_is_shared_no_longer(run: Run, root: Path) -> None:
    (root / "file").write_bytes(b"x")

    async def story(mounted: Mounted) -> None:
        assert mounted.bucket.features.acls is not None
        await mounted.bucket.features.acls.grant("file", None, lambda entry: ACL, actor="me")
        (root / "file").write_bytes(b"something else")

        assert (await mounted.bucket.head("file")).attributes.acl is None

    run(story)


def test_notes_of_files_that_others_removed_are_forgotten(run: Run, root: Path) -> None:
    async def story(mounted: Mounted) -> None:
        for key in "abc":
            await mounted.put(key)
        (root / "b").unlink()
        await mounted.bucket.list("", "", 10)

        assert len(await mounted.rows(keys.FILE)) == 2

    run(story)


def test_only_the_null_version_can_be_asked_for(run: Run) -> None:
    async def story(mounted: Mounted) -> None:
        await mounted.put("file")
        assert await mounted.bucket.head("file", "null") == await mounted.bucket.head("file")
        assert await refusal(mounted.bucket.head("file", "abc")) is faults.InvalidVersionId
        assert await refusal(mounted.bucket.read("file", "abc")) is faults.InvalidVersionId

    run(story)


def test_stores_are_shared_by_place(run: Run) -> None:
    async def story(mounted: Mounted) -> None:
        made: list[str] = []

        def store(facts: object) -> LocalStore:
            made.append("store")
            return LocalStore(str(mounted.root), mounted.clock, mounted.ids)

        mounts = Mounts(mounted.ground, store)
        mounts.bucket(mounted.record)
        mounts.bucket(mounted.record)
        assert made == ["store"]

    run(story)
