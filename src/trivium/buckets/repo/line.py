"""The line of a branch: the buckets that it is read through, from the nearest to the farthest.

Theory of operation. A branch that was forked starts from another branch's past. What that past was can
never change, so the whole line is written into the branch's record when it is forked, and forking copies
nothing. A level says which bucket, and up to where it counts: entries by their seq, commits by their number.
Commits of a line are numbered from 1 without a gap; a fork goes on counting where it left its parent.
"""

from __future__ import annotations

from typing import Final

import msgspec

from trivium.buckets.record import BucketRecord

LATEST: Final = 0xFFFF_FFFF_FFFF_FFFE


class Level(msgspec.Struct, frozen=True):
    """The entries of a bucket up to `seq` and its commits up to `number`, both included."""

    bucket: int
    seq: int = LATEST
    number: int = LATEST


Line = tuple[Level, ...]


def start_of(record: BucketRecord) -> Line:
    """What the branch of the record was forked from: its line without its own level; empty: it was not."""
    return tuple(Level(*map(int, level.split(":"))) for level in record.facts.get("line", "").split())


def line_of(record: BucketRecord) -> Line:
    return (Level(record.id), *start_of(record))


def up_to(line: Line, seq: int, number: int) -> Line:
    """The line as it was when its last commit was the one with that seq and number."""
    return tuple(Level(level.bucket, min(level.seq, seq), min(level.number, number)) for level in line)


def forked(line: Line, seq: int, number: int) -> Line:
    """What a branch starts from that is forked behind that commit, less the levels that show nothing."""
    levels = up_to(line, seq, number)
    behind = (*(level.number for level in levels[1:]), 0)
    return tuple(level for level, before in zip(levels, behind, strict=True) if level.number > before)


def written(line: Line) -> str:
    """The line as a fact of a record."""
    return " ".join(f"{level.bucket}:{level.seq}:{level.number}" for level in line)
