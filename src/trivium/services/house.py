"""The house: everything that serves a request, built once by the app and passed down."""

from __future__ import annotations

import msgspec

from trivium.buckets.record import Ground
from trivium.services.access.users import Users
from trivium.services.catalog import Catalog
from trivium.services.uploads import Uploads


class House(msgspec.Struct, frozen=True):
    """What the operations work with. `region` is what buckets are told to be in when nobody said."""

    ground: Ground
    catalog: Catalog
    users: Users
    uploads: Uploads
    region: str = "us-east-1"
