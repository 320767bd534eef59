"""The reference pages of the protocol, written from the declarations.

They are written by `python -m scripts.pages docs/reference`. With `--check` nothing is written: the
command fails when a page is not what it would be.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from trivium.base.clock import SetClock
from trivium.base.faults import CATALOGUE, FaultKind
from trivium.base.ids import SeededIds
from trivium.buckets.bucket import Features
from trivium.buckets.mount.bucket import MountBucket
from trivium.buckets.objects.bucket import ObjectsBucket
from trivium.buckets.record import ENABLED, MOUNT, OBJECTS, BucketRecord, Ground
from trivium.buckets.repo.bucket import BranchBucket
from trivium.buckets.repo.repository import Repositories
from trivium.s3.dialect import Dialect, Limits
from trivium.s3.dialects import DIALECTS
from trivium.s3.fields import Derived, Header, Spread, query_names, sources
from trivium.s3.headers import REFUSED as REFUSED_HEADERS
from trivium.s3.operations import load_all
from trivium.s3.operations.refused import ALIKE
from trivium.s3.registry import OPERATIONS, REFUSED, Operation, shape_of
from trivium.s3.xml import Field, Text, fields_of
from trivium.storage.blobstores.memory import MemoryBlobs
from trivium.storage.engines.memory import MemoryEngine
from trivium.under.local import LocalStore

_MARK: Final = "<!-- Written by `make docs` from the declarations. -->"


def operations() -> str:
    kinds = dict(_kinds())
    rows = [
        (f"[{name}](#{name.lower()})", f"`{one.method}`", one.target, _selectors(one.selectors),
         f"`{one.allow}`", *(_works(one, features) for features in kinds.values()))
        for name, one in sorted(OPERATIONS.items())
    ]
    refused = [
        (name, f"`{method}`", target, _selectors(selectors))
        for name, (method, target, selectors) in sorted(REFUSED.items())
    ]
    alike = [(name, f"as {other}") for name, other in sorted(ALIKE.items())]
    return "\n".join([
        "# Operations", "", _MARK, "", _OPERATIONS_SAY, "",
        *_table(("action", "method", "target", "selected by", "permission", *kinds), rows), "",
        *(line for name in sorted(OPERATIONS) for line in _section(OPERATIONS[name])),
        "## Refused", "", _REFUSED_SAY, "", *_table(("action", "method", "target", "selected by"), refused),
        "", "These send the same request as another action, and are answered as it is:", "",
        *_table(("action", "answered"), alike), "",
        "## Refused headers", "", _HEADERS_SAY, "",
        *_table(("header", "harmless values"), _refused_headers()), "",
    ])


_OPERATIONS_SAY: Final = (
    "Every action of S3 that this server has: how its requests are told apart, the permission it asks for,"
    " and the kinds of bucket that can do it. A bucket that cannot answers `501 NotImplemented`.")
_REFUSED_SAY: Final = (
    "Every other action of S3 is answered with `501 NotImplemented`, and never by another action.")
_HEADERS_SAY: Final = (
    "A request with one of these asks for what this server does not do. It is answered with"
    " `501 NotImplemented`, unless the value asks for what is the case anyway. A write that reads some of"
    " `If-Match`, `If-None-Match`, `If-Modified-Since` and `If-Unmodified-Since` answers the others so, too.")


def faults() -> str:
    rows = [
        (f"`{kind.name}`", "" if kind.code == kind.name else f"`{kind.code}`", _fine(kind), str(kind.status),
         kind.message)
        for kind in sorted(CATALOGUE.values(), key=lambda kind: kind.name)
    ]
    return "\n".join([
        "# Faults", "", _MARK, "", _FAULTS_SAY, "",
        *_table(_FAULTS_TOLD, rows), ""])


def _fine(kind: FaultKind) -> str:
    """What dialects with fine names show, where it is not name and status."""
    status = f" {kind.fine_status}" if kind.fine_status != kind.status else ""
    return f"`{kind.fine}`{status}" if status or kind.fine != kind.name else ""


_FAULTS_SAY: Final = (
    "Everything that can be wrong with a request. The error document shows the code, which is AWS's; dialects"
    " with `fine_faults` show the fine name and its status: the name, unless this page says otherwise. What"
    " is known about a fault (which key, which size) stands in elements of its own.")
_FAULTS_TOLD: Final = (
    "name", "code, where it differs", "fine name, where it differs", "status", "message")


def dialects() -> str:
    """The page of all dialects, and of the facts in which they differ."""
    facts = [*_facts(Dialect, ()), *_facts(Limits, ("limits",))]
    rows = [
        (f"`{'.'.join(path)}`", *(_value(dialect, path) for dialect in DIALECTS.values()))
        for path in facts if len({_value(dialect, path) for dialect in DIALECTS.values()}) > 1
    ]
    same = [(f"`{'.'.join(path)}`", _value(DIALECTS["aws"], path)) for path in facts
            if len({_value(dialect, path) for dialect in DIALECTS.values()}) == 1]
    return "\n".join([
        "# Dialects", "", _MARK, "", _DIALECTS_SAY, "", *_table(("fact", *DIALECTS), rows), "",
        "## In all dialects", "", *_table(("fact", "value"), same), "",
        "## What the facts say", "", *_explained(Dialect), *_explained(Limits), ""])


_DIALECTS_SAY: Final = (
    "S3s differ. A listener speaks one dialect, which is data; these are the facts in which they differ, and"
    " `aws` is what AWS does. The source of each fact stands beside it in `src/trivium/s3/dialects`.")


PAGES: Final[dict[str, Callable[[], str]]] = {
    "operations.md": operations, "faults.md": faults, "dialects.md": dialects}


def _kinds() -> Iterator[tuple[str, Features]]:
    """The kinds of bucket and what each can do."""
    clock, ids = SetClock(), SeededIds()
    ground = Ground(MemoryEngine(), MemoryBlobs(clock, ids), clock, ids)
    record = BucketRecord(1, "objects", OBJECTS, "", 0, versioning=ENABLED)
    objects = ObjectsBucket(ground, record, 0).features
    yield "objects", objects
    yield "view of the past", _past(objects)
    mount = BucketRecord(2, "mount", MOUNT, "", 0, facts={"path": "."})
    yield "mount", MountBucket(ground, mount, LocalStore(".", clock, ids)).features
    branch = BranchBucket(
        ground, asyncio.run(Repositories(ground).create("branch.repository", "")), 0).features
    yield "branch", branch
    yield "commit", _past(branch)


def _past(features: Features) -> Features:
    assert features.past is not None, "objects and branches keep their past"
    return asyncio.run(features.past.at(0)).features


def _works(operation: Operation, features: Features) -> str:
    if not operation.opens:
        return "–"
    return "yes" if not operation.needs or getattr(features, operation.needs) else "no"


def _section(operation: Operation) -> Iterator[str]:
    yield from (f"### {operation.name}", "")
    doc = (operation.ask.__doc__ or "").strip().replace("\n    ", " ")
    yield from (doc, "")
    if operation.allow_version:
        yield f"- permission with `versionId`: `{operation.allow_version}`"
    if operation.allow_tags:
        yield f"- permission with `x-amz-tagging`: `{operation.allow_tags}` too"
    if operation.source:
        yield f"- permission on the source: `{operation.source}`"
    for what, names in (("query", query_names(operation.ask)), ("headers read", _headers(operation.ask)),
                        ("document read", _document(operation, "document")),
                        ("status", [str(operation.status)]),
                        ("headers answered", _headers(operation.reply)),
                        ("document answered", _document(operation, "answer"))):
        if names:
            yield f"- {what}: " + ", ".join(f"`{name}`" for name in names)
    yield ""


def _headers(struct: type[msgspec.Struct]) -> list[str]:
    """The headers that an Ask reads or a Reply answers with."""
    found: list[str] = []
    for mark in sources(struct).values():
        if isinstance(mark, Header):
            found.append(mark.name)
        elif isinstance(mark, Derived | Spread):
            found += mark.headers
    return list(dict.fromkeys(found))


def _document(operation: Operation, which: str) -> list[str]:
    document = getattr(operation, which)
    if document is None:
        return []
    struct, field = {
        "document": (operation.ask, operation.document_field),
        "answer": (operation.reply, operation.answer_field)}[which]
    shape = shape_of(struct, field)
    fields = [] if shape is Text else fields_of(shape)
    return [document.root, *(name for one in fields for name in _elements(one))]


def _elements(field: Field) -> list[str]:
    if field.choices:
        return [one.__name__ for one in field.choices]
    return [f"{field.wrapper}/{field.name}".lstrip("/")]


def _selectors(selectors: frozenset[str]) -> str:
    return ", ".join(f"`{one}`" for one in sorted(selectors)) or "–"


def _refused_headers() -> Iterator[tuple[str, str]]:
    for name, harmless in REFUSED_HEADERS.items():
        yield f"`{name}`", ", ".join(f"`{value}`" for value in sorted(harmless)) or "none"


def _facts(struct: type[msgspec.Struct], path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for field in msgspec.structs.fields(struct):
        if field.name not in ("name", "limits"):
            yield (*path, field.name)


def _value(dialect: Dialect, path: tuple[str, ...]) -> str:
    value: Any = dialect  # Any: a field of any type
    for name in path:
        value = getattr(value, name)
    return f"`{str(value).lower() if isinstance(value, bool) else value}`" if value != "" else "none"


def _explained(struct: type[msgspec.Struct]) -> Iterator[str]:
    """The paragraph of the docstring that names the fields."""
    _, _, said = (struct.__doc__ or "").partition("\n")
    for line in filter(None, (line.strip() for line in said.splitlines())):
        yield f"- {line}" if line.startswith("`") else f"  {line}"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"


def main(arguments: list[str]) -> int:
    """Write the pages, or check them."""
    load_all()
    folder = Path(next(one for one in arguments if not one.startswith("-")))
    wrong = 0
    for name, page in PAGES.items():
        path, text = folder / name, page()
        if "--check" not in arguments:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            sys.stderr.write(f"{path} is out of date: run `make docs`\n")
            wrong += 1
    return min(wrong, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
