"""Listening sockets: claimed before any worker starts, so that a port belongs to one server only.

Theory of operation. Workers accept from sockets of their own that share a port (SO_REUSEPORT): the kernel
deals connections out evenly, where workers on one shared socket got all or none (measured: 0 and 107,508 of
107,508 requests). But sockets that may share would let a second server share as well, in silence. So the
first socket is bound and listens without sharing, which fails when anybody is there; only then it is opened
to the others. The supervisor keeps all of them open: a worker that is replaced loses no connection that waits
to be accepted.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import ssl
from pathlib import Path
from typing import Final

import msgspec

BACKLOG: Final = 1024

Claimed = list[socket.socket]  # one listening socket for each worker


class Address(msgspec.Struct, frozen=True):
    """Where to listen. `host` is an IP address or a name; port 0 lets the system choose."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def loopback(self) -> bool:
        """Can nobody but this machine connect?"""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def shares(self, other: Address) -> bool:
        """Would both accept the same connections, so that only one of them can listen?

        A name is the first address that it has, as when it is listened at. `[::]` is every address of both
        families, as systems have it unless they are told otherwise (RFC 3493 §5.3).
        """
        if self.port != other.port or self.port == 0:
            return False
        mine, others = _host(self), _host(other)
        if mine is None or others is None:
            return self.host == other.host
        everywhere = [one for one in (mine, others) if one.is_unspecified]
        return mine == others or any(
            mine.version == others.version or one.version == 6 for one in everywhere)


class Tls(msgspec.Struct, frozen=True):
    """File names of a PEM certificate chain and its private key."""

    certificate: Path
    key: Path


class PortTaken(Exception):
    """Somebody listens at the address already, or it cannot be listened at. The text says what and why."""


def read_address(text: str) -> Address:
    """`HOST:PORT`, `[IPV6]:PORT` or `:PORT` (every IPv4 address of the machine). Raises ValueError."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ValueError(f"{text!r} is no HOST:PORT")
    if host.startswith("[") and host.endswith("]"):
        host = str(ipaddress.IPv6Address(host[1:-1]))
    elif ":" in host:
        raise ValueError(f"{text!r} is no HOST:PORT; an IPv6 address stands in brackets, [::1]:9000")
    return Address(host or "0.0.0.0", int(port))  # noqa: S104 - listening everywhere is what `:PORT` asks for


def claim(address: Address, workers: int, *, wait_seconds: int) -> Claimed:
    """A listening socket for each worker. Raises PortTaken.

    A client that takes nothing of what was sent for `wait_seconds`, or is gone without a word, loses its
    connection.
    """
    sockets: Claimed = []
    try:
        family, target = _resolve(address)
        for _ in range(workers):
            one = _bound(family, target, wait_seconds, shared=bool(sockets))
            sockets.append(one)
            target = one.getsockname()
    except OSError as error:
        for one in sockets:
            one.close()
        raise PortTaken(f"cannot listen at {address}: {error.strerror or error}") from error
    return sockets


def check_tls(tls: Tls) -> None:
    """Raise OSError (ssl.SSLError is one) unless certificate and key can be read and belong together."""
    for file in (tls.certificate, tls.key):
        file.open("rb").close()  # ssl does not say which of them it cannot read
    # no password: whoever has one is not asked for it on a terminal, and the HTTP server could not be told
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tls.certificate, tls.key, password="")


def adopt(descriptor: int) -> socket.socket:
    """The listening socket behind a descriptor that another process claimed and passed on."""
    return socket.socket(fileno=descriptor)


def _resolve(address: Address) -> tuple[socket.AddressFamily, tuple[object, ...]]:
    found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, target = found[0]
    return family, target


def _host(address: Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The IP address that is listened at; None when the name has none."""
    try:
        return ipaddress.ip_address(str(_resolve(address)[1][0]))
    except (OSError, ValueError):
        return None


def _bound(
    family: socket.AddressFamily, target: tuple[object, ...], wait_seconds: int, *, shared: bool,
) -> socket.socket:
    with contextlib.ExitStack() as undo:
        one = undo.enter_context(socket.socket(family, socket.SOCK_STREAM))
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, wait_seconds * 1000)
        if shared:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        one.bind(target)
        one.listen(BACKLOG)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        undo.pop_all()
        return one
