"""The sources of the house as trees, for the checks of this folder."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src"


class Module(NamedTuple):
    """A source file: its dotted name, path, lines and tree."""

    name: str
    path: Path
    lines: list[str]
    tree: ast.Module

    @property
    def place(self) -> str:
        """Where it is, for a message."""
        return str(self.path.relative_to(ROOT))


@cache
def modules() -> tuple[Module, ...]:
    """Every source file of the package."""
    return tuple(_read(path) for path in sorted(SRC.rglob("*.py")))


def _read(path: Path) -> Module:
    text = path.read_text()
    name = ".".join(path.relative_to(SRC).with_suffix("").parts).removesuffix(".__init__")
    return Module(name, path, text.splitlines(), ast.parse(text))


def imported(module: Module) -> Iterator[tuple[str, int]]:
    """What the module imports, as dotted names, and on which line."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                yield f"{node.module}.{alias.name}", node.lineno


def used(module: Module) -> Iterator[tuple[str, int]]:
    """Every dotted name that the module looks up, `os.environ` for one, and on which line."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute):
            name = _dotted(node)
            if name:
                yield name, node.lineno


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        inner = _dotted(node.value)
        return f"{inner}.{node.attr}" if inner else ""
    return ""


class Function(NamedTuple):
    """A function: where it begins, and how many lines of code it has, its docstring and signature apart."""

    module: Module
    name: str
    line: int
    lines: int
    parameters: int


def functions() -> Iterator[Function]:
    """Every function of the package, nested ones too."""
    for module in modules():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield Function(module, node.name, node.lineno, _length(node), _parameters(node))


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    if not body:
        return 0
    return (body[-1].end_lineno or 0) - body[0].lineno + 1


def _parameters(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    arguments = node.args
    names = [one.arg for one in (*arguments.posonlyargs, *arguments.args)]
    return len(names) - (bool(names) and names[0] in ("self", "cls"))
