"""XML in and out: documents are declared as shapes, and these two files alone know angle brackets.

Theory of operation. A `Shape` is a value whose fields are elements, in the order of the wire; `Annotated`
says the name where it is not the field's name in camel case, and whether a list is wrapped. Reading
(`xml_reading.py`) is strict about what is not XML (entities and document types are refused before anything is
expanded, depth and number of elements are bounded) and lenient about what S3 is lenient about: name spaces,
unknown elements, order. Lists of shapes are written by column, since a listing has ten thousand elements:
what is the same in all is written once, and whether there is something to escape is asked once a column.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from operator import attrgetter
from typing import Any, Final, Generic, TypeVar

import msgspec
from msgspec.structs import replace

# In what is read: CompleteMultipartUpload of 10,000 parts with a checksum each has 40,001
MAX_ELEMENTS: Final = 50_000
_UNSAYABLE: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0 §2.2
_REPLACED: Final = "\ufffd"
R = TypeVar("R")
XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"  # the name space of the attribute `type`
_HEAD: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'

class Shape(msgspec.Struct, frozen=True):
    """A document or a part of one. `strict`: nothing else may be in it."""

    strict = False


class Text(Shape, frozen=True):
    """An element that has text and no elements of its own."""

    text: str


def _made_already(*_: object) -> Any:  # Any: there is no value
    raise AssertionError("there are no columns to make rows of")


class Rows(Generic[R]):
    """What is one long list, in columns until somebody looks at a row: rows in order, each a shape.

    They are given in columns, by field, with what makes a row of them, or nothing where nobody looks; or as
    they are. A column that is not given has no values. Where the shapes are several, the first that is
    declared has the elements of all, and the column `__class__` says of which each row is.
    """

    __slots__ = ("_columns", "_made", "_make")

    def __init__(
        self, made: Sequence[R] = (), *, columns: Mapping[str, list[Any]] | None = None,
        make: Callable[..., R] = _made_already,
    ) -> None:
        self._made: Sequence[R] | None = made if columns is None else None
        self._columns, self._make = columns, make

    def __iter__(self) -> Iterator[R]:
        if self._made is None:
            assert self._columns is not None, "rows are made of columns"
            self._made = tuple(map(self._make, *self._columns.values()))
        return iter(self._made)

    def column(self, field: str) -> list[Any]:  # Any: the field's type
        """The field of each row."""
        if self._columns is None:
            return list(map(attrgetter(field), self))
        return self._columns.get(field) or [None] * len(next(iter(self._columns.values())))

    def __len__(self) -> int:
        return len((self._made or ()) if self._columns is None else next(iter(self._columns.values())))

    def lack(self, fields: Sequence[str]) -> bool:
        """Whether no row has any of these fields."""
        if self._columns is not None:
            return self._columns.keys().isdisjoint(fields)
        return all(getattr(row, field) is None for row in self for field in fields)


NO_ROWS: Final = Rows[Any]()


class Element(msgspec.Struct, frozen=True):
    """How a field is written: the element's name, and for lists the element around them.

    `plain`: the text is ours and has nothing to escape. `quoted`: it is plain, and stands in quotation marks.
    `type`: it is no element but the attribute `xsi:type` of the shape's own, the one attribute that S3's
    documents have; such a field comes first. `often`: the values of a column are often all the same.
    """

    name: str = ""
    wrapper: str = ""
    plain: bool = False
    quoted: bool = False
    type: bool = False
    often: bool = False


def element(
    name: str = "", *, wrapper: str = "", plain: bool = False, quoted: bool = False, often: bool = False,
) -> Element:
    return Element(name, wrapper, plain, quoted, often=often)


TYPE: Final = Element("xsi:type", type=True)  # marks the field that is this attribute


class Field(msgspec.Struct, frozen=True):
    """A field of a shape, as reader and writer see it."""

    attribute: str
    name: str
    wrapper: str
    kind: str  # "text", "number", "flag", "shape", or "choice": of several shapes, each named by its class
    many: bool
    required: bool  # the shape cannot be made without it
    absent: bool  # its value may be None
    shape: Any  # type[Shape] where kind is "shape"
    choices: tuple[type[Shape], ...] = ()
    plain: bool = False
    type: bool = False
    often: bool = False
    start: str = ""  # what stands before its text, and behind it
    end: str = ""
    rows: bool = False  # several of it are Rows


_WORDS: Final = {"id": "ID", "etag": "ETag", "kms": "KMS", "md5": "MD5", "url": "URL"}


def _camel(attribute: str) -> str:
    return "".join(_WORDS.get(word, word.capitalize()) for word in attribute.split("_"))


@cache
def fields_of(shape: type[Shape]) -> tuple[Field, ...]:
    """The elements of a shape, in order."""
    hints = typing.get_type_hints(shape, include_extras=True)
    required = {field.name for field in msgspec.structs.fields(shape) if field.required}
    return tuple(_field(name, hint, required=name in required) for name, hint in hints.items())


def _field(attribute: str, hint: Any, *, required: bool) -> Field:  # Any: type hints have no type
    mark = Element()
    if typing.get_origin(hint) is typing.Annotated:
        mark = next((extra for extra in hint.__metadata__ if isinstance(extra, Element)), mark)
        hint = hint.__origin__
    absent = isinstance(hint, types.UnionType)
    if isinstance(hint, types.UnionType):
        hint = next(one for one in hint.__args__ if one is not type(None))
    rows = typing.get_origin(hint) is Rows
    many = rows or typing.get_origin(hint) in (tuple, list)
    if many:
        hint = hint.__args__[0]
    kind = {str: "text", int: "number", bool: "flag"}.get(hint, "shape")
    choices = hint.__args__ if isinstance(hint, types.UnionType) else ()
    if choices:
        kind = "choice"
    name, shape = mark.name or _camel(attribute), hint if kind == "shape" else None
    start, end = f"<{name}>", f"</{name}>"
    if mark.type:
        start, end = f' xmlns:xsi="{XSI}" xsi:type="', '">'
    elif mark.quoted:
        start, end = f"{start}&quot;", f"&quot;{end}"
    elif shape is not None and any(inner.type for inner in fields_of(shape)):
        start = start[:-1]  # the shape goes on with its attribute
    return Field(attribute, name, mark.wrapper, kind, many, required, absent, shape, choices,
                 mark.plain or mark.quoted, mark.type, mark.often, start, end, rows)


# Writing


_SPECIAL = re.compile('[&<>"\\x00-\\x1f\\x7f-\\x9f\\ufffe\\uffff]')
_NOT_PLAIN: Final = bytes(code for code in range(0x80) if _SPECIAL.match(chr(code)))


def escape(text: str) -> str:
    """Text as XML content, as AWS writes it: control characters become character references."""
    if _SPECIAL.search(text) is None:
        return text
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    return text if text.isprintable() else "".join(map(_visible, text))


def _visible(character: str) -> str:
    code = ord(character)
    return f"&#x{code:x};" if code < 0x20 or 0x7F <= code < 0xA0 or code in (0xFFFE, 0xFFFF) else character


def write(root: str, value: Shape, *, xmlns: str) -> bytes:
    space = f' xmlns="{xmlns}"' if xmlns else ""
    return f"{_HEAD}<{root}{space}>{inside(value)}</{root}>".encode("utf-8", "surrogatepass")


def error(code: str, message: str, facts: Mapping[str, str], *, resource: str, request_id: str) -> bytes:
    """An Error document. The facts are elements of their own, between the message and the request id.

    Characters that XML cannot carry, which clients may have sent, are replaced: a client must be able to read
    its fault.
    """
    elements = {
        "Code": code, "Message": message, **facts, "Resource": resource, "RequestId": request_id,
        "HostId": request_id}
    text = "".join(
        f"<{name}>{escape(_UNSAYABLE.sub(_REPLACED, value))}</{name}>" for name, value in elements.items())
    return f"{_HEAD}<Error>{text}</Error>".encode()


def inside(value: Shape) -> str:
    """What stands in the shape's element; what is absent is left out."""
    if isinstance(value, Text):
        return escape(value.text)
    return "".join([
        _list(field, found) if field.many else f"{field.start}{_TEXTS[field.kind](found)}{field.end}"
        for field in fields_of(type(value)) if (found := getattr(value, field.attribute)) is not None])


