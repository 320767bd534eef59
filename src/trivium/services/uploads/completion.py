"""The rules of completing an upload: pure functions from its parts and what the client says to what becomes
an object.

Source: Amazon S3 API Reference, CompleteMultipartUpload; User Guide, "Multipart upload limits" and "Checking
object integrity", on checksums of multipart uploads.
"""

from __future__ import annotations

import hashlib
import re
from binascii import a2b_base64
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Protocol

import msgspec
from msgspec.structs import force_setattr

from trivium.base import faults
from trivium.base.digests import ALGORITHMS, COMPOSITE, Checksum, combined, composite, encode, multipart_etag
from trivium.base.etag import bare
from trivium.base.faults import Fault
from trivium.buckets.conditions import ALWAYS, WriteIf
from trivium.services.uploads.records import Part, Upload
from trivium.storage.blobs import Layout

# 48.8 TiB, which AWS calls 50 TB: Amazon S3 User Guide, "Multipart upload limits", 10,000 parts of 5 GiB
MAX_OBJECT_BYTES: Final = 10_000 * (5 << 30)

_MD5 = re.compile(r"[0-9a-f]{32}")


class Rules(msgspec.Struct, frozen=True):
    """What dialects decide. `min_part_bytes` holds for every part but the last.

    `compares_etags`: "always", "when given" or "when ours" (they look like an MD5).
    """

    min_part_bytes: int
    max_parts: int
    compares_etags: str = "always"


class Wanted(Protocol):
    """A part that the client lists: its number, ETag as sent, and checksums by algorithm name."""

    @property
    def number(self) -> int: ...

    @property
    def etag(self) -> str | None: ...

    @property
    def checksums(self) -> Mapping[str, str]: ...


class Asked(msgspec.Struct, frozen=True):
    """What the client says: the parts, and of the whole checksums by algorithm name, their type, the size in
    bytes.

    `listing`: the numbers and ETags of the parts, as one text.
    """

    parts: Sequence[Wanted]
    checksums: Mapping[str, str] = {}
    type: str | None = None
    size: int | None = None
    only_if: WriteIf = ALWAYS
    listing: str = ""

    def __post_init__(self) -> None:
        listing = "\n".join([f"{one.number} {one.etag or ''}" for one in self.parts])
        force_setattr(self, "listing", listing.replace('"', ""))

    @property
    def fingerprint(self) -> str:
        """Equal for requests that list the same parts."""
        return hashlib.sha256(self.listing.encode("utf-8", "surrogatepass")).hexdigest()


class Whole(msgspec.Struct, frozen=True):
    """What becomes of the parts: where the bytes lie, size in bytes, unquoted ETag, checksum; and the numbers
    of the parts left out.
    """

    layout: Layout
    size: int
    etag: str
    checksum: Checksum
    unlisted: tuple[int, ...]


def assemble(upload: Upload, parts: Sequence[Part], asked: Asked, rules: Rules) -> Whole:
    """The object that the listed parts make.

    Raises MalformedXML (nothing listed), TooManyUploadParts, InvalidPartOrder, InvalidPart, EntityTooSmall,
    EntityTooLarge, InvalidRequest (another type or algorithm, another size) and BadDigest.
    """
    listed: Sequence[Part] = parts
    unlisted: tuple[int, ...] = ()
    if not _lists_all(upload, parts, asked, rules):
        stored = {part.number: part for part in parts}
        listed = [_find(upload, stored, wanted, rules) for wanted in check_list(asked.parts, rules)]
        unlisted = tuple(sorted(stored.keys() - {part.number for part in listed}))
    size = sum([part.size for part in listed])
    check_sizes(listed, size, rules)
    checksum = whole_checksum(upload, listed)
    check_whole(upload, asked, checksum, size)
    etag = multipart_etag([part.etag for part in listed])
    return Whole(Layout(tuple(listed)), size, etag, checksum, unlisted)


def _lists_all(upload: Upload, parts: Sequence[Part], asked: Asked, rules: Rules) -> bool:
    """Whether the client lists every part there is, in order, by its own ETag: most often it does, and then
    nobody need look for each. False says nothing.
    """
    if not 0 < len(parts) == len(asked.parts) <= rules.max_parts:
        return False
    if asked.listing != "\n".join([f"{part.number} {part.etag}" for part in parts]):
        return False
    return all(
        not wanted.checksums or _agrees(upload, part, wanted.checksums)
        for part, wanted in zip(parts, asked.parts, strict=True))


