"""Headers that ask for what is not done here: which action refuses which."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.s3.requests_for_tests import request
from trivium.base import faults
from trivium.base.faults import Fault
from trivium.s3.conditions import READ_HEADERS
from trivium.s3.headers import COPYING, REFUSED, refusals, refuse_headers
from trivium.s3.operations import load_all
from trivium.s3.registry import OPERATIONS

load_all()


@pytest.mark.parametrize(
    ("action", "undone"),
    [
        ("GetObject", set()),
        ("HeadObject", set()),
        ("PutObject", {"if-modified-since", "if-unmodified-since"}),
        ("CopyObject", {"if-modified-since", "if-unmodified-since"}),
        ("CompleteMultipartUpload", {"if-modified-since", "if-unmodified-since"}),
        ("DeleteObject", {"if-none-match", "if-modified-since", "if-unmodified-since"}),
        ("RenameObject", set()),
        ("CreateMultipartUpload", set()),  # a client may say already what it asks for at completion
        ("GetBucketLocation", set()),
    ],
)
def test_a_write_that_depends_on_conditions_refuses_those_it_does_not_do(action: str, undone: set[str]) -> None:
    assert undone == OPERATIONS[action].refuses - {*REFUSED, *COPYING}


@given(st.sets(st.sampled_from(READ_HEADERS)), st.sets(st.sampled_from(READ_HEADERS), min_size=1))
def test_no_condition_is_ignored_by_a_write_that_reads_one(sent: set[str], read: set[str]) -> None:
    asked = request("PUT", headers=dict.fromkeys(sent, "x"))

    try:
        refuse_headers(asked, refusals("PUT", read))
    except Fault as fault:
        assert faults.NotImplemented_ is fault.kind
        assert fault.facts["Header"] in sent - read
    else:
        assert sent <= read


@pytest.mark.parametrize(
    ("name", "value", "refused"),
    [
        ("x-amz-server-side-encryption", "AES256", True),
        ("x-amz-object-lock-legal-hold", "OFF", False),
        ("x-amz-object-lock-legal-hold", "ON", True),
        ("x-amz-meta-a", "1", False),
    ],
)
def test_a_value_that_asks_for_what_is_the_case_is_harmless(name: str, value: str, refused: bool) -> None:
    found = None
    try:
        refuse_headers(request("PUT", headers={name: value}), refusals("PUT", ()))
    except Fault as fault:
        found = fault.facts["Header"]

    assert (name if refused else None) == found
