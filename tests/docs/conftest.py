"""The server that the Alluxio documents' examples run against, and the file that they put."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.docs.seed_clients import LICENSE_BYTES, Places

_numbers = count(1)


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    """A server with three listeners."""
    found = Places(tmp_path_factory.mktemp("alluxio") / "data")
    yield found
    assert found.server.stop() == 0, found.server.log.read_text()


@pytest.fixture
def name() -> str:
    """The name of a bucket that is not there."""
    return f"testbucket{next(_numbers)}"


@pytest.fixture
def license_file(tmp_path: Path) -> str:
    """A file of the size of the documents' LICENSE."""
    path = tmp_path / "LICENSE"
    path.write_bytes(b"Apache License, Version 2.0\n".ljust(LICENSE_BYTES, b"."))
    return str(path)
