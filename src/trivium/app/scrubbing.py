"""`trivium scrub`: read every blob back and report what is not as it was written. A server may run meanwhile.
"""

from __future__ import annotations

from typing import Final, TextIO

from trivium.app.settings import Settings
from trivium.base.clock import SystemClock
from trivium.base.ids import RandomIds
from trivium.storage.blobstores.files import FileBlobs
from trivium.storage.engines.sqlite import SqliteEngine
from trivium.storage.folder import DataFolder
from trivium.storage.scrub import scrub as findings

FOUND: Final = 1  # exit code: something is wrong with the data


async def scrub(settings: Settings, out: TextIO, *, quiet: bool) -> int:
    """Print every finding; 0 when there is none. Raises FolderRefused."""
    folder, clock = DataFolder(settings.data), SystemClock()
    folder.check()
    engine, found = SqliteEngine(folder.rows), 0
    try:
        blobs = FileBlobs(folder.blobs, clock, RandomIds())
        before_ms = clock.now_ms() - settings.sweep_grace_seconds * 1000
        async for finding in findings(engine, blobs, unnamed_before_ms=before_ms):
            out.write(f"{finding.kind.value}: blob {finding.id}\n")
            found += 1
    finally:
        await engine.close()
    if not quiet:
        out.write(f"{found or 'no'} findings in {settings.data.absolute()}\n")
    return FOUND if found else 0
