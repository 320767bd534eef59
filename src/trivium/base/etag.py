"""Entity tags: how S3 quotes them and how If-Match and If-None-Match name them."""

from __future__ import annotations


def quoted(etag: str) -> str:
    return f'"{etag}"'


def bare(text: str) -> str:
    """A client's ETag without white space, weakness mark and quotes, any of which clients omit or add."""
    return text.strip().removeprefix("W/").strip('"')


def named(header: str, etag: str) -> bool:
    """Does the list of an If-Match or If-None-Match header name this (bare) ETag? `*` names every one."""
    return header.strip() == "*" or any(bare(one) == etag for one in header.split(","))