def check_list(wanted: Sequence[Wanted], rules: Rules) -> Iterable[Wanted]:
    """The listed parts, each number once. Raise unless there are some, not too many, by ascending number.

    A number that is listed twice in a row counts as it was listed last (ceph/s3-tests,
    test_multipart_resend_first_finishes_last).
    """
    if not wanted:
        raise faults.MalformedXML()
    if len(wanted) > rules.max_parts:
        raise faults.TooManyUploadParts(MaxPartsAllowed=rules.max_parts)
    last = 0
    for one in wanted:
        if one.number < last:
            raise faults.InvalidPartOrder()
        last = one.number
    return {one.number: one for one in wanted}.values()


def check_sizes(listed: Sequence[Part], size: int, rules: Rules) -> None:
    """Raise EntityTooSmall when a part but the last is too small, EntityTooLarge when the object would be too
    large.
    """
    for part in listed[:-1]:
        if part.size < rules.min_part_bytes:
            raise faults.EntityTooSmall(
                ProposedSize=part.size, MinSizeAllowed=rules.min_part_bytes, PartNumber=part.number,
                ETag=part.etag)
    if size > MAX_OBJECT_BYTES:
        raise faults.EntityTooLarge(ProposedSize=size, MaxSizeAllowed=MAX_OBJECT_BYTES)


def whole_checksum(upload: Upload, listed: Sequence[Part]) -> Checksum:
    """The checksum of the whole, by the algorithm and type of the upload."""
    algorithm = ALGORITHMS[upload.kept_algorithm]
    digests = [a2b_base64(part.checksum) for part in listed]
    if upload.kept_type == COMPOSITE:
        value = composite(algorithm, digests)
    else:
        value = encode(combined(algorithm, digests, [part.size for part in listed]))
    return Checksum(algorithm.name, value, upload.kept_type)


def check_whole(upload: Upload, asked: Asked, checksum: Checksum, size: int) -> None:
    """Raise InvalidRequest or BadDigest unless what the client says of the whole is so.

    A composite value may lack its `-N`, as some clients send it.
    """
    if asked.type is not None and asked.type != upload.kept_type:
        raise faults.InvalidRequest(
            f"The upload was created using the {upload.kept_type} checksum mode. The complete request must"
            " use the same checksum mode.")
    for name, value in asked.checksums.items():
        if name != checksum.algorithm:
            raise other_algorithm(upload, name)
        if value not in (checksum.value, checksum.value.partition("-")[0]):
            raise faults.BadDigest(f"The {name.lower()} you specified did not match the calculated checksum.")
    if asked.size is not None and asked.size != size:
        raise faults.InvalidRequest(
            f"The provided 'x-amz-mp-object-size' header value {asked.size} does not match what was computed:"
            f" {size}")


def other_algorithm(upload: Upload, name: str) -> Fault:
    """The InvalidRequest for a checksum by another algorithm than the upload's, in S3's words."""
    expected = upload.algorithm.lower() or "null"
    return faults.InvalidRequest(
        f"Checksum Type mismatch occurred, expected checksum Type: {expected}, actual checksum Type:"
        f" {name.lower()}")


def _find(upload: Upload, stored: Mapping[int, Part], wanted: Wanted, rules: Rules) -> Part:
    part = stored.get(wanted.number)
    if part is None or not _named(part, wanted.etag, rules) or not (
        not wanted.checksums or _agrees(upload, part, wanted.checksums)
    ):
        raise faults.InvalidPart(UploadId=upload.id, PartNumber=wanted.number, ETag=bare(wanted.etag or ""))
    return part


def _named(part: Part, etag: str | None, rules: Rules) -> bool:
    if etag and etag.strip('"') == part.etag:
        return True
    if not etag:
        if rules.compares_etags == "always":
            raise faults.MalformedXML()
        return True
    given = bare(etag)
    if rules.compares_etags == "when ours" and not _MD5.fullmatch(given):
        return True
    return given == part.etag


def _agrees(upload: Upload, part: Part, checksums: Mapping[str, str]) -> bool:
    known = {upload.kept_algorithm: part.checksum}
    if part.sent is not None:
        known[part.sent.algorithm] = part.sent.value
    return all(known.get(name) == value for name, value in checksums.items())
