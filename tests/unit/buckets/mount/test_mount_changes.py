"""What changing a mount does, and does not, to its files, their notes and the journal."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.parts import layout_of
from tests.unit.buckets.mount.mounted import ACL, SAID, Mounted, Run, md5, refusal
from trivium.base import faults
from trivium.base.digests import Checksum
from trivium.base.faults import Fault
from trivium.base.incoming import Given, Incoming
from trivium.buckets.bucket import Deletion, Resting
from trivium.buckets.conditions import WriteIf
from trivium.buckets.entry import Attributes, Entry
from trivium.buckets.mount.mounts import Mounts
from trivium.storage import blobs, keys
from trivium.storage.blobs import BlobSpan, LayoutPart
from trivium.storage.engine import Write
from trivium.storage.journal import CHANGES, DELETE, PUT, Change
from trivium.under.local import LocalStore


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


def test_what_rests_in_the_house_is_copied(run: Run, root: Path) -> None:
    async def story(mounted: Mounted) -> None:
        one, two = [await mounted.blobs.write(Given(data).chunks()) for data in (b"hello ", b"world!")]

        def name(tx: Write) -> None:
            for blob in (one, two):
                blobs.name(tx, blob)

        await mounted.engine.write(name)
        spans = [(BlobSpan(one.id, 0, 6),), (BlobSpan(two.id, 0, 5),)]
        parts = tuple(LayoutPart(n, span[0].size, "", "", span) for n, span in enumerate(spans, 1))
        checksum = Checksum("CRC32", "abc-2", "COMPOSITE")
        content = Resting(11, "multi-2", checksum, layout=layout_of(parts))
        entry = await mounted.bucket.put("whole", content, SAID)
        await mounted.bucket.put("inline", Resting(4, "etag", inline=b"data"), SAID)
        await mounted.bucket.put("blob", Resting(6, "etag", blob=one.id), SAID)

        assert (entry.etag, entry.checksum) == ("multi-2", checksum)
        assert (await mounted.bucket.head("whole")).etag == "multi-2"
        assert [(root / name).read_bytes() for name in ("whole", "inline", "blob")] == [b"hello world", b"data", b"hello "]

    run(story)


def test_mounts_6_a_folder_that_is_put_while_its_last_key_goes_stays(run: Run, root: Path) -> None:
    async def story(mounted: Mounted) -> None:
        async def put_later(folder: str, turns: int) -> None:
            for _ in range(turns):
                await asyncio.sleep(0)
            await mounted.put(folder, b"")

        for number in range(200):
            await mounted.put(f"{number}/key")
            await asyncio.gather(mounted.delete(f"{number}/key"), put_later(f"{number}/", number % 40))
            assert (root / f"{number}").is_dir()

    run(story)


def test_mounts_21_a_listing_shows_what_is_just_being_put_under_its_own_etag(run: Run) -> None:
    async def story(mounted: Mounted) -> None:
        shown = set()

        async def look() -> None:
            for _ in range(6):
                shown.update([entry.etag for entry in await mounted.bucket.list("", "", 10)])

        for number in range(60):
            content = Resting(4, f"{number}-2", inline=b"%4d" % number)
            puts = [mounted.bucket.put("key", content, SAID) for _ in range(2)]
            await asyncio.gather(*puts, look())
        assert [] == [etag for etag in shown if not etag.endswith("-2")]

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
