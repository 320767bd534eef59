"""A row of a newer house is refused, and the log says which one it is."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from trivium.base.clock import SetClock
from trivium.base.ids import SeededIds
from trivium.base.incoming import Given, Incoming
from trivium.buckets.bucket import Deletion
from trivium.buckets.entry import Attributes
from trivium.buckets.objects.bucket import ObjectsBucket
from trivium.buckets.record import OBJECTS, Ground, enroll
from trivium.storage import keys
from trivium.storage.blobstores.memory import MemoryBlobs
from trivium.storage.engines.sqlite import SqliteEngine
from trivium.storage.records import UnknownFormat

NEWER = b"\x63 of tomorrow"


async def put(bucket: ObjectsBucket, key: str) -> None:
    await bucket.put(key, Incoming(Given(b"x"), 1), Attributes())


@pytest.mark.parametrize("work", [
    lambda bucket: bucket.head("b\n\u00e4"),
    lambda bucket: bucket.read("b\n\u00e4"),
    lambda bucket: bucket.list("", "", 1000),
    lambda bucket: bucket.features.versions.list("", "", None, 1000),
    lambda bucket: put(bucket, "b\n\u00e4"),
    lambda bucket: bucket.features.annotations.tag("b\n\u00e4", None, {}),
    lambda bucket: bucket.delete([Deletion("a"), Deletion("b\n\u00e4")], actor="me"),
])
def test_the_log_names_the_row_and_nothing_is_done(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, work: Callable[[ObjectsBucket], Awaitable[object]],
) -> None:
    async def story() -> None:
        clock, ids, engine = SetClock(), SeededIds(), SqliteEngine(tmp_path / "rows.db")
        ground = Ground(engine, MemoryBlobs(clock, ids), clock, ids)
        record = await engine.write(lambda tx: enroll(tx, "bucket", OBJECTS, "me", now_ms=0))
        bucket = ObjectsBucket(ground, record, engine.generation)
        for key in ("a", "c"):
            await put(bucket, key)
        row = keys.current(record.id, "b\n\u00e4")
        await engine.write(lambda tx: tx.put(row, NEWER, b"x"))
        with pytest.raises(UnknownFormat):
            await work(bucket)

        assert ["a", "c"] == [one.key for key in "ac" for one in await bucket.list(key, "", 10)]
        assert NEWER == await engine.read(lambda rows: rows.get(row))
        await engine.close()

    with caplog.at_level(logging.ERROR):
        asyncio.run(story())

    assert [
        r"row c 1 'b\n\xe4' cannot be read: its format is 99, this version knows 1; use the newer version"
    ] == [one.getMessage() for one in caplog.records]


@pytest.mark.parametrize(("row", "shown"), [
    (keys.text(keys.CATALOG, "name"), "b 'name'"),
    (keys.current(7, "\u00e4/\U0001f600"), r"c 7 '\xe4/\U0001f600'"),
    (keys.old(7, "key", 3), r"o 7 'key\x00\x01\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xfc'"),
    (keys.upload(7, "key", "id"), r"u 7 'key\x00\x01id'"),
    (keys.part("id", 1), r"p 'id\x00\x01'"),
])
def test_a_row_is_shown_in_printable_characters(row: bytes, shown: str) -> None:
    assert shown == keys.shown(row)
