"""The SQLite engine does what the memory engine does, whatever is asked, across reopening and beside another
engine.
"""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from trivium.storage.engine import Engine, Read, Write
from trivium.storage.engines.memory import MemoryEngine
from trivium.storage.engines.sqlite import SqliteEngine

Step = Callable[[Write], object]

NAMES = [b"", b"\x00", b"a", b"a\x00", b"ab", b"b", b"\xff", b"\xff\xff"]
BODIED = st.sampled_from([table + name for table in (b"c", b"o") for name in NAMES])
PLAIN = st.sampled_from([table + name for table in (b"l", b"m") for name in NAMES])
KEYS = BODIED | PLAIN
VALUES = st.binary(max_size=3)
BODIES = st.none() | st.binary(max_size=3) | st.sampled_from([b"", b"x" * 5000])


def put(key: bytes, value: bytes, body: bytes | None) -> Step:
    return lambda tx: tx.put(key, value, body)


def delete(key: bytes) -> Step:
    return lambda tx: tx.delete(key)


def move(key: bytes, to: bytes, value: bytes) -> Step:
    return lambda tx: tx.move(key, to, value) if tx.get(key) is not None else None


def look(key: bytes) -> Step:
    return lambda tx: (tx.get(key), tx.load(key))


def scan(start: bytes, stop: bytes, limit: int, *, reverse: bool) -> Callable[[Read], object]:
    def rows(tx: Read) -> list[tuple[bytes, bytes]]:
        found = tx.scan(start, max(start, min(stop, bytes((start[0] + 1,)))), reverse=reverse)
        return [row for row, _ in zip(found, range(limit), strict=False)]

    return rows


def sweep(start: bytes, limit: int, *, reverse: bool) -> Step:
    """Delete what a scan yields while it runs."""

    def work(tx: Write) -> list[bytes]:
        gone = []
        found = tx.scan(start, bytes((start[0] + 1,)), reverse=reverse)
        for _, (key, _) in zip(range(limit), found, strict=False):
            tx.delete(key)
            gone.append(key)
        return gone

    return work


def stumble(start: bytes, limit: int) -> Step:
    """Raise in the midst of a scan, which the frame of the exception then keeps."""

    def work(tx: Write) -> None:
        found = tx.scan(start, bytes((start[0] + 1,)))
        for number, row in enumerate(found):
            if number == limit:
                raise Refused(row)

    return work


SCANS = st.builds(scan, KEYS, KEYS, st.integers(0, 5), reverse=st.booleans())
STEPS = st.one_of(
    st.builds(put, BODIED, VALUES, BODIES),
    st.builds(put, PLAIN, VALUES, st.none()),
    st.builds(delete, KEYS),
    st.builds(move, BODIED, BODIED, VALUES),
    st.builds(move, PLAIN, PLAIN, VALUES),
    st.builds(look, KEYS),
    SCANS,
    st.builds(sweep, KEYS, st.integers(0, 5), reverse=st.booleans()),
    st.builds(stumble, KEYS, st.integers(0, 3)),
    st.just(lambda tx: tx.sequence()),
)
CHANGES = st.lists(STEPS, max_size=8)


class Refused(Exception):
    """What a change raises that is to be undone; it carries what its steps have seen."""


def change(steps: list[Step], *, refused: bool) -> Callable[[Write], list[object]]:
    def work(tx: Write) -> list[object]:
        seen = [step(tx) for step in steps]
        if refused:
            raise Refused(seen)
        return seen

    return work


async def answers(engine: Engine, changes: list[tuple[list[Step], bool]]) -> list[object]:
    """What was returned and raised; the exceptions as they are, since a caller may keep one for long."""
    return await asyncio.gather(
        *(engine.write(change(steps, refused=refused)) for steps, refused in changes), return_exceptions=True
    )


class EngineMachine(RuleBasedStateMachine):
    """Asks both engines the same and compares."""

    @initialize()
    def begin(self) -> None:
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "rows.db"
        self.model = MemoryEngine()
        self.kept: list[object] = []
        self.engine, self.beside = SqliteEngine(self.path), SqliteEngine(self.path)

    @rule(steps=CHANGES, refused=st.booleans())
    def write(self, steps: list[Step], refused: bool) -> None:
        self._write(self.engine, [(steps, refused)])

    @rule(steps=CHANGES)
    def write_beside(self, steps: list[Step]) -> None:
        self._write(self.beside, [(steps, False)])

    @rule(changes=st.lists(st.tuples(CHANGES, st.booleans()), min_size=2, max_size=6))
    def write_many_at_once(self, changes: list[tuple[list[Step], bool]]) -> None:
        self._write(self.engine, changes)

    @rule(looks=st.lists(SCANS | st.builds(look, KEYS), min_size=1, max_size=4))
    def read(self, looks: list[Callable[[Read], object]]) -> None:
        def together(rows: Read) -> list[object]:
            return [look(rows) for look in looks]

        expected = self.runner.run(self.model.read(together))

        assert expected == self.runner.run(self.engine.read(together))
        assert expected == self.runner.run(self.beside.read(together))

    @rule()
    def reopen(self) -> None:
        self.runner.run(self.engine.close())
        self.engine = SqliteEngine(self.path)

    @invariant()
    def all_rows_agree(self) -> None:
        if not hasattr(self, "runner"):
            return
        for table in (b"c", b"o", b"l", b"m"):
            every = scan(table, b"\xff", 1000, reverse=False)

            assert self.runner.run(self.model.read(every)) == self.runner.run(self.engine.read(every))

    @invariant()
    def no_body_is_left_without_its_row(self) -> None:
        if not hasattr(self, "runner"):
            return
        db = sqlite3.connect(self.path)
        tables = "select body from rows_c union all select body from rows_o"
        expected = sorted(number for (number,) in db.execute(tables) if number)

        assert expected == [number for (number,) in db.execute("select id from bodies order by id")]
        db.close()

    def _write(self, engine: Engine, changes: list[tuple[list[Step], bool]]) -> None:
        expected = self.runner.run(answers(self.model, changes))

        self.kept = self.runner.run(answers(engine, changes))

        assert list(map(repr, expected)) == list(map(repr, self.kept))

    def teardown(self) -> None:
        if hasattr(self, "runner"):
            self.runner.run(self.engine.close())
            self.runner.run(self.beside.close())
            self.runner.close()
            self.folder.cleanup()


EngineMachine.TestCase.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
TestEngineMachine = EngineMachine.TestCase
