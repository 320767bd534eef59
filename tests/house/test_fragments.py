"""The fragments of the changelog: each has a kind, and says something."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KINDS = {"added", "changed", "fixed", "removed", "security"}


def test_every_fragment_says_a_sentence_of_a_kind_that_a_changelog_has() -> None:
    found = {path.name: path.read_text().strip() for path in (ROOT / "changes").iterdir()}

    assert [] == [name for name in found if name.split(".")[1:] not in [[kind, "md"] for kind in KINDS]]
    assert [] == [name for name, text in found.items() if not text.endswith(".")]
