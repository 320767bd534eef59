"""The registry against botocore's model of S3: the same operations, requests, headers, query parameters and elements.

botocore is the oracle, not a dependency: whatever differs is a line with its reason in `agreed_differences`.
"""

from __future__ import annotations

import typing
from collections.abc import Iterator

import botocore.model
import pytest

from tests.house.agreed_differences import (
    ELEMENTS_ADDED,
    ELEMENTS_LEFT_OUT,
    EVERYWHERE,
    INPUTS,
    NEVER_ANSWERED,
    ONE_OF_MANY,
    OUTPUTS,
)
from tests.house.botocore_model import document_of, located, parts_of, selecting, service_model, uri_of
from trivium.s3.fields import Derived, Header, Query, Spread, sources
from trivium.s3.headers import REFUSED as REFUSED_HEADERS
from trivium.s3.operations import load_all
from trivium.s3.operations.refused import ALIKE
from trivium.s3.registry import OPERATIONS, REFUSED, Operation
from trivium.s3.xml import Shape, Text, fields_of

load_all()
MODEL = service_model()
SHARED = sorted(set(MODEL.operation_names) & set(OPERATIONS))
_used: set[object] = set()


def test_every_operation_of_the_model_is_declared_or_refused() -> None:
    unknown = set(MODEL.operation_names) - set(OPERATIONS) - set(REFUSED) - set(ALIKE)

    assert set() == unknown


def test_what_is_declared_or_refused_is_in_the_model() -> None:
    invented = (set(OPERATIONS) | set(REFUSED) | set(ALIKE)) - set(MODEL.operation_names)

    assert {"PostObject"} == invented


def test_what_is_alike_is_declared_or_refused_under_the_other_name() -> None:
    assert set() == set(ALIKE.values()) - set(OPERATIONS) - set(REFUSED)


@pytest.mark.parametrize("name", sorted(set(MODEL.operation_names) & (set(OPERATIONS) | set(REFUSED))))
def test_requests_select_the_operation_as_the_model_says(name: str) -> None:
    model = MODEL.operation_model(name)
    uri = uri_of(model)
    declared = OPERATIONS.get(name)
    method, target, selectors = (
        (declared.method, declared.target, declared.selectors) if declared is not None else REFUSED[name]
    )

    assert (uri.method, uri.target) == (method, target)
    assert uri.selectors <= selectors
    assert selectors - uri.selectors <= selecting(model)


@pytest.mark.parametrize("name", SHARED)
def test_successes_have_the_models_status(name: str) -> None:
    assert MODEL.operation_model(name).http.get("responseCode", 200) == OPERATIONS[name].status


@pytest.mark.parametrize("name", SHARED)
def test_every_input_in_a_header_or_the_query_is_read_or_its_absence_explained(name: str) -> None:
    shape = MODEL.operation_model(name).input_shape
    wanted = set(located(shape, "header", "querystring", "headers"))
    bound = _inputs(OPERATIONS[name])

    missing = {one for one in wanted if not _covered(one, bound)}

    assert set() == {one for one in missing if not _explained_input(name, one)}


@pytest.mark.parametrize("name", SHARED)
def test_nothing_is_read_that_the_model_does_not_send(name: str) -> None:
    shape = MODEL.operation_model(name).input_shape
    known = set(located(shape, "header", "querystring", "headers"))

    invented = {one for one in _inputs(OPERATIONS[name]) if one not in known}

    assert set() == {one for one in invented if not _explained_input(name, one)}


@pytest.mark.parametrize("name", SHARED)
def test_every_header_of_the_output_is_written_or_its_absence_explained(name: str) -> None:
    wanted = set(located(MODEL.operation_model(name).output_shape, "header", "headers"))
    written = _outputs(OPERATIONS[name])

    missing = {one for one in wanted if not _covered(one, written)}

    assert set() == {one for one in missing if not _explained_output(name, one)}


@pytest.mark.parametrize("name", SHARED)
def test_documents_of_requests_have_the_models_elements(name: str) -> None:
    operation, theirs = OPERATIONS[name], document_of(MODEL.operation_model(name).input_shape)
    assert (theirs is None) == (operation.document is None)
    if theirs is None or operation.document is None:
        return

    root, shape = theirs
    assert root == operation.document.root
    assert "" == "; ".join(_differences(name, operation.document_shape, shape, ""))


@pytest.mark.parametrize("name", SHARED)
def test_documents_of_answers_have_the_models_elements(name: str) -> None:
    operation, theirs = OPERATIONS[name], document_of(MODEL.operation_model(name).output_shape)
    assert (theirs is None) == (operation.answer is None)
    if theirs is None or operation.answer is None:
        return

    hint = typing.get_type_hints(operation.reply)[operation.answer_field]
    shape = hint if isinstance(hint, type) else next(one for one in hint.__args__ if one is not type(None))
    root, model = theirs
    if root:
        assert root == operation.answer.root
    assert "" == ("" if shape is Text else "; ".join(_differences(name, shape, model, "")))


