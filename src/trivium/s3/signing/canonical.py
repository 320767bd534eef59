"""The canonical form of a request: the one spelling of path, query and headers that both sides sign.

Theory of operation. Nearly every request arrives in canonical spelling already, because its client has just
signed it; so each function first asks a compiled pattern whether that is so and rewrites only the rest.
Source of the rules: AWS General Reference, "Create a signed AWS API request", and Amazon S3 API Reference,
"Signature Calculations for the Authorization Header": S3 percent-encodes the decoded path once and never
normalises it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import quote, unquote

from trivium.base import faults

SIGNATURE: Final = "X-Amz-Signature"

_UNRESERVED = "-_.~"
_PLAIN_PATH = re.compile(r"[A-Za-z0-9/._~-]*").fullmatch
_PAIR = "[A-Za-z0-9._~%-]*+=[A-Za-z0-9._~%-]*+"
_PAIRS = re.compile(f"{_PAIR}(?:&{_PAIR})*+").fullmatch
# An escape that canonical spelling does not have: broken, in lower case, or of a character that needs none.
_ODD_ESCAPE = re.compile(
    r"%(?!(?:[01][0-9A-F]|2[0-9A-CF]|3[A-F]|40|5[B-E]|60|7[B-DF]|[89A-F][0-9A-F]))",
).search
_BLANKS = re.compile(r"[ \t]+")
_BELOW_EQUALS = "\t"  # sorts before every character of a canonical query, as the end of a name does


def path(decoded: str) -> str:
    """The canonical URI of a decoded path: all but `/`, letters, digits and `-_.~` is escaped, in UTF-8."""
    if _PLAIN_PATH(decoded):
        return decoded
    return quote(decoded, safe="/" + _UNRESERVED)


def query(raw: str) -> str:
    """The canonical query: every name and value escaped, sorted by name, then value, without X-Amz-Signature.

    A parameter without `=` gets one. Raises InvalidURI for escapes that are no UTF-8.
    """
    return "&".join(_items(raw)).replace(_BELOW_EQUALS, "=") if raw else ""


def parameters(raw: str) -> tuple[str, dict[str, str]]:
    """The canonical query, and its parameters by name, still escaped. Raises as `query`."""
    items = _items(raw)
    return "&".join(items).replace(_BELOW_EQUALS, "="), dict([item.split(_BELOW_EQUALS) for item in items])


def _items(raw: str) -> list[str]:
    """The parameters in canonical order, each with a tab between name and value."""
    if _PAIRS(raw) and not _ODD_ESCAPE(raw) and SIGNATURE not in raw:
        return sorted(raw.replace("=", _BELOW_EQUALS).split("&"))
    pairs = [item.partition("=") for item in raw.split("&") if item]
    escaped = [(_escaped(name), _escaped(value)) for name, _, value in pairs]
    return sorted([name + _BELOW_EQUALS + value for name, value in escaped if name != SIGNATURE])


def headers(given: Mapping[str, str], names: Sequence[str], lines: str) -> str:
    """One line `name:value` for each of the names, in their order; a header that is not there is empty.

    `lines` is the pattern that takes the values. Values lose white space at both ends and runs of it inside
    become one space, as in botocore's and the other SDKs' signers. Headers sent twice are expected joined by
    `,`.
    """
    values = [given.get(name, "") for name in names]
    filled = lines % tuple(values)
    if " " not in filled and "\t" not in filled:  # one character is many times cheaper to look for than two
        return filled
    return lines % tuple([_BLANKS.sub(" ", value.strip(" \t")) for value in values])


def _escaped(text: str) -> str:
    try:
        decoded = unquote(text.replace("+", " "), errors="strict")
        return quote(decoded, safe=_UNRESERVED)
    except UnicodeError:
        raise faults.InvalidURI(URI=text) from None
