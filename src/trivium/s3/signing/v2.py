"""Signature version 2: the text that is signed, and whether a signature is the request's.

Theory of operation. The text is made of the method, Content-MD5, Content-Type, a date, every `x-amz-` header
and the resource: the path with its bucket, and those query parameters that name a part of it. Host, body,
other headers and other parameters are not signed. So that nobody can turn one request into another by what is
not signed, a parameter that selects an action must be one that is.

What is signed is the path as the client spelled it, which the HTTP server does not tell. `paths` gives the
spellings that clients are known to use, likeliest first. All of them escape `%` and `?`, so each stands for
one decoded path only. The host is not signed either: what is signed for one listener must not stand for
another object at the next.

Source: Amazon S3 User Guide, "Signing and authenticating REST requests (AWS signature version 2)".
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import quote

from trivium.base import faults, signature_faults
from trivium.s3.address import virtual_bucket
from trivium.s3.messages import Request
from trivium.s3.signing import v4
from trivium.services.access.users import Credential

# The list of the User Guide, `delete` and response- parameters as its text adds them; then what S3 got before
# version 4, which the guide leaves out and botocore signs.
SUBRESOURCES: Final = frozenset({
    "acl", "lifecycle", "location", "logging", "notification", "partNumber", "policy", "requestPayment",
    "uploadId", "uploads", "versionId", "versioning", "versions", "website", "delete",
    "response-cache-control", "response-content-disposition", "response-content-encoding",
    "response-content-language", "response-content-type", "response-expires",
    "accelerate", "analytics", "cors", "inventory", "metrics", "object-lock", "replication", "restore",
    "select", "select-type", "tagging", "torrent",
})  # fmt: skip
# What selects an action and is of neither list: clients sign it or leave it out, each as it likes.
UNCOVERED: Final = frozenset({
    "abac", "annotation", "attributes", "encryption", "intelligent-tiering", "legal-hold",
    "metadataAnnotationTable", "metadataConfiguration", "metadataInventoryTable", "metadataJournalTable",
    "metadataTable", "ownershipControls", "policyStatus", "publicAccessBlock", "renameObject", "retention",
    "session",
})  # fmt: skip

_NAMES = "|".join(sorted(SUBRESOURCES))
_READS_AS_MORE = re.compile(f"&(?:{_NAMES})(?:[=&]|$)").search
_ESCAPE = re.compile("%..")
_FOLD = re.compile(r"\r?\n[ \t]+")
_PLAIN = re.compile(r"[A-Za-z0-9/._-]*").fullmatch


def check(request: Request, who: Credential, headers: Mapping[str, str], date: str, signature: str) -> None:
    """Raise unless the signature is the request's. `date` is what the text has in its place, "" with
    x-amz-date.

    `headers` have lower-case names, those sent twice are joined by `,`. Raises SignatureDoesNotMatch;
    UseV4AuthorizationMechanism for what this version cannot sign; InvalidURI for text that UTF-8 cannot say.
    """
    parts = subresources(request.query)
    head = text_head(request.method, headers, date)
    likeliest = ""
    try:
        for path in _paths_of(request):
            text = head + path + parts
            if v4.same(sign(who.secret_key, text), signature):
                return
            likeliest = likeliest or text
    except UnicodeEncodeError:
        raise faults.InvalidURI() from None
    raise v4.mismatch(who.access_key, likeliest, signature)


def sign(secret_key: str, text: str) -> str:
    """The signature of the text: HMAC-SHA1 in base64."""
    return base64.b64encode(hmac.digest(secret_key.encode(), text.encode(), "sha1")).decode()


def text_head(method: str, headers: Mapping[str, str], date: str) -> str:
    """The text that is signed, up to the resource."""
    md5, kind = headers.get("content-md5", ""), headers.get("content-type", "")
    return f"{method}\n{md5}\n{kind}\n{date}\n{amz_headers(headers)}"


def amz_headers(headers: Mapping[str, str]) -> str:
    """CanonicalizedAmzHeaders: a line for each `x-amz-` header, sorted by name, folded values unfolded."""
    names = sorted([name for name in headers if name.startswith("x-amz-")])
    return "".join([f"{name}:{_FOLD.sub(' ', headers[name].strip())}\n" for name in names])


def subresources(query: Mapping[str, str]) -> str:
    """The parameters that belong to the resource, decoded and sorted, with their `?`; empty without any.

    Raises UseV4AuthorizationMechanism for a parameter that selects an action and is not signed, and for a
    value that, decoded, reads as a further parameter: the same signature would stand for two requests.
    """
    uncovered = UNCOVERED.intersection(query)
    if uncovered:
        raise _use_v4(f"the sub-resource {min(uncovered)}")
    names = sorted(SUBRESOURCES.intersection(query))
    for name in names:
        if _READS_AS_MORE(query[name]):
            raise _use_v4(f"such a value of {name}")
    parts = [f"{name}={query[name]}" if query[name] else name for name in names]
    return "?" + "&".join(parts) if parts else ""


def paths(path: str, base_path: str, bucket: str, bases: Sequence[str] = ()) -> Iterator[str]:
    """How clients spell a decoded path when they sign it, likeliest first; `bucket` is the virtual host's, or
    "". `bases` are the base paths of all listeners, which one signature might be sent to.

    Below a base path botocore signs the rest alone, other clients sign all that they send. So that no text
    stands for two objects, it means what is behind the longest base path that it begins with, whichever
    listener it is sent to. At a bucket addressed by path botocore signs a slash behind its name, which it
    does not send.
    """
    below = path[len(base_path) :] or "/"
    name, slash, key = below[1:].partition("/")
    resource = f"/{bucket}{below}" if bucket else below
    signed = (resource,) if bucket else (path, resource)
    decoded = [one for one in signed if _meant(one, (base_path, *bases)) == resource]
    if name and not key and not bucket:
        decoded += [one[:-1] if slash else one + "/" for one in decoded]
    for one in dict.fromkeys(decoded):
        yield from _spellings(one)


def _meant(text: str, bases: Sequence[str]) -> str:
    """What is behind the longest of the base paths that the text begins with."""
    begun = max((base for base in bases if f"{text}/".startswith(f"{base}/")), key=len, default="")
    return text[len(begun) :] or "/"


def _spellings(path: str) -> Iterator[str]:
    strict = quote(path, safe="/")
    yield strict  # as S3 itself has it in version 4: botocore, minio, SDKs
    if not _PLAIN(path):
        yield strict.replace("~", "%7E")  # Python before 3.7: boto
        yield quote(path, safe="/!$&'()*+,;=:@")  # what RFC 3986 §3.3 lets stand in a path: curl, browsers
        yield quote(path, safe="/!'()*")  # JavaScript's encodeURIComponent
        yield _ESCAPE.sub(lambda escape: escape[0].lower(), strict)  # .NET's UrlEncode


def _paths_of(request: Request) -> Iterator[str]:
    listener = request.listener
    bucket = virtual_bucket(request.headers.get("host", ""), listener) if listener.domains else ""
    return paths(request.path, listener.base_path, bucket, listener.bases)


def _use_v4(what: str) -> faults.Fault:
    return signature_faults.UseV4AuthorizationMechanism(
        f"A signature of version 2 does not cover {what}. Please use AWS4-HMAC-SHA256.")
