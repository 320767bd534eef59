"""Uploads in parts against a model of a few dictionaries, with races, failing commits and restarts.

After each step all objects, running uploads and parts are compared, and the rows are audited: every blob has
as many owners as there are entries, layouts and part rows that own it.
"""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import Coroutine, Iterable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.model.uploads_model import (
    HOUR_MS,
    ID,
    Failing,
    Interrupted,
    Late,
    Running,
    audit,
    md5,
    part_by_part,
    remembered,
)
from tests.parts import Wanted, asking
from trivium.base import faults
from trivium.base.clock import SetClock
from trivium.base.faults import Fault, FaultKind
from trivium.base.ids import SeededIds
from trivium.base.incoming import Given, Incoming
from trivium.base.span import Span
from trivium.buckets.bucket import Deletion
from trivium.buckets.conditions import ALWAYS, WriteIf
from trivium.buckets.copying import chunks_of
from trivium.buckets.entry import Attributes
from trivium.buckets.record import BUCKETS, BucketRecord, Ground
from trivium.services.catalog import Opened
from trivium.services.uploads import Completed, Rules, Uploads, expiry, records
from trivium.services.uploads.expiry import REMEMBERED_MS
from trivium.storage import keys
from trivium.storage.blobstores.memory import MemoryBlobs
from trivium.storage.engine import Engine
from trivium.storage.engines.memory import MemoryEngine
from trivium.storage.engines.sqlite import SqliteEngine

T = TypeVar("T")

RULES = Rules(min_part_bytes=3, max_parts=100)
KEYS = st.sampled_from(["a", "a", "a\x00", "b"])
DATA = st.sampled_from([b"", b"xy", b"part", b"part", b"another part", b"another part", b"y" * 100])
NUMBERS = st.integers(1, 5)
PICK = st.integers(0, 5)
OFFSETS = st.integers(0, 99)


