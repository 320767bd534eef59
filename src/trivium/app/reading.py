"""Reading the configuration: file, environment and flags become checked Settings, or one clear error.

What is said later wins: the default, the file, the environment variable, the flag.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from trivium.app.rows import Field, fields_of
from trivium.app.settings import Settings

T = TypeVar("T", bound=msgspec.Struct)
_KINDS = {str: "a string", Path: "a string", int: "a whole number", bool: "true or false"}
_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class ConfigurationError(Exception):
    """The configuration cannot be used; the text says where and why."""


def read_settings(file: Path | None, environment: Mapping[str, str], flags: Mapping[str, str]) -> Settings:
    """The settings. `flags` are by setting name. Raises ConfigurationError."""
    given: dict[str, Any] = {}  # Any: what TOML holds
    if file is not None:
        given = _read_file(file)
    known = {field.name: field for field in fields_of(Settings)}
    where = str(file)
    _refuse_unknown(given, known, where)
    found = {name: _checked(known[name], value, where) for name, value in given.items()}
    found |= _from_environment(environment, known)
    found |= {name: _from_word(known[name], word, known[name].flag) for name, word in flags.items()}
    if found.get("listeners"):
        found.setdefault("listen", "")
    return Settings(**found)


def _read_file(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as opened:
            return tomllib.load(opened)
    except OSError as error:
        raise ConfigurationError(f"{file}: {error.strerror}") from error
    except ValueError as error:  # no TOML, or no UTF-8
        raise ConfigurationError(f"{file}: {error}") from error


def _from_environment(environment: Mapping[str, str], known: Mapping[str, Field]) -> dict[str, Any]:
    by_variable = {field.variable: field for field in known.values() if field.scalar}
    found: dict[str, Any] = {}
    for variable, word in environment.items():
        if not variable.startswith("TRIVIUM_") or variable == "TRIVIUM_CONFIG":
            continue
        field = by_variable.get(variable)
        if field is None:
            raise ConfigurationError(
                f"environment: unknown setting {variable}{_nearest(variable, by_variable)}")
        found[field.name] = _from_word(field, word, variable)
    return found


def _from_word(field: Field, word: str, where: str) -> Any:
    """The value that a word of the environment or the command line stands for."""
    if field.kind is int:
        try:
            return _checked(field, int(word), where)
        except ValueError:
            raise ConfigurationError(f"{where}: {word!r} is no whole number") from None
    if field.kind is bool:
        if word.lower() not in _WORDS:
            raise ConfigurationError(f"{where}: {word!r} is neither true nor false")
        return _WORDS[word.lower()]
    return _checked(field, word, where)


def _checked(field: Field, value: Any, where: str) -> Any:
    """The value as the setting's type, within its limits."""
    here = f"{where}: {field.name}"
    if field.table is not None:
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            needed = ", ".join(f"{one.name} = …" for one in fields_of(field.table) if one.required)
            raise ConfigurationError(
                f"{here} is a list of tables, each in double brackets, or {field.name} = [{{ {needed} }}]")
        return tuple(_table(field.table, one, f"{here}[{at}]") for at, one in enumerate(value, 1))
    if field.kind is tuple:
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise ConfigurationError(f"{here} is a list of strings")
        return tuple(value)
    if type(value) is not (str if field.kind is Path else field.kind):
        raise ConfigurationError(f"{here} is {_KINDS[field.kind]}, not {value!r}")
    row = field.row
    if isinstance(value, str) and row.one_of and value not in row.one_of:
        raise ConfigurationError(
            f"{here} is one of {', '.join(row.one_of)}, not {value!r}{_nearest(value, row.one_of)}")
    if isinstance(value, int) and field.kind is int and not row.least <= value <= row.most:
        raise ConfigurationError(
            f"{here} is between {row.least} and {row.most} {row.unit}, not {value}".replace("  ", " "))
    return Path(value) if isinstance(value, str) and field.kind is Path else value


def _table(struct: type[T], given: dict[str, Any], where: str) -> T:
    known = {field.name: field for field in fields_of(struct)}
    _refuse_unknown(given, known, where)
    for field in known.values():
        if field.required and field.name not in given:
            raise ConfigurationError(f"{where}: {field.name} is missing")
    return struct(**{name: _checked(known[name], value, where) for name, value in given.items()})


def _refuse_unknown(given: Mapping[str, object], known: Mapping[str, Field], where: str) -> None:
    for name in given:
        if name not in known:
            raise ConfigurationError(f"{where}: unknown setting {name}{_nearest(name, known)}")


def _nearest(name: str, known: Mapping[str, object] | tuple[str, ...]) -> str:
    close = get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""

