"""The floor: the least that a durable S3 server in Python can do, to hold this house's speed against.

It checks a presigned signature, touches one SQLite row with the body inside, commits many puts at once with
`synchronous=FULL`, and sends files as the HTTP server sends them, on the same HTTP server with the same
settings. It has no buckets, no faults, no versions, no listing, and nobody should keep anything in it.

Run by the bench as: python -m trivium.app.bench.floor --data DIR --port PORT (the secret key comes in the
environment)
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import hmac
import os
import queue
import sqlite3
import threading
from email.utils import formatdate
from functools import lru_cache, partial
from itertools import count
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote

import msgspec
import uvloop

from trivium.app.bench.presigned import signing_key
from trivium.base.clock import SystemClock
from trivium.door.server import HttpServer
from trivium.door.sockets import Address, claim

SECRET: Final = "TRIVIUM_BENCH_SECRET"  # noqa: S105 - the name of a variable
FILES: Final = "/file/"  # objects below this are files of the data folder
LIMIT_BATCH: Final = 256
WAIT_SECONDS: Final = 60

_PRAGMAS: Final = (
    "journal_mode = wal", "synchronous = full", "mmap_size = 1073741824", "wal_autocheckpoint = 8000")
_TABLE: Final = "create table if not exists rows(id integer primary key, k text unique, m blob, d blob)"
_GET: Final = "select m, d from rows where k = ?"
_PUT: Final = (
    "insert into rows(k, m, d) values (?, ?, ?) on conflict(k) do update set m = excluded.m, d = excluded.d")
_DELETE: Final = "delete from rows where k = ?"

Change = tuple[str, tuple[Any, ...]]  # Any: what SQLite binds


class Meta(msgspec.Struct, array_like=True):
    """What is kept of an object beside its bytes."""

    etag: str
    modified_ms: int
    content_type: str


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Meta).decode
_key = lru_cache(maxsize=16)(signing_key)
_date = lru_cache(maxsize=1024)(partial(formatdate, usegmt=True))


def signed_well(scope: Any, secret: str) -> bool:  # Any: the server's scope has no type of its own
    """Whether the signature in the query is right; its age is not looked at."""
    items = [item.partition("=")[::2] for item in scope.query_string.split("&")]
    query = {name: unquote(value) for name, value in items}
    text = "&".join(f"{name}={value}" for name, value in sorted(items) if name != "X-Amz-Signature")
    _, date, region, _, _ = query["X-Amz-Credential"].split("/")
    names, stamp = query["X-Amz-SignedHeaders"], query["X-Amz-Date"]
    headers = "".join(f"{name}:{scope.headers.get(name)}\n" for name in names.split(";"))
    path = quote(scope.path, safe="/-_.~")
    canonical = f"{scope.method}\n{path}\n{text}\n{headers}\n{names}\nUNSIGNED-PAYLOAD"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    told = f"AWS4-HMAC-SHA256\n{stamp}\n{date}/{region}/s3/aws4_request\n{digest}"
    right = hmac.digest(_key(secret, date, region), told.encode(), "sha256").hex()
    return hmac.compare_digest(right, query["X-Amz-Signature"])


def connect(path: Path) -> sqlite3.Connection:
    """A connection that commits durably."""
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
    for pragma in _PRAGMAS:
        db.execute(f"pragma {pragma}")
    db.execute(_TABLE)
    return db


class Committer:
    """A thread that carries out what waits, all of it in one commit. It ends with the process."""

    def __init__(self, path: Path, loop: asyncio.AbstractEventLoop) -> None:
        self._path, self._loop = path, loop
        self._waiting: queue.SimpleQueue[tuple[Change, asyncio.Future[None]]] = queue.SimpleQueue()
        threading.Thread(target=self._work, daemon=True).start()

    async def write(self, sql: str, *values: Any) -> None:  # Any: what SQLite binds
        """Durable when it returns."""
        future = self._loop.create_future()
        self._waiting.put(((sql, values), future))
        await future

    def _work(self) -> None:
        db = connect(self._path)
        while True:
            batch = [self._waiting.get()]
            while len(batch) < LIMIT_BATCH and not self._waiting.empty():
                batch.append(self._waiting.get())
            db.execute("begin immediate")
            for (sql, values), _ in batch:
                db.execute(sql, values)
            db.execute("commit")
            self._loop.call_soon_threadsafe(_tell, [future for _, future in batch])


class Floor:
    """PUT, GET and DELETE of small objects in rows; GET of files. The server's objects have no types."""

    def __init__(self, folder: Path, secret: str) -> None:
        self._folder, self._secret = folder, secret
        self._db = connect(folder / "floor.db")
        self._committer = Committer(folder / "floor.db", asyncio.get_running_loop())
        self._clock = SystemClock()
        self._requests = count(1)

    async def __call__(self, scope: Any, wire: Any) -> None:
        if not signed_well(scope, self._secret):
            wire.response_empty(403, [])
        elif scope.method == "PUT":
            await self._put(scope, wire)
        elif scope.method == "DELETE":
            await self._committer.write(_DELETE, scope.path)
            wire.response_empty(204, self._ids())
        elif scope.path.startswith(FILES):
            self._send_file(scope, wire)
        else:
            self._get(scope, wire)

    async def _put(self, scope: Any, wire: Any) -> None:
        body = await wire()
        etag = hashlib.md5(body, usedforsecurity=False).hexdigest()
        meta = Meta(etag, self._clock.now_ms(), scope.headers.get("content-type") or "binary/octet-stream")
        await self._committer.write(_PUT, scope.path, _encode(meta), body)
        wire.response_empty(200, [*self._ids(), ("etag", f'"{etag}"')])

    def _get(self, scope: Any, wire: Any) -> None:
        row = self._db.execute(_GET, (scope.path,)).fetchone()
        if row is None:
            wire.response_empty(404, [])
            return
        meta = _decode(row[0])
        headers = [
            *self._ids(), ("etag", f'"{meta.etag}"'), ("last-modified", _date(meta.modified_ms // 1000)),
            ("content-type", meta.content_type), ("accept-ranges", "bytes"),
        ]
        wire.response_bytes(200, headers, row[1])

    def _ids(self) -> list[tuple[str, str]]:
        """The two headers that S3 puts into every answer."""
        id = f"{next(self._requests):016X}"
        return [("x-amz-request-id", id), ("x-amz-id-2", id)]

    def _send_file(self, scope: Any, wire: Any) -> None:
        path = self._folder / Path(scope.path).name
        size = path.stat().st_size
        wire.response_file_range(200, [("content-length", str(size))], str(path), 0, size)


def _tell(futures: list[asyncio.Future[None]]) -> None:
    for future in futures:
        if not future.done():
            future.set_result(None)


async def serve(folder: Path, port: int, secret: str) -> None:
    """Serve until the process is ended."""
    listening = claim(Address("127.0.0.1", port), 1, wait_seconds=WAIT_SECONDS)[0]
    HttpServer(Floor(folder, secret), listening, wait_seconds=WAIT_SECONDS).start()
    await asyncio.get_running_loop().create_future()  # for ever: SIGTERM ends it


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    uvloop.run(serve(options.data, options.port, os.environ[SECRET]))


if __name__ == "__main__":
    main()
