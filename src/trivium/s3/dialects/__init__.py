"""The dialects a listener can speak, by name."""

from __future__ import annotations

from typing import Final

from trivium.s3.dialect import Dialect
from trivium.s3.dialects import activescale, alluxio, aws, pachyderm

DIALECTS: Final[dict[str, Dialect]] = {
    room.DIALECT.name: room.DIALECT for room in (aws, activescale, alluxio, pachyderm)
}
DIALECTS["alluxio-1"] = alluxio.FIRST
