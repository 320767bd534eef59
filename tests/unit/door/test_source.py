"""Bytes from the wire: all that was announced, no more, and not for ever."""

from __future__ import annotations

import asyncio

import pytest

from tests.unit.door.street import StreetWire
from trivium.base.faults import Fault
from trivium.door.source import MAX_DRAIN_BYTES, MAX_WHOLE_BYTES, Patience, WireSource


def source(chunks=(), announced=None, *, patience=None, **street):
    wire = StreetWire(chunks, **street)
    return WireSource(wire, announced, patience or Patience(60)), wire


def whole(one):
    return asyncio.run(one.whole())


def chunks(one):
    async def read():
        return [chunk async for chunk in one.chunks()]

    return asyncio.run(read())


def fault_of(read, one):
    with pytest.raises(Fault) as caught:
        read(one)
    return caught.value.kind.name


def test_a_body_comes_whole():
    one, _ = source([b"ab", b"cd"], 4)

    assert whole(one) == b"abcd"
    assert one.received == 4


class SlowWire(StreetWire):
    """A second passes before each chunk."""

    def __init__(self, patience, chunks):
        super().__init__(chunks)
        self._patience = patience

    async def _whole(self):
        return b"".join([await self._later(chunk) for chunk in self._chunks])

    async def _next(self):
        return await self._later(await super()._next())

    async def _later(self, chunk):
        self._patience.tick()
        await asyncio.sleep(0)
        return chunk


@pytest.mark.parametrize("read", [whole, chunks])
def test_a_client_that_goes_on_sending_is_waited_for(read):
    patience = Patience(1)
    one = WireSource(SlowWire(patience, 4 * [bytes(100_000)]), 400_000, patience)

    assert len(b"".join(read(one)) if read is chunks else read(one)) == 400_000


def test_a_body_comes_in_chunks_none_of_them_empty():
    one, _ = source([b"ab", b"", b"cd"], 4)

    assert chunks(one) == [b"ab", b"cd"]
    assert one.received == 4


def test_a_body_without_a_length_comes_whole():
    one, _ = source([b"ab", b"cd"])

    assert whole(one) == b"abcd"


@pytest.mark.parametrize("read", [whole, chunks])
@pytest.mark.parametrize("announced", [9, None])
def test_a_client_that_leaves_is_an_incomplete_body(read, announced):
    one, _ = source([b"ab"], announced, broken=True)

    assert fault_of(read, one) == "IncompleteBody"


@pytest.mark.parametrize("read", [whole, chunks])
def test_fewer_bytes_than_announced_are_an_incomplete_body(read):
    one, _ = source([b"ab"], 3)

    assert fault_of(read, one) == "IncompleteBody"


def test_nobody_gathers_a_large_body_by_announcing_it():
    one, wire = source([b"ab"], MAX_WHOLE_BYTES + 1)

    assert fault_of(whole, one) == "EntityTooLarge"
    assert wire.reads == 0


def test_nobody_gathers_a_large_body_without_announcing_it():
    one, wire = source([bytes(1 << 20)] * 1000)

    assert fault_of(whole, one) == "EntityTooLarge"
    assert wire.reads == 9


@pytest.mark.parametrize("read", [WireSource.whole, lambda one: anext(one.chunks())])
def test_a_client_that_sends_nothing_for_too_long_is_given_up(read):
    async def story():
        patience = Patience(3)
        one, _ = source([], 4, patience=patience, silent=True)
        reading = asyncio.ensure_future(read(one))
        await asyncio.sleep(0)
        for _ in range(3):
            patience.tick()
        await asyncio.sleep(0)
        still_waiting = not reading.done()
        patience.tick()
        with pytest.raises(Fault) as caught:
            await reading
        return still_waiting, caught.value.kind.name

    assert asyncio.run(story()) == (True, "RequestTimeout")


def test_who_is_cancelled_by_others_is_cancelled():
    async def story():
        one, _ = source([], 4, silent=True)
        reading = asyncio.ensure_future(one.whole())
        await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading

    asyncio.run(story())


def test_a_small_body_that_nobody_wanted_is_read_away():
    one, wire = source([b"ab"], 2)
    asyncio.run(one.drain())

    assert wire.reads == 1


def test_a_body_that_is_too_short_is_read_away_too():
    one, wire = source([b"ab"], 3)
    asyncio.run(one.drain())

    assert wire.reads == 1


@pytest.mark.parametrize("announced", [MAX_DRAIN_BYTES + 1, None])
def test_a_large_or_endless_body_that_nobody_wanted_is_left(announced):
    one, wire = source([b"ab"], announced)
    asyncio.run(one.drain())

    assert wire.reads == 0


def test_who_waits_when_the_server_ends_is_given_up():
    async def story():
        patience = Patience(60)
        one, _ = source([], 4, patience=patience, silent=True)
        reading = asyncio.ensure_future(one.whole())
        await asyncio.sleep(0)
        patience.give_up()
        with pytest.raises(Fault) as caught:
            await reading
        return caught.value.kind.name

    assert asyncio.run(story()) == "RequestTimeout"
