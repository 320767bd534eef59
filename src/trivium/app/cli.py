"""The command `trivium`: serve, check, scrub, bench, version."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from trivium import __version__
from trivium.app.checking import check
from trivium.app.reading import ConfigurationError, read_settings
from trivium.app.rows import fields_of, shown
from trivium.app.scrubbing import scrub
from trivium.app.serving import serve
from trivium.app.settings import Settings
from trivium.door.sockets import PortTaken
from trivium.storage.folder import FolderRefused

_REFUSED = 2  # exit code: nothing was started, the message says why


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["bench"]:
        return _bench(words[1:])
    given = _parser().parse_args(words)
    if given.command == "version":
        print(f"trivium {__version__}")
        return 0
    try:
        settings = _settings(given)
        if given.command == "serve":
            return serve(settings, show_secret=given.show_secret, out=sys.stdout)
        if given.command == "check":
            return check(settings, sys.stdout)
        return asyncio.run(scrub(settings, sys.stdout, quiet=given.quiet))
    except (ConfigurationError, FolderRefused, PortTaken) as error:
        print(f"trivium: {error}", file=sys.stderr)
        return _REFUSED


def _settings(given: argparse.Namespace) -> Settings:
    file = given.config or os.environ.get("TRIVIUM_CONFIG")
    flags = {
        field.name: value for field in fields_of(Settings) if field.scalar and field.flag
        if (value := getattr(given, field.name, None)) is not None}
    return read_settings(Path(file) if file else None, os.environ, flags)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="trivium", description="One S3 endpoint over your objects, your files and their history.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    serving = commands.add_parser("serve", help="serve S3 until Ctrl-C")
    serving.add_argument("--show-secret", action="store_true", help="print the root account's secret key")
    checking = commands.add_parser("check", help="check configuration and data folder, start nothing")
    scrubbing = commands.add_parser("scrub", help="read every blob back and report what is not as it was written")
    scrubbing.add_argument("--quiet", action="store_true", help="print findings only")
    commands.add_parser("bench", help="measure this machine against floors (`trivium bench --help`)", add_help=False)
    commands.add_parser("version", help="print the version")
    for one in (serving, checking, scrubbing):
        _add_settings(one)
    return parser


def _add_settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", metavar="FILE", help="TOML file with settings (variable TRIVIUM_CONFIG)")
    for field in fields_of(Settings):
        if not field.scalar or not field.flag:
            continue
        unit = f", in {field.row.unit}" if field.row.unit else ""
        text = f"{field.row.says.replace('`', '')} Default {shown(field.default)}{unit}."
        parser.add_argument(field.flag, dest=field.name, metavar=_word(field.kind), help=text.replace("%", "%%"))


def _word(kind: type) -> str:
    return {int: "N", bool: "true|false", Path: "DIR"}.get(kind, "TEXT")


def _bench(words: list[str]) -> int:
    from trivium.app.bench import main as bench  # noqa: PLC0415 - a server needs none of it

    return bench(words)
