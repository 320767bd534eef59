"""Settings as rows: what `settings.py` declares, for whoever reads, explains or checks them."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from trivium.app.settings import Row


class Field(msgspec.Struct, frozen=True):
    """One declared setting. `kind` is str, int, bool, Path or tuple; `table` the struct of a table's rows."""

    name: str
    row: Row
    kind: type
    default: Any  # Any: of the field's own type; msgspec.NODEFAULT when it must be given
    table: type[msgspec.Struct] | None = None

    @property
    def required(self) -> bool:
        return self.default is msgspec.NODEFAULT

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return "TRIVIUM_" + self.name.upper()

    @property
    def flag(self) -> str:
        """The flag that sets it; "" for what has none."""
        return "" if self.row.secret else "--" + self.name.replace("_", "-")

    @property
    def scalar(self) -> bool:
        """Can it be said in one word, in the environment and on the command line?"""
        return self.kind is not tuple


def fields_of(struct: type[msgspec.Struct]) -> Iterator[Field]:
    """The settings that the struct declares, in order."""
    hints = typing.get_type_hints(struct, include_extras=True)
    for field in msgspec.structs.fields(struct):
        plain, row = typing.get_args(hints[field.name])
        table = None
        kind = typing.get_origin(plain) or plain
        if kind is tuple:
            item = typing.get_args(plain)[0]
            table = item if issubclass(item, msgspec.Struct) else None
        yield Field(field.name, row, kind, field.default, table)


def shown(value: object) -> str:
    """A value as the configuration file has it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str | Path):
        return f'"{value}"'
    assert isinstance(value, tuple), "settings are strings, numbers, truths, paths and lists"
    return f"[{', '.join(shown(one) for one in value)}]"
