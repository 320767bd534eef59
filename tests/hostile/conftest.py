"""A server for the rude: objects, a mount, and no patience with those who dawdle."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from tests.conftest import make_client
from tests.hostile.street import errors, workers
from tests.servers import Server

_numbers = count(1)


@dataclass
class House:
    """A server and where its things lie."""

    server: Server
    data: Path
    files: Path

    @property
    def s3(self):
        return make_client(self.server)

    def bucket(self) -> str:
        """The name of a new bucket."""
        name = f"hostile-{next(_numbers)}"
        self.s3.create_bucket(Bucket=name)
        return name


def start(folder: Path, *, workers: int = 1, settings: str = "", descriptors: int = 0) -> House:
    """A server on the folder, with the mount `mounted` of the folder's `files`."""
    files = folder / "files"
    files.mkdir()
    config = f'{settings}\n[[mounts]]\nbucket = "mounted"\npath = "{files}"\n'
    server = Server.start(folder / "data", workers=workers, config=config, descriptors=descriptors)
    return House(server, folder / "data", files)


def ended_well(house: House, before: list[int]) -> None:
    """Stop the server; it must have lived all along, without an error that nobody foresaw."""
    after = workers(house.server)
    code = house.server.stop()
    assert (before, 0, []) == (after, code, errors(house.server))


@pytest.fixture(scope="package")
def house(tmp_path_factory) -> Iterator[House]:
    """One worker. Whatever is done to it, at the end it must be alive and have logged no error."""
    started = start(tmp_path_factory.mktemp("hostile"))
    before = workers(started.server)
    yield started
    ended_well(started, before)


@pytest.fixture
def server(house: House) -> Server:
    return house.server


@pytest.fixture
def s3(house: House):
    return house.s3


@pytest.fixture(scope="package")
def bucket(house: House) -> str:
    """One bucket for all who need no other."""
    return house.bucket()


@pytest.fixture
def path(bucket: str) -> str:
    """The path of an object that is not there yet."""
    return f"/{bucket}/object-{next(_numbers)}"
