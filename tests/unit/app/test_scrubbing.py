"""What `trivium scrub` prints: findings, and the objects that they hit."""

from __future__ import annotations

import asyncio
import io
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from trivium.app import scrubbing
from trivium.app.build import house_of
from trivium.app.scrubbing import FOUND, scrub
from trivium.app.settings import Settings
from trivium.base.body import FileSpan
from trivium.base.clock import SystemClock
from trivium.base.ids import RandomIds
from trivium.base.incoming import Given, Incoming
from trivium.buckets.bucket import Bucket
from trivium.buckets.entry import Attributes
from trivium.buckets.record import BRANCH, BUCKETS, OBJECTS
from trivium.services.access.users import Users
from trivium.services.catalog import NewBucket
from trivium.storage import keys
from trivium.storage.blobstores.files import FileBlobs
from trivium.storage.engines.sqlite import SqliteEngine
from trivium.storage.folder import DataFolder

DATA = bytes(100_000)


@asynccontextmanager
async def opened(settings: Settings, *, branch: bool = False) -> AsyncIterator[Bucket]:
    """A new bucket in the data folder."""
    name = "master.photos" if branch else "photos"
    folder, clock, ids = DataFolder(settings.data), SystemClock(), RandomIds()
    with folder.served():
        engine = SqliteEngine(folder.rows)
        house = house_of(settings, engine, FileBlobs(folder.blobs, clock, ids), Users([]), clock, ids)
        await house.catalog.create(BRANCH if branch else OBJECTS, NewBucket(name, "owner"))
        yield (await house.catalog.open(name)).bucket
        await engine.close()


async def filled(settings: Settings, *keys: str) -> dict[str, Path]:
    """Put objects into a bucket of the data folder; the files in which they lie."""
    files = {}
    async with opened(settings) as bucket:
        for key in keys:
            await bucket.put(key, Incoming(Given(DATA), len(DATA)), Attributes())
            body = await (await bucket.read(key)).body()
            assert isinstance(body, FileSpan)
            files[key] = Path(body.path)
    return files


def scrubbed(settings: Settings, *, quiet: bool = True, aside: bool = False) -> tuple[int, list[str]]:
    out = io.StringIO()
    code = asyncio.run(scrub(settings, out, quiet=quiet, aside=aside))
    return code, out.getvalue().splitlines()


def damage(settings: Settings, table: str, value: bytes = b"\x01\xc1") -> None:
    """Let the first row of the table make no sense."""
    with closing(sqlite3.connect(DataFolder(settings.data).rows)) as rows:
        rows.execute(f"update {table} set v = ? where k = (select min(k) from {table})", (value,))
        rows.commit()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path / "data")


def test_nothing_is_said_of_what_is_whole(settings: Settings) -> None:
    asyncio.run(filled(settings, "a", "b"))

    assert scrubbed(settings) == (0, [])


def test_a_lost_object_is_named_with_its_bucket_and_version(settings: Settings) -> None:
    files = asyncio.run(filled(settings, "2026/cat.jpg", "b"))
    lost = files["2026/cat.jpg"]
    lost.unlink()

    assert scrubbed(settings) == (FOUND, [
        f"missing: blob {lost.name}", f'  {lost.name}: bucket photos, key "2026/cat.jpg", version null'])


@pytest.mark.parametrize(("key", "expected"), [("\u00e9", '"\u00e9"'), ("a\nb\x9b\u00e9", '"a\\nb\\u009b\\u00e9"'), ('"', '"\\""')])
def test_a_key_is_one_string_on_one_line(settings: Settings, key: str, expected: str) -> None:
    asyncio.run(filled(settings, key))[key].write_bytes(b"short")

    assert f"key {expected}, version null" in scrubbed(settings)[1][1]


def test_what_no_object_has_any_more_is_said_to_be_so(settings: Settings) -> None:
    async def overwritten() -> Path:
        return (await filled(settings, "a", "a"))["a"]

    kept = asyncio.run(overwritten())
    (gone,) = [file for file in kept.parent.parent.glob("*/*") if file != kept]
    gone.unlink()

    assert scrubbed(settings)[1] == [f"missing: blob {gone.name}", f"  {gone.name}: of no object any more"]


def test_many_are_named_a_handful_at_a_time(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scrubbing, "_NAMED_TOGETHER", 2)
    for file in asyncio.run(filled(settings, "a", "b", "c")).values():
        file.unlink()
    said = scrubbed(settings)[1]

    assert sorted(line.split('"')[1] for line in said if line.startswith("  ")) == ["a", "b", "c"]
    assert [line.startswith("  ") for line in said] == [False, False, True, True, False, True]


def test_a_blob_that_was_never_named_has_no_object(settings: Settings) -> None:
    file = asyncio.run(filled(settings, "a"))["a"]
    stray = file.parent / (file.name[:2] + "0" * 30)
    stray.write_bytes(b"x")
    os.utime(stray, (1, 1))

    assert scrubbed(settings) == (FOUND, [f"unnamed: blob {stray.name}"])


