"""Headers that stand in the query of a presigned URL, where SDKs put them, signed with the rest of it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from trivium.base import faults

_NAME = re.compile("[!#$%&'*+.^_`|~0-9a-z-]+").fullmatch  # a token of RFC 9110 §5.6.2, in lower case
_VISIBLE = re.compile("[ -~]*").fullmatch
_UNCONTROLLED = re.compile(r"[^\x00-\x1f\x7f]*").fullmatch


def headers(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The decoded parameters as headers; the first of several with one name counts.

    User metadata may go beyond ASCII: it is answered as RFC 2047 says. Raises InvalidArgument for what no
    header could be: a line break would be kept, and the HTTP server would leave the header out of every
    answer.
    """
    found: dict[str, str] = {}
    for name, value in pairs:
        header = name.lower()
        allowed = _UNCONTROLLED if header.startswith("x-amz-meta-") else _VISIBLE
        if not _NAME(header) or not allowed(value):
            raise faults.InvalidArgument("A header cannot be like this.", ArgumentName=name)
        found.setdefault(header, value.strip())
    return found
