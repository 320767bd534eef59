"""Every action, fault and dialect stands on its generated page, and the pages are what they would be if written now."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.pages import PAGES, main
from trivium.base.faults import CATALOGUE
from trivium.s3.dialects import DIALECTS
from trivium.s3.operations import load_all
from trivium.s3.registry import OPERATIONS, REFUSED

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
load_all()


@pytest.mark.parametrize("name", PAGES)
def test_writing_a_page_again_changes_nothing(name: str) -> None:
    assert PAGES[name]() == (REFERENCE / name).read_text(), "run `make docs`"


def test_every_action_is_documented() -> None:
    page = (REFERENCE / "operations.md").read_text()

    assert [] == [name for name in OPERATIONS if f"### {name}\n" not in page]
    assert [] == [name for name in REFUSED if f"| {name} |" not in page]


def test_every_fault_is_documented() -> None:
    page = (REFERENCE / "faults.md").read_text()

    assert [] == [name for name in CATALOGUE if f"| `{name}` |" not in page]


def test_every_dialect_is_documented() -> None:
    page = (REFERENCE / "dialects.md").read_text()

    assert [] == [name for name in DIALECTS if f" {name} |" not in page]


def test_every_fact_of_a_dialect_is_explained() -> None:
    page = (REFERENCE / "dialects.md").read_text()
    facts = [line.split("`")[1].rpartition(".")[2] for line in page.splitlines() if line.startswith("| `")]

    assert [] == [fact for fact in facts if f"- `{fact}`" not in page]


def test_the_check_finds_a_page_that_is_out_of_date(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 0
    assert main([str(tmp_path), "--check"]) == 0

    (tmp_path / "faults.md").write_text("old")

    assert main([str(tmp_path), "--check"]) == 1
    assert "faults.md" in capsys.readouterr().err
