"""Rules of tags: pure, the same for header and document, for objects and buckets.

Source: Amazon S3 User Guide, "Categorizing your objects using tags": at most 10 tags (50 on a bucket), keys
of 1 to 128 and values of up to 256 Unicode characters as UTF-16 counts them, no key twice. Characters: AWS
Billing User Guide, "User-defined tag restrictions": letters, numbers, spaces, and `_ . : / = + - @`.
"""

from __future__ import annotations

from unicodedata import category

from trivium.base import faults
from trivium.s3.shapes import Tagging

OF_A_BUCKET = "Bucket tag count"
_OBJECTS = "Object tags"
_KEY_CHARACTERS = 128
_VALUE_CHARACTERS = 256
_SIGNS = frozenset("_.:/=+-@")


def read_tags(document: Tagging, *, limit: int, what: str = _OBJECTS) -> dict[str, str]:
    """The tags of a document; `what` is how the message calls them. Raises InvalidTag for bad or repeated
    ones, TooManyTags.
    """
    tags: dict[str, str] = {}
    for tag in document.tags:
        if tag.key in tags:
            raise faults.InvalidTag("Cannot provide multiple Tags with the same key", TagKey=tag.key)
        tags[tag.key] = tag.value
    check_tags(tags, limit=limit, what=what)
    return tags


def check_tags(tags: dict[str, str], *, limit: int, what: str = _OBJECTS) -> None:
    """Raise InvalidTag or TooManyTags unless something may carry these tags."""
    if len(tags) > limit:
        raise faults.TooManyTags(f"{what} cannot be greater than {limit}")
    for key, value in tags.items():
        if not key or _length(key) > _KEY_CHARACTERS or not _allowed(key):
            raise faults.InvalidTag("The TagKey you have provided is invalid", TagKey=key)
        if _length(value) > _VALUE_CHARACTERS or not _allowed(value):
            raise faults.InvalidTag("The TagValue you have provided is invalid", TagKey=key, TagValue=value)
        if key.startswith("aws:"):
            raise faults.InvalidTag("System tags cannot be added/updated by requester", TagKey=key)


def _length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def _allowed(text: str) -> bool:
    return (text.isascii() and text.isalnum()) or all(
        character in _SIGNS or character.isalnum() or category(character).startswith("Z")
        for character in text)
