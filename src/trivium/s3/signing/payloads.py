"""What x-amz-content-sha256 may say: how a body is signed."""

from __future__ import annotations

import re
from typing import Final

from trivium.base import faults, signature_faults
from trivium.s3.signing.claim import PLAIN, ChunkSigning, Payload

UNSIGNED: Final = "UNSIGNED-PAYLOAD"
SIGNED_CHUNKS: Final = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
SIGNED_CHUNKS_TRAILER: Final = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
UNSIGNED_TRAILER: Final = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
EMPTY_SHA256: Final = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

# Payloads that need no more than their name; SHA256 of nothing is what every GET says.
WITHOUT_KEY: Final = {
    UNSIGNED: PLAIN,
    EMPTY_SHA256: Payload(sha256=EMPTY_SHA256),
    UNSIGNED_TRAILER: Payload(chunked=True, trailer=True),
}
SIGNED: Final = {SIGNED_CHUNKS: False, SIGNED_CHUNKS_TRAILER: True}  # -> does a trailer follow?

_ELLIPTIC = re.compile(r"STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD(-TRAILER)?").fullmatch
_DIGEST = re.compile(r"[0-9a-fA-F]{64}").fullmatch


def payload(declared: str, signing: ChunkSigning | None) -> Payload:
    """How the body is signed. `signing` is None for a request without signature.

    Raises InvalidContentSha256, EmptyContentSha256, InvalidContentSha256ForAnonymous; NotImplemented for
    elliptic curves.
    """
    known = WITHOUT_KEY.get(declared)
    if known is not None:
        return known
    if _DIGEST(declared):
        return Payload(declared.lower())
    trailer = SIGNED.get(declared)
    if trailer is not None:
        if signing is None:
            raise signature_faults.InvalidContentSha256ForAnonymous()
        return Payload(chunked=True, signing=signing, trailer=trailer)
    if _ELLIPTIC(declared):
        raise faults.NotImplemented_(f"The chunk encoding algorithm {declared} is not supported.")
    kind = signature_faults.InvalidContentSha256 if declared else signature_faults.EmptyContentSha256
    raise kind(ArgumentName="x-amz-content-sha256", ArgumentValue=declared)
