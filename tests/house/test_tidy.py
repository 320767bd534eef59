"""Sizes, docstrings and dead rooms. Sizes are printed, so that drift is seen before it hurts."""

from __future__ import annotations

import ast
import re
from statistics import median, quantiles

from tests.house.sources import SRC, functions, imported, modules

MAX_FILE_LINES = 500
MAX_FUNCTION_LINES = 60
MAX_COLUMNS = 110
MAX_ROOM_FILES = 20
MAX_LINES_IN_ALL = 20_700  # of the server; the bench serves nobody. The plan was about 18,000
# Who is reached otherwise than by an import: commands, and rooms that a list in the code names
ENTRANCES = {
    "trivium.__main__", "trivium.app.worker", "trivium.app.bench.floor",
    "trivium.storage.engines.memory", "trivium.storage.blobstores.memory",  # what tests hold the real ones against
}
ROOMS_BY_NAME = "trivium.s3.operations."


def test_files_are_short():
    long = {module.place: len(module.lines) for module in modules() if len(module.lines) > MAX_FILE_LINES}

    assert long == {}


def test_functions_are_short():
    long = {f"{one.module.place}:{one.line} {one.name}": one.lines for one in functions() if one.lines > MAX_FUNCTION_LINES}

    assert long == {}


def test_lines_are_not_wide():
    wide = [
        f"{module.place}:{number}" for module in modules()
        for number, line in enumerate(module.lines, 1)
        if len(line) > MAX_COLUMNS and "# type: ignore" not in line]

    assert wide == []


def test_folders_hold_no_more_than_a_page_lists():
    crowded = {str(room): n for room in SRC.rglob("*/") if (n := len(list(room.glob("*.py")))) > MAX_ROOM_FILES}

    assert crowded == {}


def test_every_module_says_what_it_is_for():
    silent = [module.place for module in modules() if module.tree.body and not ast.get_docstring(module.tree)]

    assert silent == []


def test_nothing_is_left_open():
    note = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
    open_notes = [
        f"{module.place}:{number}" for module in modules() for number, line in enumerate(module.lines, 1)
        if note.search(line)]

    assert open_notes == []


def test_exceptions_are_not_caught_in_general():
    """`except Exception` stands where what nobody foresaw becomes the answer to a request.

    And in the SQLite engine, where a mistake of ours must not leave the turnstile locked for every process.
    """
    places = {"trivium.s3.serve", "trivium.storage.engines.sqlite"}
    strays = [
        f"{module.place}:{node.lineno}" for module in modules() if module.name not in places
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ExceptHandler) and isinstance(node.type, ast.Name) and node.type.id == "Exception"]

    assert strays == []


def test_no_room_is_dead():
    reached = {name for module in modules() for found, _ in imported(module) for name in (found, found.rpartition(".")[0])}
    dead = [
        module.name for module in modules()
        if module.tree.body and module.path.name != "__init__.py" and module.name not in reached | ENTRANCES
        and not module.name.startswith(ROOMS_BY_NAME)]

    assert dead == []


def test_sizes_are_within_the_plan():
    lengths = [one.lines for one in functions()]
    files = [len(module.lines) for module in modules() if not module.name.startswith("trivium.app.bench")]
    figures = {
        "files": len(files), "lines": sum(files), "longest file": max(files), "functions": len(lengths),
        "median function": median(lengths), "nine in ten functions": quantiles(lengths, n=10)[-1],
        "longest function": max(lengths),
        "lines wider than 110": sum(len(line) > 110 for module in modules() for line in module.lines),
    }
    print("\nhouse:", ", ".join(f"{name} {value:g}" for name, value in figures.items()))

    assert figures["lines"] <= MAX_LINES_IN_ALL
    assert figures["median function"] <= 10
    assert figures["nine in ten functions"] <= 30
