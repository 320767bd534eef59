"""XML in and out: documents are declared as shapes, and these two files alone know angle brackets.

Theory of operation. A `Shape` is a value whose fields are elements, in the order of the wire; `Annotated`
says the name where it is not the field's name in camel case, and whether a list is wrapped. From the
declaration a reader and a writer are made once. Reading (`xml_reading.py`) is strict about what is not XML
(entities and document types are refused before anything is expanded, depth and number of elements are
bounded) and lenient about what S3 is lenient about: name spaces, unknown elements, order. Writers are
compiled to plain Python, since a listing writes ten thousand elements.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final, Generic, TypeVar

import msgspec

# In what is read: CompleteMultipartUpload of 10,000 parts with a checksum each has 40,001
MAX_ELEMENTS: Final = 50_000
_UNSAYABLE: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0 §2.2
_REPLACED: Final = "\ufffd"
R = TypeVar("R")
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

    They are given in columns, by field, with what makes a row of them; or as they are. A column that is not
    given has no values.
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
    documents have; such a field comes first. `often`: the same few values come again and again, and what is
    written of them is remembered.
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
    """Marks a field's element name, the element around a list, text that needs no look at its characters, and
    values that come often.
    """
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
    quoted: bool = False
    type: bool = False
    often: bool = False
    rows: bool = False  # several of it are Rows


_WORDS: Final = {"id": "ID", "etag": "ETag", "kms": "KMS", "md5": "MD5", "url": "URL"}


def _camel(attribute: str) -> str:
    return "".join(_WORDS.get(word, word.capitalize()) for word in attribute.split("_"))


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
    return Field(attribute, mark.name or _camel(attribute), mark.wrapper, kind, many, required, absent,
                  hint if kind == "shape" else None, choices, mark.plain, mark.quoted, mark.type, mark.often,
                  rows)


# Writing


XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"  # the name space of the attribute `type`
_SPECIAL = re.compile('[&<>"\\x00-\\x1f\\x7f-\\x9f\\ufffe\\uffff]')


def escape(text: str) -> str:
    """Text as XML content, as AWS writes it: control characters become character references."""
    if _SPECIAL.search(text) is None:
        return text
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    return text if text.isprintable() else "".join(map(_visible, text))


def _visible(character: str) -> str:
    code = ord(character)
    return f"&#x{code:x};" if code < 0x20 or 0x7F <= code < 0xA0 or code in (0xFFFE, 0xFFFF) else character


_REMEMBERED: Final = 64  # values of a field; shapes are frozen, so that what is remembered stays true
_Writer = Callable[[Any], str]
_writers: dict[type[Shape], _Writer] = {}


def writer(shape: type[Shape]) -> _Writer:
    """A function that writes the inside of the shape's element."""
    found = _writers.get(shape)
    if found is None:
        found = _writers[shape] = _compile(shape)
    return found


def write(root: str, value: Shape, *, xmlns: str) -> bytes:
    """A whole document."""
    space = f' xmlns="{xmlns}"' if xmlns else ""
    return f"{_HEAD}<{root}{space}>{writer(type(value))(value)}</{root}>".encode("utf-8", "surrogatepass")


def error(code: str, message: str, facts: Mapping[str, str], *, resource: str, request_id: str) -> bytes:
    """An Error document. The facts are elements of their own, between the message and the request id.

    Characters that XML cannot carry, which clients may have sent, are replaced: a client must be able to read
    its fault.
    """
    inside = {
        "Code": code, "Message": message, **facts, "Resource": resource, "RequestId": request_id,
        "HostId": request_id}
    text = "".join(
        f"<{name}>{escape(_UNSAYABLE.sub(_REPLACED, value))}</{name}>" for name, value in inside.items())
    return f"{_HEAD}<Error>{text}</Error>".encode()


def _compile(shape: type[Shape]) -> _Writer:
    """Plain Python for one shape: an f-string of elements; absent values are not there, lists repeat."""
    if shape is Text:
        return lambda value: escape(value.text)
    names: dict[str, Any] = {"escape": escape, "choose": _choose}
    pieces: list[str] = []
    for number, field in enumerate(fields_of(shape)):
        if field.shape is not None:
            inner = writer(field.shape)
            names[f"w{number}"] = lru_cache(maxsize=_REMEMBERED)(inner) if field.often else inner
        pieces.append(_piece_of(field, number))
    text = "f'''" + "".join(pieces) + "'''"
    exec(f"def write_shape(v):\n    return {text}", names)  # noqa: S102 - our own declarations
    made: _Writer = names["write_shape"]
    return made


def _choose(value: Shape) -> str:
    name = type(value).__name__
    return f"<{name}>{writer(type(value))(value)}</{name}>"


def _piece_of(field: Field, number: int) -> str:
    """What an f-string has for one field of the value `v`."""
    value = f"v.{field.attribute}"
    if field.kind == "choice":
        return f"{{''.join([choose(x) for x in {value}])}}"
    if field.type:
        return f' xmlns:xsi="{XSI}" xsi:type="{{escape({value})}}">'
    opened, closed = f"<{field.name}>", f"</{field.name}>"
    if field.quoted:
        opened, closed = f"{opened}&quot;", f"&quot;{closed}"
    if field.shape is not None and any(inner.type for inner in fields_of(field.shape)):
        opened = opened[:-1]  # the shape goes on with its attribute
    if field.many:
        each = f"''.join(['{opened}' + {_text_of(field, number, 'x')} + '{closed}' for x in {value}])"
        if not field.wrapper:
            return f"{{{each}}}"
        return f"{{'' if {value} is None else '<{field.wrapper}>' + {each} + '</{field.wrapper}>'}}"
    text = _text_of(field, number, value)
    if field.required and not field.absent:
        return f"{opened}{{{text}}}{closed}"
    return f"{{'' if {value} is None else '{opened}' + {text} + '{closed}'}}"


def _text_of(field: Field, number: int, value: str) -> str:
    if field.plain or field.quoted:
        return value
    return {
        "text": f"escape({value})", "number": f"str({value})", "flag": f"('true' if {value} else 'false')",
        "shape": f"w{number}({value})",
    }[field.kind]
