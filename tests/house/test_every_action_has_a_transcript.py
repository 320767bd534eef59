"""Every declared action has a transcript of its own in tests/wire, and no folder there is of an action that is none."""

from __future__ import annotations

from pathlib import Path

from trivium.s3.operations import load_all
from trivium.s3.registry import OPERATIONS

WIRE = Path(__file__).parents[1] / "wire"
load_all()


def test_every_action_has_a_transcript() -> None:
    told = {path.parent.name for path in WIRE.glob("*/*.http")}

    assert set(OPERATIONS) == told - {"Refused", "Anything"}
