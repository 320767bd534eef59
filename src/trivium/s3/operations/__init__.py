"""The actions of S3, by theme. `load_all` reads every file, which registers what it declares."""

from __future__ import annotations

from importlib import import_module
from typing import Final

ROOMS: Final = (
    "service", "bucket", "bucket_tagging", "versioning", "access", "object_read", "object_write",
    "object_copy", "object_delete",
    "object_tagging", "listing", "version_listing", "multipart", "multipart_parts",
    "multipart_listing", "refused",
)


def load_all() -> None:
    """Import every room; importing one twice does nothing."""
    for room in ROOMS:
        import_module(f"{__name__}.{room}")
