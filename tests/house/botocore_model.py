"""What botocore's model of S3 says of an operation, in the words of our registry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import botocore.model
import botocore.session

_TARGETS: Final = {"/": "service", "/{Bucket}": "bucket", "/{Bucket}/{Key+}": "object"}
_KINDS: Final = {
    "string": "text",
    "timestamp": "text",
    "integer": "number",
    "long": "number",
    "boolean": "flag",
    "structure": "shape",
}


class Uri(NamedTuple):
    """Method, target and the selectors that stand in the URI itself."""

    method: str
    target: str
    selectors: frozenset[str]


class Part(NamedTuple):
    """An element of a document: its name, the element around a list, its kind, and the shape inside."""

    name: str
    wrapper: str
    kind: str
    many: bool
    shape: botocore.model.Shape | None


def service_model() -> botocore.model.ServiceModel:
    """The installed model of S3."""
    return botocore.session.Session().get_service_model("s3")


def uri_of(operation: botocore.model.OperationModel) -> Uri:
    """The shape of the operation's requests."""
    path, _, query = operation.http["requestUri"].partition("?")
    return Uri(operation.http["method"], _TARGETS.get(path, path), frozenset(filter(None, query.split("&"))))


def located(shape: botocore.model.Shape | None, *locations: str) -> Iterator[str]:
    """The wire names, in lower case where they are headers, of the members that travel there."""
    for member in (shape.members if shape is not None else {}).values():
        location = member.serialization.get("location")
        if location in locations:
            name = member.serialization["name"]
            yield name if location == "querystring" else name.lower()


def selecting(operation: botocore.model.OperationModel) -> set[str]:
    """What may select the operation besides its URI: its required headers and query parameters."""
    shape = operation.input_shape
    found: set[str] = set()
    for name in shape.required_members if shape is not None else ():
        wire = shape.members[name].serialization
        if wire.get("location") == "querystring":
            found.add(wire["name"])
        elif wire.get("location") == "header":
            found.add("header:" + wire["name"].lower())
    return found


def document_of(shape: botocore.model.Shape | None) -> tuple[str, botocore.model.Shape] | None:
    """The name and shape of the XML document that the input or output has; the name is "" where the model has none."""
    if shape is None:
        return None
    payload = shape.serialization.get("payload")
    if payload is not None:
        member = shape.members[payload]
        return (
            (member.serialization.get("name", payload), member) if member.type_name == "structure" else None
        )
    inside = [one for one in shape.members.values() if "location" not in one.serialization]
    return ("", shape) if inside else None


def parts_of(shape: botocore.model.Shape) -> Iterator[Part]:
    """The elements inside a structure."""
    for name, member in shape.members.items():
        wire = member.serialization
        if "location" in wire:
            continue
        outer = wire.get("name", name)
        if member.type_name != "list":
            yield Part(outer, "", _KINDS[member.type_name], False, member)
            continue
        item = member.member
        if wire.get("flattened"):
            yield Part(item.serialization.get("name", outer), "", _KINDS[item.type_name], True, item)
        else:
            yield Part(item.serialization.get("name", "member"), outer, _KINDS[item.type_name], True, item)
