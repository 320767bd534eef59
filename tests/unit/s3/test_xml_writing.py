"""XML out: element names, order, escaping, and that everything written can be read again."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivium.s3.shapes import Checksums, Owner, Tag, Tagging, checksum_fields, tagging
from trivium.s3.xml import TYPE, Shape, Text, element, error, write
from trivium.s3.xml_reading import read


class Thing(Shape, frozen=True):
    """A thing."""

    key: str
    etag: str | None = None
    kms_id: str | None = None
    size: int | None = None
    is_latest: bool | None = None


class Things(Shape, frozen=True):
    """Things of all sorts."""

    name: str
    things: Annotated[tuple[Thing, ...], element("Thing")] = ()
    wrapped: Annotated[tuple[Thing, ...] | None, element("Item", wrapper="Set")] = None
    owner: Owner | None = None


class Being(Shape, frozen=True):
    """A thing of which its element says what it is."""

    type: Annotated[str, TYPE]
    key: str


class Beings(Shape, frozen=True):
    """One of them, and some."""

    being: Being | None = None
    beings: Annotated[tuple[Being, ...], element("Other", wrapper="Others")] = ()


def inside(value: Shape) -> str:
    text = write("R", value, xmlns="").decode()
    return text.partition("<R>")[2].removesuffix("</R>")


def test_a_document_has_a_declaration_and_a_name_space() -> None:
    written = write("Tagging", tagging({}), xmlns="urn:s3")

    assert (
        b'<?xml version="1.0" encoding="UTF-8"?>\n<Tagging xmlns="urn:s3"><TagSet></TagSet></Tagging>'
        == written
    )


def test_without_a_name_space_none_is_written() -> None:
    assert b'<?xml version="1.0" encoding="UTF-8"?>\n<L>x</L>' == write("L", Text(text="x"), xmlns="")


def test_names_are_the_fields_in_camel_case_with_the_words_of_s3() -> None:
    expected = "<Key>a</Key><ETag>e</ETag><KMSID>k</KMSID><Size>0</Size><IsLatest>false</IsLatest>"

    assert expected == inside(Thing(key="a", etag="e", kms_id="k", size=0, is_latest=False))


def test_what_is_absent_is_left_out_and_what_is_empty_is_written() -> None:
    assert "<Key></Key>" == inside(Thing(key=""))


def test_lists_repeat_their_element_or_are_wrapped() -> None:
    assert "<Name>n</Name><Thing><Key>a</Key></Thing><Thing><Key>b</Key></Thing><Set></Set>" == inside(
        Things(name="n", things=(Thing(key="a"), Thing(key="b")), wrapped=())
    )


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a<b>&\"c'", "a&lt;b&gt;&amp;&quot;c'"),
        ("a\tb\r\nc", "a&#x9;b&#xd;&#xa;c"),
        ("\x85\u2028", "&#x85;\u2028"),
        ("\u00e9\U0001f600", "\u00e9\U0001f600"),
        ("]]>", "]]&gt;"),
        ("&amp;", "&amp;amp;"),
        ("\uffff", "&#xffff;"),
    ],
)
def test_text_is_escaped(text: str, written: str) -> None:
    assert f"<Key>{written}</Key>" == inside(Thing(key=text))


def test_what_is_remembered_of_a_value_that_comes_often_is_that_value() -> None:
    class Owned(Shape, frozen=True):
        """Somebody's."""

        owner: Annotated[Owner | None, element(often=True)]

    owners = [Owner(id=str(number % 70), display_name="<n>") for number in range(200)]

    assert [f"<Owner><ID>{one.id}</ID><DisplayName>&lt;n&gt;</DisplayName></Owner>" for one in owners] == [
        inside(Owned(owner=one)) for one in owners
    ]
    assert "" == inside(Owned(owner=None))


def test_an_error_tells_code_message_facts_resource_and_request() -> None:
    written = error("NoSuchKey", "It is <gone>", {"Key": "a&b"}, resource="/b/a&b", request_id="7")

    assert ["Code", "Message", "Key", "Resource", "RequestId", "HostId"] == [
        one.tag for one in ET.fromstring(written)
    ]
    assert "a&b" == ET.fromstring(written).findtext("Key")


def test_a_checksum_stands_in_the_element_of_its_algorithm() -> None:
    assert "<ChecksumCRC64NVME>v=</ChecksumCRC64NVME>" == inside(
        Checksums(**checksum_fields("CRC64NVME", "v="))
    )


CHARACTERS = st.one_of(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"),
    st.sampled_from("\t\r\n <>&\"';]"),
)
TEXTS = st.text(CHARACTERS, max_size=20)


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=5))
def test_tags_survive_writing_and_reading(pairs: list[tuple[str, str]]) -> None:
    document = Tagging(tags=tuple(Tag(key=key, value=value) for key, value in pairs))

    assert document == read("Tagging", Tagging, write("Tagging", document, xmlns="urn:s3"))


@given(
    st.builds(
        Thing,
        key=TEXTS,
        etag=st.none() | TEXTS,
        size=st.none() | st.integers(-(2**63), 2**63 - 1),
        is_latest=st.none() | st.booleans(),
    )
)
def test_values_survive_writing_and_reading(thing: Thing) -> None:
    assert thing == read("Thing", Thing, write("Thing", thing, xmlns=""))


@given(st.text(CHARACTERS))
def test_other_readers_read_the_same_text(text: str) -> None:
    assert (text or None) == ET.fromstring(write("R", Thing(key=text), xmlns="")).findtext(
        "Key", None
    ) or not text


def test_a_type_is_an_attribute_of_its_element() -> None:
    beings = Beings(Being("a<b", "1"), (Being("x", "2"), Being("y", "3")))
    written = write("Beings", beings, xmlns="").decode().split("\n", 1)[1]

    xsi = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    assert written == (
        f'<Beings><Being {xsi} xsi:type="a&lt;b"><Key>1</Key></Being><Others><Other {xsi} xsi:type="x"><Key>2</Key></Other>'
        f'<Other {xsi} xsi:type="y"><Key>3</Key></Other></Others></Beings>')


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Cn"])))
def test_types_survive_writing_and_reading(text: str) -> None:
    beings = Beings(Being(text, "1"))

    assert beings == read("Beings", Beings, write("Beings", beings, xmlns="http://s3.amazonaws.com/doc/2006-03-01/"))
