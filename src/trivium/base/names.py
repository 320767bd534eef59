"""Names from the wire: what a bucket, a key and a user's metadata may be called."""

from __future__ import annotations

import json
import re
from typing import Final

from trivium.base import faults

MAX_KEY_BYTES: Final = 1024  # Amazon S3 User Guide, "Object key naming guidelines"

_BUCKET = re.compile(r"[a-z0-9](?:[a-z0-9.-]{1,61})[a-z0-9]", re.ASCII)
_IP_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+", re.ASCII)
_RESERVED_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
_RESERVED_SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
RESERVED: Final = frozenset({"health", "minio"})  # their objects would share paths with health checks


def check_bucket_name(name: str) -> None:
    """Raise InvalidBucketName unless a new bucket may have this name and it is not `RESERVED`."""
    if not is_bucket_name(name):
        raise faults.InvalidBucketName(BucketName=name)
    check_not_reserved(name)


def is_bucket_name(name: str) -> bool:
    """May a new bucket have this name (Amazon S3 User Guide, "Bucket naming rules")?"""
    return (
        _BUCKET.fullmatch(name) is not None
        and ".." not in name
        and not _IP_ADDRESS.fullmatch(name)
        and not name.startswith(_RESERVED_PREFIXES)
        and not name.endswith(_RESERVED_SUFFIXES)
    )


def check_not_reserved(name: str) -> None:
    """Raise InvalidBucketName for a name that this server needs itself."""
    if name in RESERVED:
        raise faults.InvalidBucketName("This name is reserved: health checks are asked below it.",
                                       BucketName=name)


def check_key(key: str) -> None:
    """Raise KeyTooLong or InvalidURI unless an object may have this key: at most 1,024 bytes of UTF-8, no
    U+FFFD.

    The HTTP server replaces bytes that are no UTF-8 by U+FFFD; such a key cannot be told apart from others.
    """
    if "\ufffd" in key:
        raise faults.InvalidURI(URI=key)
    if len(key) > MAX_KEY_BYTES or (not key.isascii() and len(key.encode()) > MAX_KEY_BYTES):
        raise faults.KeyTooLong(Size=len(key.encode()), MaxSizeAllowed=MAX_KEY_BYTES)


def place(bucket: str, key: str) -> str:
    """Where an object is, in words. The key may hold any character: it is written as a string of JSON."""
    return f"bucket {bucket}, key {json.dumps(key, ensure_ascii=not key.isprintable())}"


def successor(prefix: str) -> str:
    """The first string behind all that start with `prefix`, by code points; "" when there is none."""
    while prefix:
        last = ord(prefix[-1])
        if last != 0x10FFFF:
            following = 0xE000 if last == 0xD7FF else last + 1
            return prefix[:-1] + chr(following)
        prefix = prefix[:-1]
    return ""