def test_no_reason_is_given_for_a_difference_that_is_none() -> None:
    for name in SHARED:
        shape = MODEL.operation_model(name)
        _spend(name, shape)
    reasons = {
        *INPUTS,
        *OUTPUTS,
        *ELEMENTS_LEFT_OUT,
        *ELEMENTS_ADDED,
        *EVERYWHERE,
        *NEVER_ANSWERED,
        *ONE_OF_MANY,
    }

    assert set() == reasons - _used


def _spend(name: str, model: botocore.model.OperationModel) -> None:
    operation = OPERATIONS[name]
    wanted = set(located(model.input_shape, "header", "querystring", "headers"))
    bound = _inputs(operation)
    for one in (*(w for w in wanted if not _covered(w, bound)), *(b for b in bound if b not in wanted)):
        _explained_input(name, one)
    for one in set(located(model.output_shape, "header", "headers")):
        if not _covered(one, _outputs(operation)):
            _explained_output(name, one)
    theirs = document_of(model.input_shape)
    if theirs is not None and operation.document is not None:
        list(_differences(name, operation.document_shape, theirs[1], ""))
    answered = document_of(model.output_shape)
    if answered is not None and operation.answer is not None:
        hint = typing.get_type_hints(operation.reply)[operation.answer_field]
        if hint is not Text:
            list(_differences(name, hint, answered[1], ""))


def _covered(name: str, names: set[str]) -> bool:
    return name in names or any(name.startswith(one) for one in names if one.endswith("-"))


def _inputs(operation: Operation) -> set[str]:
    found: set[str] = set()
    for mark in sources(operation.ask).values():
        if isinstance(mark, Header | Query):
            found.add(mark.name)
        elif isinstance(mark, Derived):
            found |= {*mark.headers, *mark.queries}
    return found


def _outputs(operation: Operation) -> set[str]:
    found: set[str] = set()
    for mark in sources(operation.reply).values():
        if isinstance(mark, Header):
            found.add(mark.name)
        elif isinstance(mark, Spread):
            found |= set(mark.headers)
    return found


def _explained_input(operation: str, name: str) -> bool:
    if name in REFUSED_HEADERS:
        return True
    return _explained(operation, name, INPUTS, EVERYWHERE)


def _explained_output(operation: str, name: str) -> bool:
    return _explained(operation, name, OUTPUTS, NEVER_ANSWERED)


def _explained(
    operation: str,
    name: str,
    reasons: dict[tuple[str, str], str],
    always: dict[str, str],
) -> bool:
    if (operation, name) in reasons:
        _used.add((operation, name))
        return True
    for one in always:
        if name == one or (one.endswith("-") and name.startswith(one)):
            _used.add(one)
            return True
    return False


def _differences(operation: str, ours: type[Shape], theirs: botocore.model.Shape, path: str) -> Iterator[str]:
    """What one of the two has and the other has not, as far as no reason is given."""
    mine = {part.name: part for part in _our_parts(ours)}
    other = {part.name: part for part in parts_of(theirs)}
    for name in other.keys() - mine.keys():
        if not _agreed(ELEMENTS_LEFT_OUT, operation, path + name):
            yield f"{path}{name} is in the model alone"
    for name in mine.keys() - other.keys():
        if not _agreed(ELEMENTS_ADDED, operation, path + name):
            yield f"{path}{name} is here alone"
    for name in mine.keys() & other.keys():
        a, b = mine[name], other[name]
        if b.many and not a.many and name in ONE_OF_MANY and a[1:3] == b[1:3]:
            _used.add(name)
        elif a[1:4] != b[1:4]:
            yield f"{path}{name} is {a[1:4]} here, {b[1:4]} in the model"
        elif a.kind == "shape":
            inside = f"{b.wrapper}/{name}/".lstrip("/")
            yield from _differences(operation, a.shape, b.shape, path + inside)


def _agreed(reasons: dict[tuple[str, str], str], operation: str, path: str) -> bool:
    for known in ((operation, path), ("*", path.rpartition("/")[2])):
        if known in reasons:
            _used.add(known)
            return True
    return False


class OurPart(typing.NamedTuple):
    """As `Part`, with our shape."""

    name: str
    wrapper: str
    kind: str
    many: bool
    shape: type[Shape]


def _our_parts(shape: type[Shape]) -> Iterator[OurPart]:
    for field in fields_of(shape):
        if field.choices:
            yield from (OurPart(one.__name__, "", "shape", True, one) for one in field.choices)
        else:
            yield OurPart(field.name, field.wrapper, field.kind, field.many, field.shape)
