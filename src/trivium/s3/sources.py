"""Copy sources: what the header `x-amz-copy-source` names."""

from __future__ import annotations

from urllib.parse import unquote

import msgspec

from trivium.base import faults
from trivium.s3.messages import Request

HEADER = "x-amz-copy-source"


class CopySource(msgspec.Struct, frozen=True):
    """A bucket, a key and, where asked for, a version."""

    bucket: str
    key: str
    version: str | None = None


def copy_source(request: Request) -> CopySource:
    """The source of a copy. Raises InvalidArgument when the header is no `/bucket/key`, percent-encoded."""
    value = request.headers.get(HEADER, "")
    path, mark, query = value.partition("?versionId=")
    try:
        path, version = unquote(path, errors="strict"), unquote(query, errors="strict")
    except UnicodeDecodeError:
        raise faults.CopyInvalidSourceEncoding(ArgumentName=HEADER, ArgumentValue=value) from None
    bucket, slash, key = path.removeprefix("/").partition("/")
    if not bucket or not slash or not key:
        raise faults.CopyInvalidSource(ArgumentName=HEADER, ArgumentValue=value)
    return CopySource(bucket, key, version if mark else None)


def rename_source(request: Request) -> str:
    """The key that a rename starts from, or `/bucket/key`, percent-encoded: clients send both.

    Raises InvalidArgument when it is no key or broken (Amazon S3 API Reference, RenameObject).
    """
    value = request.headers.get("x-amz-rename-source", "")
    try:
        path = unquote(value, errors="strict")
    except UnicodeDecodeError:
        path = ""
    if not path.strip("/"):
        raise faults.InvalidArgument(ArgumentName="x-amz-rename-source", ArgumentValue=value)
    return path
