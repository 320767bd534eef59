"""What writes rows, not bytes: copying a large object and completing an upload of many parts, beside PUTs of
4 KiB.
"""

from __future__ import annotations

import hashlib
import statistics
from collections.abc import AsyncIterator, Sequence
from typing import Final

from trivium.app.bench import servers
from trivium.app.bench.client import Connection, connect
from trivium.app.bench.figures import AT_MOST, Line, Target, judged, ratio
from trivium.app.bench.load import send_once
from trivium.app.bench.presigned import content
from trivium.app.bench.servers import HOST, Server
from trivium.app.bench.site import KIB, MIB, Site, call, latency, sized, take_turns
from trivium.app.bench.small import BUCKET, make_bucket

A_FEW_PUTS: Final = Target(AT_MOST, 5)  # the issue says "the time of a few small PUTs"
_PUTS: Final = 20
_COPIES: Final = 5
_PART: Final = b"a part of few bytes"

# Only the alluxio dialect lets parts be smaller than 5 MiB
_CONFIG: Final = """
listen = ""

[[listeners]]
listen = "{address}"
dialect = "alluxio"
authentication = "v4"
"""


async def sharing(site: Site) -> AsyncIterator[Line]:
    """CopyObject and CompleteMultipartUpload; ratios of latencies on one connection."""
    port = await servers.free_port()
    config = _CONFIG.format(address=f"{HOST}:{port}")
    async with servers.house(site.folder / "sharing", config=config, port=port) as house:
        await make_bucket(site, house, BUCKET)
        connection = await connect(house.endpoint)
        put = site.request(house, "PUT", f"{BUCKET}/small", body=content(4 * KIB))
        yield await _copied(site, house, connection, put)
        yield await _completed(site, house, connection, put)
        connection.close()


async def _copied(site: Site, house: Server, connection: Connection, put: bytes) -> Line:
    size, chunk = site.scale.copy_bytes, content(MIB)
    upload = site.request(house, "PUT", f"{BUCKET}/large", size=size)
    await call(connection, upload, (chunk for _ in range(size // MIB)))
    source = {"x-amz-copy-source": f"{BUCKET}/large"}
    copies = [
        site.request(house, "PUT", f"{BUCKET}/copy-{number}", headers=source) for number in range(_COPIES)]
    puts, found = await take_turns(
        site.scale.turns, lambda: latency(connection, [put] * _PUTS), lambda: latency(connection, copies))
    return _compared(f"CopyObject of {sized(size)}", found, puts)


async def _completed(site: Site, house: Server, connection: Connection, put: bytes) -> Line:
    parts = site.scale.parts
    completion = complete_document(parts, hashlib.md5(_PART, usedforsecurity=False).hexdigest())
    path = f"{BUCKET}/of-parts"

    async def complete() -> float:
        answer = await call(connection, site.request(house, "POST", path, {"uploads": ""}))
        upload = answer.body.partition(b"<UploadId>")[2].partition(b"<")[0].decode()
        requests = [
            site.request(house, "PUT", path, {"partNumber": str(number), "uploadId": upload}, _PART)
            for number in range(1, parts + 1)
        ]
        await send_once(house, requests, connections=8)
        asked = site.request(house, "POST", path, {"uploadId": upload}, completion)
        answer = await call(connection, asked)
        return answer.took_seconds

    await complete()  # what is made once in a process, as the pattern of such a document, counts for nobody
    puts, found = await take_turns(site.scale.turns, lambda: latency(connection, [put] * _PUTS), complete)
    return _compared(f"CompleteMultipartUpload, {parts:,} parts", found, puts)


def complete_document(parts: int, etag: str) -> bytes:
    """The body of CompleteMultipartUpload for parts that are all alike."""
    row = '<Part><PartNumber>{}</PartNumber><ETag>"{}"</ETag></Part>'
    rows = "".join(row.format(number, etag) for number in range(1, parts + 1))
    return f"<CompleteMultipartUpload>{rows}</CompleteMultipartUpload>".encode()


def _compared(name: str, ours: Sequence[float], puts: Sequence[float]) -> Line:
    mine, other = statistics.median(ours) * 1e3, statistics.median(puts) * 1e3
    facts = {"latency": mine, "floor_latency": other}
    line = Line(name, f"{mine:.2f} ms", f"PUT 4 KiB {other:.2f} ms", ratio(ours, puts), facts=facts)
    return judged(line, A_FEW_PUTS)
