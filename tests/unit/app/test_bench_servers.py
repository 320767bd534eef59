"""The floor server as a process, under a load of a moment."""

import asyncio

import pytest

from trivium.app.bench import load, servers
from trivium.app.bench.client import Broken, connect
from trivium.app.bench.site import QUICK, Site, call, take_turns
from trivium.base.clock import SystemClock

KEYS = 20


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path, QUICK, SystemClock())


def test_the_floor_keeps_what_it_was_given(site):
    async def story():
        async with servers.floor(site.folder / "floor") as floor:
            connection = await connect(floor.endpoint)
            await call(connection, site.request(floor, "PUT", "/b/k", body=b"hello"))
            answer = await call(connection, site.request(floor, "GET", "/b/k"))
            connection.close()
            return answer

    assert asyncio.run(story()).body == b"hello"


def test_the_floor_checks_signatures(site):
    async def story():
        async with servers.floor(site.folder / "floor") as floor:
            connection = await connect(floor.endpoint)
            request = site.request(floor, "GET", "/b/k").replace(b"/b/k", b"/b/x", 1)
            try:
                await call(connection, request)
            finally:
                connection.close()

    with pytest.raises(Broken, match="403"):
        asyncio.run(story())


@pytest.mark.parametrize("wrk", [*filter(None, [load.WRK]), None])
def test_a_server_is_pressed_from_several_connections(site, monkeypatch, wrk):
    monkeypatch.setattr(load, "WRK", wrk)

    async def story():
        async with servers.floor(site.folder / "floor") as floor:
            requests = [
                site.request(floor, "PUT", f"/b/{number}", body=b"x" * 4096) for number in range(KEYS)]
            return await load.press(floor, requests, connections=4, seconds=1)

    assert asyncio.run(story()).rate > KEYS


def test_memory_is_that_of_the_servers_processes(site):
    async def story():
        async with servers.floor(site.folder / "floor") as floor:
            return servers.memory(floor)

    found = asyncio.run(story())

    assert found.private < found.resident <= found.most


def test_measurements_take_turns():
    order = []

    async def run(name):
        order.append(name)
        return name

    found = asyncio.run(take_turns(2, lambda: run("a"), lambda: run("b")))

    assert order == ["a", "b", "b", "a"]
    assert found == [["a", "a"], ["b", "b"]]
