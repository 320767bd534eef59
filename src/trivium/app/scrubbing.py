"""`trivium scrub`: read every object's bytes back and report what is not as it was written, and which objects
that hits. A server may run meanwhile.
"""

from __future__ import annotations

from typing import Final, TextIO

from trivium.app.settings import Settings
from trivium.base.clock import SystemClock
from trivium.base.faults import Fault
from trivium.base.ids import RandomIds
from trivium.base.names import place
from trivium.buckets.objects.aside import take_out
from trivium.buckets.objects.opened import Opened
from trivium.buckets.record import OBJECTS, Ground
from trivium.services.bodies import DamagedRow, rotten
from trivium.services.references import Reference, references
from trivium.storage import keys
from trivium.storage.aside import set_aside
from trivium.storage.blobstores.files import FileBlobs
from trivium.storage.engine import Engine, Write
from trivium.storage.engines.sqlite import SqliteEngine
from trivium.storage.folder import DataFolder
from trivium.storage.records import UnknownFormat, Unreadable
from trivium.storage.scrub import Kind
from trivium.storage.scrub import scrub as findings
from trivium.storage.walk import walk

FOUND: Final = 1  # exit code: something is wrong with the data
# by kind of bucket: a key can be used without a damaged entry; the commits of a branch would say other things
_TAKES_ENTRIES_OUT: Final = {OBJECTS: take_out}
_NAMED_TOGETHER: Final = 1_000  # damaged blobs for which all rows are walked once


async def scrub(settings: Settings, out: TextIO, *, quiet: bool, aside: bool = False) -> int:
    """Print every finding, and what a lost blob belongs to; 0 when there is none. Raises FolderRefused.

    `aside`: damaged rows are set aside where their key can be used without them.
    """
    folder, clock, ids = DataFolder(settings.data), SystemClock(), RandomIds()
    folder.check()
    engine = SqliteEngine(folder.rows)
    try:
        ground = Ground(engine, FileBlobs(folder.blobs, clock, ids), clock, ids)
        wrong = await engine.wrong()
        out.writelines(f"{Kind.UNREADABLE.value}: database, {line}\n" for line in wrong)
        found = len(wrong)
        if not found:  # walks would break off where it is torn
            found += await _scrub_blobs(ground, settings.sweep_grace_seconds * 1000, out)
            found += await _scrub_rows(ground, out, aside=aside)
            async for row, _ in walk(engine, keys.ASIDE):
                if not quiet:
                    out.write(f"set aside earlier or now: row {keys.shown(keys.read_aside(row))}\n")
    finally:
        await engine.close()
    if not quiet:
        out.write(f"{found or 'no'} findings in {settings.data.absolute()}\n")
    return FOUND if found else 0


async def _scrub_blobs(ground: Ground, grace_ms: int, out: TextIO) -> int:
    found, lost, before_ms = 0, set[str](), ground.clock.now_ms() - grace_ms
    async for finding in findings(ground.engine, ground.blobs, unnamed_before_ms=before_ms):
        out.write(f"{finding.kind.value}: blob {finding.id}\n")
        found += 1
        if finding.kind is not Kind.UNNAMED:
            lost.add(finding.id)
        if len(lost) == _NAMED_TOGETHER:
            await _name(ground.engine, frozenset(lost), out)
            lost.clear()
    await _name(ground.engine, frozenset(lost), out)
    return found


async def _scrub_rows(ground: Ground, out: TextIO, *, aside: bool) -> int:
    found, generation = 0, ground.engine.generation
    async for one in rotten(ground.engine):
        out.write(f"{_found_in_row(one)}\n")
        found += 1
        if aside and isinstance(one, DamagedRow):
            moved = await _set_aside(ground, generation, one)
            out.write("  set aside\n" if moved else "  left where it is\n")
    return found


async def _name(engine: Engine, lost: frozenset[str], out: TextIO) -> None:
    """Print what each of the blobs belongs to. Rows are walked only when there is one."""
    if not lost:
        return
    unused = set(lost)
    async for one in references(engine, lost):
        out.write(f"  {one.blob}: {_said(one)}\n")
        unused.discard(one.blob)
    for id in sorted(unused):
        out.write(f"  {id}: of no object any more\n")


async def _set_aside(ground: Ground, generation: int, damaged: DamagedRow) -> bool:
    """Whether the row could be set aside. One of a bucket itself cannot, nor one of a branch, whose commits
    would show something else then, nor one that a newer version wrote.
    """
    record, row = damaged.record, damaged.key

    def change(tx: Write) -> bool:
        if record is None or tx.get(row) != damaged.error.data:
            return False
        if row[:1] in (keys.FILE, keys.UPLOAD):
            set_aside(tx, row)
            return True
        take = _TAKES_ENTRIES_OUT.get(record.kind)
        if take is not None:
            take(Opened(ground, record, generation), row, tx)
        return take is not None

    try:
        return not isinstance(damaged.error, UnknownFormat) and await ground.engine.write(change)
    except (Fault, Unreadable):  # the bucket went, or the key's newest row has to go first
        return False


def _found_in_row(one: Reference | DamagedRow) -> str:
    if isinstance(one, DamagedRow):
        bucket = "" if one.record is None else f" of bucket {one.record.name}"
        return f"{Kind.UNREADABLE.value}: row {keys.shown(one.key)}{bucket}, {one.error}"
    return f"{Kind.ROT.value}: {_said(one)}"


def _said(one: Reference) -> str:
    if one.upload:
        return f"{place(one.bucket, one.key)}, part {one.part} of upload {one.upload}"
    return f"{place(one.bucket, one.key)}, version {one.version}"
