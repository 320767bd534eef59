"""A house in memory and a client without sockets, for the tests of uploads in parts."""

from __future__ import annotations

import asyncio
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from urllib.parse import quote, urlencode

from trivium.base.clock import SetClock
from trivium.base.ids import SeededIds
from trivium.base.incoming import Given
from trivium.buckets.copying import chunks_of
from trivium.buckets.objects.bucket import ObjectsBucket
from trivium.buckets.record import Ground
from trivium.s3.dialect import Dialect, Limits
from trivium.s3.messages import Listener, Request
from trivium.s3.serve import serve
from trivium.services.access.users import Account, Credential, Users
from trivium.services.catalog import Catalog
from trivium.services.house import House
from trivium.services.uploads import Uploads
from trivium.storage.blobstores.memory import MemoryBlobs
from trivium.storage.engines.memory import MemoryEngine

SMALL = Dialect("small", Limits(min_part_bytes=5), xmlns="")


class Answer:
    """A status, headers by lower-case name, the body, and the elements of an XML body."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    def __repr__(self) -> str:
        return f"{self.status} {dict(self.headers)} {self.body[:500]!r}"

    @property
    def xml(self) -> ET.Element:
        return ET.fromstring(self.body)

    def text(self, path: str) -> str | None:
        """The text of an element, None when it is not there."""
        return self.xml.findtext(path)

    def texts(self, path: str) -> list[str]:
        """The texts of all elements there."""
        return [found.text or "" for found in self.xml.findall(path)]


class Client:
    """Requests to a house of its own; the user is believed. It keeps one event loop until it is closed."""

    def __init__(self, dialect: Dialect = SMALL) -> None:
        self.clock = SetClock()
        ids, engine = SeededIds(), MemoryEngine()
        ground = Ground(engine, MemoryBlobs(self.clock, ids), self.clock, ids, 64)
        catalog = Catalog(
            ground, lambda record, generation: ObjectsBucket(ground, record, generation), {})
        users = Users([Credential("me", "secret", Account("id-of-me", "Me"))])
        self.house = House(ground, catalog, users, Uploads(ground))
        self.listener = Listener(dialect, authentication="simple", default_user="me")
        self._loop = asyncio.new_event_loop()
        self.ask("PUT", "/bucket")

    def close(self) -> None:
        self._loop.close()

    def ask(
        self, method: str, path: str, query: Mapping[str, object] | str = "", *, body: bytes | str = b"",
        **headers: str,
    ) -> Answer:
        """Send a request. Header names are written with underscores."""
        data = body.encode() if isinstance(body, str) else body
        text = query if isinstance(query, str) else urlencode(query, quote_via=quote)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named = {"host": "s3.test", "content-length": str(len(data)), **named}
        request = Request(
            method, path, text, named, self.listener, at_ms=self.clock.now_ms(), body=Given(data))
        return self._loop.run_until_complete(self._served(request))

    async def _served(self, request: Request) -> Answer:
        response = await serve(self.house, request)
        sent = b"" if request.method == "HEAD" else response.body
        body = b"".join([chunk async for chunk in chunks_of(sent)])
        return Answer(response.status, dict(response.headers), body)

    def begin(self, key: str = "key", **headers: str) -> str:
        """Begin an upload; its id."""
        answer = self.ask("POST", f"/bucket/{key}", "uploads", **headers)
        assert answer.status == 200, answer
        return answer.text("UploadId") or ""

    def add(self, id: str, number: int, data: bytes, key: str = "key", **headers: str) -> str:
        """Add a part; its ETag."""
        query = {"partNumber": number, "uploadId": id}
        answer = self.ask("PUT", f"/bucket/{key}", query, body=data, **headers)
        assert answer.status == 200, answer
        return answer.headers["etag"]

    def complete(self, id: str, parts: Mapping[int, str], key: str = "key", **headers: str) -> Answer:
        """Complete an upload of these parts, ETags by number."""
        return self.ask("POST", f"/bucket/{key}", {"uploadId": id}, body=listed(parts), **headers)


def listed(parts: Mapping[int, str]) -> str:
    """The document that lists the parts."""
    rows = "".join(
        f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"
        for number, etag in parts.items())
    return f"<CompleteMultipartUpload>{rows}</CompleteMultipartUpload>"
