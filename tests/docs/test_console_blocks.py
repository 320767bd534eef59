"""The console blocks of the documentation, run from top to bottom, each page in an empty folder against a server.

A block fenced as `console` holds commands behind `$ ` (a backslash at the end of a line goes on) and what they print; `…` in
it stands for anything. A page says in a comment what its server needs: `<!-- server: NAME -->` names a file of `examples/`
or one of the set-ups below. Blocks fenced otherwise are not run.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.servers import Server

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(path for path in (ROOT / "docs").rglob("*.md") if "```console" in path.read_text())
_BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
_SETUP = re.compile(r"<!-- server: (\S+) -->")


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


def configuration(page: str, folder: Path) -> str:
    match = _SETUP.search(page)
    if match is None:
        return ""
    return (ROOT / "examples" / f"{match[1]}.toml").read_text().replace("/srv/photos", str(folder / "photos"))


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_the_page_does_what_it_says(page, tmp_path):
    text = page.read_text()
    (tmp_path / "photos").mkdir()
    server = Server.start(tmp_path / "server" / "data", config=configuration(text, tmp_path))
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(tmp_path), "LANG": "C.UTF-8", "ENDPOINT": server.endpoint,
        "AWS_ACCESS_KEY_ID": server.access_key, "AWS_SECRET_ACCESS_KEY": server.secret_key, "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": server.endpoint, "AWS_PAGER": "", "DATA": str(tmp_path / "server" / "data"),
    }
    try:
        for command, expected in steps(text):
            done = subprocess.run(
                ["bash", "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False)
            printed = (done.stdout + done.stderr).strip()
            assert re.fullmatch(pattern(expected), printed, re.DOTALL), f"{command}\nprinted:\n{printed}\nexpected:\n{expected}"
    finally:
        server.stop()
