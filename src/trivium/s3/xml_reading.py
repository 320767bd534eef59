"""XML in: a document as the value of its shape.

Theory of operation. The parser makes a tree, without a line of ours, and a reader that is made once of the
shape's declaration makes the value of the tree. Elements are looked up by name, so that what is unknown costs
little and is ignored, unless the shape is strict. What a document may do to us is bounded before the tree is
made (tags, hence elements and the size of the tree), while it is (a document type, without which there are no
entities) and behind it (elements, attributes, depth). What is but a long list is read without a tree, see
below.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import Any, Final, TypeVar
from xml.etree.ElementTree import Element as Node
from xml.etree.ElementTree import ParseError, TreeBuilder, XMLParser

import msgspec

from trivium.base import faults
from trivium.s3.xml import MAX_ELEMENTS, XSI, Field, Rows, Shape, fields_of

MAX_TAGS: Final = 2 * MAX_ELEMENTS  # and whatever else begins like one
MAX_DEPTH: Final = 16
_MAX_DIGITS: Final = 19
MAX_ATTRIBUTES: Final = 16  # S3's documents have one: the type of a grantee
_NUMBER: Final = re.compile(rf"-?[0-9]{{1,{_MAX_DIGITS}}}")
_TYPE: Final = f"{{{XSI}}}type"  # as the parser names that attribute
_S3: Final = "{http://s3.amazonaws.com/doc/2006-03-01/}"  # and the elements of those who tell S3's name space

S = TypeVar("S", bound=Shape)
_OfNode = Callable[[Node, int], Any]  # (an element, how deep it lies) -> a Shape, or a tuple as declared
_OfText = Callable[[str], Any]  # -> int or bool
_Slot = tuple[str, bool, _OfText | None, _OfNode | None]  # the field, is it a list; text: neither


def read(root: str, shape: type[S], data: bytes) -> S:
    """The document as a value. Raises MissingRequestBodyError for none, MalformedXML for another shape."""
    if not data.strip():
        raise faults.MissingRequestBodyError()
    listed = read_list(root, shape, data)
    return listed if listed is not None else read_tree(root, shape, data)


def read_tree(root: str, shape: type[S], data: bytes) -> S:
    """The document as a value, whatever it looks like. Raises MalformedXML when it is not this shape."""
    node = _parse(data)
    if _local(node.tag) != root:
        raise faults.MalformedXML()
    value: S = _reader(shape)(node, 1)
    return value


class _Undeclared(TreeBuilder):
    """Makes the tree of a document that declares no type, hence no entities."""

    def doctype(self, *_: object) -> None:
        raise faults.MalformedXML()


def _parse(data: bytes) -> Node:
    """The root of the tree, which has no more elements and attributes than allowed."""
    tags = data.count(b"<")
    if tags > MAX_TAGS:
        raise faults.MalformedXML()
    # The builder itself is faster than a subclass. A declaration begins like this; in UTF-16, which has NULs,
    # it looks different.
    builder = _Undeclared() if b"<!" in data or b"\0" in data else TreeBuilder()
    # UTF-8 whatever the document says of itself: S3's documents are. Entities: see above
    parser = XMLParser(target=builder, encoding="UTF-8")  # noqa: S314
    try:
        parser.feed(data)
        root: Node = parser.close()
    except (ParseError, ValueError, LookupError):
        raise faults.MalformedXML() from None
    if tags > MAX_ELEMENTS or data.count(b"=") > MAX_ATTRIBUTES:  # else there cannot be too many
        every = list(root.iter())
        if len(every) > MAX_ELEMENTS or max(map(len, map(Node.keys, every))) > MAX_ATTRIBUTES:
            raise faults.MalformedXML()
    return root


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


@cache  # one for each shape that is read
def _reader(shape: type[Shape]) -> _OfNode:
    """A function that makes the shape's value of its element."""
    fields = fields_of(shape)
    slots = {field.wrapper or field.name: _slot(field) for field in fields if not field.type}
    slots |= {_S3 + name: slot for name, slot in slots.items()}
    typed = next((field.attribute for field in fields if field.type), None)
    lists = [(field.attribute, Rows if field.rows else tuple)
             for field in fields if field.many and not field.wrapper]

    def of_node(node: Node, depth: int) -> Shape:
        found = _values(node, depth + 1, slots, strict=shape.strict)
        for attribute, holds in lists:
            if attribute in found:
                found[attribute] = holds(found[attribute])
        if typed is not None and _TYPE in node.attrib:
            found[typed] = node.attrib[_TYPE]
        try:
            return shape(**found)
        except TypeError:  # what is required was not there
            raise faults.MalformedXML() from None

    return of_node


