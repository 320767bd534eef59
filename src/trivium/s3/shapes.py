"""Documents that several actions share, as shapes."""

from __future__ import annotations

from typing import Annotated

from trivium.s3.xml import Shape, element


class Tag(Shape):
    """A tag: its key and value."""

    key: str
    value: str


class Tagging(Shape):
    """The tags of an object or a bucket, in the order in which they were given."""

    tags: Annotated[tuple[Tag, ...], element("Tag", wrapper="TagSet")]


class Owner(Shape):
    """Whose something is: canonical id and display name."""

    id: str
    display_name: str


def tagging(tags: dict[str, str]) -> Tagging:
    """The document of these tags."""
    return Tagging(tags=tuple(Tag(key=key, value=value) for key, value in tags.items()))
