"""The objects bucket against the model, through any story that hypothesis can think of.

After each step everything that can be asked is compared, and the rows are audited: every blob has as many
owners as there are rows that need it, and every key's rows are a proper chain.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections import Counter
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.model.objects_model import NULL, If, Model, Refused, Version
from tests.parts import layout_of
from trivium.base.body import Body, FileSpan, Pieces
from trivium.base.clock import SetClock
from trivium.base.faults import Fault
from trivium.base.ids import SeededIds
from trivium.base.incoming import Given, Incoming
from trivium.base.span import Span
from trivium.buckets import copying
from trivium.buckets.bucket import Content, Deletion, Gone, Renaming, Resting
from trivium.buckets.conditions import WriteIf
from trivium.buckets.entry import ENTRIES, Attributes, Entry
from trivium.buckets.listing import Page, Position, entries_of, page_of, versions_of
from trivium.buckets.objects.bucket import ObjectsBucket
from trivium.buckets.record import BUCKETS, BucketRecord, Ground
from trivium.storage import blobs, keys
from trivium.storage.blobs import BLOBS, Blob, BlobSpan, LayoutPart
from trivium.storage.blobstores.memory import MemoryBlobs
from trivium.storage.engine import Engine, Read, Write
from trivium.storage.engines.memory import MemoryEngine
from trivium.storage.engines.sqlite import SqliteEngine

T = TypeVar("T")

INLINE_BYTES = 8
ID = 7
KEYS = st.sampled_from(["a", "a", "a", "a", "a\x00", "a/b", "b\U0010ffff"])  # few, so that chains grow
DATA = st.sampled_from([b"", b"tiny", b"fits....", b"does not fit", b"x" * 1000])
TYPES = st.sampled_from(["", "text/plain"])
CONDITIONS = st.sampled_from(
    [*[""] * 7, "match newest", "match other", "match *", "none *", "none newest"])


class ObjectsMachine(RuleBasedStateMachine):
    """Writes to the bucket and to the model alike, and compares."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory(prefix="trivium-machine-")
        self.clock, self.ids, self.model = SetClock(), SeededIds(), Model()
        self.blob_store = MemoryBlobs(self.clock, self.ids)
        self.moments = [self.clock.now_ms() - 1]
        self.random = random.Random(0)
        self.engine: Engine = self.run(self.opened())

    async def opened(self) -> Engine:
        return MemoryEngine()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def teardown(self) -> None:
        self.run(self.engine.close())
        self.runner.close()
        self.folder.cleanup()

    @initialize(versioning=st.sampled_from(["", "", "Enabled", "Suspended"]))
    def create(self, versioning: str) -> None:
        self.model.state = versioning
        record = BucketRecord(ID, "bucket", "objects", "owner", self.clock.now_ms(), versioning)
        self.run(self.engine.write(
            lambda tx: tx.put(keys.text(keys.CATALOG, "bucket"), BUCKETS.encode(record))))
        self.reopen()

    def reopen(self) -> None:
        """Open the bucket from its record, as the catalog does when the generation has changed."""
        data = self.run(self.engine.read(lambda rows: rows.get(keys.text(keys.CATALOG, "bucket"))))
        assert data is not None
        self.ground = Ground(self.engine, self.blob_store, self.clock, self.ids, INLINE_BYTES)
        self.bucket = ObjectsBucket(self.ground, BUCKETS.decode(data), self.engine.generation)

    @rule(state=st.sampled_from(["Enabled", "Suspended"]), stale=st.booleans())
    def set_versioning(self, state: str, stale: bool) -> None:
        """A bucket that was opened before must obey the new state all the same."""
        assert self.bucket.features.versions is not None
        self.run(self.bucket.features.versions.set_state(state))
        self.model.state = state
        if not stale:
            self.reopen()

    @rule(ms=st.sampled_from([-5000, 1, 1, 1000]))
    def time_passes(self, ms: int) -> None:
        """Clocks go backwards, too."""
        self.moments.append(self.clock.now_ms())
        self.clock.advance(ms=ms)

    @rule(key=KEYS, times=st.integers(1, 3), state=st.sampled_from(["Enabled", "Suspended"]))
    def write_and_switch(self, key: str, times: int, state: str) -> None:
        """What mixes null versions with others: several writes, then the other state."""
        for number in range(times):
            self.write(key, Incoming(Given(b"%d" % number), 1), b"%d" % number, "", "")
        self.set_versioning(state, stale=False)

    @rule(key=KEYS, data=DATA, announced=st.booleans(), content_type=TYPES, condition=CONDITIONS)
    def put(self, key: str, data: bytes, announced: bool, content_type: str, condition: str) -> None:
        upload = Incoming(Given(data), len(data) if announced else None)
        self.write(key, upload, data, content_type, condition)

    @rule(key=KEYS, first=DATA, second=DATA, content_type=TYPES, condition=CONDITIONS)
    def complete_an_upload(
        self, key: str, first: bytes, second: bytes, content_type: str, condition: str,
    ) -> None:
        parts = [self.part(number, data) for number, data in enumerate((first, second), 1) if data]
        size = len(first) + len(second)
        resting = Resting(size, f"{size}-2", layout=layout_of(parts), owned=True, parts=2)
        written = self.write(key, resting, first + second, content_type, condition)
        if not written:
            self.run(self.engine.write(lambda tx: self.abandon(tx, parts)))

    def part(self, number: int, data: bytes) -> LayoutPart:
        """A part of an upload: a blob that is named by a row."""
        blob: Blob = self.run(self.blob_store.write(Given(data).chunks()))
        self.run(self.engine.write(lambda tx: blobs.name(tx, blob)))
        return LayoutPart(number, len(data), "", "", (BlobSpan(blob.id, 0, len(data)),))

    def abandon(self, tx: Write, parts: list[LayoutPart]) -> None:
        for part in parts:
            blobs.release(tx, part.spans[0].id, now_ms=self.clock.now_ms())

    def write(self, key: str, content: Content, data: bytes, content_type: str, condition: str) -> bool:
        only_if = self.condition(key, condition)
        work = self.bucket.put(
            key, content, Attributes(content_type), only_if=WriteIf(only_if.match, only_if.none_match))
        entry = self.agree(work, lambda: self.model.may_put(key, only_if))
        if entry is not None:
            assert (entry.key, entry.size) == (key, len(data))
            self.model.put(
                key, Version(entry.version, data, entry.etag, content_type, {}, entry.modified_ms))
        return entry is not None

    def condition(self, key: str, name: str) -> If:
        chain = self.model.chains.get(key)
        etag = chain[0].etag if chain and chain[0].etag else "nothing"
        return {
            "match newest": If(match=etag), "match other": If(match="other"), "match *": If(match="*"),
            "none *": If(none_match="*"), "none newest": If(none_match=etag), "": If(),
        }[name]

    def agree(self, work: Coroutine[Any, Any, T], allowed: Any) -> T | None:
        """Do the work, and demand that it is refused exactly as the model says; None when it was."""
        try:
            allowed()
        except Refused as refused:
            try:
                self.run(work)
            except Fault as fault:
                assert fault.kind.name == refused.name
                return None
            raise AssertionError(f"{refused.name} was not raised") from None
        return self.run(work)

    def id_of(self, key: str, pick: int) -> str | None:
        """One of the key's version ids, or one that it does not have, or None for the newest."""
        ids: list[str | None] = [one.id for one in self.model.chains.get(key, [])]
        return [None, NULL, "0" * 32, *ids][pick % (len(ids) + 3)]

    @rule(source=KEYS, pick=st.integers(0, 9), key=KEYS, content_type=TYPES, stream=st.booleans())
    def copy(self, source: str, pick: int, key: str, content_type: str, stream: bool) -> None:
        id = self.id_of(source, pick)
        reading = self.agree(self.bucket.read(source, id), lambda: self.model.get(source, id))
        if reading is None:
            return
        copied = self.model.get(source, id)
        assert copied.data is not None
        work = copying.copy(
            reading, self.bucket, key, Attributes(content_type), checksum="SHA256" if stream else "")
        entry = self.run(work)
        assert stream or entry.etag == copied.etag
        self.model.put(
            key, Version(entry.version, copied.data, entry.etag, content_type, {}, entry.modified_ms))

    @rule(key=KEYS)
    def undo(self, key: str) -> None:
        """Remove the newest version, a marker too: what was there before is back."""
        chain = self.model.chains.get(key)
        if chain:
            self.delete_all([(key, chain[0].id, If())])

    @rule(wanted=st.lists(st.tuples(KEYS, st.integers(0, 9), CONDITIONS), min_size=1, max_size=4))
    def delete(self, wanted: list[tuple[str, int, str]]) -> None:
        self.delete_all([
            (key, self.id_of(key, pick), self.condition(key, name)) for key, pick, name in wanted])

    def delete_all(self, meant: list[tuple[str, str | None, If]]) -> None:
        deletions = [Deletion(key, id, WriteIf(only_if.match)) for key, id, only_if in meant]
        results = self.run(self.bucket.delete(deletions, actor="me"))

        for (key, id, only_if), result in zip(meant, results, strict=True):
            try:
                self.model.may_delete(key, id, If(only_if.match))
            except Refused as refused:
                assert isinstance(result, Fault)
                assert result.kind.name == refused.name
                continue
            assert isinstance(result, Gone)
            self.deleted(key, id, result)

    def deleted(self, key: str, id: str | None, gone: Gone) -> None:
        if id is not None:
            removed = self.model.remove(key, id)
            assert gone == Gone(key, id, marker=removed is not None and removed.marker)
            return
        assert gone.marker_made == bool(self.model.state)
        assert (gone.version is not None) == bool(self.model.state)
        marker = None if gone.version is None else Version(gone.version, None, ms=self.time_of_newest(key))
        self.model.delete(key, marker)

    def time_of_newest(self, key: str) -> int:
        """When the newest row was written: the model is told, because several writes may share a batch."""
        ms = [one.ms for one in self.model.chains.get(key, [])[:1]]
        return max(self.clock.now_ms(), *ms) if ms else self.clock.now_ms()

    @rule(key=KEYS, pick=st.integers(0, 9), tags=st.sampled_from([{}, {"a": "b"}, {"c": "d", "e": "f"}]))
    def tag(self, key: str, pick: int, tags: dict[str, str]) -> None:
        assert self.bucket.features.annotations is not None
        id = self.id_of(key, pick)
        work = self.bucket.features.annotations.tag(key, id, tags)
        if self.agree(work, lambda: self.model.get(key, id)) is not None:
            self.model.tag(key, id, tags)

    @rule(source=KEYS, key=KEYS, condition=CONDITIONS)
    def rename(self, source: str, key: str, condition: str) -> None:
        assert self.bucket.features.renames is not None
        only_if = self.condition(key, condition)

        def allowed() -> None:
            self.model.get(source)
            self.model.may_put(key, only_if)

        work = self.bucket.features.renames.rename(
            Renaming(source, key, only_if=WriteIf(only_if.match, only_if.none_match)), actor="me")
        entry = self.agree(work, allowed)
        if entry is None or source == key:
            return
        marker = None
        if self.model.state:
            newest = self.run(self.row(source))
            assert newest is not None
            marker = Version(newest.version, None, ms=newest.modified_ms)
        self.model.rename(source, key, entry.version, entry.began_ms, marker)

    async def row(self, key: str) -> Entry | None:
        data = await self.engine.read(lambda rows: rows.get(keys.current(ID, key)))
        return None if data is None else ENTRIES.decode(data)

    @invariant()
    def every_version_is_as_the_model_has_it(self) -> None:
        if hasattr(self, "bucket"):
            self.run(self.compare_versions())

    async def compare_versions(self) -> None:
        for key, one, newest in self.model.versions():
            for id in (one.id, None) if newest else (one.id,):
                try:
                    reading = await self.bucket.read(key, id)
                except Fault as fault:
                    assert one.marker
                    assert fault.kind.name == ("KeyIsDeleteMarker" if id is None else "VersionIsDeleteMarker")
                    assert fault.facts["VersionId"] == one.id
                    continue
                assert one.data is not None
                assert same(reading.entry, one)
                assert bytes_of(await reading.body()) == one.data
                if len(one.data) > 2:
                    assert bytes_of(await reading.body(Span(1, len(one.data) - 2))) == one.data[1:-1]
                assert await self.bucket.head(key, id) == reading.entry

    @invariant()
    def listings_are_as_the_model_has_them(self) -> None:
        if hasattr(self, "bucket"):
            self.run(self.compare_listings(self.random.choice(["", "", "a", "b", "a/"])))

    async def compare_listings(self, prefix: str) -> None:
        assert self.bucket.features.versions is not None
        limit, after = self.random.randint(1, 4), None
        listed: list[Entry] = []
        while True:
            page: Page[Entry] = await page_of(
                entries_of(self.bucket), prefix=prefix, limit=limit, after=after)
            listed += page.items
            if not page.truncated:
                break
            after = page.last
        expected = list(self.model.list(prefix))
        assert [entry.key for entry in listed] == [key for key, _ in expected]
        assert all(same(entry, one) for entry, (_, one) in zip(listed, expected, strict=True))

        shown: list[tuple[str, str, bool, bool]] = []
        position: Position | None = None
        while True:
            rows = await page_of(
                versions_of(self.bucket.features.versions), prefix=prefix, limit=limit, after=position)
            shown += [(row.entry.key, row.entry.version, row.entry.marker, row.latest) for row in rows.items]
            if not rows.truncated:
                break
            position = rows.last
        versions = self.model.versions(prefix)
        assert shown == [(key, one.id, one.marker, newest) for key, one, newest in versions]

    @invariant()
    def the_past_is_as_the_model_has_it(self) -> None:
        if hasattr(self, "bucket"):
            self.run(self.compare_past(self.random.choice([*self.moments, self.clock.now_ms()])))

    async def compare_past(self, ms: int) -> None:
        assert self.bucket.features.past is not None
        if not self.model.state:
            with pytest.raises(Fault, match="keeps no past"):
                await self.bucket.features.past.at(ms)
            return
        past, then = await self.bucket.features.past.at(ms), self.model.at(ms)

        assert [entry.key for entry in await past.list("", "", 100)] == sorted(then)
        for key in self.model.chains:
            if key in then:
                assert bytes_of(await (await past.read(key)).body()) == then[key].data
                assert (await past.head(key)).version == then[key].id

    @invariant()
    def the_rows_are_in_order(self) -> None:
        self.run(self.engine.read(audit))


