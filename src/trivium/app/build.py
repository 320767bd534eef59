"""From settings to a house: a flat list of constructions. To add an engine, store or bucket is one line."""

from __future__ import annotations

import resource
from collections.abc import Mapping
from typing import Final

from trivium.app.mounts import make_mount, remove_mount
from trivium.app.settings import Settings
from trivium.base.body import Places
from trivium.base.clock import Clock
from trivium.base.ids import Ids
from trivium.buckets.mount.mounts import Mounts
from trivium.buckets.objects.bucket import ObjectsBucket
from trivium.buckets.record import BRANCH, MOUNT, BucketRecord, Ground
from trivium.buckets.repo.bucket import BranchBucket
from trivium.buckets.repo.repository import Repositories
from trivium.services.access.users import Users
from trivium.services.catalog import Catalog, Kind
from trivium.services.house import House
from trivium.services.uploads import Uploads
from trivium.storage.blobs import Blobs
from trivium.storage.blobstores.files import FileBlobs
from trivium.storage.engine import Engine
from trivium.storage.engines.sqlite import SqliteEngine
from trivium.storage.folder import DataFolder
from trivium.under.local import LocalStore
from trivium.under.store import UnderStore

_MOST_HELD: Final = 4096  # as many as connections


def build(settings: Settings, users: Users, clock: Clock, ids: Ids) -> House:
    """The house on its data folder. Opening it blocks for some milliseconds."""
    folder = DataFolder(settings.data)
    engine = SqliteEngine(folder.rows, reserve_bytes=settings.reserve_bytes)
    blobs = FileBlobs(folder.blobs, clock, ids, reserve_bytes=settings.reserve_bytes)
    return house_of(settings, engine, blobs, users, clock, ids)


def house_of(settings: Settings, engine: Engine, blobs: Blobs, users: Users, clock: Clock, ids: Ids) -> House:
    ground, places = Ground(engine, blobs, clock, ids, settings.inline_bytes), Places(most_held())

    def store_of(facts: Mapping[str, str]) -> UnderStore:
        return LocalStore(
            facts["path"], clock, ids, writes=facts.get("readonly") != "true", places=places)

    def objects(record: BucketRecord, generation: int) -> ObjectsBucket:
        return ObjectsBucket(ground, record, generation)

    mounts, repositories = Mounts(ground, store_of), Repositories(ground)
    kinds = {
        MOUNT: Kind(lambda record, _: mounts.bucket(record), make_mount, remove_mount, remove_mount),
        BRANCH: Kind(
            lambda record, generation: BranchBucket(ground, record, generation), repositories.create,
            repositories.delete, repositories.raze),
    }
    return House(ground, Catalog(ground, objects, kinds), users, Uploads(ground), settings.region)


def most_held() -> int:
    """How many files of mounts, and how many pipes, this process may hold: an eighth of its descriptors,
    since a body in a pipe takes four.
    """
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MOST_HELD if soft == resource.RLIM_INFINITY else min(_MOST_HELD, soft // 8)
