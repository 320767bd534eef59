"""XML in, the short way: it reads what clients write, and whatever it reads the parser reads alike."""

from __future__ import annotations

import tracemalloc
from typing import Annotated

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trivium.base.faults import Fault
from trivium.s3.xml import MAX_ELEMENTS, Shape, element
from trivium.s3.xml_reading import read_list, read_tree


class Item(Shape, frozen=True):
    """A row."""

    key: str
    size: int | None = None
    note: str | None = None
    flag: bool | None = None


class Order(Shape, frozen=True):
    """A document that is one list, or has something beside it."""

    items: Annotated[tuple[Item, ...], element("Item")] = ()
    quiet: bool = False


def short(document: str) -> Order | None:
    return read_list("Order", Order, document.encode())


ROWS = "<Item><Size>1</Size><Key>a</Key></Item><Item><Size>22</Size><Key>b c</Key></Item>"
READ = Order((Item("a", 1), Item("b c", 22)))


@pytest.mark.parametrize("document", [
    f"<Order>{ROWS}</Order>",
    f'<Order xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{ROWS}</Order>',
    f'<?xml version="1.0" encoding="UTF-8"?>\n<Order>{ROWS}</Order>\n',
    f"<?xml version='1.0' encoding='utf-8'?><Order>{ROWS}</Order>",
    "\t".join(ROWS.join(["<Order>", "</Order>"]).replace("<Key>", "\r\n <Key>").partition("</Item>")),
])
def test_a_plain_list_is_read(document: str) -> None:
    assert READ == short(document) == read_tree("Order", Order, document.encode())


def test_references_that_clients_write_are_characters() -> None:
    document = "<Order><Item><Key>&quot;&#34;&amp;&lt;&gt;&apos;&#39;&amp;lt;</Key></Item></Order>"

    assert Order((Item("\"\"&<>''&lt;"),)) == short(document) == read_tree("Order", Order, document.encode())


@pytest.mark.parametrize("document", [
    "", "<Order/>", "<Order></Order>", f"<Order>{ROWS}", f"{ROWS}</Order>", f"<Other>{ROWS}</Other>",
    f"<Order>{ROWS}<Quiet>true</Quiet></Order>", f"<Order>x{ROWS}</Order>", f"<Order>{ROWS}x</Order>",
    f"<Order>{ROWS}<Item><Key>a</Key></Item></Order>", f"<Order>{ROWS}<Item/></Order>",
    f"<Order a='1'>{ROWS}</Order>", f'<Order xmlns="http://www.w3.org/2000/xmlns/">{ROWS}</Order>', "<Order><Item><Key>a</Key><Key>b</Key></Item></Order>",
    "<Order><Item><Size>1</Size></Item></Order>", "<Order><Item><Key>a</Key><New>1</New></Item></Order>",
    "<Order><Item><Key>a</Key><Flag>true</Flag></Item></Order>",
    "<Order><Item><Key>a</Key><Size>x</Size></Item></Order>",
    "<Order><Item><Key>a</Key><Size> 1 </Size></Item></Order>",
    "<Order><Item><Key>&other;</Key></Item></Order>", "<Order><Item><Key>&</Key></Item></Order>",
    "<Order><Item><Key>\u00e9</Key></Item></Order>", "<Order><Item><Key>a\x01</Key></Item></Order>",
    "<Order>\x0b<Item><Key>a</Key></Item></Order>", "<Order><Item><Key>a]]></Key></Item></Order>",
    "<Order><Item><Key><![CDATA[a]]></Key></Item></Order>", "<Order><Item><Key>a<!-- c --></Key></Item></Order>",
    "<!DOCTYPE Order><Order><Item><Key>a</Key></Item></Order>",
    " <?xml version='1.0' encoding='utf-8'?><Order><Item><Key>a</Key></Item></Order>",
    "<?xml version='1.0\" encoding='utf-8'?><Order><Item><Key>a</Key></Item></Order>",
])
def test_everything_else_is_left_to_the_parser(document: str) -> None:
    assert short(document) is None


def test_as_many_elements_are_read_as_the_parser_allows() -> None:
    row = "<Item><Key>a</Key></Item>"
    most = (MAX_ELEMENTS - 1) // 2

    assert most == len((short(f"<Order>{row * most}</Order>") or Order()).items)
    assert short(f"<Order>{row * (most + 1)}</Order>") is None


@pytest.mark.parametrize("inside", [
    "".join(f"<N{number}></N{number}>" for number in range(50_000)), f"<{'N' * 500_000}></{'N' * 500_000}>",
])
def test_nothing_is_kept_of_a_row_of_unknown_elements_however_long(inside: str) -> None:
    document = f"<Order><Item>{inside}</Item></Order>"
    short(ROWS)
    tracemalloc.start()
    try:
        assert short(document) is None
        assert tracemalloc.get_traced_memory()[0] < 100_000
    finally:
        tracemalloc.stop()


PIECES = st.sampled_from([
    "<Order>", "</Order>", "<Item>", "</Item>", "<Key>", "</Key>", "<Size>", "</Size>", "<Note>", "</Note>",
    "<Item><Key>a</Key></Item>", "<Item><Key>b</Key><Size>2</Size></Item>", "<Item><Size>3</Size><Key/></Item>",
    "<Quiet>true</Quiet>", "1", "x", " ", "\n", "&quot;", "&amp;", "&", "&lt", ">", "<", "\x0c", "\x1f", "\u0663",
])


@given(st.lists(PIECES, max_size=12).map("".join), st.booleans())
@example("<Item><Key>a</Key></Item>" * 3, True)
def test_whatever_is_read_the_parser_reads_alike(inside: str, inside_order: bool) -> None:
    document = f"<Order>{inside}</Order>" if inside_order else inside
    found = short(document)
    if found is None:
        return
    try:
        assert found == read_tree("Order", Order, document.encode())
    except Fault:
        pytest.fail(f"the parser refuses {document!r}")
