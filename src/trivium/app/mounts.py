"""Declared mounts become rows of the catalog, before anybody serves them.

Theory of operation. A mount is a bucket because the configuration says so. One that is no longer declared
leaves the catalog, but its row is parked: what is known about its files (ETags, metadata, tags) belongs to
the row's number, and is found again when the mount is declared again.
"""

from __future__ import annotations

import os
from itertools import permutations
from pathlib import Path

from msgspec.structs import replace

from trivium.app.reading import ConfigurationError
from trivium.app.settings import MountSettings, Settings
from trivium.base import faults
from trivium.base.clock import Clock
from trivium.base.faults import Fault
from trivium.base.names import check_bucket_name
from trivium.buckets.record import BUCKETS, MOUNT, BucketRecord, Settled, enroll
from trivium.services.access.users import Users
from trivium.services.catalog import refuse_name_of_branch
from trivium.storage import keys
from trivium.storage.engine import Engine, Write


def check_mounts(settings: Settings, users: Users) -> None:
    """Raise ConfigurationError unless every declared mount can be."""
    names = [mount.bucket for mount in settings.mounts]
    for mount in settings.mounts:
        try:
            check_bucket_name(mount.bucket)
        except Fault as fault:
            raise ConfigurationError(f"mount {mount.bucket!r}: {fault}") from fault
        if names.count(mount.bucket) > 1:
            raise ConfigurationError(f"mount {mount.bucket} is declared twice")
        if not Path(mount.path).is_dir():
            raise ConfigurationError(f"mount {mount.bucket}: {mount.path} is no directory")
        if users.named(mount.owner).id == mount.owner:
            raise ConfigurationError(f"mount {mount.bucket}: there is no account {mount.owner} with a key")
    _check_apart(settings)


def _check_apart(settings: Settings) -> None:
    """A mount that is written has its directory for itself, as conditions hold within a mount; the data
    folder, which holds keys, is in none.
    """
    data = settings.data.absolute()
    for mount in settings.mounts:
        path = Path(mount.path)
        if _lies_in(data, path) or _lies_in(path, data):
            raise ConfigurationError(
                f"mount {mount.bucket}: {mount.path} and the data folder {data} must not lie in each other")
    for one, other in permutations(settings.mounts, 2):
        if not (one.readonly and other.readonly) and _lies_in(Path(one.path), Path(other.path)):
            raise ConfigurationError(
                f"mount {one.bucket}: {one.path} is, or lies in, {other.path}, which is mount {other.bucket};"
                " a directory can be one mount only, unless both are read-only")


def _lies_in(inner: Path, outer: Path) -> bool:
    """Is it the other directory, or below it, by whatever links and names it is reached?"""
    real = Path(os.path.realpath(inner))
    return any(_same(above, outer) for above in (real, *real.parents))


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:  # one of them is still to be made
        return False


async def declare_mounts(engine: Engine, settings: Settings, users: Users, clock: Clock) -> None:
    """Make the catalog's mounts those declared. Raises ConfigurationError when a name is another bucket's."""

    def change(tx: Write) -> None:
        declared = {mount.bucket: mount for mount in settings.mounts}
        for record in _mounts(tx):
            if record.name not in declared:
                tx.put(_parked(record.name), BUCKETS.encode(record))
                tx.delete(keys.text(keys.CATALOG, record.name))
                tx.announce()
        for mount in declared.values():
            _declare(tx, mount, users.named(mount.owner).id, clock.now_ms())

    await engine.write(change)


def _declare(tx: Write, mount: MountSettings, owner: str, now_ms: int) -> None:
    row, facts = keys.text(keys.CATALOG, mount.bucket), _facts(mount)
    data = tx.get(row)
    if data is None:
        try:
            refuse_name_of_branch(tx, mount.bucket)
        except Fault as fault:
            raise ConfigurationError(f"mount {mount.bucket}: that is the name of a repository, or ends in"
                                     " one: its branches are called so") from fault
        data = tx.get(_parked(mount.bucket))
    if data is None:
        enroll(tx, mount.bucket, MOUNT, owner, now_ms=now_ms, facts=facts)
        return
    record = BUCKETS.decode(data)
    if record.kind != MOUNT:
        raise ConfigurationError(f"mount {mount.bucket}: there is a bucket of that name already")
    tx.delete(_parked(mount.bucket))
    acl = record.acl if record.owner == owner else None  # what one owner granted is not granted by another
    tx.put(row, BUCKETS.encode(replace(record, owner=owner, facts=facts, acl=acl)))
    tx.announce()


def _mounts(tx: Write) -> list[BucketRecord]:
    rows = tx.scan(keys.CATALOG, keys.after(keys.CATALOG))
    return [record for _, data in rows if (record := BUCKETS.decode(data)).kind == MOUNT]


def _parked(name: str) -> bytes:
    return keys.text(keys.META, f"mount {name}")


def _facts(mount: MountSettings) -> dict[str, str]:
    facts = {"path": str(Path(mount.path).absolute())}
    if mount.readonly:
        facts["readonly"] = "true"
    if mount.folders:
        facts["folders"] = "true"
    return facts


async def make_mount(name: str, owner: str, region: str, settled: Settled) -> BucketRecord:
    """Nobody makes a mount by a request."""
    raise faults.NotImplemented_("Mounts are declared in the configuration.", BucketName=name)


async def remove_mount(record: BucketRecord) -> None:
    """Nobody removes a mount by a request."""
    raise faults.NotImplemented_("Mounts are declared in the configuration.", BucketName=record.name)
