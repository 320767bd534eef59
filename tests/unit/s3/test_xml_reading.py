"""XML in: what is read, what is refused, and that nothing else ever comes out."""

from __future__ import annotations

import time
import tracemalloc
from typing import Annotated

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trivium.base import faults
from trivium.base.faults import Fault, FaultKind
from trivium.s3.xml import MAX_ELEMENTS, Shape, element
from trivium.s3.xml_reading import MAX_ATTRIBUTES, MAX_DEPTH, read


class Item(Shape, frozen=True):
    """Something small."""

    key: str
    size: int | None = None


class Order(Shape, frozen=True):
    """A document with everything a document can have."""

    items: tuple[Item, ...] = ()
    tags: tuple[Item, ...] = ()
    quiet: bool = False
    note: str | None = None


class Wrapped(Shape, frozen=True):
    """A list with an element around it."""

    items: tuple[Item, ...] = ()


def order(inside: str) -> Order:
    return read("Order", Order, f"<Order>{inside}</Order>".encode())


def refused(data: bytes, kind: FaultKind = faults.MalformedXML) -> bool:
    with pytest.raises(Fault) as raised:
        read("Order", Order, data)
    return raised.value.kind is kind


def test_elements_become_the_fields_they_are_named_after() -> None:
    read_order = order(
        "<Items><Key>a</Key><Size>3</Size></Items><Items><Key>b</Key></Items><Quiet>true</Quiet>"
    )

    assert Order(items=(Item("a", 3), Item("b")), quiet=True) == read_order


def test_name_spaces_do_not_matter() -> None:
    text = b'<s:Order xmlns:s="urn:x"><s:Items><s:Key>a</s:Key></s:Items></s:Order>'

    assert Order(items=(Item("a"),)) == read("Order", Order, text)


def test_attributes_and_unknown_elements_are_ignored() -> None:
    assert Order(note="n") == order('<New><Deep>1</Deep></New><Note lang="en">n</Note>')


def test_a_type_that_no_field_wants_is_ignored_too() -> None:
    data = (b'<Order xmlns:x="http://www.w3.org/2001/XMLSchema-instance" x:type="o"><Items x:type="i"><Key x:type="k">a</Key>'
            b'<Size x:type="n">3</Size></Items></Order>')

    assert Order(items=(Item("a", 3),)) == read("Order", Order, data)


def test_the_order_of_elements_does_not_matter() -> None:
    assert order("<Note>n</Note><Quiet>true</Quiet>") == order("<Quiet>true</Quiet><Note>n</Note>")


def test_white_space_belongs_to_text_but_not_to_numbers_and_flags() -> None:
    read_order = order("<Items><Key> a\n</Key><Size> 3 </Size></Items><Quiet> True </Quiet>")

    assert Order(items=(Item(" a\n", 3),), quiet=True) == read_order


@pytest.mark.parametrize(
    "document",
    [
        b"\xef\xbb\xbf<Order><Note>\xc3\xa9</Note></Order>",
        "<Order><Note>\u00e9</Note></Order>".encode("utf-16"),
        b'<?xml version="1.0" encoding="UTF-8"?><Order><Note>&#233;</Note></Order>',
        b"<Order><!-- c --><Note><![CDATA[\xc3\xa9]]></Note><?pi x?></Order>",
    ],
)
def test_what_xml_allows_is_read(document: bytes) -> None:
    assert Order(note="\u00e9") == read("Order", Order, document)


def test_predefined_entities_and_references_are_characters() -> None:
    assert Order(note="<&>\"'\r\n\U0001f600") == order(
        "<Note>&lt;&amp;&gt;&quot;&apos;&#13;&#xa;&#x1F600;</Note>"
    )


@pytest.mark.parametrize("empty", [b"", b"  \r\n "])
def test_no_document_is_a_fault_of_its_own(empty: bytes) -> None:
    assert refused(empty, faults.MissingRequestBodyError)


@pytest.mark.parametrize(
    "document",
    [
        b"<Order",
        b"<Order>",
        b"</Order>",
        b"Order",
        b"\x00",
        b"<Order/><Order/>",
        b"<Order></order>",
        b"<Other/>",
        b"<order/>",
        b'<Order a="1" a="2"/>',
        b"<Order><x:Note>n</x:Note></Order>",
    ],
)
def test_what_is_not_this_document_is_refused(document: bytes) -> None:
    assert refused(document)


@pytest.mark.parametrize(
    "document",
    [
        b"<Order><Note>\xff</Note></Order>",
        b"<Order><Note>\xed\xa0\x80</Note></Order>",
        b"<Order><Note>\x01</Note></Order>",
        b"<Order><Note>&#0;</Note></Order>",
        b"<Order><Note>&#xD800;</Note></Order>",
        b'<?xml version="1.0" encoding="ISO-8859-1"?><Order><Note>\xe9</Note></Order>',
        b'<?xml version="1.0" encoding="UTF-7"?><Order><Note>+\xff-</Note></Order>',
    ],
)
def test_bytes_that_are_no_utf_8_and_characters_that_are_none_are_refused(document: bytes) -> None:
    assert refused(document)


LAUGHS = b"".join(
    b'<!ENTITY l%d "%s">' % (number, b"&l%d;" % (number - 1) * 10 if number else b"lol")
    for number in range(10)
)


