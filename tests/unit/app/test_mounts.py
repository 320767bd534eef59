"""Declared mounts are rows of the catalog, and come back with what was known about their files."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from trivium.app.accounts import RootKey, canonical_id, users_of
from trivium.app.mounts import check_mounts, declare_mounts
from trivium.app.reading import ConfigurationError
from trivium.app.settings import AccountSettings, KeySettings, MountSettings, Settings
from trivium.base.clock import SetClock
from trivium.base.ids import SeededIds
from trivium.buckets.acl import ALL_USERS, READ, Grant
from trivium.buckets.record import BUCKETS, MOUNT, OBJECTS, Ground, enroll
from trivium.buckets.repo.repository import Repositories
from trivium.storage import keys
from trivium.storage.blobstores.memory import MemoryBlobs
from trivium.storage.engines.memory import MemoryEngine

USERS = users_of(Settings(), RootKey("rootkey", "rootsecret"))


def declare(engine, *mounts):
    asyncio.run(declare_mounts(engine, Settings(mounts=mounts), USERS, SetClock()))


def record(engine, name):
    data = asyncio.run(engine.read(lambda rows: rows.get(keys.text(keys.CATALOG, name))))
    return None if data is None else BUCKETS.decode(data)


def test_a_declared_mount_is_a_bucket():
    engine = MemoryEngine()
    declare(engine, MountSettings("photos", "/srv/photos", readonly=True, folders=True))
    found = record(engine, "photos")

    assert (found.kind, found.owner) == (MOUNT, canonical_id("root"))
    assert found.facts == {"path": "/srv/photos", "readonly": "true", "folders": "true"}


@pytest.mark.parametrize("name", ["images", "dev.images"])
def test_a_new_mount_hides_no_branch(name):
    engine, clock, ids = MemoryEngine(), SetClock(), SeededIds()
    declare(engine, MountSettings(name, "/srv/photos"))
    declare(engine)
    asyncio.run(Repositories(Ground(engine, MemoryBlobs(clock, ids), clock, ids)).create("master.images", "owner"))

    with pytest.raises(ConfigurationError, match=f"mount {name}: that is the name of a repository"):
        declare(engine, MountSettings(name, "/srv/photos"))
    assert record(engine, name) is None


def test_a_mount_that_is_declared_otherwise_is_the_same_bucket():
    engine = MemoryEngine()
    declare(engine, MountSettings("photos", "/srv/photos", readonly=True))
    before = record(engine, "photos")
    declare(engine, MountSettings("photos", "/mnt/photos"))
    after = record(engine, "photos")

    assert after.id == before.id
    assert after.facts == {"path": "/mnt/photos"}


def test_a_mount_that_is_no_longer_declared_is_gone_and_comes_back_as_it_was():
    engine = MemoryEngine()
    declare(engine, MountSettings("photos", "/srv/photos"))
    before, generation = record(engine, "photos"), engine.generation
    declare(engine)
    between = record(engine, "photos")
    announced = engine.generation != generation
    declare(engine, MountSettings("photos", "/srv/photos"))

    assert between is None
    assert announced
    assert record(engine, "photos") == before


@pytest.mark.parametrize(("owner", "kept"), [("root", True), ("team", False)])
def test_what_an_owner_granted_is_kept_until_the_mount_is_anothers(owner, kept):
    engine, acl = MemoryEngine(), (Grant(ALL_USERS, READ),)
    mount = MountSettings("photos", "/srv/photos")
    accounts = (AccountSettings("team", keys=(KeySettings("teamkey", "teamsecret"),)),)
    users = users_of(Settings(accounts=accounts), RootKey("rootkey", "rootsecret"))
    declare(engine, mount)
    granted = replace(record(engine, "photos"), acl=acl)
    asyncio.run(engine.write(lambda tx: tx.put(keys.text(keys.CATALOG, "photos"), BUCKETS.encode(granted))))
    again = Settings(mounts=(replace(mount, owner=owner),))
    asyncio.run(declare_mounts(engine, again, users, SetClock()))

    assert record(engine, "photos").acl == (acl if kept else None)


def test_a_mount_does_not_take_a_bucket_s_name():
    engine = MemoryEngine()
    asyncio.run(engine.write(lambda tx: enroll(tx, "photos", OBJECTS, "me", now_ms=0)))
    with pytest.raises(ConfigurationError, match="a bucket of that name"):
        declare(engine, MountSettings("photos", "/srv/photos"))

    assert record(engine, "photos").kind == OBJECTS


@pytest.mark.parametrize(("change", "says"), [
    ({"path": "/none/at/all"}, "no directory"), ({"bucket": "Bad"}, "not valid"), ({"owner": "nobody"}, "no account nobody")])
def test_mounts_that_cannot_be_are_refused(tmp_path, change, says):
    good = MountSettings("photos", str(tmp_path), "root")
    check_mounts(Settings(mounts=(good,)), USERS)
    with pytest.raises(ConfigurationError, match=says):
        check_mounts(Settings(mounts=(replace(good, **change),)), USERS)


def test_a_mount_is_declared_once(tmp_path):
    mount = MountSettings("photos", str(tmp_path))
    with pytest.raises(ConfigurationError, match="twice"):
        check_mounts(Settings(mounts=(mount, mount)), USERS)


@pytest.fixture
def place(tmp_path):
    """`/x/y`, beside it `/xy`, and links to both."""
    (tmp_path / "x" / "y").mkdir(parents=True)
    (tmp_path / "xy").mkdir()
    (tmp_path / "link").symlink_to("x")
    (tmp_path / "inner").symlink_to("x/y")
    return tmp_path


@pytest.mark.parametrize(("one", "other"), [
    ("x", "x"), ("x", "x/../x"), ("x", "x/y"), ("x/y", "x"), ("x", "link"), ("link", "inner"), ("inner", "x"),
    ("link/y", "x/y"), ("x", "."),
])
def test_a_directory_is_one_mount_only_by_whatever_name(place, one, other):
    mounts = (MountSettings("one", f"{place}/{one}"), MountSettings("other", f"{place}/{other}"))
    with pytest.raises(ConfigurationError, match="one mount only"):
        check_mounts(Settings(data=Path("/dev/null/data"), mounts=mounts), USERS)


@pytest.mark.parametrize(("one", "other"), [("x", "x"), ("x", "x/y"), ("link", "inner")])
def test_a_directory_is_several_mounts_where_none_is_written(place, one, other):
    mounts = [MountSettings(name, f"{place}/{path}", readonly=True) for name, path in (("one", one), ("other", other))]
    check_mounts(Settings(data=Path("/dev/null/data"), mounts=tuple(mounts)), USERS)
    mounts[1] = replace(mounts[1], readonly=False)

    with pytest.raises(ConfigurationError, match="one mount only"):
        check_mounts(Settings(data=Path("/dev/null/data"), mounts=tuple(mounts)), USERS)


@pytest.mark.parametrize(("path", "data"), [
    ("x", "x"), ("x", "x/y"), ("x/y", "x"), ("link", "x/data/to/be/made"), ("inner", "x"), ("x", "inner/data"), (".", "data"),
])
def test_a_mount_and_the_data_folder_do_not_lie_in_each_other(place, path, data):
    with pytest.raises(ConfigurationError, match="must not lie in each other"):
        check_mounts(Settings(data=place / data, mounts=(MountSettings("one", f"{place}/{path}"),)), USERS)


def test_mounts_beside_each_other_and_beside_the_data_folder_can_be(place):
    mounts = (MountSettings("one", f"{place}/x"), MountSettings("other", f"{place}/xy"))
    check_mounts(Settings(data=place / "x-data", mounts=mounts), USERS)
