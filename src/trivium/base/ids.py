"""Randomness, from one place: names that nobody else has."""

from __future__ import annotations

import os
import random
from typing import Protocol


class Ids(Protocol):
    """Makes identifiers of lower-case hexadecimal digits."""

    def hexadecimal(self, digits: int) -> str: ...


class RandomIds:
    """Identifiers from the operating system's randomness: never the same twice, never to be guessed."""

    def hexadecimal(self, digits: int) -> str:
        return os.urandom((digits + 1) // 2).hex()[:digits]


class SeededIds:
    """The same identifiers for the same seed, for tests that replay."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)

    def hexadecimal(self, digits: int) -> str:
        return f"{self._random.getrandbits(digits * 4):0{digits}x}"
