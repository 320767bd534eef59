"""The rules of completing an upload: pure functions from its parts and what the client says to what becomes
an object.

Source: Amazon S3 API Reference, CompleteMultipartUpload; User Guide, "Multipart upload limits" and "Checking
object integrity", on checksums of multipart uploads.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final, Protocol

import msgspec

from trivium.base import faults
from trivium.base.digests import ALGORITHMS, COMPOSITE, Checksum, combined, composite, encode, multipart_etag
from trivium.base.etag import bare
from trivium.base.faults import Fault
from trivium.buckets.conditions import ALWAYS, WriteIf
from trivium.services.uploads.groups import Columns, Group, Part, columns_of, group_of
from trivium.services.uploads.records import Upload
from trivium.storage.blobs import Layout, joined

# 48.8 TiB, which AWS calls 50 TB: Amazon S3 User Guide, "Multipart upload limits", 10,000 parts of 5 GiB
MAX_OBJECT_BYTES: Final = 10_000 * (5 << 30)

_MD5_BYTES: Final = 16
_MD5 = re.compile(r"[0-9a-f]{32}")


class Rules(msgspec.Struct, frozen=True):
    """What dialects decide. `min_part_bytes` holds for every part but the last.

    `compares_etags`: "always", "when given" or "when ours" (they look like an MD5). `wants_checksums`: parts
    that are listed of an upload of composite checksums must have theirs.
    """

    min_part_bytes: int
    max_parts: int
    compares_etags: str = "always"
    wants_checksums: bool = True


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

    `numbers` and `etags` are those of the parts. `bare`: no part has a checksum; False says nothing.
    """

    parts: Iterable[Wanted]
    numbers: Sequence[int]
    etags: Sequence[str | None]
    checksums: Mapping[str, str] = {}
    type: str | None = None
    size: int | None = None
    only_if: WriteIf = ALWAYS
    bare: bool = False

    @property
    def listed_etags(self) -> str:
        """The ETags without quotation marks, a line each."""
        return "\n".join([etag or "" for etag in self.etags]).replace('"', "")

    @property
    def fingerprint(self) -> str:
        """Equal for requests that list the same parts and say the same of the whole. Kept in rows."""
        parts = [f"{number} {etag or ''}" for number, etag in zip(self.numbers, self.etags, strict=True)]
        said = [f"{name} {value}" for name, value in sorted(self.checksums.items())]
        said += [str(one) for one in (self.type, self.size) if one is not None]
        listed = "\n\n".join(["\n".join(parts).replace('"', ""), *said])
        return hashlib.sha256(listed.encode("utf-8", "surrogatepass")).hexdigest()


class Whole(msgspec.Struct, frozen=True):
    """What becomes of the parts: where the bytes lie, in how many parts, size in bytes, unquoted ETag,
    checksum; and the numbers of the parts left out.
    """

    layout: Layout
    parts: int
    size: int
    etag: str
    checksum: Checksum
    unlisted: tuple[int, ...]


def assemble(upload: Upload, groups: Sequence[Group], asked: Asked, rules: Rules) -> Whole:
    """The object that the listed parts make. The groups are the upload's parts, in order.

    Raises NoPartsSpecified, TooManyUploadParts, InvalidPartOrder, InvalidPart, EntityTooSmall,
    EntityTooLarge, InvalidRequest (another type or algorithm, another size, a part without its checksum) and
    BadDigest.
    """
    columns = [group.columns or _columns(upload, group.parts) for group in groups]
    unlisted: tuple[int, ...] = ()
    plain = _lists_all(upload, columns, asked, rules)
    if not plain:
        stored = {part.number: part for group in groups for part in group.parts}
        listed = [_find(upload, stored, wanted, rules) for wanted in check_list(asked, rules)]
        unlisted = tuple(sorted(stored.keys() - {part.number for part in listed}))
        groups, columns = [group_of(listed)], [_columns(upload, listed)]
    size = check_sizes(columns, rules)
    count, checksum = sum([group.count for group in groups]), whole_checksum(upload, columns)
    check_whole(upload, asked, checksum, size)
    if not plain:
        check_present(asked.parts, _needed(upload, rules))
    layout = joined(count, [group.packed for group in groups])
    return Whole(layout, count, size, multipart_etag([one.md5s for one in columns]), checksum, unlisted)


def _columns(upload: Upload, parts: Sequence[Part]) -> Columns:
    return columns_of(parts, upload.kept_algorithm, upload.kept_type)