def _values(node: Node, depth: int, slots: Mapping[str, _Slot], *, strict: bool) -> dict[str, Any]:
    """The values of the elements inside, by field; those of a list as one. `strict`: nothing is unknown."""
    found: dict[str, Any] = {}
    for child in node:
        slot = slots.get(child.tag) or slots.get(_local(child.tag))
        if slot is None:
            if strict:
                raise faults.MalformedXML()
            _pass_over(child, depth)
            continue
        attribute, many, of_text, inner = slot
        if inner is not None:
            value = inner(child, depth)
        else:
            value = _text(child, of_text)
        if many:
            found.setdefault(attribute, []).append(value)
        elif attribute not in found:
            found[attribute] = value
        else:
            raise faults.MalformedXML()
    return found


def _slot(field: Field) -> _Slot:
    of_text = {"number": _number, "flag": _flag}.get(field.kind)
    inner = _reader(field.shape) if field.shape is not None else None
    if not field.wrapper:
        return field.attribute, field.many, of_text, inner

    def of_wrapper(node: Node, depth: int) -> tuple[Any, ...]:
        found = []
        for child in node:
            if _local(child.tag) != field.name:
                _pass_over(child, depth + 1)
            elif inner is not None:
                found.append(inner(child, depth + 1))
            else:
                found.append(_text(child, of_text))
        return tuple(found)

    return field.attribute, False, None, of_wrapper


def _pass_over(node: Node, depth: int) -> None:
    """Ignore the element, unless it goes too deep."""
    if depth > MAX_DEPTH:
        raise faults.MalformedXML()
    for child in node:
        _pass_over(child, depth + 1)


def _text(node: Node, of_text: _OfText | None) -> Any:  # Any: str, int or bool, as declared
    if len(node):
        raise faults.MalformedXML()
    text = node.text or ""
    return text if of_text is None else of_text(text)


def _number(text: str) -> int:
    if text.isdigit() and text.isascii() and len(text) <= _MAX_DIGITS:  # most often
        return int(text)
    stripped = text.strip()
    if not _NUMBER.fullmatch(stripped):
        raise faults.MalformedXML()
    return int(stripped)


def _flag(text: str) -> bool:
    word = text.strip().lower()
    if word not in ("true", "false"):
        raise faults.MalformedXML()
    return word == "true"


# Lists, the short way
#
# CompleteMultipartUpload lists thousands of parts, DeleteObjects a thousand keys: the root has nothing in it
# but elements of one name, the rows, and each row has the same texts inside, in the same order. The first row
# tells the order; a pattern made of it must match all the rows without a gap, and then the texts are taken a
# column at a time, in a third of the time that a tree takes. Whatever is not exactly so, right or wrong, is
# left to the parser: nothing is refused here, and what is read the parser would have read alike.

_ORDERS_KEPT: Final = 32  # orders of the elements in a row; a client has one
_NAME: Final = "[A-Za-z][A-Za-z0-9]*"
_PLAIN: Final = "[ -;=?-~]*+"  # printable ASCII without < and >
_SPACE: Final = "[ \t\r\n]*+"
_DECLARED: Final = r"""<\?xml version=(?:"1\.0" encoding="UTF-8"|'1\.0' encoding='(?:UTF|utf)-8')\?>"""
_NAME_SPACE: Final = r' xmlns="https?://s3\.amazonaws\.com/[0-9A-Za-z/.-]*"'
_HEAD: Final = f"(?:{_DECLARED}{_SPACE})?<{{}}(?:{_NAME_SPACE})?>{_SPACE}"
_REFERENCE: Final = re.compile("&(quot|amp|lt|gt|apos|#34|#39);")  # those that clients write
_REFERRED: Final = {"quot": '"', "amp": "&", "lt": "<", "gt": ">", "apos": "'", "#34": '"', "#39": "'"}


