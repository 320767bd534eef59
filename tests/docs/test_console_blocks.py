"""The console blocks of the documentation, run from top to bottom, each page in an empty folder against a server.

A block fenced as `console` holds commands behind `$ ` (a backslash at the end of a line goes on) and what they print; `…` in
it stands for anything. What a command exports holds for the commands after it. A page says in a comment what its server
needs: `<!-- server: NAME -->` names a file of `examples/`. Addresses and folders of page and example become those of this
run. Blocks of commands that are fenced otherwise are not run, and their page says so.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.servers import Server, free_port

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
RUN = [path for path in PAGES if "```console" in path.read_text()]
NOT_RUN = "not run by the tests"
_BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
_OTHER_COMMANDS = re.compile(r"^ *```(?:sh|bash|shell)$", re.MULTILINE)
_SETUP = re.compile(r"<!-- server: (\S+) -->")
_ADDRESS = re.compile(r"127\.0\.0\.1:\d+")
_OUR_ADDRESS = "127.0.0.1:9000"


def steps(text: str) -> list[tuple[str, str]]:
    """Commands and what they should print, in order."""
    found: list[tuple[str, str]] = []
    for block in _BLOCK.findall(text):
        command, output, going_on = "", "", False
        for line in block.splitlines():
            if line.startswith("$ ") or going_on:
                if not going_on and command:
                    found.append((command, output))
                    command, output = "", ""
                command += (line if going_on else line[2:]) + "\n"
                going_on = line.endswith("\\")
            else:
                output += line + "\n"
        found.append((command, output))
    return found


def pattern(expected: str) -> str:
    """A regular expression of what should be printed."""
    return ".*?".join(re.escape(piece) for piece in expected.strip().split("…"))


def configuration(page: str) -> str:
    """The example that the page's server is started with, "" for none."""
    match = _SETUP.search(page)
    return (ROOT / "examples" / f"{match[1]}.toml").read_text() if match else ""


def placed(text: str, places: Mapping[str, str]) -> str:
    """The text with what it names replaced by what is here."""
    for named, here in places.items():
        text = text.replace(named, here)
    return text


def run(command: str, folder: Path, environment: Mapping[str, str]) -> str:
    """What the command prints. What it exports is kept for the next."""
    script = f"[ ! -e .exported ] || . ./.exported\n{command}\nexport -p > .exported"
    done = subprocess.run(
        ["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)
    return (done.stdout + done.stderr).strip()


def pasted(server: Server) -> str:
    """The lines to paste that the first start printed."""
    return server.log.read_text().partition("Try it, in another terminal:\n")[2]


@pytest.mark.parametrize("page", RUN, ids=lambda path: path.stem)
def test_the_page_does_what_it_says(page: Path, tmp_path: Path) -> None:
    text = page.read_text()
    config = configuration(text)
    (tmp_path / "photos").mkdir()
    places = {found: f"127.0.0.1:{free_port()}" for found in _ADDRESS.findall(config)}
    places |= {"/srv/photos": f"{tmp_path}/photos", "/var/lib/trivium": f"{tmp_path}/data",
               "/etc/trivium.toml": f"{tmp_path}/data.toml"}
    server = Server.start(tmp_path / "data", config=placed(config, places))
    places |= {_OUR_ADDRESS: f"127.0.0.1:{server.port}", "AWS_ACCESS_KEY_ID=…": f"AWS_ACCESS_KEY_ID={server.access_key}",
               "AWS_SECRET_ACCESS_KEY=…": f"AWS_SECRET_ACCESS_KEY={server.secret_key}"}
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT / "src"),
        "HOME": str(tmp_path), "LANG": "C.UTF-8", "AWS_ACCESS_KEY_ID": server.access_key,
        "AWS_SECRET_ACCESS_KEY": server.secret_key, "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": server.endpoint,
        "AWS_PAGER": "",
    }
    try:
        if not config:  # the tutorial goes on from the README, where these were pasted
            run(pasted(server), tmp_path, environment)
        for command, expected in steps(placed(text, places)):
            printed = run(command, tmp_path, environment)
            assert re.fullmatch(pattern(expected), printed, re.DOTALL), f"{command}\nprinted:\n{printed}\nexpected:\n{expected}"
    finally:
        server.stop()


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_page_says_that_commands_are_not_run(page: Path) -> None:
    text = page.read_text()

    assert not _OTHER_COMMANDS.search(text) or NOT_RUN in " ".join(text.split())


def test_what_a_start_prints_to_paste_works(tmp_path: Path) -> None:
    server = Server.start(tmp_path / "data", arguments=("--show-secret",))
    environment = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(tmp_path), "AWS_PAGER": ""}
    try:
        printed = run(pasted(server), tmp_path, environment)

        assert "make_bucket: first\n" in printed
        assert "upload: " in printed
    finally:
        server.stop()
