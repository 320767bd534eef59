"""Plays every transcript of this folder; see `transcripts` for how they are written."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.wire.transcripts import FOLDER, matches, play, read, stage_of

FILES = sorted(FOLDER.glob("*/*.http"))


@pytest.mark.parametrize("path", FILES, ids=[f"{path.parent.name}/{path.stem}" for path in FILES])
def test_the_server_answers_as_the_transcript_says(path: Path) -> None:
    transcript = read(path)
    stage, known = stage_of(transcript), dict[str, str]()

    for exchange in transcript.exchanges:
        found = play(stage, exchange.request, known)
        fits = len(found) == len(exchange.answer) and all(
            matches(expected.rstrip(), line.rstrip(), known)
            for expected, line in zip(exchange.answer, found, strict=True))
        assert fits or exchange.answer == found, "\n".join(exchange.request)
