"""Parameters that all listings share: how many, folded where, encoded how, and going on from where."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from urllib.parse import quote

from trivium.base import faults
from trivium.s3.dialect import Dialect
from trivium.s3.fields import number_or, one_of

encoding_type = one_of("url", kind=faults.InvalidEncodingMethod)
max_keys = number_or(faults.InvalidMaxKeys)
max_uploads = number_or(faults.InvalidMaxUploads)
_PLAIN = re.compile(r"[A-Za-z0-9_.~/-]*", re.ASCII)
# Amazon S3 API Reference, ListObjectsV2: "By default, the action returns up to 1,000 key names"
DEFAULT_LIMIT = 1000
_TOO_MANY = {"max-keys": faults.InvalidMaxKeys, "max-uploads": faults.InvalidMaxUploads}


def limit_of(asked: int | None, dialect: Dialect, name: str = "max-keys") -> int:
    """How many items a page may have. Where the dialect refuses more than its maximum it raises
    InvalidMaxKeys, InvalidMaxUploads, or InvalidArgument for other items.
    """
    most = dialect.limits.max_keys
    if asked is None:
        return min(DEFAULT_LIMIT, most)
    if asked > most and dialect.limits.refuse_more_keys:
        raise _TOO_MANY.get(name, faults.InvalidArgument)(ArgumentName=name, ArgumentValue=asked)
    return min(asked, most)


def encoded(text: str) -> str:
    """A key with encoding-type=url: percent-encoded, slashes kept, as AWS does."""
    return text if _PLAIN.fullmatch(text) else quote(text, safe="/", errors="surrogatepass")


def plain(text: str) -> str:
    """A key without encoding-type."""
    return text


def all_encoded(texts: list[str], encode: Callable[[str], str]) -> list[str]:
    """All of them encoded; they are mostly plain, which is seen at once."""
    return texts if encode is plain or _PLAIN.fullmatch("".join(texts)) else list(map(encode, texts))


def encoding_of(asked: str | None, dialect: Dialect) -> tuple[Callable[[str], str], str | None]:
    """How the keys of a listing are written, and the EncodingType that the listing says."""
    return (plain, None) if asked is None and not dialect.encodes_unasked else (encoded, "url")


def token_of(key: str) -> str:
    """A continuation token: clients must not look inside."""
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def read_token(token: str) -> str:
    """The key that a continuation token stands for. Raises InvalidArgument."""
    try:
        return base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise faults.InvalidArgument("The continuation token provided is incorrect",
                                     ArgumentName="continuation-token", ArgumentValue=token) from None
