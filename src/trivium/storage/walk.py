"""Walking all rows of a table, or of a part of one, while others write."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from itertools import islice
from typing import Final

from trivium.storage import keys
from trivium.storage.engine import Engine, Read

_ROWS_A_READ: Final = 500


async def walk(engine: Engine, prefix: bytes) -> AsyncIterator[tuple[bytes, bytes]]:
    """Keys and values of all rows with the prefix, in order, a page a transaction.

    What is written or removed meanwhile may be among them or not. Memory use is that of a page of rows.
    """
    start = prefix
    while page := await engine.read(partial(_page, start, keys.after(prefix))):
        for row in page:
            yield row
        start = page[-1][0] + b"\x00"


def _page(start: bytes, stop: bytes, rows: Read) -> list[tuple[bytes, bytes]]:
    return list(islice(rows.scan(start, stop), _ROWS_A_READ))
