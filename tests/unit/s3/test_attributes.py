"""What a writer says about an object: headers in, headers out."""

from __future__ import annotations

from email.header import decode_header, make_header

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.s3.requests_for_tests import request
from trivium.base import faults
from trivium.base.faults import Fault, FaultKind
from trivium.buckets.entry import Attributes, Entry
from trivium.s3.attributes import entry_headers, mime_words, object_attributes


def attributes(**headers: str) -> Attributes:
    return object_attributes(
        request("PUT", headers={name.replace("_", "-"): value for name, value in headers.items()})
    )


def refusal(**headers: str) -> FaultKind:
    with pytest.raises(Fault) as raised:
        attributes(**headers)
    return raised.value.kind


def told(given_: Attributes) -> dict[str, str]:
    return dict(entry_headers(Entry("k", 1, 1_793_534_400_700, 5, "e", attributes=given_)))


def test_an_object_without_a_type_is_binary() -> None:
    assert "binary/octet-stream" == attributes().content_type
    assert "binary/octet-stream" == attributes(content_type="").content_type
    assert "binary/octet-stream" == told(Attributes())["content-type"]


def test_content_headers_are_kept_and_told() -> None:
    sent = {
        "cache_control": "no-cache",
        "content_disposition": "inline",
        "content_language": "de",
        "expires": "Thu, 01 Dec 2026 16:00:00 GMT",
        "content_encoding": "gzip",
        "content_type": "text/plain",
    }

    expected = {name.replace("_", "-"): value for name, value in sent.items()}
    assert expected.items() <= told(attributes(**sent)).items()


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("aws-chunked", None),
        ("aws-chunked,gzip", "gzip"),
        ("gzip, aws-chunked", "gzip"),
        ("gzip,br", "gzip, br"),
        ("aws-chunked, ", None),
        ("gzip", "gzip"),
        ("AWS-Chunked", None),
    ],
)
def test_aws_chunked_is_how_the_bytes_travelled_and_not_kept(sent: str, kept: str | None) -> None:
    assert kept == attributes(content_encoding=sent).headers.get("content-encoding")


def test_metadata_is_kept_and_told() -> None:
    meta = {"x-amz-meta-a": "1", "x-amz-meta-b-c": ""}

    assert (
        meta.items()
        <= told(attributes(**{name.replace("-", "_"): value for name, value in meta.items()})).items()
    )


def test_metadata_may_have_2048_bytes_of_names_and_values() -> None:
    attributes(x_amz_meta_a="v" * 2047)
    attributes(x_amz_meta_a="v" * 1023, x_amz_meta_b="v" * 1023)
    attributes(x_amz_meta_a="\u00e9" * 1023)

    assert faults.MetadataTooLarge is refusal(x_amz_meta_a="v" * 2048)
    assert faults.MetadataTooLarge is refusal(x_amz_meta_a="v" * 1023, x_amz_meta_b="v" * 1024)
    assert faults.MetadataTooLarge is refusal(x_amz_meta_a="\u00e9" * 1024)


def test_content_headers_may_have_8_kib_together() -> None:
    attributes(content_type="t" * 4096, content_disposition="d" * 4096)

    assert faults.RequestHeaderSectionTooLarge is refusal(content_type="t" * 4096, content_disposition="d" * 4097)
    assert faults.RequestHeaderSectionTooLarge is refusal(cache_control="c" * 9000)


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=700))
def test_metadata_beyond_ascii_is_told_as_mime_words_in_one_line(value: str) -> None:
    words = mime_words(value)

    assert words.isascii()
    assert "\n" not in words
    assert "\r" not in words
    assert value.strip() == str(make_header(decode_header(words))).strip()


def test_ascii_metadata_is_told_as_it_was_sent_even_if_it_looks_like_mime_words() -> None:
    assert "=?UTF-8?Q?=C3=A9?=" == told(attributes(x_amz_meta_a="=?UTF-8?Q?=C3=A9?="))["x-amz-meta-a"]


def test_tags_are_kept_and_counted() -> None:
    kept = attributes(x_amz_tagging="a=1&b=2")

    assert {"a": "1", "b": "2"} == kept.tags
    assert "2" == told(kept)["x-amz-tagging-count"]
    assert "x-amz-tagging-count" not in told(attributes(x_amz_tagging=""))


def test_storage_classes_are_known_names_and_told_unless_they_are_standard() -> None:
    assert "x-amz-storage-class" not in told(attributes(x_amz_storage_class="STANDARD"))
    assert "GLACIER" == told(attributes(x_amz_storage_class="GLACIER"))["x-amz-storage-class"]
    assert faults.InvalidStorageClass is refusal(x_amz_storage_class="FAST")
    assert faults.InvalidStorageClass is refusal(x_amz_storage_class="standard")


def test_redirects_are_paths_or_urls_of_bounded_length() -> None:
    name = "x-amz-website-redirect-location"

    assert "/other" == told(attributes(x_amz_website_redirect_location="/other"))[name]
    assert "https://e.org" == told(attributes(x_amz_website_redirect_location="https://e.org"))[name]
    assert faults.InvalidRedirectLocation is refusal(x_amz_website_redirect_location="ftp://e.org")
    assert faults.InvalidRedirectLocationTooLong is refusal(x_amz_website_redirect_location="/" * 2049)


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("a=1&a=2", faults.InvalidHeaderValue),
        ("=1", faults.InvalidTag),
        ("aws:a=1", faults.InvalidTag),
        ("&".join(f"k{number}=v" for number in range(11)), faults.TooManyTags),
    ],
)
def test_bad_tags_are_refused(header: str, kind: FaultKind) -> None:
    assert kind is refusal(x_amz_tagging=header)


def test_etag_and_time_are_told_as_http_has_them() -> None:
    headers = told(Attributes())

    assert '"e"' == headers["etag"]
    assert "Sun, 01 Nov 2026 12:00:00 GMT" == headers["last-modified"]
    assert "bytes" == headers["accept-ranges"]
