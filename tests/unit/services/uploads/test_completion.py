"""What completing an upload accepts and what it makes of the parts: pure rules."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from zlib import crc32

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.parts import Wanted, asking
from trivium.base import faults
from trivium.base.digests import ALGORITHMS, COMPOSITE, FULL_OBJECT, Checksum, encode
from trivium.base.faults import Fault, FaultKind
from trivium.buckets.entry import Attributes
from trivium.services.uploads import completion
from trivium.services.uploads.completion import MAX_OBJECT_BYTES, Asked, Rules, Whole
from trivium.services.uploads.groups import GROUPS, Group, Part, columns_of, group_of
from trivium.services.uploads.records import Upload
from trivium.storage.blobs import LAYOUTS, BlobSpan, LayoutPart
from trivium.storage.records import Unreadable

RULES = Rules(min_part_bytes=5, max_parts=10)


def upload(algorithm: str = "", type: str = "") -> Upload:
    return Upload("id", 1, "bucket", "key", 0, "me", Attributes(), algorithm, type)


def part(number: int, data: bytes, algorithm: str = "CRC64NVME", *, size: int | None = None) -> Part:
    hasher = ALGORITHMS[algorithm].make()
    hasher.update(data)
    span = BlobSpan(f"{number:032x}", 0, len(data))
    return Part(
        number, len(data) if size is None else size, hashlib.md5(data).hexdigest(),
        encode(hasher.digest()), (span,) if data else (), 0)


def listing(parts: Sequence[Part], algorithm: str = "") -> tuple[Wanted, ...]:
    return tuple(
        Wanted(one.number, f'"{one.etag}"', {algorithm: one.checksum} if algorithm else {}) for one in parts)


def groups_of(upload: Upload, parts: Sequence[Part], *, wide: int = 2) -> list[Group]:
    """The parts in rows, of which full ones are summed up."""
    rows = [parts[at : at + wide] for at in range(0, len(parts), wide)]
    return [
        group_of(row, columns_of(row, upload.kept_algorithm, upload.kept_type) if len(row) == wide else None)
        for row in rows]


def assemble(upload: Upload, parts: Sequence[Part], asked: Asked, rules: Rules) -> Whole:
    return completion.assemble(upload, groups_of(upload, parts), asked, rules)


def refused(
    kind: FaultKind, upload: Upload, parts: Sequence[Part], asked: Asked, rules: Rules = RULES,
) -> Fault:
    with pytest.raises(Fault) as caught:
        assemble(upload, parts, asked, rules)
    assert caught.value.kind is kind
    return caught.value


ONE, TWO, THREE = part(1, b"first"), part(2, b"second"), part(3, b"last")


def test_the_listed_parts_become_the_object_in_order() -> None:
    whole = assemble(upload(), (ONE, TWO, THREE), asking(listing((ONE, TWO, THREE))), RULES)

    laid = [(one.number, one.spans) for one in whole.layout.parts]
    assert [(1, ONE.spans), (2, TWO.spans), (3, THREE.spans)] == laid
    assert len(b"firstsecondlast") == whole.size
    assert () == whole.unlisted


def test_the_etag_is_the_md5_of_the_md5s_and_their_number() -> None:
    digests = hashlib.md5(b"first").digest() + hashlib.md5(b"last").digest()

    whole = assemble(upload(), (ONE, THREE), asking(listing((ONE, THREE))), RULES)

    assert hashlib.md5(digests).hexdigest() + "-2" == whole.etag


def test_parts_that_are_not_listed_are_left_out() -> None:
    whole = assemble(upload(), (ONE, TWO, THREE), asking(listing((TWO,))), RULES)

    assert [2] == [one.number for one in whole.layout.parts]
    assert (1, 3) == whole.unlisted


def test_an_empty_list_is_malformed() -> None:
    assert "MalformedXML" == refused(faults.NoPartsSpecified, upload(), (ONE,), asking(())).kind.code


def test_too_many_parts_are_refused() -> None:
    rules = Rules(0, max_parts=1)
    refused(faults.TooManyUploadParts, upload(), (ONE, TWO), asking(listing((ONE, TWO))), rules)


def test_parts_are_listed_in_ascending_order() -> None:
    refused(faults.InvalidPartOrder, upload(), (ONE, TWO), asking(listing((TWO, ONE))))


def test_a_number_that_is_listed_twice_counts_as_it_was_listed_last() -> None:
    asked = asking((Wanted(1, "replaced"), Wanted(1, ONE.etag), Wanted(2, TWO.etag)))

    whole = assemble(upload(), (ONE, TWO), asked, RULES)

    assert [1, 2] == [part.number for part in whole.layout.parts]


def test_a_part_that_was_not_uploaded_is_invalid() -> None:
    fault = refused(faults.InvalidPart, upload(), (ONE,), asking((Wanted(9, '"abc"'),)))

    assert {"UploadId": "id", "PartNumber": 9, "ETag": "abc"} == fault.facts


def test_another_etag_is_invalid() -> None:
    refused(faults.InvalidPart, upload(), (ONE,), asking((Wanted(1, TWO.etag),)))


def test_etags_may_be_quoted_or_not() -> None:
    assert assemble(upload(), (ONE,), asking((Wanted(1, ONE.etag),)), RULES).size == ONE.size


@pytest.mark.parametrize(("compares", "etag", "kind"), [
    ("always", None, faults.MalformedXML), ("always", "mine", faults.InvalidPart),
    ("when given", None, None), ("when given", "mine", faults.InvalidPart),
    ("when ours", None, None), ("when ours", "mine", None), ("when ours", "0" * 32, faults.InvalidPart),
])
def test_dialects_decide_which_etags_are_compared(
    compares: str, etag: str | None, kind: FaultKind | None,
) -> None:
    asked, rules = asking((Wanted(1, etag),)), Rules(5, 10, compares)
    if kind is not None:
        refused(kind, upload(), (ONE,), asked, rules)
        return

    assert ONE.size == assemble(upload(), (ONE,), asked, rules).size


def test_every_part_but_the_last_has_a_minimum_size() -> None:
    parts = (THREE, part(4, b"x"))

    fault = refused(faults.EntityTooSmall, upload(), parts, asking(listing(parts)))

    assert {"ProposedSize": 4, "MinSizeAllowed": 5, "PartNumber": 3, "ETag": THREE.etag} == fault.facts


def test_an_object_may_not_be_larger_than_s3_allows() -> None:
    huge = part(1, b"huge", size=MAX_OBJECT_BYTES)
    refused(faults.EntityTooLarge, upload(), (huge, TWO), asking(listing((huge, TWO))))


def test_without_a_wish_the_whole_has_a_crc64nvme_of_the_full_object() -> None:
    checksum = assemble(upload(), (ONE, TWO), asking(listing((ONE, TWO))), RULES).checksum

    assert (part(1, b"firstsecond").checksum, "CRC64NVME", FULL_OBJECT) == (
        checksum.value, checksum.algorithm, checksum.type)


def test_a_composite_checksum_is_of_the_parts_checksums() -> None:
    parts = (part(1, b"first", "SHA256"), part(2, b"second", "SHA256"))
    digests = hashlib.sha256(b"first").digest() + hashlib.sha256(b"second").digest()

    whole = assemble(upload("SHA256", COMPOSITE), parts, asking(listing(parts, "SHA256")), RULES)

    assert base64.b64encode(hashlib.sha256(digests).digest()).decode() + "-2" == whole.checksum.value
    assert COMPOSITE == whole.checksum.type


def test_parts_of_a_composite_checksum_are_listed_with_theirs() -> None:
    parts = (part(1, b"first", "SHA256"), part(2, b"second", "SHA256"))
    made = upload("SHA256", COMPOSITE)
    one_lacks = (*listing(parts[:1], "SHA256"), *listing(parts[1:]))

    fault = refused(faults.InvalidRequest, made, parts, asking(one_lacks))

    assert (
        "The upload was created using a sha256 checksum. The complete request must include the checksum for"
        " each part. It was missing for part 2 in the request.") == fault.message
    refused(faults.BadDigest, made, parts, asking(one_lacks, {"SHA256": "bad"}))  # ceph/s3-tests: that comes first
    relaxed = Rules(5, 10, wants_checksums=False)
    assert COMPOSITE == assemble(made, parts, asking(one_lacks), relaxed).checksum.type


def test_parts_of_a_full_object_s_checksum_need_none() -> None:
    one = part(1, b"first", "CRC32")

    assert FULL_OBJECT == assemble(
        upload("CRC32", FULL_OBJECT), (one,), asking(listing((one,))), RULES).checksum.type


@given(st.lists(st.binary(min_size=5, max_size=40), min_size=1, max_size=8))
def test_the_crc_of_the_full_object_is_that_of_its_bytes(contents: list[bytes]) -> None:
    parts = [part(number, data, "CRC32") for number, data in enumerate(contents, 1)]

    whole = assemble(upload("CRC32", FULL_OBJECT), parts, asking(listing(parts)), RULES)

    assert crc32(b"".join(contents)).to_bytes(4, "big") == base64.b64decode(whole.checksum.value)
    assert len(b"".join(contents)) == whole.size


@given(st.sets(st.integers(1, 10), min_size=1), st.data())
def test_what_is_listed_and_what_is_left_out_are_all_parts(numbers: set[int], data: st.DataObject) -> None:
    parts = [part(number, b"%d data" % number) for number in sorted(numbers)]
    listed = sorted(data.draw(st.sets(st.sampled_from(parts), min_size=1)), key=lambda one: one.number)

    whole = assemble(upload(), parts, asking(listing(listed)), RULES)

    assert [one.number for one in listed] == [one.number for one in whole.layout.parts]
    assert sorted(numbers) == sorted((*(one.number for one in listed), *whole.unlisted))


def test_a_parts_checksum_is_compared_where_it_is_given() -> None:
    right = asking((Wanted(1, ONE.etag, {"CRC64NVME": ONE.checksum}),))
    wrong = asking((Wanted(1, ONE.etag, {"CRC64NVME": TWO.checksum}),))

    assert ONE.size == assemble(upload(), (ONE,), right, RULES).size
    refused(faults.InvalidPart, upload(), (ONE,), wrong)


def test_a_parts_checksum_by_an_algorithm_that_never_came_is_invalid() -> None:
    refused(faults.InvalidPart, upload(), (ONE,), asking((Wanted(1, ONE.etag, {"SHA1": "x"}),)))


@pytest.mark.parametrize("suffix", ["-1", ""])
def test_a_composite_of_the_whole_may_lack_its_number_of_parts(suffix: str) -> None:
    one = part(1, b"first", "CRC32C")
    made = upload("CRC32C", COMPOSITE)
    value = assemble(made, (one,), asking(listing((one,), "CRC32C")), RULES).checksum.value

    asked = asking(listing((one,), "CRC32C"), {"CRC32C": value.partition("-")[0] + suffix})

    assert value == assemble(made, (one,), asked, RULES).checksum.value


def test_another_checksum_of_the_whole_is_a_bad_digest() -> None:
    refused(faults.BadDigest, upload(), (ONE,), asking(listing((ONE,)), {"CRC64NVME": TWO.checksum}))


@pytest.mark.parametrize("asked", [
    asking(listing((ONE,)), {"SHA256": "x"}), asking(listing((ONE,)), type=COMPOSITE),
    asking(listing((ONE,)), size=4),
], ids=["algorithm", "type", "size"])
def test_what_does_not_fit_the_upload_is_an_invalid_request(asked: Asked) -> None:
    refused(faults.InvalidRequest, upload(), (ONE,), asked)


def test_fingerprints_are_those_of_earlier_houses() -> None:
    # of a request that may be repeated after an upgrade, at commit efd096e
    asked = asking((Wanted(1, '"a"'), Wanted(64)), {"CRC32": "x"}, "COMPOSITE", 7)

    assert "1616b361d8d7269fe1654d0c1421d461eca8cad342c325d718f11fed0a972684" == asked.fingerprint


def test_requests_that_say_the_same_have_the_same_fingerprint() -> None:
    parts = (Wanted(1, "a"),)
    others = [
        asking((Wanted(2, "a"),)), asking(parts, size=3), asking(parts, size=4), asking(parts, type=COMPOSITE),
        asking(parts, {"CRC32": "x"}), asking(parts, {"CRC32": "y"}), asking(parts, {"SHA1": "x"})]

    assert asking((Wanted(1, '"a"'),)).fingerprint == asking(parts).fingerprint
    assert 1 + len(others) == len({one.fingerprint for one in (asking(parts), *others)})


def test_what_one_etag_says_of_two_parts_lists_one() -> None:
    both = Wanted(1, f"{ONE.etag}\n2 {TWO.etag}")

    refused(faults.InvalidPart, upload(), (ONE, TWO), asking((both,)))
    refused(faults.InvalidPart, upload(), (ONE, TWO), asking((both, Wanted(3, ""))), Rules(5, 10, "when given"))


@given(st.permutations(range(4)), st.integers(0, 3), st.sampled_from(["x", None, '"', "1 x"]))
def test_every_part_is_looked_at_when_one_is_not_as_it_is_kept(order: list[int], at: int, etag: str) -> None:
    parts = [part(number, b"%d data" % number) for number in (1, 2, 3, 4)]
    listed = [Wanted(parts[place].number, parts[place].etag) for place in order]
    listed[at] = Wanted(listed[at].number, etag)

    with pytest.raises(Fault):
        assemble(upload(), parts, asking(tuple(listed)), RULES)


@given(
    st.lists(st.binary(max_size=12), max_size=9), st.integers(1, 10), st.sampled_from(["CRC32", "CRC64NVME", "SHA256"]),
    st.data())
def test_it_makes_no_difference_which_parts_share_a_row(
    contents: list[bytes], wide: int, algorithm: str, data: st.DataObject,
) -> None:
    type = COMPOSITE if algorithm == "SHA256" else FULL_OBJECT
    made, parts = upload(algorithm, type), [part(n, one, algorithm) for n, one in enumerate(contents, 1)]
    listed = listing(parts, data.draw(st.sampled_from(["", algorithm, "SHA1"])))
    if parts and data.draw(st.sampled_from([True, False])):
        at = data.draw(st.integers(0, len(parts) - 1))
        others: list[tuple[Wanted, ...]] = [
            (), (Wanted(at + 1, "x" * 32),), (Wanted(at + 2, parts[at].etag),), (Wanted(at + 1, None),),
            (Wanted(at + 1, parts[at].etag, {algorithm: "AAAA"}),), (listed[at], listed[at])]
        other = data.draw(st.sampled_from(others))
        listed = (*listed[:at], *other, *listed[at + 1 :])
    asked = asking(listed, bare=not any(one.checksums for one in listed))

    assert outcome(made, [group_of([one]) for one in parts], asking(listed)) == outcome(
        made, groups_of(made, parts, wide=wide), asked)


def outcome(upload: Upload, groups: Sequence[Group], asked: Asked) -> object:
    try:
        return completion.assemble(upload, groups, asked, RULES)
    except Fault as fault:
        return fault.kind, fault.facts, fault.message


def test_what_an_earlier_house_wrote_beside_a_row_counts_and_is_listed_in_order() -> None:
    again = part(2, b"second again")
    groups = [group_of((ONE, TWO, THREE)), group_of((again,))]

    assert (faults.InvalidPartOrder, {}, faults.InvalidPartOrder.message) == outcome(
        upload(), groups, asking(listing((ONE, TWO, THREE, again)), bare=True))
    whole = completion.assemble(upload(), groups, asking(listing((ONE, again, THREE)), bare=True), RULES)
    assert [ONE.spans, again.spans, THREE.spans] == [one.spans for one in whole.layout.parts]


def test_parts_of_earlier_formats_are_rows_of_one() -> None:
    first = msgspec.msgpack.encode([7, 3, ONE.etag, 1234, "AAA=", [["b" * 32, 0, 3]], ["SHA1", "x", FULL_OBJECT]])
    second = msgspec.msgpack.encode([7, 3, ONE.etag, "AAA=", [["b" * 32, 0, 3]], 1234, ["SHA1", "x", FULL_OBJECT]])

    read = [GROUPS.decode(data) for data in (b"\x01" + first, b"\x02" + second)]

    sent = Checksum("SHA1", "x", FULL_OBJECT)
    one = Part(7, 3, ONE.etag, "AAA=", (BlobSpan("b" * 32, 0, 3),), 1234, sent)
    assert [group_of([one])] * 2 == read
    assert [(one,)] * 2 == [group.parts for group in read]


def test_a_damaged_row_is_unreadable() -> None:
    with pytest.raises(Unreadable):
        Group(2, group_of([ONE]).packed).parts


def test_a_layout_of_uploaded_parts_is_read_as_a_layout() -> None:
    layout = assemble(upload(), (ONE, TWO), asking(listing((ONE, TWO))), RULES).layout

    read = LAYOUTS.decode(LAYOUTS.encode(layout))

    assert [(one.number, one.size, one.etag, one.checksum, one.spans) for one in (ONE, TWO)] == [
        (one.number, one.size, one.etag, one.checksum, one.spans) for one in read.parts]
    assert {LayoutPart} == {type(one) for one in read.parts}
