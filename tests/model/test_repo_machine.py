"""Branches against whole copies: a commit is a dictionary, a branch a list of them, a fork a copy of the
list.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from trivium.base import faults
from trivium.base.body import Body, FileSpan
from trivium.base.clock import SetClock
from trivium.base.faults import Fault
from trivium.base.ids import SeededIds
from trivium.base.incoming import Given, Incoming
from trivium.buckets.bucket import Bucket, Deletion, Gone, Renaming
from trivium.buckets.clearing import clear
from trivium.buckets.conditions import WriteIf
from trivium.buckets.entry import Attributes, Entry
from trivium.buckets.record import BucketRecord, Ground
from trivium.buckets.repo.bucket import BranchBucket
from trivium.buckets.repo.repository import Repositories
from trivium.storage import keys
from trivium.storage.blobstores.memory import MemoryBlobs
from trivium.storage.engine import Read
from trivium.storage.engines.memory import MemoryEngine

T = TypeVar("T")
KEYS = st.sampled_from(["a", "a/b", "a/c", "b", "\u00e9", "a\0", "a\0\x01"])
CONTENTS = st.sampled_from([b"", b"one", b"two", b"longer than what a row takes"])
NAMES = ["master", "dev", "test", "x", "y"]


class Thing(NamedTuple):
    """What a key holds in the model: its bytes, its tags, and the commit that wrote it."""

    data: bytes
    tags: dict[str, str]
    version: str


class Snapshot(NamedTuple):
    """A commit of the model: everything that there was after it, and the number of the bucket that made
    it.
    """

    bucket: int
    id: str
    at_ms: int
    state: dict[str, Thing]


class RepoMachine(RuleBasedStateMachine):
    """Branches of one repository."""

    branches = Bundle("branches")

    def __init__(self) -> None:
        super().__init__()
        self.model: dict[str, list[Snapshot]] = {}
        self.records: dict[str, BucketRecord] = {}
        self.clock, ids, self.engine = SetClock(), SeededIds(), MemoryEngine()
        self.ground = Ground(self.engine, MemoryBlobs(self.clock, ids), self.clock, ids, inline_bytes=4)
        self.repositories = Repositories(self.ground)
        self.runner = asyncio.Runner()

    def teardown(self) -> None:
        self.runner.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:  # Any: what a coroutine may send and yield
        return self.runner.run(work)

    def bucket(self, branch: str) -> BranchBucket:
        return BranchBucket(self.ground, self.records[branch], self.engine.generation)

    def as_of(self, branch: str, commit: str) -> Coroutine[Any, Any, Bucket]:  # Any: as in `run`
        history = self.bucket(branch).features.history
        assert history is not None
        return history.as_of(commit)

    def state(self, branch: str) -> dict[str, Thing]:
        return dict(self.model[branch][-1].state) if self.model[branch] else {}

    def committed(self, branch: str, id: str, state: dict[str, Thing]) -> None:
        self.model[branch].append(Snapshot(self.records[branch].id, id, self.clock.now_ms(), state))

    # Branches

    @initialize(target=branches)
    def first(self) -> str:
        self.records["master"] = self.run(self.repositories.create("master.images", "owner"))
        self.model["master"] = []
        return "master"

    @rule(target=branches, source=branches, name=st.sampled_from(NAMES), back=st.integers(0, 3))
    def fork(self, source: str, name: str, back: int) -> Any:  # Any: a name, or nothing new
        if name in self.model or source not in self.model:
            return multiple()
        history = self.model[source]
        if back >= len(history) > 0 or (back and not history):
            return multiple()
        at = f"HEAD~{back}" if back else "HEAD"
        self.records[name] = self.run(self.repositories.fork("images", source, name, at=at))
        self.model[name] = history[: len(history) - back]
        return name

    @rule(branch=branches)
    def delete_branch(self, branch: str) -> None:
        if branch not in self.model or branch == "master":
            return
        number = self.records[branch].id
        depended = any(
            commit.bucket == number for other, log in self.model.items() if other != branch for commit in log)
        try:
            self.run(self.repositories.delete(self.records[branch]))
        except Fault as fault:
            assert fault.kind is (faults.BucketNotEmpty if self.state(branch) else faults.BranchHasForks)
            assert self.state(branch) or depended
            return
        assert not self.state(branch)
        assert not depended
        del self.model[branch], self.records[branch]
        assert not self.run(self.engine.read(lambda rows: rows_of(rows, number)))

    # Writing

    @rule(branch=branches, key=KEYS, data=CONTENTS, tags=st.dictionaries(st.just("t"), st.sampled_from("12"), max_size=1))
    def put(self, branch: str, key: str, data: bytes, tags: dict[str, str]) -> None:
        if branch not in self.model:
            return
        entry = self.run(self.bucket(branch).put(key, upload(data), Attributes(tags=tags, owner="me")))
        self.committed(branch, entry.version, self.state(branch) | {key: Thing(data, tags, entry.version)})

    @rule(branch=branches, key=KEYS, data=CONTENTS)
    def put_if_absent(self, branch: str, key: str, data: bytes) -> None:
        if branch not in self.model:
            return
        state = self.state(branch)
        try:
            entry = self.run(self.bucket(branch).put(
                key, upload(data), Attributes(), only_if=WriteIf(none_match="*")))
        except Fault:
            assert key in state
            return
        assert key not in state
        self.committed(branch, entry.version, state | {key: Thing(data, {}, entry.version)})

    @rule(branch=branches, source=KEYS, key=KEYS)
    def copy(self, branch: str, source: str, key: str) -> None:
        if branch not in self.model or source not in self.state(branch):
            return
        resting = self.run(self.bucket(branch).read(source)).resting
        entry = self.run(self.bucket(branch).put(key, resting, Attributes()))
        state = self.state(branch)
        self.committed(branch, entry.version, state | {key: Thing(state[source].data, {}, entry.version)})

    @rule(branch=branches, doomed=st.lists(KEYS, min_size=1, max_size=3))
    def delete(self, branch: str, doomed: list[str]) -> None:
        if branch not in self.model:
            return
        state = self.state(branch)
        done = self.run(self.bucket(branch).delete([Deletion(key) for key in doomed], actor="me"))
        commits = {gone.version for gone in done if isinstance(gone, Gone) and gone.marker_made}
        assert len(commits) == (1 if set(doomed) & set(state) else 0)
        for id in commits:
            assert id is not None
            self.committed(branch, id, {key: thing for key, thing in state.items() if key not in doomed})

    @rule(branch=branches, key=KEYS, tags=st.dictionaries(st.just("t"), st.sampled_from("12"), max_size=1))
    def tag(self, branch: str, key: str, tags: dict[str, str]) -> None:
        if branch not in self.model:
            return
        state = self.state(branch)
        annotations = self.bucket(branch).features.annotations
        assert annotations is not None
        try:
            entry = self.run(annotations.tag(key, None, tags))
        except Fault:
            assert key not in state
            return
        self.committed(branch, entry.version, state | {key: Thing(state[key].data, tags, entry.version)})

    @rule(branch=branches, source=KEYS, key=KEYS)
    def rename(self, branch: str, source: str, key: str) -> None:
        if branch not in self.model or source == key:
            return
        state = self.state(branch)
        renames = self.bucket(branch).features.renames
        assert renames is not None
        try:
            entry = self.run(renames.rename(Renaming(source, key), actor="me"))
        except Fault:
            assert source not in state
            return
        assert entry is not None, "without a token it is always done"
        moved = state.pop(source)
        self.committed(branch, entry.version, state | {key: moved._replace(version=entry.version)})

    @rule(ms=st.sampled_from([-5_000, 1, 1_000]))
    def time_passes(self, ms: int) -> None:
        """The machine's clock may also be set back: the times of commits do not fall for that."""
        self.clock.advance(ms=ms)

    # Reading

    @rule(branch=branches, key=KEYS, back=st.integers(0, 4), form=st.sampled_from(["HEAD~{}", "HEAD^{}", "^", "id"]))
    def read_a_commit(self, branch: str, key: str, back: int, form: str) -> None:
        if branch not in self.model:
            return
        history = self.model[branch]
        known = back < len(history)
        version = {"^": "HEAD" + "^" * back, "id": history[-1 - back].id if known else "0" * 32}.get(form, form.format(back))
        bucket = self.bucket(branch)
        try:
            reading = self.run(bucket.read(key, version))
        except Fault as fault:
            if not known:
                assert fault.kind is faults.NoSuchVersion
            else:
                assert key not in history[-1 - back].state
                assert fault.kind in (faults.NoSuchKey, faults.KeyIsDeleteMarker, faults.VersionIsDeleteMarker)
            return
        assert shown(reading.entry, self.run(reading.body())) == history[-1 - back].state[key]

    @rule(branch=branches, other=branches, back=st.integers(0, 4))
    def a_commit_of_another_branch_is_unknown(self, branch: str, other: str, back: int) -> None:
        if branch not in self.model or back >= len(self.model.get(other, ())):
            return
        commit = self.model[other][-1 - back]
        try:
            self.run(self.as_of(branch, commit.id))
        except Fault as fault:
            assert fault.kind is faults.NoSuchVersion
            assert commit not in self.model[branch]
        else:
            assert commit in self.model[branch]

    @rule(branch=branches, back=st.integers(0, 4))
    def list_a_commit(self, branch: str, back: int) -> None:
        if back < len(self.model.get(branch, ())):
            view = self.run(self.as_of(branch, f"HEAD~{back}"))
            assert self.contents(view) == self.model[branch][-1 - back].state

    @rule(branch=branches, ago_ms=st.integers(0, 3_000))
    def list_the_past(self, branch: str, ago_ms: int) -> None:
        if branch not in self.model:
            return
        past = self.bucket(branch).features.past
        assert past is not None
        moment_ms, latest, expected = self.clock.now_ms() - ago_ms, 0, dict[str, Thing]()
        for commit in self.model[branch]:
            latest = max(latest, commit.at_ms)
            if latest <= moment_ms:
                expected = commit.state
        assert self.contents(self.run(past.at(moment_ms))) == expected

    @rule(branch=branches, prefix=st.sampled_from(["", "a", "a/", "b"]), start=KEYS, limit=st.integers(1, 4))
    def list_a_page(self, branch: str, prefix: str, start: str, limit: int) -> None:
        if branch in self.model:
            page = self.run(self.bucket(branch).list(prefix, start, limit))
            wanted = sorted(key for key in self.state(branch) if key.startswith(prefix) and key >= start)
            assert [entry.key for entry in page] == wanted[:limit]

    @rule(branch=branches, limit=st.integers(1, 3))
    def list_versions(self, branch: str, limit: int) -> None:
        if branch not in self.model:
            return
        versions = self.bucket(branch).features.versions
        assert versions is not None
        found: list[tuple[str, str, bool, bool]] = []
        key, marker = "", None
        while page := self.run(versions.list("", key, marker, limit)):
            found += [(one.entry.key, one.entry.version, one.entry.marker, one.latest) for one in page]
            key, marker = page[-1].entry.key, page[-1].entry.version
        assert found == self.versions(branch)

    @rule(branch=branches)
    def log(self, branch: str) -> None:
        if branch in self.model:
            log = self.run(self.repositories.log(self.records[branch]))
            ids = [commit.id for commit in reversed(self.model[branch])]
            assert [commit.id for commit in log] == ids
            assert [commit.parents for commit in log] == [(id,) for id in ids[1:]] + [()] * bool(ids)
            assert [commit.number for commit in log] == list(range(len(ids), 0, -1))

    @rule()
    def clearing_finds_nothing(self) -> None:
        self.run(clear(self.ground))

    @invariant()
    def every_branch_is_as_its_copy(self) -> None:
        for branch in self.model:
            assert self.contents(self.bucket(branch)) == self.state(branch)

    def contents(self, bucket: Bucket) -> dict[str, Thing]:
        """All that the bucket lists, with the bytes."""
        found = {}
        for entry in self.run(bucket.list("", "", 1000)):
            reading = self.run(bucket.read(entry.key))
            assert reading.entry == entry
            found[entry.key] = shown(entry, self.run(reading.body()))
        return found

    def versions(self, branch: str) -> list[tuple[str, str, bool, bool]]:
        """What the commits of the model did to each key, newest first."""
        done: dict[str, list[tuple[str, bool]]] = {}
        before: dict[str, Thing] = {}
        for commit in self.model[branch]:
            for key in {*before, *commit.state}:
                if before.get(key) != commit.state.get(key):
                    done.setdefault(key, []).insert(0, (commit.id, key not in commit.state))
            before = commit.state
        return [(key, id, marker, n == 0) for key in sorted(done) for n, (id, marker) in enumerate(done[key])]


def rows_of(rows: Read, bucket: int) -> list[bytes]:
    """The keys of all rows of the bucket."""
    tables = (keys.CURRENT, keys.OLD, keys.COMMIT, keys.LOG, keys.GONE)
    prefixes = [keys.of_bucket(table, bucket) for table in tables]
    return [row for prefix in prefixes for row, _ in rows.scan(prefix, keys.after(prefix))]


def upload(data: bytes) -> Incoming:
    return Incoming(Given(data), len(data))


def shown(entry: Entry, body: Body) -> Thing:
    if isinstance(body, FileSpan):
        body = Path(body.path).read_bytes()[body.first : body.last + 1]
    assert isinstance(body, bytes)
    return Thing(body, entry.attributes.tags, entry.version)


RepoMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
TestRepo = RepoMachine.TestCase
