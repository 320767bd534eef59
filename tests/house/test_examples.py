"""The examples of configurations can be used: every file is read, and what it declares can be."""

from __future__ import annotations

import pytest

from tests.house.sources import ROOT
from trivium.app.accounts import RootKey, users_of
from trivium.app.listeners import openings
from trivium.app.reading import read_settings

EXAMPLES = sorted((ROOT / "examples").glob("*.toml"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_can_be_used(example, monkeypatch):
    monkeypatch.setattr("trivium.app.listeners.check_tls", lambda tls: None)  # its files are not there
    settings = read_settings(example, {}, {})

    assert openings(settings)
    assert users_of(settings, RootKey("rootkey", "rootsecret")).find("rootkey") is not None
