"""Setting aside: what happens to a row that cannot be read and stands in the way.

Value and body stay as they are, under a key where no request looks (`keys.ASIDE`), to be mended by hand. What
the row owned stays owned: no blob goes with it.
"""

from __future__ import annotations

import logging

from trivium.storage import keys
from trivium.storage.engine import Write

_log = logging.getLogger("trivium.aside")


def set_aside(tx: Write, row: bytes) -> None:
    """Move the row, which must be there, out of the way. The log names it."""
    found = tx.load(row)
    assert found is not None, "a row to be set aside is not there"
    tx.put(keys.aside(tx.sequence(), row), *found)
    tx.delete(row)
    _log.warning("row %s cannot be read and is set aside", keys.shown(row))
