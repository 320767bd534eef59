"""Bodies: what holds a file open, and how many may be."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from trivium.base import faults
from trivium.base.body import Descriptor, Place, Places
from trivium.base.faults import Fault


def refusal(places: Places) -> faults.FaultKind:
    with pytest.raises(Fault) as refused:
        places.take()
    return refused.value.kind


def test_there_are_so_many_places_and_each_is_free_again_when_nobody_holds_it() -> None:
    places = Places(2)
    taken: list[Place] = [places.take(), places.take()]

    assert refusal(places) is faults.SlowDown
    taken.pop()
    taken.append(places.take())
    assert refusal(places) is faults.SlowDown


def test_an_open_file_keeps_its_place(tmp_path: Path) -> None:
    places = Places(1)
    (tmp_path / "file").touch()
    file = Descriptor(os.open(tmp_path / "file", os.O_RDONLY), places.take())

    assert refusal(places) is faults.SlowDown
    del file
    places.take()
