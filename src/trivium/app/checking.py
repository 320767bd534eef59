"""`trivium check`: is the configuration good, and can the data folder be served by this version?"""

from __future__ import annotations

from typing import TextIO

from trivium.app.accounts import RootKey, known_key, users_of
from trivium.app.listeners import Opening, address_of, check_places, openings
from trivium.app.mounts import check_mounts
from trivium.app.settings import Settings
from trivium.storage.folder import DataFolder


def check(settings: Settings, out: TextIO) -> int:
    """Say what would be served; 0. Raises ConfigurationError or FolderRefused; nothing is made or changed."""
    for opening in checked(settings):
        listener = opening.listener
        kind = f"{listener.dialect.name}, {listener.authentication}{', TLS' if opening.tls else ''}"
        out.write(f"listener  {opening.address}{listener.base_path}  ({kind})\n")
    if settings.metrics:
        out.write(f"metrics   {address_of(settings.metrics, 'metrics')}\n")
    out.writelines(
        f"mount     {mount.bucket} = {mount.path}{' (read-only)' if mount.readonly else ''}\n"
        for mount in settings.mounts)
    if settings.data.exists():
        DataFolder(settings.data).check()
        key = "given" if settings.root_access_key else "kept" if known_key(settings) else "to be made"
        out.write(f"data      {settings.data.absolute()}, root key {key}\n")
    else:
        out.write(f"data      {settings.data.absolute()}, to be made\n")
    out.write("all is well\n")
    return 0


def checked(settings: Settings) -> list[Opening]:
    """The listeners, when all is well that is known before anything is made. Raises ConfigurationError."""
    doors = openings(settings)
    check_places(settings)
    # a key that is still to be made stands for no declared one: none is empty
    users = users_of(settings, known_key(settings) or RootKey("", ""))
    check_mounts(settings, users)
    return doors
