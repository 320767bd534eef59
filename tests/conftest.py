"""What tests of several kinds share: a server of the session, clients of it, a bucket of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import boto3
import pytest
from botocore.config import Config
from hypothesis import HealthCheck, settings

from tests.servers import Server

# How fast an example runs says nothing on a machine that others use; tests hold what is right, the bench holds speed
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")

_numbers = count(1)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real server process with one worker and the root key of `tests.servers`."""
    started = Server.start(tmp_path_factory.mktemp("server") / "data")
    yield started
    assert started.stop() == 0, started.log.read_text()


def make_client(server: Server, *, access_key: str = "", secret_key: str = "", **config: object):
    """A boto3 client of the server, path style, with no retries that could hide a fault."""
    return boto3.client(
        "s3", endpoint_url=server.endpoint, region_name="us-east-1",
        aws_access_key_id=access_key or server.access_key, aws_secret_access_key=secret_key or server.secret_key,
        config=Config(**{
            "signature_version": "s3v4", "retries": {"max_attempts": 0}, "s3": {"addressing_style": "path"}, **config}))


@pytest.fixture
def s3(server: Server):
    """A boto3 client of the session's server."""
    return make_client(server)


@pytest.fixture
def bucket(s3) -> str:
    """The name of a new bucket."""
    name = f"bucket-{next(_numbers)}"
    s3.create_bucket(Bucket=name)
    return name
