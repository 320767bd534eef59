"""The fault catalogue: every row is raised somewhere, every fault that is raised is a row, and one code has one status."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

from tests.house.table_a1 import NOT_YET, SIBLINGS, TABLE
from trivium.base import faults, signature_faults
from trivium.base.faults import CATALOGUE, FaultKind

SOURCES = sorted((Path(__file__).parents[2] / "src" / "trivium").rglob("*.py"))
MODULES = {"faults": faults, "signature_faults": signature_faults}
ROWS = {
    name: kind for module in MODULES.values() for name, kind in vars(module).items() if isinstance(kind, FaultKind)}


def mentioned() -> Iterator[tuple[Path, str, str]]:
    """Every `faults.Name` in the sources: where, of which module, which name."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in MODULES:
                yield path, node.value.id, node.attr


def test_every_fault_that_is_mentioned_is_there() -> None:
    assert [] == [(path.name, name) for path, module, name in mentioned() if name not in vars(MODULES[module])]


def test_every_row_is_raised_somewhere() -> None:
    assert set() == set(ROWS) - {name for _, _, name in mentioned()}


def test_every_row_of_the_catalogue_has_a_name_in_the_module() -> None:
    assert {kind.name for kind in ROWS.values()} == set(CATALOGUE)


def test_a_code_has_one_status() -> None:
    statuses = defaultdict(set)
    for kind in CATALOGUE.values():
        statuses[kind.code].add(kind.status)

    assert {} == {code: found for code, found in statuses.items() if len(found) > 1}


def test_statuses_are_of_refusals_and_codes_are_words() -> None:
    for kind in CATALOGUE.values():
        assert kind.status == HTTPStatus.NOT_MODIFIED or HTTPStatus(kind.status) >= HTTPStatus.BAD_REQUEST
        assert re.fullmatch(r"[A-Z][A-Za-z0-9]+", kind.code), kind.code


def test_messages_are_sentences_without_line_breaks() -> None:
    for kind in CATALOGUE.values():
        assert re.fullmatch(r"\S.*\S", kind.message), kind.name
        assert "  " not in kind.message.replace(".  ", ". "), kind.name


# What Table A-1 says of it cannot be sent: a condition that fails has a status of its own (RFC 9110 §15.4.5)
_OTHER_STATUS = {"NotModified"}
_TESTS = Path(__file__).parents[1]


def test_every_name_of_table_a1_is_raised_or_has_a_reason() -> None:
    assert set() == set(TABLE) - {kind.fine for kind in CATALOGUE.values()} - set(NOT_YET)


def test_names_have_the_status_of_table_a1() -> None:
    shown = {(kind.fine, kind.fine_status) for kind in CATALOGUE.values() if kind.fine not in _OTHER_STATUS}

    assert set() == {(name, status) for name, status in shown if TABLE.get(name, status) != status}


def test_what_is_shown_for_a_fine_name_is_in_table_a1_unless_it_is_newer() -> None:
    """A code that the table does not have came to S3 after it was written."""
    strange = {kind.fine for kind in CATALOGUE.values() if kind.fine not in TABLE and kind.fine != kind.code}

    assert SIBLINGS == strange


def test_every_name_of_table_a1_that_is_raised_is_met_in_a_test() -> None:
    told = "\n".join(
        path.read_text() for folder in ("clients", "hostile", "sim", "unit", "wire")
        for path in sorted((_TESTS / folder).rglob("*")) if path.suffix in (".py", ".http"))
    words = set(re.findall(r"\w+", told))
    raised = {kind.fine for kind in CATALOGUE.values()} & set(TABLE)

    assert set() == raised - words
