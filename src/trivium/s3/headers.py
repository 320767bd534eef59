"""Headers that ask for what this server does not do: refused, never ignored, since whoever sends one relies
on it.
"""

from __future__ import annotations

from typing import Final

from trivium.base import faults
from trivium.s3.messages import Request

_SSE: Final = "x-amz-server-side-encryption"
_COPY_SSE: Final = "x-amz-copy-source-server-side-encryption"
# header -> the values that ask for what is the case anyway
REFUSED: Final[dict[str, frozenset[str]]] = {
    _SSE: frozenset(),
    **{f"{_SSE}-{detail}": frozenset() for detail in (
        "aws-kms-key-id", "context", "bucket-key-enabled", "customer-algorithm", "customer-key",
        "customer-key-md5")},
    **{f"{_COPY_SSE}-customer-{detail}": frozenset() for detail in ("algorithm", "key", "key-md5")},
    "x-amz-object-lock-mode": frozenset(),
    "x-amz-object-lock-retain-until-date": frozenset(),
    "x-amz-object-lock-legal-hold": frozenset({"OFF"}),
    "x-amz-bucket-object-lock-enabled": frozenset({"false", "False"}),
    "x-amz-object-lock-event-hold": frozenset({"OFF"}),
    **{f"x-amz-object-lock-event-hold-duration-{unit}": frozenset() for unit in ("days", "years")},
    "x-amz-bucket-namespace": frozenset({"global"}),
    "x-amz-write-offset-bytes": frozenset(),
    "x-amz-mfa": frozenset(),
}
_NAMES: Final = frozenset(REFUSED)


def refuse_headers(request: Request) -> None:
    """Raise NotImplemented for a header that asks for encryption, locks or appending."""
    if _NAMES.isdisjoint(request.headers):
        return
    for name, harmless in REFUSED.items():
        if request.headers.get(name, "") not in harmless and name in request.headers:
            raise faults.NotImplemented_(Header=name)
