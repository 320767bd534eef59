"""Listeners: what the settings say of them, as addresses, dialects and TLS, checked before all starts."""

from __future__ import annotations

import os
import re
from itertools import combinations
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from trivium.app.reading import ConfigurationError
from trivium.app.settings import ListenerSettings, Settings
from trivium.buckets.record import BRANCH, OBJECTS
from trivium.door.sockets import Address, Tls, check_tls, read_address
from trivium.s3.dialects import DIALECTS
from trivium.s3.messages import Listener

CREATED: Final = {"objects": OBJECTS, "branches": BRANCH}  # kinds of buckets, as the configuration calls them

_DOMAIN: Final = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*", re.ASCII)  # neither port, scheme nor `*.`
_REGION: Final = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)  # clients put it into signatures, between slashes


class Opening(msgspec.Struct, frozen=True):
    """A listener, where it listens, and its TLS if it has any."""

    address: Address
    listener: Listener
    tls: Tls | None = None

    def at(self, port: int) -> str:
        """The endpoint's URL, when the system gave it that port."""
        scheme = "https" if self.tls else "http"
        return f"{scheme}://{replace(self.address, port=port)}{self.listener.base_path}"


def openings(settings: Settings) -> list[Opening]:
    """Every listener. Raises ConfigurationError when one cannot be, or when there is none."""
    declared = [ListenerSettings(settings.listen)] if settings.listen else []
    found = [_opening(one, settings) for one in (*declared, *settings.listeners)]
    if not found:
        raise ConfigurationError("there is no listener: `listen` is empty and there are no `[[listeners]]`")
    for one, other in combinations([one.address for one in found], 2):
        if one == other and one.port:
            raise ConfigurationError(f"two listeners have the address {one}")
        if one.shares(other):
            raise ConfigurationError(f"two listeners cannot have the addresses {one} and {other}: one is part"
                                     " of the other")
    bases = _bases([one.listener for one in found])
    return [replace(one, listener=replace(one.listener, bases=bases)) for one in found]


def _bases(listeners: list[Listener]) -> tuple[str, ...]:
    """The base paths of those where signatures of version 2 are accepted."""
    accepting = [one for one in listeners if one.authentication == "v4" and one.signature_v2]
    return tuple(sorted({one.base_path for one in accepting if one.base_path}))


def address_of(text: str, what: str) -> Address:
    """The address. Raises ConfigurationError."""
    try:
        return read_address(text)
    except ValueError as error:
        raise ConfigurationError(f"{what}: {error}") from error


def check_places(settings: Settings) -> None:
    """Raise ConfigurationError unless the region is a name, the access log can be written, and no listener
    is where figures are.
    """
    if not _REGION.fullmatch(settings.region):
        raise ConfigurationError(f"region: {settings.region!r} is no name such as us-east-1")
    log = Path(settings.access_log).absolute()
    if settings.access_log not in ("", "-") and (
            log.is_dir() or not log.parent.is_dir()
            or not os.access(log if log.exists() else log.parent, os.W_OK)):
        raise ConfigurationError(f"access_log: {log} is not a file that this user can write")
    if settings.metrics:
        figures = address_of(settings.metrics, "metrics")
        for opening in openings(settings):
            if figures.shares(opening.address):
                raise ConfigurationError(f"metrics: a listener has {opening.address} already")


def _opening(one: ListenerSettings, settings: Settings) -> Opening:
    where = f"listener {one.listen}"
    path = one.base_path
    if path and (not path.startswith("/") or path.endswith("/") or "//" in path):
        raise ConfigurationError(f"{where}: base_path {path!r} starts with a slash and does not end with one")
    if one.default_user and one.authentication != "simple":
        raise ConfigurationError(f'{where}: default_user is for authentication = "simple"')
    for domain in one.domains:
        if not _DOMAIN.fullmatch(domain):
            raise ConfigurationError(f"{where}: {domain!r} in domains is no host name such as s3.example.com")
    dialect = DIALECTS[one.dialect]
    dialect = replace(dialect, limits=replace(dialect.limits, max_put_bytes=settings.max_put_bytes))
    listener = Listener(
        dialect, path, one.authentication, one.default_user, tuple(domain.lower() for domain in one.domains),
        CREATED[one.creates], signature_v2=one.signature_v2)
    return Opening(address_of(one.listen, "listen"), listener, _tls(one, where))


def _tls(one: ListenerSettings, where: str) -> Tls | None:
    if bool(one.tls_certificate) != bool(one.tls_key):
        raise ConfigurationError(f"{where}: give both tls_certificate and tls_key, or neither")
    if not one.tls_certificate:
        return None
    tls = Tls(Path(one.tls_certificate), Path(one.tls_key))
    try:
        check_tls(tls)
    except OSError as error:
        raise ConfigurationError(
            f"{where}: tls_certificate {one.tls_certificate} and tls_key {one.tls_key} cannot be used:"
            f" {error}") from error
    return tls
