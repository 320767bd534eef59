"""boto3 against the whole server, without sockets: "https" makes it send chunks and trailers, "http" hashes."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.unit.s3.signing.signing_client import ACCESS_KEY, AWS, SECRET_KEY, USERS
from trivium.base.clock import SystemClock
from trivium.base.digests import ALGORITHMS, encode
from trivium.base.ids import SeededIds
from trivium.base.incoming import Given
from trivium.buckets.copying import chunks_of
from trivium.buckets.objects.bucket import ObjectsBucket
from trivium.buckets.record import Ground
from trivium.s3.messages import Request
from trivium.s3.serve import serve
from trivium.services.catalog import Catalog
from trivium.services.house import House
from trivium.services.uploads import Uploads
from trivium.storage.blobstores.memory import MemoryBlobs
from trivium.storage.engines.memory import MemoryEngine

BOTO3_KNOWS = ("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256")


class Raw(io.BytesIO):
    """An answer's body as botocore reads it."""

    def stream(self, **_: object) -> Iterator[bytes]:
        yield self.read()


class Server:
    """A house in memory that takes what boto3 is about to send; `seen` are the requests."""

    def __init__(self) -> None:
        self.clock, ids, self.seen = SystemClock(), SeededIds(), list[Request]()
        ground = Ground(MemoryEngine(), MemoryBlobs(self.clock, ids), self.clock, ids, 64)
        catalog = Catalog(ground, lambda record, generation: ObjectsBucket(ground, record, generation), {})
        self.house = House(ground, catalog, USERS, Uploads(ground))
        self.loop = asyncio.new_event_loop()

    def send(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        """What botocore's before-send event calls in place of the network."""
        status, headers, body = self.ask(request.method, request.url, dict(request.headers), request.body)
        return AWSResponse(request.url, status, headers, Raw(body))

    def ask(
        self, method: str, url: str, headers: dict[str, Any], body: Any
    ) -> tuple[int, dict[str, str], bytes]:
        parts = urlsplit(url)
        data = body.read() if hasattr(body, "read") else (body or b"")
        given = {name.lower(): v.decode() if isinstance(v, bytes) else str(v) for name, v in headers.items()}
        given.setdefault("host", parts.netloc)
        if given.pop("transfer-encoding", None) is None:
            given.setdefault("content-length", str(len(data)))
        request = Request(
            method,
            unquote(parts.path),
            parts.query,
            given,
            AWS,
            at_ms=self.clock.now_ms(),
            body=Given(bytes(data)),
        )
        self.seen.append(request)
        return self.loop.run_until_complete(self._served(request))

    async def _served(self, request: Request) -> tuple[int, dict[str, str], bytes]:
        response = await serve(self.house, request)
        sent = b"" if request.method == "HEAD" else response.body
        return response.status, dict(response.headers), b"".join([chunk async for chunk in chunks_of(sent)])


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.loop.close()


def client(server: Server, scheme: str, **config: object) -> Any:
    made = boto3.client(
        "s3",
        endpoint_url=f"{scheme}://s3.test:9000",
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        region_name="eu-west-9",
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0}, **config),
    )
    made.meta.events.register("before-send.s3.*", server.send)
    return made


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("algorithm", BOTO3_KNOWS)
def test_an_upload_keeps_the_checksum_that_boto3_sends(server: Server, scheme: str, algorithm: str) -> None:
    s3 = client(server, scheme)
    s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": "eu-west-9"})
    s3.put_object(Bucket="bucket", Key="a b/ä+ü//~%", Body=b"content", ChecksumAlgorithm=algorithm)
    head = s3.head_object(Bucket="bucket", Key="a b/ä+ü//~%", ChecksumMode="ENABLED")
    hasher = ALGORITHMS[algorithm].make()
    hasher.update(b"content")

    framed = server.seen[1].headers["x-amz-content-sha256"] == "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
    assert (scheme == "https") == framed
    assert encode(hasher.digest()) == head[f"Checksum{algorithm}"]
    assert b"content" == s3.get_object(Bucket="bucket", Key="a b/ä+ü//~%")["Body"].read()


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_presigned_upload_and_download_need_no_key(server: Server, scheme: str) -> None:
    s3 = client(server, scheme, signature_version="s3v4")
    s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": "eu-west-9"})
    wanted = {"Bucket": "bucket", "Key": "k ä"}
    upload = s3.generate_presigned_url("put_object", {**wanted, "ContentType": "text/plain"}, 60)
    download = s3.generate_presigned_url("get_object", {**wanted, "ResponseContentType": "x/y"}, 60)

    assert 200 == server.ask("PUT", upload, {"Content-Type": "text/plain"}, b"content")[0]
    status, headers, body = server.ask("GET", download, {}, b"")
    assert (200, "x/y", b"content") == (status, headers["content-type"], body)
    assert 403 == server.ask("PUT", upload, {"Content-Type": "text/html"}, b"content")[0]
    assert 403 == server.ask("DELETE", download, {}, b"")[0]


def test_a_wrong_secret_is_told_what_was_signed(server: Server) -> None:
    s3 = client(server, "http")
    s3._request_signer._credentials.secret_key = "wrong"

    with pytest.raises(ClientError) as raised:
        s3.list_buckets()
    error = raised.value.response["Error"]
    assert "SignatureDoesNotMatch" == error["Code"]
    assert error["CanonicalRequest"].startswith("GET\n/\n")