def test_bytes_that_rest_in_a_row_are_read_too(settings: Settings) -> None:
    """What one flipped bit in the database does to a small object."""
    async def put() -> None:
        async with opened(settings) as bucket:
            for key in ("a", "b", "empty"):
                data = b"" if key == "empty" else b"small"
                await bucket.put(key, Incoming(Given(data), len(data)), Attributes())

    asyncio.run(put())
    assert scrubbed(settings) == (0, [])
    with closing(sqlite3.connect(DataFolder(settings.data).rows)) as rows:
        (number,) = rows.execute("select id from bodies where b = ? limit 1", (b"small",)).fetchone()
        rows.execute("update bodies set b = ? where id = ?", (b"smalm", number))
        rows.commit()

    assert scrubbed(settings) == (FOUND, ['rot: bucket photos, key "a", version null'])


@pytest.mark.parametrize("value", [b"", b"\x01\xc1", b"\xff\xc1", b"\x01", b"\x01\x91\xa1\xff"])
def test_a_row_that_cannot_be_read_is_named_and_the_rest_is_read(settings: Settings, value: bytes) -> None:
    lost = asyncio.run(filled(settings, "a", "b", "c"))["c"]
    lost.unlink()
    damage(settings, "rows_c", value)

    code, said = scrubbed(settings)

    assert code == FOUND
    assert said[:2] == [f"missing: blob {lost.name}", f'  {lost.name}: bucket photos, key "c", version null']
    assert len(said) == 3
    assert said[2].startswith("unreadable: row c ")
    assert " 'a' of bucket photos, it" in said[2]


def test_a_database_that_is_torn_is_said_to_be_so(settings: Settings) -> None:
    asyncio.run(filled(settings, *map(str, range(100))))
    path = DataFolder(settings.data).rows
    with closing(sqlite3.connect(path)) as rows:
        rows.execute("pragma wal_checkpoint(truncate)")
        (page,) = rows.execute("select max(pageno) from dbstat where name = 'rows_c' and pagetype = 'leaf'").fetchone()
    with path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xff" * 4096)
    code, said = scrubbed(settings)

    assert code == FOUND
    assert said[0].startswith("unreadable: database, ")


@pytest.mark.parametrize("change", [
    "delete from rows_f", "update rows_f set v = x'01c1'",
])
def test_an_object_whose_blob_has_no_row_is_named(settings: Settings, change: str) -> None:
    asyncio.run(filled(settings, "a"))
    with closing(sqlite3.connect(DataFolder(settings.data).rows)) as rows:
        rows.execute(change)
        rows.commit()

    assert scrubbed(settings)[1][-1] == 'rot: bucket photos, key "a", version null'


def test_a_row_that_says_it_is_of_another_key_is_damaged(settings: Settings) -> None:
    asyncio.run(filled(settings, "cat", "dog"))
    with closing(sqlite3.connect(DataFolder(settings.data).rows)) as rows:
        row, value = rows.execute("select k, v from rows_c order by k limit 1").fetchone()
        rows.execute("update rows_c set v = ? where k = ?", (value.replace(b"cat", b"caz"), row))
        rows.commit()
    code, said = scrubbed(settings, aside=True)

    assert code == FOUND
    assert said[0].endswith(" 'cat' of bucket photos, it says that it is of 'caz'")
    assert ["  set aside"] == said[1:]


def test_a_damaged_row_is_set_aside_where_that_is_asked_for(settings: Settings) -> None:
    asyncio.run(filled(settings, "a", "b"))
    damage(settings, "rows_c")
    code, said = scrubbed(settings, aside=True)

    assert code == FOUND
    assert ["  set aside"] == said[1:]
    assert (0, []) == scrubbed(settings)
    code, said = scrubbed(settings, quiet=False)
    assert code == 0
    assert said[0].startswith("set aside earlier or now: row c ")
    assert said[0].endswith(" 'a'")


@pytest.mark.parametrize(("table", "value"), [("rows_b", b"\x01\xc1"), ("rows_c", b"\x02tomorrow")])
def test_a_bucket_and_what_a_newer_version_wrote_are_left_where_they_are(
    settings: Settings, table: str, value: bytes,
) -> None:
    asyncio.run(filled(settings, "a"))
    damage(settings, table, value)

    assert "  left where it is" == scrubbed(settings, aside=True)[1][-1]
    assert "  left where it is" == scrubbed(settings, aside=True)[1][-1]


@pytest.mark.parametrize("branch", [True, False])
def test_the_row_of_an_upload_is_set_aside(settings: Settings, branch: bool) -> None:
    async def fill() -> None:
        async with opened(settings, branch=branch):
            pass

    asyncio.run(fill())
    with closing(sqlite3.connect(DataFolder(settings.data).rows)) as rows:
        (name,) = rows.execute("select max(k) from rows_b").fetchone()
        bucket = BUCKETS.decode(rows.execute("select v from rows_b where k = ?", (name,)).fetchone()[0]).id
        rows.execute("insert into rows_u(k, v) values (?, ?)", (keys.upload(bucket, "a", "id"), b"\x01\xc1"))
        rows.commit()

    assert "  set aside" == scrubbed(settings, aside=True)[1][-1]
    assert scrubbed(settings) == (0, [])


def test_a_row_of_a_branch_is_left_where_it_is(settings: Settings) -> None:
    async def put() -> None:
        async with opened(settings, branch=True) as bucket:
            await bucket.put("a", Incoming(Given(b"x"), 1), Attributes())

    asyncio.run(put())
    damage(settings, "rows_c")

    assert "  left where it is" == scrubbed(settings, aside=True)[1][-1]
