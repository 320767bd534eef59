"""The fault catalogue: every row is raised somewhere, every fault that is raised is a row, and one code has one status."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

from trivium.base import faults, signature_faults
from trivium.base.faults import CATALOGUE, FaultKind

SOURCES = sorted((Path(__file__).parents[2] / "src" / "trivium").rglob("*.py"))
MODULES = {"faults": faults, "signature_faults": signature_faults}
ROWS = {
    name: kind for module in MODULES.values() for name, kind in vars(module).items() if isinstance(kind, FaultKind)}
# Rows that nothing raises yet, each with what will
WAITING = {
    "ConditionalRequestConflict": "engines that cannot order two conditional writes",
    "InvalidBucketState": "object lock",
    "InvalidObjectState": "cold storage",
    "RequestTimeout": "the door",
    "ServiceUnavailable": "the door",
    "TooManyBuckets": "quotas",
}


def mentioned() -> Iterator[tuple[Path, str, str]]:
    """Every `faults.Name` in the sources: where, of which module, which name."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in MODULES:
                yield path, node.value.id, node.attr


def test_every_fault_that_is_mentioned_is_there() -> None:
    assert [] == [(path.name, name) for path, module, name in mentioned() if name not in vars(MODULES[module])]


def test_every_row_is_raised_somewhere() -> None:
    unused = set(ROWS) - {name for _, _, name in mentioned()}

    assert set() == unused - set(WAITING)


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
