"""Pachyderm's S3 gateway: a branch is a bucket."""

from __future__ import annotations

from typing import Final

from trivium.s3.dialect import Dialect, Limits
from trivium.services.uploads.completion import MAX_OBJECT_BYTES

DIALECT: Final = Dialect(
    "pachyderm",
    limits=Limits(
        max_keys=5000, refuse_more_keys=True,  # 0 to 5,000 (Hadoop asks for 5,000), else InvalidArgument
        max_copy_bytes=MAX_OBJECT_BYTES,  # CopyObject: no limit is named
    ),
    # CreateBucket: "trying to create the same bucket twice will return" the error
    own_bucket_again="refused",
    location="PACHYDERM",  # GetBucketLocation: the same for every bucket
    deletes_full_buckets=True,  # DeleteBucket: "Unlike S3, you can delete non-empty branches"
    wants_part_checksums=False,  # it knows none
    compares_part_etags="when ours",  # CompleteMultipartUpload: ETags of another format are ignored
    aws_bucket_names=False,  # repositories and branches match [A-Za-z0-9_-]+
)
