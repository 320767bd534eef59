"""The mount against a dictionary, while another program changes the directory.

The model is a dictionary of files and a set of folders, and the other program works on the file system
directly. What the mount may not know (whether an ETag is an MD5 or made of facts) the model leaves open;
that all verbs agree it demands.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import tempfile
from collections.abc import Coroutine, Iterable
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from trivium.base.body import Body, HeldSpan
from trivium.base.clock import SetClock, SystemClock
from trivium.base.faults import Fault
from trivium.base.ids import SeededIds
from trivium.base.incoming import Given, Incoming
from trivium.buckets.bucket import Deletion, Resting
from trivium.buckets.conditions import ALWAYS, WriteIf
from trivium.buckets.entry import Attributes, Entry
from trivium.buckets.mount.mounts import Mounts
from trivium.buckets.record import BUCKETS, BucketRecord, Ground
from trivium.storage import keys
from trivium.storage.blobstores.memory import MemoryBlobs
from trivium.storage.engine import Write
from trivium.storage.engines.memory import MemoryEngine
from trivium.under.local import LocalStore

T = TypeVar("T")
NAMES = st.sampled_from(["a", "b", "a!", "a0", "\u00e9"])
FILES = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
FOLDERS = FILES.map(lambda name: name + "/")
ANY = st.integers(0, 20) | FILES | FOLDERS  # a number means one of those that are there
ANY_FILE = st.integers(0, 20) | FILES
CONTENTS = st.sampled_from([b"", b"one", b"two", b"three", b"x" * 70_000, b"y" * 70_000])
METADATA = st.dictionaries(st.sampled_from("ab"), st.sampled_from("12"), max_size=1)


class File:
    """A file of the model: its bytes, its metadata, None where the model does not know, and the ETags that it may have.
    """

    def __init__(self, data: bytes, metadata: dict[str, str] | None, *etags: str) -> None:
        self.data, self.metadata = data, metadata
        self.etags = set(etags or [md5(data)])


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


class MountMachine(RuleBasedStateMachine):
    """Keys written through the mount, files written beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.files: dict[str, File] = {}
        self.folders: set[str] = set()
        self.implied: set[str] = set()  # folders that are noted to be there only because of what lies in them
        self.earlier: dict[str, list[File]] = {}  # what keys held that others replaced: it may still be noted
        self.ticks = 0

    @initialize(settled=st.booleans(), folders=st.booleans())
    def open(self, settled: bool, folders: bool) -> None:
        """`settled`: the house's clock is far ahead of the file system's, so that looks are kept."""
        self.root = Path(tempfile.mkdtemp(prefix="trivium-mount-"))
        self.clock = SetClock(SystemClock().now_ms() + (3_600_000 if settled else -3_600_000))
        self.all_folders, ids, engine = folders, SeededIds(), MemoryEngine()
        ground = Ground(engine, MemoryBlobs(self.clock, ids), self.clock, ids)
        facts = {"path": str(self.root), "folders": "true" if folders else ""}
        self.record = BucketRecord(1, "bucket", "mount", "owner", 0, facts=facts)
        self.runner = asyncio.Runner()
        row = keys.text(keys.CATALOG, "bucket")
        self.run(engine.write(lambda tx: tx.put(row, BUCKETS.encode(self.record))))
        self.bucket = Mounts(ground, lambda f: LocalStore(f["path"], self.clock, ids)).bucket(self.record)

    def teardown(self) -> None:
        self.runner.close()
        shutil.rmtree(self.root)

    def run(self, work: Coroutine[Any, Any, T]) -> T:  # Any: what a coroutine may send and yield
        return self.runner.run(work)

    # What the model knows of names

    def one_of(self, names: Iterable[str], which: str | int) -> str:
        """The name, or the one that the number picks of those that are there."""
        if isinstance(which, str):
            return which
        there = sorted(names)
        return there[which % len(there)] if there else "a"

    def above(self, name: str) -> list[str]:
        parts = name.rstrip("/").split("/")
        return ["/".join(parts[:n]) + "/" for n in range(1, len(parts))]

    def fits(self, name: str) -> bool:
        """Can there be a file or folder of this name, beside what there is?"""
        other = name.rstrip("/") if name.endswith("/") else name + "/"
        return other not in self.files and other not in self.folders and not any(
            folder.rstrip("/") in self.files for folder in self.above(name))

    def is_empty(self, folder: str) -> bool:
        return not any(name != folder and name.startswith(folder) for name in (*self.files, *self.folders))

    def make(self, folders: list[str]) -> None:
        """A put makes the folders that are not there."""
        self.implied.update(set(folders) - self.folders)
        self.folders.update(folders)

    def written(self, name: str, data: bytes, metadata: dict[str, str], *etags: str) -> None:
        self.make(self.above(name))
        self.files[name] = File(data, metadata, *etags)
        self.earlier.pop(name, None)

    def replaced(self, name: str, data: bytes) -> None:
        """Another program has put these bytes there."""
        self.folders.update(self.above(name))
        there = self.files.get(name)
        self.lost(name)
        earlier = [file for file in self.earlier.get(name, ()) if file.data == data]
        known = File(data, None, md5(data), *(etag for file in earlier for etag in file.etags)) if earlier else File(data, {})
        self.files[name] = there if there is not None and there.data == data else known

    def lost(self, name: str) -> None:
        if name in self.files:
            self.earlier.setdefault(name, []).append(self.files.pop(name))

    def visible(self) -> dict[str, set[str]]:
        """What is listed, and the ETags that it may have."""
        shown = {name: {md5(b"")} for name in self.folders if self.all_folders or self.is_empty(name)}
        return shown | {name: file.etags for name, file in self.files.items()}

    # Through the mount

    @rule(name=FILES, data=CONTENTS, metadata=METADATA)
    def put(self, name: str, data: bytes, metadata: dict[str, str]) -> None:
        if self.refused_put(name, data, metadata, ALWAYS):
            assert not self.fits(name)
            return
        assert self.fits(name)
        self.written(name, data, metadata)

    @rule(name=FILES, data=CONTENTS, metadata=METADATA)
    def put_what_came_in_parts(self, name: str, data: bytes, metadata: dict[str, str]) -> None:
        etag = md5(data) + "-2"
        try:
            entry = self.run(self.bucket.put(
                name, Resting(len(data), etag, inline=data), Attributes(metadata=metadata)))
        except Fault:
            assert not self.fits(name)
            return
        assert (entry.size, entry.etag) == (len(data), etag)
        self.written(name, data, metadata, etag)

    @rule(name=FILES, data=CONTENTS)
    def put_if_absent(self, name: str, data: bytes) -> None:
        there = name in self.files
        if self.refused_put(name, data, {}, WriteIf(none_match="*")):
            assert there or not self.fits(name)
            return
        assert not there
        self.written(name, data, {})

    @rule(name=ANY_FILE, data=CONTENTS)
    def put_over_what_was_seen(self, name: str | int, data: bytes) -> None:
        name = self.one_of(self.files, name)
        try:
            etag = self.run(self.bucket.head(name)).etag
        except Fault:
            return
        assert not self.refused_put(name, data, {}, WriteIf(match=etag))
        self.written(name, data, {})

    @rule(name=FILES, data=CONTENTS)
    def put_that_fails(self, name: str, data: bytes) -> None:
        def fail(tx: Write, entry: Entry) -> None:
            raise ZeroDivisionError

        try:
            self.run(self.bucket.put(name, Incoming(Given(data), len(data)), Attributes(), companion=fail))
        except (Fault, ZeroDivisionError):
            return
        raise AssertionError("the put did not fail")

    @rule(name=FOLDERS)
    def put_folder(self, name: str) -> None:
        if self.refused_put(name, b"", {}, ALWAYS):
            assert not self.fits(name)
            return
        assert self.fits(name)
        self.make(self.above(name))
        self.folders.add(name)
        self.implied.discard(name)

    @rule(name=ANY)
    def delete(self, name: str | int) -> None:
        name = self.one_of([*self.files, *self.folders], name)
        (gone,) = self.run(self.bucket.delete([Deletion(name)], actor="a"))
        assert not isinstance(gone, Fault)
        if name in self.files:
            del self.files[name]
            self.earlier.pop(name, None)
        elif name in self.folders and self.is_empty(name):
            self.folders.discard(name)
            self.implied.discard(name)
        else:
            self.implied |= {name} & self.folders
            return
        for folder in reversed(self.above(name)):
            if folder not in self.implied or not self.is_empty(folder):
                return
            self.folders.discard(folder)
            self.implied.discard(folder)

    @rule(name=ANY_FILE)
    def tag(self, name: str | int) -> None:
        name = self.one_of(self.files, name)
        annotations = self.bucket.features.annotations
        assert annotations is not None
        try:
            entry = self.run(annotations.tag(name, None, {"t": "1"}))
        except Fault:
            assert name not in self.files
            return
        assert entry.attributes.tags == {"t": "1"}
        assert self.files[name].metadata in (None, entry.attributes.metadata)

    def refused_put(self, name: str, data: bytes, metadata: dict[str, str], only_if: WriteIf) -> bool:
        content = Incoming(Given(data), len(data))
        try:
            entry = self.run(self.bucket.put(name, content, Attributes(metadata=metadata), only_if=only_if))
        except Fault:
            return True
        assert (entry.size, entry.etag) == (len(data), md5(data))
        return False

    # Beside it

    @rule(name=FILES, data=CONTENTS, in_place=st.booleans())
    def another_program_writes(self, name: str, data: bytes, in_place: bool) -> None:
        if not self.fits(name):
            return
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        target = path if in_place else path.with_name("temporary")
        target.write_bytes(data)
        self.pass_time(target)
        if not in_place:
            target.rename(path)
        self.replaced(name, data)

    @rule(name=ANY_FILE)
    def another_program_touches(self, name: str | int) -> None:
        name = self.one_of(self.files, name)
        if name in self.files:
            self.pass_time(self.root / name)

    @rule(name=ANY_FILE, to=FILES)
    def another_program_moves(self, name: str | int, to: str) -> None:
        name = self.one_of(self.files, name)
        if name not in self.files or name == to or not self.fits(to):
            return
        (self.root / to).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).replace(self.root / to)
        data = self.files[name].data
        self.lost(name)
        self.replaced(to, data)

    @rule(name=ANY_FILE)
    def another_program_removes(self, name: str | int) -> None:
        name = self.one_of(self.files, name)
        if name in self.files:
            (self.root / name).unlink()
            self.lost(name)

    @rule(name=st.integers(0, 20) | FOLDERS)
    def another_program_removes_a_tree(self, name: str | int) -> None:
        name = self.one_of(self.folders, name)
        if name in self.folders:
            shutil.rmtree(self.root / name)
            for one in [one for one in self.files if one.startswith(name)]:
                self.lost(one)
            self.folders = {one for one in self.folders if not one.startswith(name)}

    @rule(name=FOLDERS)
    def another_program_makes_a_folder(self, name: str) -> None:
        if self.fits(name):
            (self.root / name).mkdir(parents=True, exist_ok=True)
            self.folders.update([*self.above(name), name])

    @rule(name=NAMES)
    def another_program_makes_a_link(self, name: str) -> None:
        if self.fits(name) and name not in self.files:
            (self.root / name).symlink_to("/")
            self.run(self.bucket.list("", "", 10))
            (self.root / name).unlink()

    def pass_time(self, path: Path) -> None:
        """Another program's write has another time than the one before: what the mount relies on."""
        self.ticks += 1
        os.utime(path, ns=(self.ticks, 1_600_000_000_000_000_000 + self.ticks))

    # What is seen

    @rule(name=FILES | FOLDERS)
    def head(self, name: str) -> None:
        try:
            entry = self.run(self.bucket.head(name))
        except Fault:
            assert name not in self.files
            assert name not in self.folders
            return
        assert name in self.files or name in self.folders
        assert entry.key == name

    @rule(name=ANY_FILE)
    def read(self, name: str | int) -> None:
        name = self.one_of(self.files, name)
        if name not in self.files:
            return
        reading = self.run(self.bucket.read(name))
        file = self.files[name]
        assert content(self.run(reading.body())) == file.data
        assert reading.entry.etag in file.etags
        assert file.metadata in (None, reading.entry.attributes.metadata)

    @rule(prefix=st.sampled_from(["", "a", "a/", "a/b", "b/a/"]), start=FILES, limit=st.integers(1, 4))
    def list_page(self, prefix: str, start: str, limit: int) -> None:
        page = self.run(self.bucket.list(prefix, start, limit))
        wanted = sorted(name for name in self.visible() if name.startswith(prefix) and name >= start)
        assert [entry.key for entry in page] == wanted[:limit]

    @precondition(lambda self: hasattr(self, "bucket"))
    @invariant()
    def all_is_listed(self) -> None:
        listed = {entry.key: entry for entry in self.run(self.bucket.list("", "", 1000))}
        visible = self.visible()
        assert list(listed) == sorted(visible)
        assert [] == [name for name, entry in listed.items() if entry.etag not in visible[name]]
        assert {child.name for child in (self.root / ".trivium").glob("*")} <= {"lock"}


def content(body: Body) -> bytes:
    if isinstance(body, HeldSpan):
        return os.pread(body.file.number, body.size, body.first)
    assert isinstance(body, bytes)
    return body


MountMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestMount = MountMachine.TestCase
