"""Sources of copies and renames: what the headers `x-amz-copy-source` and `x-amz-rename-source` name."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote, unquote_plus

import msgspec

from trivium.base import faults
from trivium.s3.messages import Request

HEADER: Final = "x-amz-copy-source"
RENAME_HEADER: Final = "x-amz-rename-source"
_VERSION: Final = "versionId="
_BROKEN_ESCAPE: Final = re.compile("%(?![0-9A-Fa-f]{2})")
# arn:aws:s3:<region>:<account>:accesspoint/…, arn:aws:s3-outposts:<region>:<account>:outpost/…
_ACCESS_POINT: Final = re.compile(r"arn:[^:/]*:s3[^:/]*:[^:/]*:[^:/]*:(accesspoint|outpost)/")


class CopySource(msgspec.Struct, frozen=True):
    """A bucket, a key and, where asked for, a version."""

    bucket: str
    key: str
    version: str | None = None


def copy_source(request: Request) -> CopySource:
    """The source of a copy: `/bucket/key` or `bucket/key`, percent-encoded, perhaps with `?versionId=`. `+`
    is a space, as S3 reads it (aws/aws-cli #614).

    Raises CopyInvalidSource, CopyInvalidSourceEncoding, CopyInvalidSourceParameter for any other parameter,
    and NotImplemented for the ARN of an access point (Amazon S3 API Reference, CopyObject,
    x-amz-copy-source).
    """
    value = request.headers.get(HEADER, "")
    path, mark, query = value.partition("?")
    if mark and ("&" in query or not query.startswith(_VERSION)):
        raise faults.CopyInvalidSourceParameter(ArgumentName=HEADER, ArgumentValue=value)
    try:
        if _BROKEN_ESCAPE.search(value):
            raise ValueError(value)
        path, version = unquote_plus(path, errors="strict"), unquote_plus(query, errors="strict")
    except ValueError:
        raise faults.CopyInvalidSourceEncoding(ArgumentName=HEADER, ArgumentValue=value) from None
    path = path.removeprefix("/")
    if _ACCESS_POINT.match(path) is not None:
        raise faults.NotImplemented_(Header=HEADER)
    bucket, slash, key = path.partition("/")
    if not bucket or not slash or not key:
        raise faults.CopyInvalidSource(ArgumentName=HEADER, ArgumentValue=value)
    return CopySource(bucket, key, version.removeprefix(_VERSION) if mark else None)


def renamed_key(source: str, bucket: str) -> str:
    """The key in `bucket` that a rename starts from: percent-encoded, by itself or behind `/bucket/`.

    Clients send both. A key that looks like the second has its first slash encoded, or the bucket before it.
    Raises InvalidArgument when it is no key or broken. Source: Amazon S3 API Reference, RenameObject,
    x-amz-rename-source: it is encoded, and a path by its pattern; the User Guide's examples name the key
    alone.
    """
    first, slash, rest = source[1:].partition("/")
    try:
        path = source.startswith("/") and slash and unquote(first, errors="strict") == bucket
        key = unquote(rest if path else source, errors="strict")
    except UnicodeDecodeError:
        key = ""
    if not key.strip("/"):
        raise faults.InvalidArgument(ArgumentName=RENAME_HEADER, ArgumentValue=source)
    return key
