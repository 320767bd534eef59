"""Randomness, from one place: names that nobody else has."""

from __future__ import annotations

import os
import random
import re
from typing import Final, Protocol

HIDING_DIGITS: Final = 16  # the random digits that hide a number in an identifier
_HIDING: Final = re.compile(r"[0-9a-f]{32}", re.ASCII)


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
        self._random = random.Random(seed)  # noqa: S311 - what replays must be foreseen

    def hexadecimal(self, digits: int) -> str:
        return f"{self._random.getrandbits(digits * 4):0{digits}x}"


def hiding(number: int, random: str) -> str:
    """An identifier of 32 digits from which the number, below 2**64, can be had again, but not guessed.

    `random` is HIDING_DIGITS hexadecimal digits.
    """
    return f"{number ^ int(random, 16):016x}{random}"


def hidden_in(id: str) -> int | None:
    """The number in an identifier that `hiding` made; None where it cannot have made it.

    Whoever finds something by it must compare the whole identifier: anybody can make one up.
    """
    if _HIDING.fullmatch(id) is None:
        return None
    return int(id[:HIDING_DIGITS], 16) ^ int(id[HIDING_DIGITS:], 16)
