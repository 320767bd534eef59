"""Headers that ask for what this server does not do: refused, never ignored, since senders rely on it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from trivium.base import faults
from trivium.s3.conditions import READ_HEADERS
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
# of copies: refused where they are not read, in this order
COPYING: Final = {
    "x-amz-copy-source": faults.InvalidCopySourceMethod,  # S3 takes it in PUT alone (versitygw #1642)
    "x-amz-copy-source-range": faults.RangeIsNotSupportedInCopy,  # a copy of all is not what was asked for
}
_NOTHING: Final[frozenset[str]] = frozenset()


def refusals(method: str, reads: Iterable[str]) -> frozenset[str]:
    """The headers that an action refuses which reads the headers `reads`.

    A write that depends on some conditions refuses the others: one that is ignored is a write that nobody
    wanted (RFC 9110 §13.2.1; AWS defines If-Match and If-None-Match for writes, If-Match for DeleteObject).
    """
    undone = frozenset(READ_HEADERS).difference(reads)
    conditional = method not in ("GET", "HEAD") and len(undone) < len(READ_HEADERS)
    return frozenset(REFUSED).union(frozenset(COPYING).difference(reads), undone if conditional else ())


def refuse_headers(request: Request, refused: frozenset[str]) -> None:
    """Raise NotImplemented for a header that asks for encryption, locks or appending, or for a condition that
    is not done here: one of `refused`, unless its value is harmless. Raise the faults of `COPYING` too.
    """
    if refused.isdisjoint(request.headers):
        return
    for name, kind in COPYING.items():
        if name in refused and name in request.headers:
            raise kind(ArgumentName=name, ArgumentValue=request.headers[name])
    for name in (*REFUSED, *READ_HEADERS):
        asked = request.headers.get(name) if name in refused else None
        if asked is not None and asked not in REFUSED.get(name, _NOTHING):
            raise faults.NotImplemented_(Header=name)
