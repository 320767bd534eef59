"""Which keys can be names of files, and how a key becomes the components of a path."""

from __future__ import annotations

from typing import Final

from trivium.base import faults

RESERVED: Final = ".trivium"  # a folder of this name is ours: drafts, what is being removed, the lock file
MAX_COMPONENT_BYTES: Final = 255  # NAME_MAX of Linux' and macOS' file systems


def check_name(key: str) -> None:
    """Raise the fault that says why the key can name no folder (it ends in a slash), or no file."""
    if "\0" in key:
        raise faults.KeyHasNul()
    for component in components(key):
        if not component:
            raise faults.KeyHasEmptyComponent(Key=key)
        if component in {".", ".."}:
            raise faults.KeyHasDotComponent(Key=key)
        if component == RESERVED:
            raise faults.KeyIsReserved(Key=key)
        if len(component) * 4 > MAX_COMPONENT_BYTES and len(component.encode()) > MAX_COMPONENT_BYTES:
            raise faults.KeyComponentTooLong(Key=key, MaxSizeAllowed=MAX_COMPONENT_BYTES)


def can_be_name(key: str) -> bool:
    try:
        check_name(key)
    except faults.Fault:
        return False
    return True


def components(key: str) -> list[str]:
    """The names on the way to the file; one slash at the end, which makes it a folder, is left out."""
    return key.removesuffix("/").split("/")


def is_folder(key: str) -> bool:
    return key.endswith("/")


def parents(key: str) -> list[str]:
    """The folders that the key lies in, the nearest first: of `a/b/c` these are `a/b/` and `a/`."""
    names = components(key)[:-1]
    return ["/".join(names[:count]) + "/" for count in range(len(names), 0, -1)]