def _lists_all(upload: Upload, columns: Sequence[Columns], asked: Asked, rules: Rules) -> bool:
    """Whether the client lists every part there is, in order, by its own ETag, and its kept checksum if any:
    most often it does, and then nobody need look for each. False says nothing.
    """
    if any(after.numbers[0] <= before.numbers[-1] for before, after in pairwise(columns)):
        return False  # an earlier house, once it served again, wrote parts beside rows that it cannot read
    numbers = [number for one in columns for number in one.numbers]
    if not 0 < len(numbers) <= rules.max_parts or numbers != asked.numbers:
        return False
    if asked.listed_etags != "\n".join([one.md5s.hex("\n", _MD5_BYTES) for one in columns]):
        return False
    given = [] if asked.bare else [wanted.checksums for wanted in asked.parts]
    if not any(given):
        return not _needed(upload, rules)
    name, width = upload.kept_algorithm, ALGORITHMS[upload.kept_algorithm].length
    kept = b"".join([one.checksums for one in columns])
    return given == [{name: encode(kept[at : at + width])} for at in range(0, len(kept), width)]


def check_list(asked: Asked, rules: Rules) -> Iterable[Wanted]:
    """The listed parts, each number once. Raise unless there are some, not too many, by ascending number.

    A number that is listed twice in a row counts as it was listed last (ceph/s3-tests,
    test_multipart_resend_first_finishes_last).
    """
    if not asked.numbers:
        raise faults.NoPartsSpecified()
    if len(asked.numbers) > rules.max_parts:
        raise faults.TooManyUploadParts(MaxPartsAllowed=rules.max_parts)
    if any(number > behind for number, behind in pairwise(asked.numbers)):
        raise faults.InvalidPartOrder()
    return {one.number: one for one in asked.parts}.values()


def check_sizes(columns: Sequence[Columns], rules: Rules) -> int:
    """The size of the whole. Raise EntityTooSmall when a part but the last is too small, EntityTooLarge when
    the whole would be too large.
    """
    sizes = [size for one in columns for size in one.sizes]
    if min(sizes[:-1], default=rules.min_part_bytes) < rules.min_part_bytes:
        at = next(at for at, size in enumerate(sizes) if size < rules.min_part_bytes)
        number = [number for one in columns for number in one.numbers][at]
        md5s = b"".join([one.md5s for one in columns])
        raise faults.EntityTooSmall(
            ProposedSize=sizes[at], MinSizeAllowed=rules.min_part_bytes, PartNumber=number,
            ETag=md5s[at * _MD5_BYTES :][:_MD5_BYTES].hex())
    whole = sum(sizes)
    if whole > MAX_OBJECT_BYTES:
        raise faults.EntityTooLarge(ProposedSize=whole, MaxSizeAllowed=MAX_OBJECT_BYTES)
    return whole


def whole_checksum(upload: Upload, columns: Sequence[Columns]) -> Checksum:
    """The checksum of the whole, by the algorithm and type of the upload."""
    algorithm = ALGORITHMS[upload.kept_algorithm]
    if upload.kept_type == COMPOSITE:
        value = composite(algorithm, [one.checksums for one in columns])
    else:
        value = encode(combined(algorithm, [one.crc for one in columns], [sum(one.sizes) for one in columns]))
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


def check_present(listed: Iterable[Wanted], needed: str) -> None:
    """Raise InvalidRequest unless each listed part has the checksum that is needed, if one is."""
    for wanted in listed if needed else ():
        if needed not in wanted.checksums:
            raise faults.InvalidRequest(
                f"The upload was created using a {needed.lower()} checksum. The complete request must include"
                f" the checksum for each part. It was missing for part {wanted.number} in the request.")


def other_algorithm(upload: Upload, name: str) -> Fault:
    """The InvalidRequest for a checksum by another algorithm than the upload's, in S3's words."""
    expected = upload.algorithm.lower() or "null"
    return faults.InvalidRequest(
        f"Checksum Type mismatch occurred, expected checksum Type: {expected}, actual checksum Type:"
        f" {name.lower()}")


def _find(upload: Upload, stored: Mapping[int, Part], wanted: Wanted, rules: Rules) -> Part:
    part, checksums = stored.get(wanted.number), wanted.checksums
    if part is None or not _named(part, wanted.etag, rules) or not (
        not checksums or _agrees(upload, part, checksums, "")
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


def _needed(upload: Upload, rules: Rules) -> str:
    """The algorithm by which each listed part must have its checksum, "" for none (Amazon S3 User Guide,
    "Checking object integrity", of composite checksums).
    """
    return upload.algorithm if rules.wants_checksums and upload.kept_type == COMPOSITE else ""


def _agrees(upload: Upload, part: Part, checksums: Mapping[str, str], needed: str) -> bool:
    """Whether the checksums are the part's, and the needed one is among them."""
    if needed and needed not in checksums:
        return False
    known = {upload.kept_algorithm: part.checksum}
    if part.sent is not None:
        known[part.sent.algorithm] = part.sent.value
    return all(known.get(name) == value for name, value in checksums.items())
