"""Whether the bytes in a row are those that were written."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivium.base.digests import ALGORITHMS, COMPOSITE, Checksum, encode
from trivium.buckets.entry import BlobContent, Entry
from trivium.services.bodies import is_rotten


def entry(data: bytes, checksum: Checksum | None, *, etag: str | None = None) -> Entry:
    return Entry("key", 1, 0, len(data), etag or hashlib.md5(data).hexdigest(), checksum=checksum)


@given(st.binary(max_size=50), st.binary(max_size=50), st.sampled_from([None, *ALGORITHMS]))
def test_only_the_bytes_that_were_written_are_whole(data: bytes, other: bytes, algorithm: str | None) -> None:
    checksum = Checksum(algorithm, encode(ALGORITHMS[algorithm].of(data))) if algorithm else None

    assert not is_rotten(entry(data, checksum), data)
    assert is_rotten(entry(data, checksum), other) == (data != other)
    assert is_rotten(entry(data, checksum), None)


def test_a_composite_checksum_says_nothing_of_the_bytes() -> None:
    composite = Checksum("SHA256", "x-1", COMPOSITE)

    assert not is_rotten(entry(b"data", composite), b"data")
    assert is_rotten(entry(b"data", composite), b"dota")


@pytest.mark.parametrize("other", [
    Entry("key", 1, 0, 4, "x", content=BlobContent("b")), Entry("key", 1, 0, 0, "", marker=True)])
def test_what_has_no_bytes_in_its_row_is_not_looked_at(other: Entry) -> None:
    assert not is_rotten(other, None)
