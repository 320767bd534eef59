"""How the Alluxio documents talk to the server: `curl -i`, and `aws --endpoint …`; and the server they talk to."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from awscli.clidriver import create_clidriver  # type: ignore[import-untyped]  # it says nothing of its types

from tests.servers import Server, free_port

LICENSE_BYTES = 27_040  # the size of the file that the documents put
TESTUSER = "Authorization: AWS4-HMAC-SHA256 Credential=testuser/... SignedHeaders=... Signature=..."
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3})")


@dataclass(frozen=True, slots=True)
class Answer:
    """What `curl -i` printed."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def xml(self) -> ET.Element:
        """The document in the body."""
        return ET.fromstring(self.body)

    def text(self, path: str) -> str | None:
        """The text of the first element there; "" for an empty one, None where there is none."""
        return self.xml.findtext(path)

    def texts(self, path: str) -> list[str]:
        """The texts of all elements there."""
        return [found.text or "" for found in self.xml.findall(path)]


@dataclass(frozen=True, slots=True)
class Place:
    """A listener: its base address, with the base path and without a slash at its end."""

    url: str

    def curl(self, method: str, path: str, *arguments: str, user: str = TESTUSER) -> Answer:
        """Send what `curl -i -X METHOD …` sends; `--head` for HEAD, as the documents have it. `user` "" sends no header."""
        how = ["--head"] if method == "HEAD" else ["-X", method]
        who = ["-H", user] if user else []
        done = subprocess.run(
            ["/usr/bin/curl", "-sS", "-i", *who, *how, *arguments, self.url + path],
            capture_output=True,
            timeout=60,
            check=True,
        )
        return _answer(done.stdout)

    def aws(self, *arguments: str) -> Any:  # Any: what the client prints, as JSON
        """Run `aws --endpoint … s3api …` and read what it prints."""
        whole = ["--endpoint", self.url + "/", "--output", "json", "s3api", *arguments]
        printed = _run(whole) if "--body" in arguments else _main(whole)
        return json.loads(printed) if printed.strip() else None


def _run(arguments: list[str]) -> str:
    """A process of its own, for what leaves files open."""
    program = Path(sys.executable).with_name("aws")
    done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, (arguments, done.stderr)
    return done.stdout


def _main(arguments: list[str]) -> str:
    """The same client in this process: starting one costs most of a second."""
    printed = io.StringIO()
    with redirect_stdout(printed):
        code = create_clidriver().main(arguments)
    assert code == 0, (arguments, printed.getvalue())
    return printed.getvalue()


def _answer(output: bytes) -> Answer:
    """The last answer: a 100 Continue may stand before it."""
    head, _, body = output.partition(b"\r\n\r\n")
    while head.startswith(b"HTTP/1.1 100"):
        head, _, body = body.partition(b"\r\n\r\n")
    status = _STATUS.match(head)
    assert status is not None, output[:200]
    lines = [line.split(": ", 1) for line in head.decode().split("\r\n")[1:]]
    return Answer(int(status[1]), {name.lower(): value for name, value in lines}, body)


class Places:
    """One server with a listener for each of the three documents."""

    def __init__(self, data: Path) -> None:
        addresses = {name: f"127.0.0.1:{free_port()}" for name in _LISTENERS}
        config = "\n".join(
            _CONFIG.format(listen=addresses[name], path=path, dialect=dialect)
            for name, (path, dialect) in _LISTENERS.items()
        )
        self.server = Server.start(data, config=config)
        self._urls = {name: f"http://{addresses[name]}{path}" for name, (path, _) in _LISTENERS.items()}

    def __getitem__(self, name: str) -> Place:
        return Place(self._urls[name])


_LISTENERS = {
    "worker": ("", "alluxio"),
    "first": ("/api/v1/s3", "alluxio-1"),
    "proxy": ("/api/v1/s3", "alluxio"),
}
_CONFIG = """\
[[listeners]]
listen = "{listen}"
base_path = "{path}"
dialect = "{dialect}"
authentication = "simple"
default_user = "alluxio"
"""


def tag_set(answer: Answer) -> dict[str, str]:
    """The tags of a Tagging document."""
    return dict(zip(answer.texts("TagSet/Tag/Key"), answer.texts("TagSet/Tag/Value"), strict=True))
