"""Generated pages are up to date: writing them again changes nothing."""

from __future__ import annotations

from scripts.reference import page
from tests.house.sources import ROOT


def test_the_page_of_settings_is_up_to_date():
    written = (ROOT / "docs/reference/configuration.md").read_text()

    assert page() == written, "run `make docs`"


def test_every_setting_explains_itself():
    assert "  " not in page().replace("\n", "")