@pytest.mark.parametrize(
    "document",
    [
        b"<!DOCTYPE Order><Order/>",
        b'<!DOCTYPE Order SYSTEM "http://127.0.0.1:1/x.dtd"><Order/>',
        b"<!DOCTYPE Order [" + LAUGHS + b"]><Order><Note>&l9;</Note></Order>",
        b'<!DOCTYPE Order [<!ENTITY f SYSTEM "file:///etc/passwd">]><Order><Note>&f;</Note></Order>',
        b'<!DOCTYPE Order [<!ENTITY % p "x"> %p;]><Order/>',
        b"<Order><Note>&unknown;</Note></Order>",
    ],
)
def test_document_types_and_entities_are_refused(document: bytes) -> None:
    assert refused(document)


@pytest.mark.parametrize(
    "inside",
    [
        "<Items/>",
        "<Items><Key>a</Key><Key>b</Key></Items>",
        "<Note>a</Note><Note>b</Note>",
        "<Note>a<b/></Note>",
        "<Items><Key><Key>a</Key></Key></Items>",
        "<Quiet>yes</Quiet>",
        "<Quiet/>",
        *(
            f"<Items><Key>a</Key><Size>{bad}</Size></Items>"
            for bad in ("", "x", "1.0", "--5", "-", "1e3", "0x10", "\u0663", "1 2", "9" * 20, "+1", "1_0")
        ),
    ],
)
def test_what_does_not_fit_the_shape_is_refused(inside: str) -> None:
    assert refused(f"<Order>{inside}</Order>".encode())


def test_a_wrapped_list_that_is_given_twice_is_refused() -> None:
    class Tagged(Shape, frozen=True):
        """Tags, once."""

        tags: Annotated[tuple[Item, ...], element("Tag", wrapper="TagSet")] = ()

    once = "<TagSet><Tag><Key>a</Key></Tag></TagSet>"

    assert Tagged(tags=(Item("a"),)) == read("T", Tagged, f"<T>{once}</T>".encode())
    with pytest.raises(Fault):
        read("T", Tagged, f"<T>{once}{once}</T>".encode())


def test_depth_is_bounded() -> None:
    def nested(levels: int) -> bytes:
        return b"<Order>" + b"<x>" * (levels - 1) + b"</x>" * (levels - 1) + b"</Order>"

    assert Order() == read("Order", Order, nested(MAX_DEPTH))
    assert refused(nested(MAX_DEPTH + 1))


def test_the_number_of_elements_is_bounded() -> None:
    def many(count: int) -> bytes:
        return b"<Order>" + b"<x/>" * (count - 1) + b"</Order>"

    assert Order() == read("Order", Order, many(MAX_ELEMENTS))
    assert refused(many(MAX_ELEMENTS + 1))


def test_the_number_of_attributes_is_bounded() -> None:
    def many(count: int) -> bytes:
        return b"<Order><x " + b" ".join(b'a%d=""' % number for number in range(count)) + b"/></Order>"

    assert Order() == read("Order", Order, many(MAX_ATTRIBUTES))
    assert refused(many(MAX_ATTRIBUTES + 1))


def test_what_is_ignored_is_bounded_in_depth_too() -> None:
    below = MAX_DEPTH - 3  # the elements <Order>, <Items> and <Key> or <y> are above
    deep = "<x>" * below + "</x>" * below

    assert Order(items=(Item("a"),)) == order(f"<Items><Key>a</Key><y>{deep}</y></Items>")
    assert refused(f"<Order><Items><Key>a</Key><y><x>{deep}</x></y></Items></Order>".encode())


@pytest.mark.parametrize(
    "document",
    [
        b"<Order>" + b"<x/>" * 1_000_000 + b"</Order>",
        b"<Order>" + b"<!---->" * 500_000 + b"</Order>",
        b"<x>" * 1_000_000,
        b"<Order " + b" ".join(b'a%d=""' % number for number in range(200_000)) + b"/>",
        b"<Order><Note>" + b"&amp;" * 800_000 + b"</Order>",
        b"<Order><Note>" + b"x<!---->" * 500_000 + b"</Order>",
        b"<Order><" + b"x" * 4_000_000,
    ],
)
def test_huge_documents_are_refused_in_bounded_time_and_memory(document: bytes) -> None:
    tracemalloc.start()
    started = time.process_time()
    with pytest.raises(Fault):
        read("Order", Order, document)
    seconds, (_, peak_bytes) = time.process_time() - started, tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert 5 > seconds
    assert 64 << 20 > peak_bytes


PIECES = st.sampled_from(
    [
        b"<",
        b">",
        b"/",
        b"&",
        b";",
        b"<Order>",
        b"</Order>",
        b"<Items>",
        b"</Items>",
        b"<Key>",
        b"</Key>",
        b"<Size>",
        b"</Size>",
        b"<!DOCTYPE",
        b"<![CDATA[",
        b"]]>",
        b"<!--",
        b"-->",
        b"&#",
        b"&#x",
        b"1",
        b"-",
        b"xmlns=",
        b'"',
        b"x:",
        b" ",
        b"\xff",
        b"\xfe\xff",
        b"\xef\xbb\xbf",
        b"\x00",
        b'<?xml version="1.0" encoding="',
        b'"?>',
        b"idna",
        b"utf-16",
        b"punycode",
    ]
)


@given(st.one_of(st.binary(max_size=200), st.lists(PIECES, max_size=30).map(b"".join)))
@example(b'<?xml version="1.0" encoding="idna"?><Order/>')
@example(b'<?xml version="1.0" encoding="unicode_escape"?><Order><Note>\\N</Note></Order>')
def test_whatever_is_sent_is_a_value_or_a_fault(document: bytes) -> None:
    try:
        found = read("Order", Order, document)
    except Fault as fault:
        assert fault.kind in (faults.MalformedXML, faults.MissingRequestBodyError)
    else:
        assert isinstance(found, Order)
