"""Who is there: the root account, whose key is given or made on the first start, and those declared."""

from __future__ import annotations

import hashlib
import os
import re
import tomllib
from pathlib import Path
from typing import Final

import msgspec

from trivium.app.reading import ConfigurationError
from trivium.app.settings import AccountSettings, Settings
from trivium.base.ids import Ids
from trivium.services.access.users import Account, Credential, Users
from trivium.storage.folder import fsync_directory

ROOT: Final = "root"
KEY_FILE: Final = "root-key.toml"

_ACCESS_KEY = re.compile(r"[A-Za-z0-9_.-]{3,128}", re.ASCII)
_ID = re.compile(r"[0-9a-f]{64}", re.ASCII)
_MIN_SECRET: Final = 8
_CHANGED: Final = (
    "# The access key of the account root, made on the first start. Whoever reads this file owns"
    " everything.\n")


class RootKey(msgspec.Struct, frozen=True):
    """The key of root. `new`: it was made just now and may be shown this once."""

    access_key: str
    secret_key: str
    new: bool = False

    def __repr__(self) -> str:
        return f"RootKey({self.access_key})"


def canonical_id(name: str) -> str:
    """The canonical id of an account that declares none: 64 hexadecimal digits, one name's for ever."""
    return hashlib.sha256(b"trivium account " + name.encode()).hexdigest()


def root_key(settings: Settings, ids: Ids) -> RootKey:
    """The key of root that is known, else a new one, kept in the data folder for its owner only.

    Raises ConfigurationError as `known_key`.
    """
    return known_key(settings) or _make(settings.data / KEY_FILE, ids)


def known_key(settings: Settings) -> RootKey | None:
    """The key of root that the settings give, else the one in the data folder; None where it is to be made.

    Raises ConfigurationError when one half is given, or the file cannot be used.
    """
    if bool(settings.root_access_key) != bool(settings.root_secret_key):
        raise ConfigurationError("give both root_access_key and root_secret_key, or neither")
    if settings.root_access_key:
        _check_key(settings.root_access_key, settings.root_secret_key, "root")
        return RootKey(settings.root_access_key, settings.root_secret_key)
    path = settings.data / KEY_FILE
    try:
        return msgspec.convert(tomllib.loads(path.read_text()), RootKey)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from error
    except (ValueError, msgspec.ValidationError) as error:
        raise ConfigurationError(f"{path}: no access_key and secret_key are in it ({error})") from error


def _make(path: Path, ids: Ids) -> RootKey:
    key = RootKey("TRV" + ids.hexadecimal(17).upper(), ids.hexadecimal(40), new=True)
    text = f'{_CHANGED}access_key = "{key.access_key}"\nsecret_key = "{key.secret_key}"\n'
    scratch = path.with_suffix(".new")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        os.fchmod(descriptor, 0o600)
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    scratch.rename(path)
    fsync_directory(path.parent)
    return key


def users_of(settings: Settings, root: RootKey) -> Users:
    """Everybody. Raises ConfigurationError for names, ids or keys that two share, or that cannot be."""
    accounts = [Account(canonical_id(ROOT), ROOT)]
    credentials = [Credential(root.access_key, root.secret_key, accounts[0])]
    for declared in settings.accounts:
        account = _account(declared)
        accounts.append(account)
        for key in declared.keys:
            _check_key(key.access_key, key.secret_key, account.name)
            credentials.append(Credential(key.access_key, key.secret_key, account))
    _refuse_twice("account name", [account.name for account in accounts])
    _refuse_twice("canonical id", [account.id for account in accounts])
    _refuse_twice("access key", [one.access_key for one in credentials])
    return Users(credentials)


def _account(declared: AccountSettings) -> Account:
    if not declared.name:
        raise ConfigurationError("accounts: a name is empty")
    if declared.id and not _ID.fullmatch(declared.id):
        raise ConfigurationError(f"accounts: the id of {declared.name} is not 64 hexadecimal digits")
    return Account(declared.id or canonical_id(declared.name), declared.name, declared.email)


def _check_key(access_key: str, secret_key: str, name: str) -> None:
    if not _ACCESS_KEY.fullmatch(access_key):
        raise ConfigurationError(f"an access key of {name} is not 3 to 128 letters, digits, `-`, `_` and `.`")
    if len(secret_key) < _MIN_SECRET:
        raise ConfigurationError(f"a secret key of {name} is shorter than {_MIN_SECRET} characters")


def _refuse_twice(what: str, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ConfigurationError(f"accounts: the {what} {name} is given twice")
