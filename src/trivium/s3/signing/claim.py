"""What authentication finds out: who asks, and how the body was signed."""

from __future__ import annotations

import msgspec

from trivium.services.access.users import Account


class ChunkSigning(msgspec.Struct, frozen=True):
    """What is needed to check the signatures of aws-chunked bodies: each is chained to the one before.

    `key` is the signing key, `scope` is date/region/service/aws4_request, `seed` the signature of the
    request's headers. `access_key` is whose key it is: shown when a chunk's signature does not match.
    """

    key: bytes
    amz_date: str
    scope: str
    seed: str
    access_key: str = ""


class Payload(msgspec.Struct, frozen=True):
    """How the body is signed.

    `sha256` is the hexadecimal digest the body must have; "" when none was signed. `chunked`: the body is
    aws-chunked. `signing` is given when its chunks are signed. `trailer`: a trailer follows the last chunk.
    """

    sha256: str = ""
    chunked: bool = False
    signing: ChunkSigning | None = None
    trailer: bool = False


PLAIN = Payload()


class Claim(msgspec.Struct, frozen=True):
    """Who asks. `access_key` is "" for anonymous requests. `presigned`: the signature came in the query."""

    account: Account
    access_key: str = ""
    payload: Payload = PLAIN
    presigned: bool = False
