"""The reference page of all settings, written from their declarations: `python -m scripts.reference`."""

from __future__ import annotations

import sys

import msgspec

from trivium.app.rows import Field, fields_of, shown
from trivium.app.settings import Settings

_HEAD = """\
# Configuration

<!-- Written by `make docs` from src/trivium/app/settings.py. -->

Settings come from one TOML file (`trivium serve --config FILE`), from environment variables, and from flags.
What is said later in this list wins. An unknown setting is an error. `trivium check` says what is wrong with
a configuration.
"""


def page() -> str:
    scalars = [field for field in fields_of(Settings) if field.scalar]
    parts = [_HEAD, "\n## Settings\n", *map(_scalar, scalars)]
    parts += [
        _table(field.name, field.row.says, field.table) for field in fields_of(Settings)
        if field.table is not None]
    return "\n".join(parts)


def _scalar(field: Field) -> str:
    flag = f", flag `{field.flag}`" if field.flag else ", no flag: it is a secret"
    facts = f"Default {_default(field)}. Variable `{field.variable}`{flag}."
    return f"### `{field.name}`\n\n{_says(field)}\n\n{facts}\n"


def _table(name: str, says: str, table: type[msgspec.Struct]) -> str:
    fields = list(fields_of(table))
    lines = [
        f"## `[[{name}]]`\n", f"{says} {_sentence(table)}\n", "| setting | meaning | default |",
        "|---|---|---|"]
    lines += [f"| `{field.name}` | {_says(field)} | {_default(field)} |" for field in fields]
    nested = [field for field in fields if field.table is not None]
    for field in nested:
        assert field.table is not None, "only tables were taken"
        lines += [
            f"| `{field.name}[].{inner.name}` | {_says(inner)} | {_default(inner)} |"
            for inner in fields_of(field.table)]
    return "\n".join(lines) + "\n"


def _says(field: Field) -> str:
    row = field.row
    allowed = f" One of {', '.join(f'`{one}`' for one in row.one_of)}." if row.one_of else ""
    unit = f" In {row.unit}." if row.unit else ""
    return f"{row.says}{unit}{allowed}"


def _default(field: Field) -> str:
    return "must be given" if field.required else f"`{shown(field.default)}`"


def _sentence(table: type[msgspec.Struct]) -> str:
    assert table.__doc__ is not None, "tables say what they are"
    return table.__doc__.strip().partition("\n")[0]


if __name__ == "__main__":
    sys.stdout.write(page())