def same(entry: Entry, one: Version) -> bool:
    return (
        (entry.version, entry.etag, entry.modified_ms, entry.began_ms, entry.attributes.content_type, entry.attributes.tags)
        == (one.id, one.etag, one.ms, one.began_ms, one.content_type, one.tags)
    )


def bytes_of(body: Body) -> bytes:
    if isinstance(body, Pieces):
        return b"".join(map(bytes_of, body.pieces))
    if isinstance(body, FileSpan):
        return Path(body.path).read_bytes()[body.first : body.last + 1]
    assert isinstance(body, bytes)
    return body


def audit(rows: Read) -> None:
    """Every chain is in order, every row has its bytes, every blob and layout as many owners as need it."""
    chains: dict[str, list[Entry]] = {}
    needed: Counter[str] = Counter()
    for table in (keys.CURRENT, keys.OLD):
        prefix = keys.of_bucket(table, ID)
        for row, data in rows.scan(prefix, keys.after(prefix)):
            entry = ENTRIES.decode(data)
            chains.setdefault(entry.key, []).append(entry)
            assert table == keys.OLD or row == keys.current(ID, entry.key)
            assert table == keys.CURRENT or row == keys.old(ID, entry.key, entry.seq)
            loaded = rows.load(row)
            assert loaded is not None
            inline = not entry.marker and entry.content is None
            assert (loaded[1] is not None, len(loaded[1] or b"")) == (inline, entry.size if inline else 0)
            if entry.content is not None:
                needed[entry.content.id] += 1
    for key, chain in chains.items():
        nulls = [entry.seq for entry in chain if entry.version == NULL]
        assert chain == sorted(chain, key=lambda entry: -entry.seq), key
        assert chain == sorted(chain, key=lambda entry: -entry.began_ms), key
        assert len(nulls) <= 1
        assert chain[0].null_seq == (nulls[0] if nulls and nulls[0] != chain[0].seq else 0)
        assert all(entry.null_seq == 0 for entry in chain[1:])
        assert rows.get(keys.current(ID, key)) is not None
    _audit_owners(rows, needed)


