"""Who is there: root with its key, and the accounts that are declared."""

from __future__ import annotations

import stat

import pytest

from trivium.app.accounts import RootKey, canonical_id, root_key, users_of
from trivium.app.reading import ConfigurationError
from trivium.app.settings import AccountSettings, KeySettings, Settings
from trivium.base.ids import SeededIds

ROOT = RootKey("rootkey", "rootsecret")


def account(name, *access_keys, id=""):
    return AccountSettings(name, id, keys=tuple(KeySettings(key, "12345678") for key in access_keys))


def test_a_key_is_made_on_the_first_start_and_kept_for_its_owner_only(tmp_path):
    settings = Settings(data=tmp_path)
    made = root_key(settings, SeededIds(1))
    kept = root_key(settings, SeededIds(2))
    mode = stat.S_IMODE((tmp_path / "root-key.toml").stat().st_mode)

    assert made.new
    assert not kept.new
    assert (kept.access_key, kept.secret_key) == (made.access_key, made.secret_key)
    assert mode == 0o600
    assert len(made.access_key) == 20
    assert len(made.secret_key) == 40


def test_a_key_that_is_given_is_taken_and_not_kept(tmp_path):
    given = Settings(data=tmp_path, root_access_key="minioadmin", root_secret_key="minioadmin")

    assert root_key(given, SeededIds()) == RootKey("minioadmin", "minioadmin")
    assert list(tmp_path.iterdir()) == []


def test_half_a_key_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="both"):
        root_key(Settings(data=tmp_path, root_access_key="minioadmin"), SeededIds())


@pytest.mark.parametrize("text", [
    b"", b"access_key = 1", b"access_key", b'access_key = "abc"\nsecret_key = 1', b"\xff"])
def test_a_key_file_that_says_nothing_is_refused(tmp_path, text):
    (tmp_path / "root-key.toml").write_bytes(text)
    with pytest.raises(ConfigurationError, match=r"root-key\.toml"):
        root_key(Settings(data=tmp_path), SeededIds())


def test_no_key_shows_itself():
    assert "rootsecret" not in repr(ROOT)


def test_root_and_the_declared_accounts_are_found_by_their_keys():
    users = users_of(Settings(accounts=(account("main", "one", "two"),)), ROOT)
    root, main = users.find("rootkey"), users.find("two")

    assert root is not None
    assert root.account.name == "root"
    assert main is not None
    assert main.account.id == canonical_id("main")
    assert users.find("three") is None


def test_the_canonical_id_of_a_name_never_changes():
    assert canonical_id("root") == "3f2f1e299b8268c6b4adb0b1c251e668d0292603173fdaa41ccf4c09ffe05c59"


@pytest.mark.parametrize(("accounts", "says"), [
    ([account("root")], "account name root is given twice"),
    ([account("a", "one"), account("b", "one")], "access key one is given twice"),
    ([account("a", "rootkey")], "access key rootkey is given twice"),
    ([account("a", id="0" * 64), account("b", id="0" * 64)], "canonical id"),
    ([account("a", id="0")], "64 hexadecimal digits"),
    ([account("")], "empty"),
    ([account("a", "has space")], "letters, digits"),
    ([AccountSettings("a", keys=(KeySettings("one", "short"),))], "shorter than 8"),
])
def test_accounts_that_cannot_be_are_refused(accounts, says):
    with pytest.raises(ConfigurationError, match=says):
        users_of(Settings(accounts=tuple(accounts)), ROOT)
