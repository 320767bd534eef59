"""Raw connections to a real server: whatever bytes one likes, and a look at what they do to its workers."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import re
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tests.servers import Server
from tests.unit.s3.signing.signing_client import key as signing_key
from tests.unit.s3.signing.signing_client import signed_headers

KIB, MIB = 1 << 10, 1 << 20
EMPTY = hashlib.sha256(b"").hexdigest()
UNSIGNED = "UNSIGNED-PAYLOAD"
CLOSED = 0  # the status of an answer that never came: the connection was closed instead


@dataclass(frozen=True)
class Answer:
    """What came back; status `CLOSED` when the server closed the connection without a word."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def code(self) -> str:
        """The S3 fault's code, "" when there is none."""
        found = re.search(rb"<Code>([^<]*)</Code>", self.body)
        return found[1].decode() if found else ""


class Line:
    """One connection."""

    def __init__(self, server: Server, *, wait_seconds: float = 20, receive_bytes: int = 0):
        self.socket = socket.socket()
        if receive_bytes:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.socket.settimeout(wait_seconds)
        self.socket.connect(("127.0.0.1", server.port))
        self._waiting = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> bool:
        """Send, and say whether the server still took it."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    def end(self) -> None:
        """Say that nothing more will be sent."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)

    def more(self) -> bytes:
        """What comes next; empty at the end of the connection, however it ended."""
        try:
            return self.socket.recv(MIB)
        except ConnectionResetError:
            return b""

    @property
    def rest(self) -> bytes:
        """What has come behind the last answer that was read."""
        return self._waiting

    def answer(self, *, body: bool = True) -> Answer:
        """The next answer that is final."""
        while b"\r\n\r\n" not in self._waiting:
            data = self.more()
            if not data:
                return Answer(CLOSED)
            self._waiting += data
        head, _, self._waiting = self._waiting.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        status = int(first.split()[1])
        if status == 100:
            return self.answer(body=body)
        size = int(headers.get("content-length", "0")) if body else 0
        pieces, got = [self._waiting[:size]], min(size, len(self._waiting))
        self._waiting = self._waiting[size:]
        while got < size and (data := self.more()):
            pieces.append(data[: size - got])
            self._waiting = data[size - got :]
            got += len(pieces[-1])
        return Answer(status, headers, b"".join(pieces))


def moment() -> tuple[str, str]:
    """Now, as signatures say it: the time, and the scope."""
    now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    return now, f"{now[:8]}/us-east-1/s3/aws4_request"


def sign(
    server: Server, method: str, path: str, query: str = "", headers: dict[str, str] | None = None, *,
    sha256: str = UNSIGNED,
) -> dict[str, str]:
    """The headers of a signed request. `path` is not encoded, `query` is canonical."""
    date, scope = moment()
    given = {"host": f"127.0.0.1:{server.port}", **(headers or {})}
    return signed_headers(
        method, path, query, given, date=date, sha256=sha256, secret_key=server.secret_key,
        access_key=server.access_key, scope=scope)


def head(method: str, target: str, headers: dict[str, str]) -> bytes:
    """The head of a request."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode("utf-8", "surrogateescape")


def signed(
    server: Server, method: str, path: str, query: str = "", headers: dict[str, str] | None = None, *,
    sha256: str = UNSIGNED, length: int | None = None, target: str = "",
) -> bytes:
    """The head of a signed request. `target` is how the path goes on the wire, where that is not the path itself."""
    found = sign(server, method, path, query, headers, sha256=sha256)
    if length is not None:
        found["content-length"] = str(length)
    return head(method, (target or path) + (f"?{query}" if query else ""), found)


def ask(
    server: Server, method: str, path: str, query: str = "", headers: dict[str, str] | None = None, *,
    body: bytes | None = None, target: str = "",
) -> Answer:
    """A signed request on a connection of its own, and its answer."""
    with Line(server) as line:
        length = None if body is None else len(body)
        line.send(signed(server, method, path, query, headers, length=length, target=target) + (body or b""))
        return line.answer(body=method != "HEAD")


class Chunks:
    """A signed, chunked body: each chunk's signature is chained to the one before."""

    def __init__(self, server: Server, headers: dict[str, str]):
        self.date = headers["x-amz-date"]
        self.scope = f"{self.date[:8]}/us-east-1/s3/aws4_request"
        self.previous = headers["authorization"].rpartition("Signature=")[2]
        self._key = signing_key(server.secret_key, self.scope)

    def chunk(self, data: bytes) -> bytes:
        """The chunk; one of no bytes ends the content."""
        signature = self._sign("PAYLOAD", f"{EMPTY}\n{hashlib.sha256(data).hexdigest()}")
        ending = b"\r\n" if data else b""
        return f"{len(data):x};chunk-signature={signature}\r\n".encode() + data + ending

    def trailer(self, name: str, value: str) -> bytes:
        """The trailer with its signature, and the end."""
        signature = self._sign("TRAILER", hashlib.sha256(f"{name}:{value}\n".encode()).hexdigest())
        return f"{name}:{value}\r\nx-amz-trailer-signature:{signature}\r\n\r\n".encode()

    def _sign(self, what: str, digests: str) -> str:
        text = f"AWS4-HMAC-SHA256-{what}\n{self.date}\n{self.scope}\n{self.previous}\n{digests}"
        self.previous = hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()
        return self.previous


def workers(server: Server) -> list[int]:
    """The process ids of the server's workers."""
    parent = server.process.pid
    return [int(one) for one in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


def descriptors(server: Server) -> int:
    """How many files, pipes and connections the worker has open."""
    (worker,) = workers(server)
    return len(list(Path(f"/proc/{worker}/fd").iterdir()))


@contextlib.contextmanager
def memory(server: Server) -> Iterator[list[int]]:
    """Gives a list that holds, behind the block, by how many bytes the worker that grew most had grown at its peak."""
    before: dict[int, int] = {}
    grown: list[int] = []
    for worker in workers(server):
        Path(f"/proc/{worker}/clear_refs").write_text("5")  # the peak is what is there now (proc(5))
        before[worker] = _status(worker, "VmRSS")
    yield grown
    grown.append(max(_status(worker, "VmHWM") - size for worker, size in before.items()))


def _status(worker: int, name: str) -> int:
    text = Path(f"/proc/{worker}/status").read_text()
    found = re.search(rf"{name}:\s+(\d+) kB", text)
    assert found is not None, text
    return int(found[1]) * KIB


def blob_files(data: Path) -> set[str]:
    """The names of the files that hold bytes of objects."""
    return {path.name for path in (data / "blobs").rglob("*") if path.is_file()}


def until(true, *, seconds: float = 10) -> bool:
    """Wait for something that happens in another process; whether it did."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.02)
    return bool(true())


def errors(server: Server) -> list[str]:
    """What the server logged that nobody foresaw."""
    return [line for line in server.log.read_text().splitlines() if "ERROR" in line or "Traceback" in line]
