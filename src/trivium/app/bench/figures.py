"""Figures: what was compared, the ratio, and whether it is what the house has promised."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Final

import msgspec

AT_LEAST: Final = ">="
AT_MOST: Final = "<="


class Target(msgspec.Struct, frozen=True):
    """What a figure has to be: AT_LEAST or AT_MOST `value`. `of` names the figure, if not the ratio."""

    bound: str
    value: float
    of: str = "ratio"
    unit: str = ""

    def met(self, figure: float) -> bool:
        """Whether the figure is good enough."""
        return figure >= self.value if self.bound == AT_LEAST else figure <= self.value

    def __str__(self) -> str:
        return f"{self.of} {self.bound} {self.value:g}{self.unit}"


class Verdict(msgspec.Struct, frozen=True):
    """A target, and the figure that was found."""

    target: Target
    figure: float

    @property
    def met(self) -> bool:
        return self.target.met(self.figure)

    def __str__(self) -> str:
        figure = f"{self.figure:.2f}{self.target.unit}"
        return f"{self.target}: {figure:>8}  {_word(self)}"


class Line(msgspec.Struct, frozen=True):
    """One operation: what we did, what the floor did, and their ratio. `facts` are more numbers, for JSON."""

    name: str
    ours: str
    floor: str
    ratio: float
    verdicts: tuple[Verdict, ...] = ()
    facts: dict[str, float] = {}

    def __str__(self) -> str:
        found = " ".join(f"[{verdict.target} {_word(verdict)}]" for verdict in self.verdicts)
        compared = f"{self.name:<38} {self.ours:<46} | {self.floor:<52}"
        return f"{compared} | ratio {self.ratio:5.2f} {found}".rstrip()


def _word(verdict: Verdict) -> str:
    return "met" if verdict.met else "NOT MET"


def judged(line: Line, *targets: Target) -> Line:
    """The line with its verdicts: the figure of a target is the ratio, or the fact of that name."""
    found = tuple(
        Verdict(target, line.ratio if target.of == "ratio" else line.facts[target.of]) for target in targets)
    return msgspec.structs.replace(line, verdicts=found)


def ratio(ours: Sequence[float], floor: Sequence[float]) -> float:
    """The median of the rounds' ratios. What one round compares was measured one right behind the other."""
    return statistics.median(mine / theirs for mine, theirs in zip(ours, floor, strict=True))


def summary(lines: Sequence[Line]) -> str:
    """Every target, and whether it is met."""
    rows = [f"  {line.name:<38} {verdict}" for line in lines for verdict in line.verdicts]
    if not rows:
        return "No target was measured."
    met = sum(verdict.met for line in lines for verdict in line.verdicts)
    return "\n".join([f"Targets: {met} of {len(rows)} met", *rows])