def _list(field: Field, values: Rows[Any] | Sequence[Any]) -> str:
    text = _rows(field, values if isinstance(values, Rows) else Rows(values)) if values else ""
    return f"<{field.wrapper}>{text}</{field.wrapper}>" if field.wrapper else text


def _rows(field: Field, rows: Rows[Any]) -> str:
    """The elements of a list. What differs from row to row is laid between what is the same in all."""
    names = [shape.__name__ for shape in rows.column("__class__")] if field.choices else []
    first = ("<", names, ">") if names else (field.start, names, "")
    last = ("</", names, ">") if names else ("", names, field.end)
    inner = [_laid(one, rows.column(one.attribute)) for one in _columns(field.choices or (field.shape,))]
    shared, own = [""], list[Sequence[str]]()
    for before, texts, behind in (first, *inner, last):
        shared[-1] += before
        if texts:
            own.append(texts)
            shared.append("")
        shared[-1] += behind
    pieces = [piece for text in shared for piece in (text, "")] * len(rows)
    for number, texts in enumerate(own):
        pieces[2 * number + 1 :: 2 * len(shared)] = texts
    return "".join(pieces)


@cache
def _columns(shapes: tuple[type[Shape], ...]) -> list[Field]:
    """The columns of rows of these shapes; what not all of them have may be absent."""
    first, *others = map(fields_of, shapes)
    assert all(set(first).issuperset(other) for other in others), "the first has the fields of all"
    assert not any(field.many for field in first), "there are no lists in lists"
    shared = set(first).intersection(*others)
    return [field if field in shared else replace(field, absent=True) for field in first]


def _laid(field: Field, column: Sequence[Any]) -> tuple[str, Sequence[str], str]:
    """What each row has of the field: a text of its own, none where all is shared, between shared ones."""
    start, end = field.start, field.end
    if field.often and column.count(column[0]) == len(column):
        return "" if column[0] is None else f"{start}{_TEXTS[field.kind](column[0])}{end}", (), ""
    if field.absent and None in column:
        texts = iter(_texts(field, [value for value in column if value is not None]))
        return "", ["" if value is None else f"{start}{next(texts)}{end}" for value in column], ""
    return start, _texts(field, column), end


def _texts(field: Field, column: Sequence[Any]) -> Sequence[str]:
    if field.plain or (field.kind == "text" and _is_plain("".join(column))):
        return column
    if field.often:
        texts = {value: _TEXTS[field.kind](value) for value in set(column)}
        return [texts[value] for value in column]
    return list(map(_TEXTS[field.kind], column))


def _is_plain(text: str) -> bool:
    """Is it ASCII with nothing to escape? That is seen faster than where there is something."""
    return text.isascii() and len(text.encode().translate(None, _NOT_PLAIN)) == len(text)


_TEXTS: Final[dict[str, Callable[[Any], str]]] = {
    "text": escape, "number": str, "flag": {True: "true", False: "false"}.__getitem__, "shape": inside,
}
