"""The command `trivium`: serve, check, scrub, fork, branches, log, bench, version."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from trivium import __version__
from trivium.app import branches
from trivium.app.checking import check
from trivium.app.reading import ConfigurationError, read_settings
from trivium.app.rows import fields_of, shown
from trivium.app.scrubbing import scrub
from trivium.app.serving import serve
from trivium.app.settings import Settings
from trivium.base.faults import Fault
from trivium.door.sockets import PortTaken
from trivium.storage.folder import FolderRefused

_VERSION = f"trivium {__version__}"
REFUSED = 2  # exit code: nothing was done, the message says why
INTERRUPTED = 130  # exit code: 128 and the number of SIGINT, as shells have it

_REFUSALS = (ConfigurationError, FolderRefused, PortTaken, PermissionError)

Run = Callable[[Settings, argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["bench"]:
        return _bench(words[1:])
    given = _parser().parse_args(words)
    run: Run | None = given.run
    if run is None:
        print(_VERSION)
        return 0
    try:
        code = run(_settings(given), given)
        sys.stdout.flush()
    except _REFUSALS as error:
        print(f"trivium: {error}", file=sys.stderr)
    except Fault as fault:
        facts = ", ".join(f"{name} {fact}" for name, fact in fault.facts.items())
        print(f"trivium: {fault.kind.name}: {fault.message} {facts}".rstrip(), file=sys.stderr)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # `| head` has seen enough; what is still to be written goes nowhere
        if run is _serve:
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    else:
        return code
    return REFUSED


def _serve(settings: Settings, given: argparse.Namespace) -> int:
    """Serve. Where a stream is for programs, one JSON object a line, all that is said in it is."""
    out = sys.stderr if settings.access_log == "-" else sys.stdout
    try:
        return serve(settings, show_secret=given.show_secret, out=out)
    except _REFUSALS as error:
        if settings.log_format != "json":
            raise
        logging.getLogger("trivium").error("%s", error)  # noqa: TRY400 - the sentence says all; no traceback
        return REFUSED


def _check(settings: Settings, _given: argparse.Namespace) -> int:
    return check(settings, sys.stdout)


def _scrub(settings: Settings, given: argparse.Namespace) -> int:
    return asyncio.run(scrub(settings, sys.stdout, quiet=given.quiet, aside=given.set_aside))


def _fork(settings: Settings, given: argparse.Namespace) -> int:
    return asyncio.run(branches.fork(
        settings, sys.stdout, repository=given.repository, branch=given.branch, new=given.new, at=given.at))


def _branches(settings: Settings, given: argparse.Namespace) -> int:
    return asyncio.run(branches.branches(settings, sys.stdout, repository=given.repository))


def _log(settings: Settings, given: argparse.Namespace) -> int:
    return asyncio.run(branches.log(
        settings, sys.stdout, repository=given.repository, branch=given.branch, limit=given.limit))


def _bench(words: list[str]) -> int:
    from trivium.app.bench import main as bench  # a server needs none of it

    return bench(words)


def _settings(given: argparse.Namespace) -> Settings:
    file = given.config or os.environ.get("TRIVIUM_CONFIG")
    flags = {
        field.name: value for field in fields_of(Settings) if field.scalar and field.flag
        if (value := getattr(given, field.name, None)) is not None}
    return read_settings(Path(file) if file else None, os.environ, flags)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="trivium", description="One S3 endpoint over your objects, your files and their history.")
    parser.add_argument("--version", action="version", version=_VERSION, help="print the version")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    one = _command(commands, "serve", _serve, "serve S3 until Ctrl-C")
    one.add_argument(
        "--show-secret", action="store_true",
        help="print the root account's secret key; JSON logs hold it then")
    _add_settings(one, all_of_them=True)
    _add_settings(
        _command(commands, "check", _check, "check configuration and data folder, start nothing"),
        all_of_them=True)
    one = _command(
        commands, "scrub", _scrub, "read every blob back, report what is not as it was written, and name the"
        " objects that lost bytes")
    one.add_argument("--quiet", action="store_true", help="print findings only")
    one.add_argument(
        "--set-aside", action="store_true", help="keep damaged rows of objects where no request meets them")
    _add_settings(one)
    one = _command(commands, "fork", _fork, "make a branch from another, in two small rows")
    for name in ("repository", "branch", "new"):
        one.add_argument(name)
    one.add_argument(
        "--at", default="HEAD", metavar="COMMIT", help="the commit to start from: an id, HEAD, HEAD^")
    _add_settings(one)
    one = _command(commands, "branches", _branches, "list the branches of a repository")
    one.add_argument("repository")
    _add_settings(one)
    one = _command(commands, "log", _log, "list the newest commits of a branch")
    for name in ("repository", "branch"):
        one.add_argument(name)
    one.add_argument("--limit", type=_count, default=20, metavar="N", help="how many, 20 by default")
    _add_settings(one)
    commands.add_parser(
        "bench", help="measure this machine against floors (`trivium bench --help`)", add_help=False)
    commands.add_parser("version", help="print the version").set_defaults(run=None)
    return parser


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, run: Run, says: str,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=says, description=says[0].upper() + says[1:] + ".")
    parser.set_defaults(run=run)
    return parser


def _add_settings(parser: argparse.ArgumentParser, *, all_of_them: bool = False) -> None:
    """Flags for the settings; commands that serve nothing need to know where the data is."""
    parser.add_argument("--config", metavar="FILE", help="TOML file with settings (variable TRIVIUM_CONFIG)")
    for field in fields_of(Settings):
        if not field.scalar or not field.flag or not (all_of_them or field.name == "data"):
            continue
        unit = f", in {field.row.unit}" if field.row.unit else ""
        text = f"{field.row.says.replace('`', '')} Default {shown(field.default)}{unit}."
        parser.add_argument(
            field.flag, dest=field.name, metavar=_word(field.kind), help=text.replace("%", "%%"))


def _count(word: str) -> int:
    if word.isdecimal() and 0 < int(word) < 1 << 31:
        return int(word)
    raise argparse.ArgumentTypeError(f"{word!r} is no whole number from 1 on")


def _word(kind: type) -> str:
    return {int: "N", bool: "true|false", Path: "DIR"}.get(kind, "TEXT")
