"""Whose key, which day, which headers: the credential scope, as it stands in a header or in a query."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import msgspec

from trivium.base import signature_faults
from trivium.base.faults import FaultKind

CONTENT_SHA256: Final = "x-amz-content-sha256"

_DATE = re.compile(r"\d{8}", re.ASCII).fullmatch
_MAX_CREDENTIAL_CHARS = 512  # signing keys are kept by what is in it
_FORM = "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request"
_VISIBLE = re.compile(r"[!-~]*").fullmatch
_NAME = "[!#$%&'*+.^_`|~0-9a-z-]++"  # a token of RFC 9110 §5.6.2, in lower case
_NAMES = re.compile(f"{_NAME}(?:;{_NAME})*+").fullmatch
# What requests carry beside x-amz- headers, so that looking at each name is the exception.
_USUAL = frozenset({
    "accept", "accept-encoding", "accept-language", "amz-sdk-invocation-id", "amz-sdk-request",
    "authorization", "cache-control", "connection", "content-encoding", "content-length", "content-md5",
    "content-type", "cookie", "date", "expect", "host", "if-match", "if-modified-since", "if-none-match",
    "if-unmodified-since", "origin", "range", "referer", "transfer-encoding", "user-agent",
    CONTENT_SHA256,
})  # fmt: skip


class Signed(msgspec.Struct, frozen=True):
    """What a client says of its signature: whose key, the scope's date (yyyymmdd) and region, which headers.

    `scope` and `covers` are the scope and the list of headers as they are signed; `names` are the headers in
    their order. `harmless` are the headers that nobody need worry about: the signed ones and the usual ones
    that need not be signed. `lines` is the pattern of the canonical lines, to be filled with the headers'
    values.
    """

    access_key: str
    date: str
    region: str
    scope: str
    covers: str
    names: tuple[str, ...]
    harmless: frozenset[str]
    lines: str


class Wording(msgspec.Struct, frozen=True):
    """The faults for a credential that stands in one of the two places, and how their messages begin."""

    prefix: str
    malformed: FaultKind
    no_access_key: FaultKind
    bad_date: FaultKind
    no_region: FaultKind
    wrong_service: FaultKind
    wrong_terminal: FaultKind
    bad_names: FaultKind


IN_HEADER = Wording(
    "The authorization header is malformed; ",
    signature_faults.V4MHAuthorizationCredentialMalformed,
    signature_faults.V4MHEmptyAuthorizationAccessKey,
    signature_faults.V4MHIncorrectAuthorizationDateFormat,
    signature_faults.V4MHEmptyAuthorizationRegion,
    signature_faults.V4MHIncorrectAuthorizationService,
    signature_faults.V4MHIncorrectAuthorizationRequestType,
    signature_faults.AuthorizationComponentMalformed,
)
IN_QUERY = Wording(
    "Error parsing the X-Amz-Credential parameter; ",
    signature_faults.V4QPAuthorizationCredentialMalformed,
    signature_faults.V4QPEmptyAuthorizationAccessKey,
    signature_faults.V4QPIncorrectAuthorizationDateFormat,
    signature_faults.V4QPEmptyAuthorizationRegion,
    signature_faults.V4QPIncorrectAuthorizationService,
    signature_faults.V4QPIncorrectAuthorizationRequestType,
    signature_faults.XAmzSignedHeadersMalformed,
)


def read(credential: str, signed_headers: str, wording: Wording) -> Signed:
    """A credential `key/date/region/s3/aws4_request` and a list of signed headers. Every region is accepted.

    Raises the faults of `wording`; AuthorizationHeadersNotSigned when `host` is not in the list.
    """
    parts = credential.split("/")
    if len(parts) != 5 or len(credential) > _MAX_CREDENTIAL_CHARS or not _VISIBLE(credential):
        raise wording.malformed(f'{wording.prefix}the Credential is mal-formed; expecting "{_FORM}".')
    access_key, date, region, service, terminal = parts
    if not access_key:
        what = "a non-empty Access Key (AKID) must be provided in the credential."
        raise wording.no_access_key(wording.prefix + what)
    if not _DATE(date):
        raise wording.bad_date(f'{wording.prefix}incorrect date format "{date}".'
                               ' This date in the credential must be in the format "yyyyMMdd".')
    if not region:
        raise wording.no_region(f"{wording.prefix}a non-empty region must be provided in the credential.")
    if service != "s3":
        raise wording.wrong_service(
            f'{wording.prefix}incorrect service "{service}". This endpoint belongs to "s3".')
    if terminal != "aws4_request":
        raise wording.wrong_terminal(
            f'{wording.prefix}incorrect terminal "{terminal}". This endpoint uses "aws4_request".')
    names = _names(signed_headers, wording)
    scope = f"{date}/{region}/s3/aws4_request"
    lines = "".join([name.replace("%", "%%") + ":%s\n" for name in names])
    return Signed(access_key, date, region, scope, signed_headers, names, _USUAL.union(names), lines)


def unsigned(given: Iterable[str], signed: Signed) -> list[str]:
    """The headers that are there and must be signed, but are not: those that start with `x-amz-`.

    x-amz-content-sha256 may be missing, as with S3: its value is part of what is signed in any case.
    """
    if signed.harmless.issuperset(given):
        return []
    return sorted([name for name in given if name.startswith("x-amz-") and name not in signed.harmless])


def _names(signed_headers: str, wording: Wording) -> tuple[str, ...]:
    names = tuple(signed_headers.split(";"))
    if not _NAMES(signed_headers) or len({*names}) < len(names):  # each repetition would repeat the value
        raise wording.bad_names()
    if "host" not in names:
        raise signature_faults.AuthorizationHeadersNotSigned(HeadersNotSigned="host")
    return names
