"""`trivium scrub`: read every object's bytes back and report what is not as it was written, and which objects
that hits. A server may run meanwhile.
"""

from __future__ import annotations

import json
from typing import Final, TextIO

from trivium.app.settings import Settings
from trivium.base.clock import SystemClock
from trivium.base.ids import RandomIds
from trivium.services.bodies import DamagedRow, Version, rotten
from trivium.services.references import Reference, references
from trivium.storage.blobstores.files import FileBlobs
from trivium.storage.engine import Engine
from trivium.storage.engines.sqlite import SqliteEngine
from trivium.storage.folder import DataFolder
from trivium.storage.keys import shown
from trivium.storage.scrub import Kind
from trivium.storage.scrub import scrub as findings

FOUND: Final = 1  # exit code: something is wrong with the data
_NAMED_TOGETHER: Final = 1_000  # damaged blobs for which all rows are walked once


async def scrub(settings: Settings, out: TextIO, *, quiet: bool) -> int:
    """Print every finding, and what a lost blob belongs to; 0 when there is none. Raises FolderRefused."""
    folder, clock = DataFolder(settings.data), SystemClock()
    folder.check()
    engine, found, lost = SqliteEngine(folder.rows), 0, set[str]()
    try:
        blobs = FileBlobs(folder.blobs, clock, RandomIds())
        before_ms = clock.now_ms() - settings.sweep_grace_seconds * 1000
        async for finding in findings(engine, blobs, unnamed_before_ms=before_ms):
            out.write(f"{finding.kind.value}: blob {finding.id}\n")
            found += 1
            if finding.kind is not Kind.UNNAMED:
                lost.add(finding.id)
            if len(lost) == _NAMED_TOGETHER:
                await _name(engine, frozenset(lost), out)
                lost.clear()
        await _name(engine, frozenset(lost), out)
        async for one in rotten(engine):
            out.write(f"{_found_in_row(one)}\n")
            found += 1
    finally:
        await engine.close()
    if not quiet:
        out.write(f"{found or 'no'} findings in {settings.data.absolute()}\n")
    return FOUND if found else 0


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


def _found_in_row(one: Version | DamagedRow) -> str:
    if isinstance(one, DamagedRow):
        return f"{Kind.UNREADABLE.value}: row {shown(one.key)}, {one.why}"
    return f"{Kind.ROT.value}: {_version(one.bucket, one.key, one.version)}"


def _said(one: Reference) -> str:
    if one.upload:
        return f"{_place(one.bucket, one.key)}, part {one.part} of upload {one.upload}"
    return _version(one.bucket, one.key, one.version)


def _version(bucket: str, key: str, version: str) -> str:
    return f"{_place(bucket, key)}, version {version}"


def _place(bucket: str, key: str) -> str:
    """Where it is. The key may hold any character: it is written as a string of JSON."""
    return f"bucket {bucket}, key {json.dumps(key, ensure_ascii=not key.isprintable())}"
