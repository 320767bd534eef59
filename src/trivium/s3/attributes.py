"""What a writer says about an object besides its bytes: headers in, headers out."""

from __future__ import annotations

from email.header import Header as MimeWords
from typing import Final

from trivium.base import faults
from trivium.buckets.entry import Attributes, Entry
from trivium.s3.fields import http_time, metadata, tag_header
from trivium.s3.messages import Request
from trivium.s3.tags import check_tags

DEFAULT_TYPE: Final = "binary/octet-stream"  # what AWS answers when the writer named no type
# botocore's model, StorageClass; OUTPOSTS is S3 on Outposts' and EXPRESS_ONEZONE directory buckets' alone
STORAGE_CLASSES: Final = frozenset({
    "STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER",
    "DEEP_ARCHIVE", "GLACIER_IR", "SNOW", "FSX_OPENZFS", "FSX_ONTAP",
})
CONTENT_HEADERS: Final = (
    "cache-control", "content-disposition", "content-encoding", "content-language", "expires")
READS: Final = (
    "content-type", *CONTENT_HEADERS, "x-amz-meta-", "x-amz-storage-class", "x-amz-tagging",
    "x-amz-website-redirect-location",
)
# Amazon S3 User Guide, "Working with object metadata", of a PUT request. A page of a listing reads a thousand
_MAX_HEADER_BYTES: Final = 8 << 10
_MAX_REDIRECT_CHARACTERS = 2048  # Amazon S3 User Guide, "Configuring a webpage redirect"


def object_attributes(request: Request) -> Attributes:
    """The attributes that the request's headers give an object.

    Raises RequestHeaderSectionTooLarge, MetadataTooLarge, InvalidTag, TooManyTags, InvalidStorageClass,
    InvalidRedirectLocation.
    """
    headers = request.headers
    extra = content_headers(request)
    content_type = headers.get("content-type") or request.listener.dialect.default_type
    if len(content_type) + sum(map(len, extra.values())) > _MAX_HEADER_BYTES:
        raise faults.RequestHeaderSectionTooLarge(MaxSizeAllowed=_MAX_HEADER_BYTES)
    meta = metadata(request)
    if meta:
        check_metadata(meta, request.listener.dialect.limits.max_metadata_bytes)
    tags = headers.get("x-amz-tagging")
    return Attributes(
        content_type, extra, meta, object_tags(request, tags) if tags else {}, storage_class(request),
        redirect(request), request.account,
    )


def content_headers(request: Request) -> dict[str, str]:
    """The content headers kept and given back. `aws-chunked` is how bytes travelled, not what they are."""
    headers = request.headers
    extra: dict[str, str] = {name: headers[name] for name in CONTENT_HEADERS if name in headers}
    encoding = extra.pop("content-encoding", None)
    if encoding is not None:
        kept = ", ".join(
            one.strip() for one in encoding.split(",") if one.strip().lower() not in ("aws-chunked", ""))
        if kept:
            extra["content-encoding"] = kept
    return extra


def check_metadata(meta: dict[str, str], limit_bytes: int) -> None:
    """Raise MetadataTooLarge for names and values that are over the limit in UTF-8 (Amazon S3 User Guide)."""
    size = sum(len(name.encode()) + len(value.encode()) for name, value in meta.items())
    if size > limit_bytes:
        raise faults.MetadataTooLarge(Size=size, MaxSizeAllowed=limit_bytes)


def object_tags(request: Request, header: str) -> dict[str, str]:
    """The tags of the header `x-amz-tagging`, checked."""
    tags = tag_header(header, "x-amz-tagging")
    check_tags(tags, limit=request.listener.dialect.limits.max_tags)
    return tags


def storage_class(request: Request) -> str:
    """The storage class asked for. Raises InvalidStorageClass for a name that S3 does not know."""
    wanted = request.headers.get("x-amz-storage-class", "STANDARD")
    if wanted not in STORAGE_CLASSES:
        raise faults.InvalidStorageClass(StorageClassRequested=wanted)
    return wanted


def redirect(request: Request) -> str:
    """The website redirect location asked for, or "". Raises InvalidRedirectLocation."""
    location = request.headers.get("x-amz-website-redirect-location", "")
    if location and not location.startswith(("/", "http://", "https://")):
        raise faults.InvalidRedirectLocation()
    if len(location) > _MAX_REDIRECT_CHARACTERS:
        raise faults.InvalidRedirectLocationTooLong()
    return location


ENTRY_HEADERS: Final = (
    "etag", "last-modified", "accept-ranges", "content-type", *CONTENT_HEADERS, "x-amz-meta-",
    "x-amz-storage-class", "x-amz-tagging-count", "x-amz-website-redirect-location",
)


def entry_headers(entry: Entry) -> list[tuple[str, str]]:
    """The headers that tell of an entry: GET and HEAD send them, and in part the answers of writes."""
    attributes = entry.attributes
    headers = [
        ("etag", f'"{entry.etag}"'), ("last-modified", http_time(entry.modified_ms)),
        ("accept-ranges", "bytes"), ("content-type", attributes.content_type or DEFAULT_TYPE),
    ]
    if attributes.headers:
        headers += attributes.headers.items()
    for name, value in attributes.metadata.items():
        headers.append(("x-amz-meta-" + name, value if value.isascii() else mime_words(value)))
    if attributes.storage_class != "STANDARD":
        headers.append(("x-amz-storage-class", attributes.storage_class))
    if attributes.tags:
        headers.append(("x-amz-tagging-count", str(len(attributes.tags))))
    if attributes.redirect:
        headers.append(("x-amz-website-redirect-location", attributes.redirect))
    return headers


def mime_words(value: str) -> str:
    """Text beyond ASCII as a header carries it (RFC 2047), as S3 answers metadata sent in UTF-8."""
    return MimeWords(value, "utf-8", maxlinelen=10_000).encode()