class _List(msgspec.Struct, frozen=True):
    """A shape that is one list: its field, the names that a row may have inside, and what a document and its
    first row look like.
    """

    field: Field
    names: frozenset[str]
    head: re.Pattern[str]
    first: re.Pattern[str]
    tail: str


class _Order(msgspec.Struct, frozen=True):
    """How rows are read whose elements come in one order: a row, what its texts are, and what makes a value
    of them.
    """

    row: re.Pattern[str]
    fields: tuple[Field, ...]
    make: Callable[..., Shape]


def read_list(root: str, shape: type[S], data: bytes) -> S | None:
    """The value of a document that is one plain list; None when it is to be read as a tree."""
    known = _list_of(root, shape)
    if known is None or not data.isascii():
        return None
    text = data.decode().rstrip(" \t\r\n")
    head = known.head.match(text)
    first = known.first.match(text, head.end()) if head is not None else None
    if head is None or first is None or not text.endswith(known.tail):
        return None
    names = tuple(re.findall(f"<({_NAME})>", first[1]))
    # only what can be known is looked up, and kept: else it may be as long as the document
    possible = len(names) <= len(known.names) and known.names.issuperset(names)
    order = _order_of(known.field, names) if possible else None
    if order is None:
        return None
    width = 1 + len(order.fields)
    pieces = order.row.split(text[head.end() : -len(known.tail)])
    if len(pieces) > MAX_ELEMENTS or any(pieces[::width]):  # as many pieces as elements, with the root
        return None
    columns: dict[str, list[Any]] = {}
    for place, field in enumerate(order.fields, 1):
        column = _column(field, pieces[place::width])
        if column is None:
            return None
        columns[field.attribute] = column
    rows = Rows(columns=columns, make=order.make)
    return shape(**{known.field.attribute: rows if known.field.rows else tuple(rows)})


@cache  # one for each shape that is read
def _list_of(root: str, shape: type[Shape]) -> _List | None:
    """What is known of the shape; None for one that has no list of such rows."""
    lists = [field for field in fields_of(shape) if field.many and not field.wrapper and field.shape]
    if len(lists) != 1:
        return None
    row = re.escape(lists[0].name)
    first = rf"<{row}>{_SPACE}((?:<({_NAME})>{_PLAIN}</\2>{_SPACE})+)</{row}>"
    names = frozenset(field.name for field in fields_of(lists[0].shape))
    return _List(lists[0], names, re.compile(_HEAD.format(re.escape(root))), re.compile(first), f"</{root}>")


@lru_cache(maxsize=_ORDERS_KEPT)
def _order_of(rows: Field, names: tuple[str, ...]) -> _Order | None:
    """How rows with these elements are read; None when they need a closer look."""
    shape: type[Shape] = rows.shape
    known = {field.name: field for field in fields_of(shape)}
    if len({*names}) < len(names):
        return None
    fields = tuple([known[name] for name in names])
    required = {field.name for field in known.values() if field.required}
    if any(field.many or field.type or field.kind not in ("text", "number") for field in fields):
        return None
    if not required <= {*names}:
        return None
    inside = "".join([rf"<{name}>({_PLAIN})</{name}>{_SPACE}" for name in names])
    row = re.compile(rf"<{rows.name}>{_SPACE}{inside}</{rows.name}>{_SPACE}")
    attributes = [field.attribute for field in fields]
    make: Callable[..., Shape] = eval(  # noqa: S307 - our own declarations
        f"lambda {', '.join(attributes)}: shape({', '.join(f'{one}={one}' for one in attributes)})",
        {"shape": shape})
    return _Order(row, fields, make)


def _column(field: Field, texts: list[str]) -> list[Any] | None:
    """The values of one element in all the rows; None when one of them needs a closer look."""
    if field.kind == "number":
        digits = "".join(texts).isdigit() and all(texts) and max(map(len, texts)) <= _MAX_DIGITS
        return list(map(int, texts)) if digits else None
    if "&" not in "".join(texts):
        return texts
    if any("&" in _REFERENCE.sub("", text) for text in texts):
        return None
    return [_REFERENCE.sub(lambda found: _REFERRED[found[1]], text) for text in texts]