class UploadsMachine(RuleBasedStateMachine):
    """Does everything to the uploads and to the model alike, and compares."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory(prefix="trivium-machine-")
        self.clock, self.ids = SetClock(), SeededIds()
        self.blob_store = MemoryBlobs(self.clock, self.ids)
        self.objects: dict[str, bytes] = {}
        self.begun: list[Running] = []
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(records, "PARTS_A_ROW", 2)  # so that there are rows that are full
        self.patch.setattr(expiry, "_ROWS_A_WRITE", 1)  # so that giving up takes several steps
        record = BucketRecord(ID, "bucket", "objects", "owner", self.clock.now_ms())
        self.open(record)
        self.run(self.engine.write(
            lambda tx: tx.put(keys.text(keys.CATALOG, "bucket"), BUCKETS.encode(record))))

    def open(self, record: BucketRecord) -> None:
        self.engine = Failing(self.run(self.opened()))
        ground = Ground(self.engine, self.blob_store, self.clock, self.ids, 8)
        self.bucket = Interrupted(ground, record, self.engine.generation)
        self.bucket.before = None
        self.record, self.uploads, self.where = record, Uploads(ground), Opened(record, self.bucket)

    async def opened(self) -> Engine:
        return MemoryEngine()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def teardown(self) -> None:
        self.patch.undo()
        self.run(self.engine.close())
        self.runner.close()
        self.folder.cleanup()

    def pick(self, number: int) -> Running:
        """One of the youngest uploads; a new one when there is none."""
        if not self.begun:
            self.begin("a")
        return self.begun[-1 - number % len(self.begun)]

    def refused(self, kind: FaultKind, work: Coroutine[Any, Any, object]) -> None:
        try:
            self.run(work)
        except Fault as fault:
            assert fault.kind is kind
            return
        raise AssertionError(f"{kind.name} was not raised")

    # Objects around the uploads

    @rule(key=KEYS, data=DATA)
    def put(self, key: str, data: bytes) -> None:
        self.run(self.bucket.put(key, Incoming(Given(data), len(data)), Attributes()))
        self.objects[key] = data

    @rule(key=KEYS)
    def delete(self, key: str) -> None:
        self.run(self.bucket.delete([Deletion(key)], actor="me"))
        self.objects.pop(key, None)

    @rule(ms=st.sampled_from([1, 1, HOUR_MS // 2, REMEMBERED_MS]))
    def time_passes(self, ms: int) -> None:
        self.clock.advance(ms=ms)

    # Uploads

    @rule(key=KEYS)
    def begin(self, key: str) -> None:
        upload = self.run(self.uploads.create(self.record, key, Attributes(), initiator="me"))
        self.begun.append(Running(upload.id, key, self.clock.now_ms()))

    @rule(pick=PICK, number=NUMBERS, data=DATA, announced=st.booleans())
    def add(self, pick: int, number: int, data: bytes, announced: bool) -> None:
        one = self.pick(pick)
        if not one.runs:
            self.refused(faults.NoSuchUpload, self.added(one, number, data))
            return
        self.run(self.added(one, number, data, announced=announced))
        one.parts[number] = data

    async def added(self, one: Running, number: int, data: bytes, *, announced: bool = True) -> None:
        upload = await self.uploads.find(self.record, one.key, one.id)
        await self.uploads.put_part(upload, number, Incoming(Given(data), len(data) if announced else None))

    @rule(pick=PICK, numbers=st.sets(NUMBERS, min_size=2), data=DATA)
    def add_many(self, pick: int, numbers: set[int], data: bytes) -> None:
        for number in sorted(numbers):
            self.add(pick, number, data, announced=True)

    @rule()
    def comes_from_an_earlier_house(self) -> None:
        """Which wrote a row for each part."""
        self.run(self.engine.write(part_by_part))

    @rule(pick=PICK, number=NUMBERS, source=KEYS, ends=st.tuples(OFFSETS, OFFSETS) | st.none())
    def copy(self, pick: int, number: int, source: str, ends: tuple[int, int] | None) -> None:
        one, data = self.pick(pick), self.objects.get(source)
        if data is None or not one.runs:
            return
        span = None
        if ends is not None and data:
            span = Span(*sorted(end % len(data) for end in ends))
        self.run(self.copied(one, number, source, span))
        one.parts[number] = data if span is None else data[span.first : span.last + 1]

    async def copied(self, one: Running, number: int, source: str, span: Span | None) -> None:
        upload = await self.uploads.find(self.record, one.key, one.id)
        await self.uploads.copy_part(upload, number, await self.bucket.read(source), span)

    # Completing

    def wanted(self, one: Running, numbers: Iterable[int]) -> tuple[Wanted, ...]:
        """What a client lists that knows the parts as the model does; a part that is not there has an odd
        ETag.
        """
        return tuple(Wanted(number, md5(one.parts.get(number, b"missing"))) for number in sorted(numbers))

    @rule(pick=PICK, odd=st.sets(NUMBERS, max_size=2), new=st.booleans())
    def complete(self, pick: int, odd: set[int], new: bool) -> None:
        """Without the odd ones of the parts that are there, and with the odd ones that are not."""
        one = self.pick(pick)
        listed = one.asked or self.wanted(one, one.parts.keys() ^ odd)
        self.finish(one, listed, WriteIf(none_match="*") if new else ALWAYS)

    @rule(pick=PICK, odd=NUMBERS)
    def complete_without_a_part_and_expire(self, pick: int, odd: int) -> None:
        self.complete(pick, {odd}, new=False)
        self.expire()

    @rule(pick=PICK)
    def complete_another_list(self, pick: int) -> None:
        one = self.pick(pick)
        if one.done is not None:
            self.finish(one, one.asked[:-1], ALWAYS)

    def finish(self, one: Running, listed: tuple[Wanted, ...], only_if: WriteIf) -> None:
        work = self.uploads.complete(self.where, one.key, one.id, asking(listed, only_if=only_if), RULES)
        kind = self.fault_of(one, listed, only_if)
        if kind is not None:
            self.refused(kind, work)
            return
        done = self.run(work)
        if one.done is not None:
            assert done == one.done
            return
        self.completed(one, listed, done)

    def fault_of(self, one: Running, listed: tuple[Wanted, ...], only_if: WriteIf) -> FaultKind | None:
        """Why completing must be refused; None when it must not be."""
        if one.done is not None and not one.gone:
            return None if listed == one.asked else faults.NoSuchUpload
        if one.gone:
            return faults.NoSuchUpload
        if not listed:
            return faults.NoPartsSpecified
        if any(wanted.number not in one.parts for wanted in listed):
            return faults.InvalidPart
        if any(len(one.parts[wanted.number]) < RULES.min_part_bytes for wanted in listed[:-1]):
            return faults.EntityTooSmall
        if only_if is not ALWAYS and one.key in self.objects:
            return faults.PreconditionFailed
        return None

    def completed(self, one: Running, listed: tuple[Wanted, ...], done: Completed) -> None:
        digests = b"".join(bytes.fromhex(wanted.etag or "") for wanted in listed)
        assert done.etag == f"{hashlib.md5(digests).hexdigest()}-{len(listed)}"
        self.objects[one.key] = b"".join(one.parts[wanted.number] for wanted in listed)
        one.done, one.asked = done, listed

    @rule(pick=PICK, number=NUMBERS, data=DATA)
    def complete_while_a_part_changes(self, pick: int, number: int, data: bytes) -> None:
        one = self.pick(pick)
        listed = self.wanted(one, one.parts)
        if self.fault_of(one, listed, ALWAYS) is not None or one.done is not None:
            return
        before = dict(one.parts)
        one.parts[number] = data
        self.bucket.before = lambda: self.added(one, number, data)
        if before.get(number, data) != data:
            self.refused(faults.InvalidPart, self.uploads.complete(
                self.where, one.key, one.id, asking(listed), RULES))
            return
        self.finish(one, listed, ALWAYS)

    @rule(pick=PICK, new=st.booleans())
    def complete_twice_at_once(self, pick: int, new: bool) -> None:
        one = self.pick(pick)
        listed = self.wanted(one, one.parts)
        asked = asking(listed, only_if=WriteIf(none_match="*") if new else ALWAYS)
        if self.fault_of(one, listed, asked.only_if) is not None or one.done is not None:
            return
        answers: list[Completed] = []

        async def other() -> None:
            answers.append(await self.uploads.complete(self.where, one.key, one.id, asked, RULES))

        self.bucket.before = other
        answers.append(self.run(self.uploads.complete(self.where, one.key, one.id, asked, RULES)))
        assert answers[0] == answers[1]
        self.completed(one, listed, answers[0])

    @rule(pick=PICK)
    def complete_while_aborting(self, pick: int) -> None:
        one = self.pick(pick)
        listed = self.wanted(one, one.parts)
        if self.fault_of(one, listed, ALWAYS) is not None or one.done is not None:
            return
        self.bucket.before = lambda: self.uploads.abort(self.record, one.key, one.id)
        self.refused(
            faults.NoSuchUpload, self.uploads.complete(self.where, one.key, one.id, asking(listed), RULES))
        one.gone = True

    @rule(pick=PICK, data=DATA, give_up=st.booleans())
    def add_too_late(self, pick: int, data: bytes, give_up: bool) -> None:
        """The upload is completed or aborted while the bytes of a part are still coming."""
        one = self.pick(pick)
        listed = self.wanted(one, one.parts)
        if not one.runs or self.fault_of(one, listed, ALWAYS) is not None:
            return
        answers: list[Completed] = []

        async def meanwhile() -> None:
            if give_up:
                await self.uploads.abort(self.record, one.key, one.id)
                return
            answers.append(
                await self.uploads.complete(self.where, one.key, one.id, asking(listed), RULES))

        self.refused(faults.NoSuchUpload, self.late(one, Late(data, meanwhile)))
        one.gone = give_up
        if not give_up:
            self.completed(one, listed, answers[0])

    async def late(self, one: Running, source: Late) -> None:
        upload = await self.uploads.find(self.record, one.key, one.id)
        await self.uploads.put_part(upload, 1, Incoming(source, None))

    # Letting go

    @rule(pick=PICK)
    def abort(self, pick: int) -> None:
        one = self.pick(pick)
        work = self.uploads.abort(self.record, one.key, one.id)
        if not one.runs:
            self.refused(faults.NoSuchUpload, work)
            return
        self.run(work)
        one.gone = True

    @rule()
    def expire(self) -> None:
        now_ms = self.clock.now_ms()
        self.run(self.uploads.expire(now_ms, older_than_ms=HOUR_MS))
        for one in self.begun:
            old = one.done is None and one.began_ms <= now_ms - HOUR_MS
            forgotten = one.done is not None and one.done.at_ms <= now_ms - REMEMBERED_MS
            one.gone = one.gone or old or forgotten

    # Commits that fail

    @rule(pick=PICK, spared=st.integers(0, 2), what=st.sampled_from(["add", "complete", "abort", "expire"]))
    def something_fails(self, pick: int, spared: int, what: str) -> None:
        """Nothing is half done: afterwards the upload is as it was, or as it would have been."""
        one = self.pick(pick)
        if not one.runs or (what == "complete" and self.fault_of(one, self.wanted(one, one.parts), ALWAYS)):
            return
        self.engine.spared = spared
        try:
            if what == "add":
                self.add(pick, 1, b"replaced", announced=True)
            elif what == "complete":
                self.finish(one, self.wanted(one, one.parts), ALWAYS)
            elif what == "abort":
                self.abort(pick)
            else:
                self.expire()
        except Fault as fault:
            assert fault.kind is faults.InternalError
            self.run(self.look_again())
        self.engine.spared = None

    async def look_again(self) -> None:
        """An abort or an expiry that failed has begun with some uploads, and not with others."""
        running = {one.id for one in await self.uploads.list(self.record, "", "", None, 1000)}
        for one in self.begun:
            if one.done is None and one.id not in running:
                one.gone = True
            if one.done is not None and await self.engine.read(partial(remembered, one.id)) is None:
                one.gone = True

    # What must always hold

    @invariant()
    def objects_are_as_the_model_has_them(self) -> None:
        self.run(self.compare_objects())

    async def compare_objects(self) -> None:
        assert sorted(self.objects) == [entry.key for entry in await self.bucket.list("", "", 100)]
        for key, data in self.objects.items():
            body = await (await self.bucket.read(key)).body()
            assert data == b"".join([chunk async for chunk in chunks_of(body)])

    @invariant()
    def uploads_are_as_the_model_has_them(self) -> None:
        self.run(self.compare_uploads())

    async def compare_uploads(self) -> None:
        running = sorted((one.key, one.id) for one in self.begun if one.runs)
        listed = await self.uploads.list(self.record, "", "", None, 1000)
        assert running == [(upload.key, upload.id) for upload in listed]
        for one in self.begun:
            if one.runs:
                _, parts = await self.uploads.parts(self.record, one.key, one.id)
                known = [(number, md5(data), len(data)) for number, data in sorted(one.parts.items())]
                assert known == [(part.number, part.etag, part.size) for part in parts]

    @invariant()
    def every_blob_has_as_many_owners_as_need_it(self) -> None:
        self.run(self.engine.read(audit))


class SqliteUploadsMachine(UploadsMachine):
    """The same on SQLite, closed and opened again at any time."""

    async def opened(self) -> Engine:
        return SqliteEngine(Path(self.folder.name) / "rows.db")

    @rule()
    def restart(self) -> None:
        self.run(self.engine.close())
        self.open(self.record)


TestUploads = UploadsMachine.TestCase
TestUploads.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestUploadsOnSqlite = SqliteUploadsMachine.TestCase
TestUploadsOnSqlite.settings = settings(max_examples=8, stateful_step_count=20, deadline=None)
