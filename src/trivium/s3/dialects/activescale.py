"""ActiveScale 6.1, as its S3 API Reference describes it."""

from __future__ import annotations

from typing import Final

from trivium.s3.dialect import Dialect, Limits

DIALECT: Final = Dialect(
    "activescale",
    # 1.6.5 GET Bucket (List Objects): max-keys over 1,000 is InvalidArgument
    limits=Limits(refuse_more_keys=True),
    fine_faults=True,  # Table A-1
    refuses_bodies=True,  # Table A-1: NonEmptyBody
    own_bucket_again="refused",  # 1.10 PUT Bucket: BucketAlreadyOwnedByYou
)
