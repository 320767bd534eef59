"""What AWS does: every default."""

from __future__ import annotations

from typing import Final

from trivium.s3.dialect import Dialect

DIALECT: Final = Dialect("aws")
