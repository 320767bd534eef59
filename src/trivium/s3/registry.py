"""The table of S3's actions: one declaration on one function each, and the route from a request to it.

Theory of operation. S3 has few cells (method × target); inside a cell the presence of a query key or a header
selects the action. `operation` adds a row with its selectors; `refuse` adds a row for every action of S3 that
this server does not have, so that it is answered with NotImplemented and never by another action. A request's
selectors are those of its query keys and headers that select anything anywhere, and words without a value
that nobody knows; the row with exactly these is the action. `uploadId`, `partNumber` and `versionId` say what
a request is about: an action that does not read one of them refuses it, for it would act on something else.
Two rows for the same cell and selectors are an error at import, and so is an operation without a permission.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Awaitable, Callable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final

import msgspec

from trivium.base import faults
from trivium.base.faults import Fault, FaultKind
from trivium.s3.fields import Derived, Document, Header, binder, header_writer, query_names, sources
from trivium.s3.headers import refusals
from trivium.s3.messages import OBJECT, Request, Target


class Operation(msgspec.Struct, frozen=True):
    """A declared action.

    `selectors`: query keys, `key=value` pairs, or `header:` names that select it. `needs`: a feature of the
    bucket (a field of `Features`). `allow`: the permission it asks for, `allow_version` the one when
    `versionId` is given, `allow_tags` the one that is needed too when `x-amz-tagging` is, `source` the one on
    the bucket of `x-amz-copy-source`. `document` and `shape`: the root and type of the request's XML.
    `creates`: the bucket need not exist. `status`: of a success. `refuses`: headers that ask for what it does
    not do. `reads`: the query parameters that it reads. `bodiless`: it takes neither a document nor bytes.
    """

    name: str
    method: str
    target: str
    selectors: frozenset[str]
    allow: str
    handler: Callable[[Any], Awaitable[Any]]  # Call[Ask] -> Reply; both differ by action
    ask: type[msgspec.Struct]
    reply: type[msgspec.Struct]
    bind: Callable[[Request], dict[str, Any]]
    write_headers: Callable[[Any, list[tuple[str, str]]], None]
    needs: str = ""
    allow_version: str = ""
    allow_tags: str = ""
    source: str = ""
    document: Document | None = None
    document_field: str = ""
    document_shape: Any = None  # type[Shape]
    answer: Document | None = None
    answer_field: str = ""
    opens: bool = True
    status: int = 200
    refuses: frozenset[str] = frozenset()
    reads: frozenset[str] = frozenset()
    bodiless: bool = False


OPERATIONS: Final[dict[str, Operation]] = {}
REFUSED: Final[dict[str, tuple[str, str, frozenset[str]]]] = {}
_misplaced: Final[dict[tuple[str, str, frozenset[str]], FaultKind]] = {}
_cells: Final[dict[tuple[str, str], dict[frozenset[str], Operation | str]]] = {}
_queries: Final[set[str]] = set()  # every query key, or key=value, that selects anything
_valued: Final[set[str]] = set()  # the keys of those with a value
_headers: Final[dict[tuple[str, str], tuple[str, ...]]] = {}  # selecting headers of a cell
_local: Final[dict[tuple[str, str], set[str]]] = {}  # query selectors of a cell
_reads: Final[dict[tuple[str, str], set[str]]] = {}  # parameters that some action of a cell reads
# say what a request is about, and which of a cell's actions it asks for, if any reads them
_ADDRESSING: Final = ("uploadId", "partNumber", "versionId")
_ADDRESSES: Final = frozenset(_ADDRESSING)
_OVERRIDES: Final = "response-"
# of signatures, and headers that a presigned URL carries; who sends them empty is told so elsewhere
_OF_SIGNATURES: Final = frozenset({"awsaccesskeyid", "expires", "signature", "content-type", "content-md5"})


def operation(
    name: str, method: str, target: str, *, allow: str, when: tuple[str, ...] = (), needs: str = "",
    allow_version: str = "", allow_tags: str = "", source: str = "", opens: bool = True, status: int = 200,
    uploads: bool = False,
) -> Callable[[Callable[[Any], Awaitable[Any]]], Callable[[Any], Awaitable[Any]]]:
    """Declare the action that the decorated handler answers. Its Ask and Reply are read from its annotations.

    `uploads`: the handler takes the body's bytes itself.
    """
    if not allow:
        raise AssertionError(f"{name} asks for no permission")

    def declare(handler: Callable[[Any], Awaitable[Any]]) -> Callable[[Any], Awaitable[Any]]:
        ask, reply = _signature(handler)
        document_field, document = _document(ask)
        answer_field, answer = _document(reply)
        made = Operation(
            name, method, target, frozenset(when), allow, handler, ask, reply, binder(ask),
            header_writer(reply), needs, allow_version, allow_tags, source, document, document_field,
            shape_of(ask, document_field), answer, answer_field, opens, status,
            refusals(method, headers_read(ask)), frozenset(query_names(ask)),
            document is None and not uploads,
        )
        _add(method, target, made.selectors, made, name)
        _reads.setdefault((method, target), set()).update(made.reads)
        OPERATIONS[name] = made
        return handler

    return declare


def refuse(name: str, method: str, target: str, *when: str) -> None:
    """Declare that this action of S3 is not here: it is answered with NotImplemented."""
    _add(method, target, frozenset(when), name, name)
    REFUSED[name] = (method, target, frozenset(when))


def misplace(query: str, method: str, target: str, kind: FaultKind) -> None:
    """Declare what is told to those who ask for this sub-resource where S3 has none."""
    _misplaced[method, target, frozenset({query})] = kind


def _add(method: str, target: str, selectors: frozenset[str], row: Operation | str, name: str) -> None:
    cell = _cells.setdefault((method, target), {})
    if selectors in cell or name in OPERATIONS or name in REFUSED:
        raise AssertionError(f"{name} answers what another action answers, or is declared twice")
    cell[selectors] = row
    headers = [one[7:] for one in selectors if one.startswith("header:")]
    if headers:
        _headers[method, target] = tuple(dict.fromkeys((*_headers.get((method, target), ()), *headers)))
    for one in selectors - {"header:" + header for header in headers}:
        _local.setdefault((method, target), set()).add(one)
        _queries.add(one)
        if "=" in one:
            _valued.add(one.partition("=")[0])


def route(request: Request, target: Target) -> Operation:
    """The action that the request asks for. Raises NotImplemented for what this server does not do,
    MethodNotAllowed for what S3 does not do, and what `_misaddressed` says.
    """
    place = (request.method, target.kind)
    cell = _cells.get(place)
    if cell is None:
        raise _preflight(request) if request.method == "OPTIONS" and target.bucket else _not_allowed(*place)
    selectors = _selectors(request, place)
    found = cell.get(selectors)
    if found is None and not selectors:
        raise _not_allowed(*place)
    if found is None or found.__class__ is str:
        raise _refusal(request, place, selectors)
    operation: Operation = found  # type: ignore[assignment]  # a str was refused above
    if request.query_string and not _ADDRESSES.isdisjoint(request.query):
        for name in _ADDRESSING:
            if name in request.query and name not in operation.reads:
                raise _misaddressed(request, operation, name)
    return operation


def _misaddressed(request: Request, operation: Operation, name: str) -> Fault:
    """Why this action cannot have this parameter. Codes and statuses are AWS's; where AWS answers 405 for an
    upload of a bucket, Table A-1 of ActiveScale's S3 API Reference has a name with 400.
    """
    if name == "versionId":
        return faults.VersionIdMethodMismatch(ArgumentName=name, ArgumentValue=request.query[name])
    if operation.target != OBJECT:
        return (faults.RequestUploadIdOfBucket if name == "uploadId" else faults.RequestPartNumberOfBucket)()
    words = sorted({name, *(one for one in operation.selectors if not one.startswith("header:"))})
    if len(words) > 1:
        return faults.InvalidArgument(f"Conflicting query string parameters: {', '.join(words)}",
                                      ArgumentName="ResourceType", ArgumentValue=words[0])
    return faults.MethodNotAllowed(
        Method=request.method, ResourceType="UPLOAD" if name == "uploadId" else "PART",
        Allow=", ".join(sorted(method for (method, kind), names in _reads.items()
                               if kind == OBJECT and name in names)))


def _refusal(request: Request, place: tuple[str, str], selectors: frozenset[str]) -> Fault:
    """Why nobody answers to these selectors: they belong elsewhere, S3 has an action for them that this
    server has not, or it has none.
    """
    kind = _misplaced.get((*place, selectors))
    if kind is not None:
        return kind()
    kind = faults.NotImplemented_ if selectors in _cells[place] else faults.UnexpectedQueryStringParameter
    return kind(Header=", ".join(sorted(selectors)) or request.method)


def _preflight(request: Request) -> Fault:
    """What a browser is told that asks before it sends: no bucket here has rules for that (User Guide,
    "Troubleshooting CORS").
    """
    if "origin" not in request.headers:
        return faults.BadOptionsRequest()
    return faults.CorsNotEnabled()


def _not_allowed(method: str, kind: str) -> Fault:
    allowed = sorted(one for (one, target), cell in _cells.items() if target == kind and _NONE in cell)
    return faults.MethodNotAllowed(Method=method, ResourceType=kind.upper(), Allow=", ".join(allowed))


_NONE: Final[frozenset[str]] = frozenset()
_SHAPES_KEPT: Final = 1000
# of a query string whose shape is kept: what is kept is bounded, whoever sends what
_SHAPE_CHARACTERS: Final = 1024
# selectors by the shape of a request: clients send few
_shapes: Final[dict[tuple[str, ...], frozenset[str]]] = {}


def _selectors(request: Request, place: tuple[str, str]) -> frozenset[str]:
    """What selects the action. Queries with the same keys select alike, unless a value selects."""
    headers = _headers.get(place, ())
    if not request.query_string:
        found = _NONE
    else:
        query = request.query
        shape = (*place, *query)
        found_or_none = _shapes.get(shape) if "" not in query.values() else None
        found = _new_shape(request, place, shape) if found_or_none is None else found_or_none
    for header in headers:
        if header in request.headers:
            found |= {"header:" + header}
    return found


def _new_shape(request: Request, place: tuple[str, str], shape: tuple[str, ...]) -> frozenset[str]:
    query = request.query
    found = _query_selectors(query, _local.get(place, _NONE), _reads.get(place, _NONE))
    # no value of this shape's queries can matter
    alike = _valued.isdisjoint(query) and "" not in query.values()
    if alike and len(_shapes) < _SHAPES_KEPT and len(request.query_string) < _SHAPE_CHARACTERS:
        _shapes[shape] = found
    return found


def _query_selectors(
    query: Mapping[str, str], local: AbstractSet[str], read: AbstractSet[str],
) -> frozenset[str]:
    found: list[str] = []
    for key, value in query.items():
        if key in local:
            found.append(key)
        elif key in read or key in _ADDRESSES:
            continue
        elif key in _valued and any(one.startswith(key + "=") for one in local):
            found.append(f"{key}={value}")  # one that no action has is refused, whatever its value
        elif key.startswith(_OVERRIDES) and any(one.startswith(_OVERRIDES) for one in read):
            raise faults.NonOverridableResponseHeader(ArgumentName=key, ArgumentValue=value)
        elif key in _queries or (not value and not _signs(key)):
            # of another cell, or a word that nobody knows: a sub-resource, never a plain request. A parameter
            # with a value is none of S3's, and ignored as AWS ignores it (SDKs add `x-id=PutObject`)
            found.append(key)
    return frozenset(found)


def _signs(key: str) -> bool:
    """Is the parameter of a signature, or a header in a presigned URL?"""
    lower = key.lower()
    return lower.startswith("x-amz-") or lower in _OF_SIGNATURES


def _signature(handler: Callable[[Any], Awaitable[Any]]) -> tuple[type[msgspec.Struct], type[msgspec.Struct]]:
    hints = typing.get_type_hints(handler)
    call = next(hint for name, hint in hints.items() if name != "return")
    return typing.get_args(call)[0], hints["return"]


def headers_read(struct: type[msgspec.Struct]) -> list[str]:
    found: list[str] = []
    for mark in sources(struct).values():
        if isinstance(mark, Header):
            found.append(mark.name)
        elif isinstance(mark, Derived):
            found += mark.headers
    return found


def _document(struct: type[msgspec.Struct]) -> tuple[str, Document | None]:
    for name, mark in sources(struct).items():
        if isinstance(mark, Document):
            return name, mark
    return "", None


def shape_of(struct: type[msgspec.Struct], field: str) -> Any:  # a type[Shape], or None
    """The shape of a document's field; None where there is no field."""
    if not field:
        return None
    hint = typing.get_type_hints(struct)[field]
    if isinstance(hint, types.UnionType):
        return next(one for one in hint.__args__ if one is not type(None))
    return hint
