"""Alluxio's S3 API: the 2.x proxy and the AI edition (they speak alike), and the 1.x proxy.

Sources: the three documents of Alluxio's S3 API, and the property keys `alluxio.proxy.s3.*`.
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from trivium.s3.dialect import Dialect, Limits
from trivium.services.uploads.completion import MAX_OBJECT_BYTES

DIALECT: Final = Dialect(
    "alluxio",
    limits=Limits(
        max_copy_bytes=MAX_OBJECT_BYTES,  # CopyObject: no limit is named
        min_part_bytes=0,  # CompleteMultipartUpload's example merges parts of 27,040 bytes
        max_bucket_tags=10,  # "Tagging & Metadata Limits": on buckets and objects alike
    ),
    untagged_bucket_is_empty=True,  # GetBucketTagging, DeleteBucketTagging: an empty TagSet
    own_bucket_again="fine",  # CreateBucket of a directory one owns is quiet
    compares_part_etags="when given",  # CompleteMultipartUpload's example names part numbers alone
    wants_part_checksums=False,  # it knows none
    # `alluxio.proxy.s3.bucket.naming.restrictions.enabled` is false; `a:b` is a sub-directory
    aws_bucket_names=False,
    version2_element=True,  # ListObjects, ListObjectsV2: <version2>
    encodes_unasked=True,  # <EncodingType>url</EncodingType> in every listing
    # 1.x, "Upload part": `curl -X PUT` without a body, which has none by HTTP (RFC 9112, 6.3)
    requires_length=False,
    default_type="application/octet-stream",  # GetObject, HeadObject
    xmlns="",  # its documents have no name space
)

FIRST: Final = replace(
    DIALECT, name="alluxio-1", version2_element=False, encodes_unasked=False, counts_in_plain_list=True)
