"""Values of headers and query parameters: parsed or refused, and written as the wire wants them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Annotated

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.unit.s3.requests_for_tests import request
from trivium.base import faults
from trivium.base.faults import Fault, FaultKind
from trivium.s3 import fields
from trivium.s3.fields import Derived, Header, Query, Spread, binder, header_writer

NOON_MS = 1_793_534_400_000  # 2026-11-01T12:00:00Z


def refusal(parse: fields.Parse, text: str) -> FaultKind:
    with pytest.raises(Fault) as raised:
        parse(text, "x")
    return raised.value.kind


@pytest.mark.parametrize(("text", "value"), [("0", 0), ("2147483647", 2**31 - 1), ("0007", 7)])
def test_numbers(text: str, value: int) -> None:
    assert value == fields.number(text, "x")


@pytest.mark.parametrize(
    "text", ["", "-1", "+1", " 1", "1 ", "1.0", "1e3", "a", "\u0661", "\u00b2", "2147483648", "9" * 30]
)
def test_what_is_no_number_is_an_invalid_argument(text: str) -> None:
    assert faults.InvalidArgument is refusal(fields.number, text)


@pytest.mark.parametrize("text", ["", "-1", "1.5", "\u0661", "1" * 20])
def test_what_is_no_size_is_an_invalid_header(text: str) -> None:
    assert faults.InvalidHeaderValue is refusal(fields.size_in_bytes, text)


@pytest.mark.parametrize(
    "text",
    [
        "Sun, 01 Nov 2026 12:00:00 GMT",
        "Sunday, 01-Nov-26 12:00:00 GMT",
        "Sun Nov  1 12:00:00 2026",
        "Sun, 01 Nov 2026 12:00:00 -0000",
        "Sun, 01 Nov 2026 12:00:00",
        "Sun, 01 Nov 2026 14:00:00 +0200",
    ],
)
def test_http_dates_are_read_in_every_form_and_are_utc_without_a_zone(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")

    assert NOON_MS == fields.http_date(text, "x")


@pytest.mark.parametrize(
    "text", ["2026-11-01T12:00:00Z", "2026-11-01T12:00:00.000+00:00", "2026-11-01 12:00:00"]
)
def test_iso_dates_are_read_where_both_forms_are_taken(text: str) -> None:
    assert NOON_MS == fields.any_date(text, "x")


@given(st.text())
def test_a_date_that_is_none_is_no_date_and_nothing_worse(text: str) -> None:
    assert fields.http_date(text, "x") is None or isinstance(fields.http_date(text, "x"), int)


@given(st.text())
def test_where_a_date_is_needed_one_that_is_none_is_an_invalid_header(text: str) -> None:
    try:
        fields.any_date(text, "x")
    except Fault as fault:
        assert faults.InvalidHeaderValue is fault.kind


@given(st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)))
def test_written_times_are_read_again(moment: datetime) -> None:
    ms = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // datetime.resolution // 1000

    assert ms // 1000 * 1000 == fields.http_date(fields.http_time(ms), "x")
    assert ms == fields.any_date(fields.iso_time(ms), "x")
    assert format_datetime(moment, usegmt=True) == fields.http_time(ms)


@given(st.lists(st.integers(-(10**13), 10**14)))
@example([-1, 0, 999, 1000, 3_599_999, 3_600_000])
def test_many_times_are_written_with_their_milliseconds(moments: list[int]) -> None:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    expected = [
        (epoch + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        for ms in moments]

    assert expected == fields.iso_times(moments)


def test_a_closed_set_of_words_refuses_every_other() -> None:
    parse = fields.one_of("COPY", "REPLACE", kind=faults.InvalidEncodingMethod)

    assert "COPY" == parse("COPY", "x")
    assert faults.InvalidEncodingMethod is refusal(parse, "copy")
    assert faults.InvalidEncodingMethod is refusal(parse, "")


@pytest.mark.parametrize("text", ["null", "x", "HEAD^^", "a" * 1024])
def test_a_version_id_is_text(text: str) -> None:
    assert text == fields.version_id(text, "versionId")


def test_a_version_id_is_neither_empty_nor_longer_than_s3_makes_them() -> None:
    assert faults.EmptyVersionId is refusal(fields.version_id, "")
    assert faults.VersionIdTooLong is refusal(fields.version_id, "a" * 1025)


@pytest.mark.parametrize("text", ["", "-", "a", "1.0", "+1", "10001", "\u0661", "000001", "-" + "1" * 5])
def test_what_no_part_can_be_numbered_is_an_invalid_part_number(text: str) -> None:
    assert faults.InvalidPartNumber is refusal(fields.part_number, text)


@pytest.mark.parametrize("text", ["0", "-1", "-0"])
def test_parts_are_counted_from_one(text: str) -> None:
    assert faults.SmallPartNumber is refusal(fields.part_number, text)


class Asked(msgspec.Struct, frozen=True):
    """An Ask with every kind of source."""

    path: Annotated[str, Derived(lambda asked: asked.path)]
    match: Annotated[str | None, Header("if-match")] = None
    limit: Annotated[int, Query("max-keys", fields.number)] = 1000


def test_what_is_asked_comes_from_headers_query_and_request() -> None:
    bound = binder(Asked)(
        request(path="/b/k", query="max-keys=5&other=1", headers={"if-match": '"e"', "host": "h"})
    )

    assert Asked("/b/k", '"e"', 5) == Asked(**bound)


def test_what_is_not_asked_keeps_its_default() -> None:
    assert Asked("/b/k") == Asked(**binder(Asked)(request(path="/b/k")))


def test_the_first_of_two_parameters_of_one_name_counts() -> None:
    assert {"path": "/b", "limit": 1} == binder(Asked)(request(path="/b", query="max-keys=1&max-keys=2"))


class Answered(msgspec.Struct, frozen=True):
    """A Reply with every kind of header."""

    etag: Annotated[str | None, Header("etag")] = None
    size: Annotated[int | None, Header("x-size", write=lambda size: f"{size} bytes")] = None
    more: Annotated[tuple[str, ...], Spread(lambda names: [(name, "1") for name in names])] = ()
    body: bytes = b""


def headers_of(reply: Answered) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    header_writer(Answered)(reply, found)
    return found


def test_fields_of_a_reply_become_headers_and_absent_ones_do_not() -> None:
    assert [] == headers_of(Answered())
    assert [("etag", "e"), ("x-size", "0 bytes"), ("a", "1"), ("b", "1")] == headers_of(
        Answered("e", 0, ("a", "b"), b"x")
    )


def test_metadata_loses_its_prefix_and_keeps_its_values() -> None:
    sent = {
        "x-amz-meta-a": "1",
        "x-amz-meta-b-c": "=?UTF-8?Q?=C3=A9?=",
        "x-amz-metadata-directive": "COPY",
        "host": "h",
    }

    assert {"a": "1", "b-c": "=?UTF-8?Q?=C3=A9?="} == fields.metadata(request(headers=sent))


@pytest.mark.parametrize(
    ("header", "tags"),
    [
        ("", {}),
        ("a=1", {"a": "1"}),
        ("a=1&b=2", {"a": "1", "b": "2"}),
        ("a", {"a": ""}),
        ("a=", {"a": ""}),
        ("a+b=c%2Bd", {"a b": "c+d"}),
        ("%C3%A9=%F0%9F%98%80", {"\u00e9": "\U0001f600"}),
        ("&a=1&", {"a": "1"}),
        ("a=b=c", {"a": "b=c"}),
    ],
)
def test_tags_in_a_header_are_a_query_string(header: str, tags: dict[str, str]) -> None:
    assert tags == fields.tag_header(header, "x-amz-tagging")


@pytest.mark.parametrize("header", ["a=1&a=2", "a=1&%61=2", "a=%ff", "%C3=1"])
def test_tags_that_come_twice_or_are_no_utf_8_are_refused(header: str) -> None:
    assert faults.InvalidHeaderValue is refusal(fields.tag_header, header)
