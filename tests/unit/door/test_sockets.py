"""Listening sockets: read from text, and claimed by one server alone."""

from __future__ import annotations

import socket

import pytest

from trivium.door.sockets import Address, PortTaken, claim, read_address


@pytest.mark.parametrize(("text", "address"), [
    ("127.0.0.1:9000", Address("127.0.0.1", 9000)), ("localhost:0", Address("localhost", 0)),
    ("[::1]:9000", Address("::1", 9000)), (":80", Address("0.0.0.0", 80))])
def test_an_address_is_read(text, address):
    assert read_address(text) == address


@pytest.mark.parametrize("text", ["", "9000", "host", "host:", "host:x", "host:65536", "::1:9000", "host:-1", "host:²"])
def test_what_is_no_address_is_refused(text):
    with pytest.raises(ValueError, match=r"HOST:PORT|brackets"):
        read_address(text)


def test_workers_share_a_port_and_nobody_else_does():
    sockets = claim(read_address("127.0.0.1:0"), 3, wait_seconds=60)
    port = sockets[0].getsockname()[1]
    try:
        with pytest.raises(PortTaken, match=f"127.0.0.1:{port}.*in use"):
            claim(Address("127.0.0.1", port), 1, wait_seconds=60)

        assert {one.getsockname()[1] for one in sockets} == {port}
    finally:
        for one in sockets:
            one.close()


def test_a_port_can_be_claimed_again_while_old_connections_linger():
    (one,) = claim(Address("127.0.0.1", 0), 1, wait_seconds=60)
    port = one.getsockname()[1]
    with socket.create_connection(("127.0.0.1", port)) as client:
        accepted, _ = one.accept()
        accepted.close()  # the side that closes first waits in TIME_WAIT
        one.close()
        (again,) = claim(Address("127.0.0.1", port), 1, wait_seconds=60)
        again.close()

        assert client.recv(1) == b""


@pytest.mark.parametrize(("host", "local"), [
    ("127.0.0.1", True), ("localhost", True), ("::1", True), ("0.0.0.0", False), ("192.0.2.1", False), ("host", False)])
def test_loopback_is_what_nobody_else_can_reach(host, local):
    assert Address(host, 1).loopback is local


@pytest.mark.parametrize(("one", "other", "shared"), [
    ("127.0.0.1:1", "127.0.0.1:1", True), ("127.0.0.1:1", "127.0.0.1:2", False),
    ("127.0.0.1:1", "127.0.0.2:1", False), (":1", "127.0.0.1:1", True), (":1", "[::1]:1", False),
    ("[::]:1", "[::1]:1", True), ("[::]:1", "127.0.0.1:1", True), ("[::]:1", ":1", True),
    ("[::1]:1", "127.0.0.1:1", False), ("no name:1", "no name:1", True),
    ("no name:1", ":1", False), (":0", "127.0.0.1:0", False)])
def test_addresses_share_connections_when_one_is_part_of_the_other(one, other, shared):
    first, second = read_address(one), read_address(other)

    assert (shared, shared) == (first.shares(second), second.shares(first))


def has_ipv6():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize(("one", "other"), [
    ("127.0.0.1", "0.0.0.0"), ("0.0.0.0", "127.0.0.1"), ("127.0.0.1", "127.0.0.1"), ("localhost", "0.0.0.0"),
    *([("::", "127.0.0.1"), ("::1", "127.0.0.1"), ("0.0.0.0", "::1"), ("::", "0.0.0.0")] if has_ipv6() else ())])
def test_addresses_share_connections_when_the_system_says_so(one, other):
    """What is said without asking is what claiming both would say."""
    (first,) = claim(Address(one, 0), 1, wait_seconds=60)
    port = first.getsockname()[1]
    try:
        second = claim(Address(other, port), 1, wait_seconds=60)
    except PortTaken:
        second = []
    for socket_ in (first, *second):
        socket_.close()

    assert Address(one, port).shares(Address(other, port)) == (not second)