def _audit_owners(rows: Read, needed: Counter[str]) -> None:
    layouts = {row[1:].decode(): blobs.LAYOUTS.decode(data) for row, data in rows.scan(b"y", b"z")}
    for layout in layouts.values():
        needed.update(span.id for part in layout.parts for span in part.spans)
    named = {BLOBS.decode(data).id for _, data in rows.scan(b"f", b"g")}
    garbage = {blobs.GARBAGE.decode(data).id for _, data in rows.scan(b"g", b"h")}
    for id in named | layouts.keys():
        owners = rows.get(keys.text(keys.SHARE, id))
        count = 1 if owners is None else keys.read_number(owners)
        assert count == needed[id], f"{id} has {count} owners and needs {needed[id]}"
        assert count or id in garbage
    assert set(needed) <= named | layouts.keys()


class SqliteObjectsMachine(ObjectsMachine):
    """The same on SQLite, closed and opened again at any time."""

    async def opened(self) -> Engine:
        return SqliteEngine(Path(self.folder.name) / "rows.db")

    @precondition(lambda self: hasattr(self, "bucket"))
    @rule()
    def restart(self) -> None:
        self.run(self.engine.close())
        self.engine = self.run(self.opened())
        self.reopen()


TestObjects = ObjectsMachine.TestCase
TestObjects.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
TestObjectsOnSqlite = SqliteObjectsMachine.TestCase
TestObjectsOnSqlite.settings = settings(max_examples=8, stateful_step_count=25, deadline=None)
