"""The differences between S3s, as data. A listener speaks one; handlers read its facts, never its name."""

from __future__ import annotations

from typing import Final

import msgspec

MIB: Final = 1 << 20
GIB: Final = 1 << 30


class Limits(msgspec.Struct, frozen=True):
    """Numbers a dialect may change. Sizes in bytes.

    `max_keys`: the most keys of a page of a listing.
    `refuse_more_keys`: a `max-keys` above `max_keys` is InvalidArgument instead of being clamped.
    `max_put_bytes`: the most bytes of one PUT, of a part, and of a part's copy source.
    `max_copy_bytes`: the most bytes of the source of CopyObject.
    `min_part_bytes`: the fewest bytes of every part but the last.
    `max_parts`: the most parts of an object.
    `max_metadata_bytes`: the most bytes of names and values of an object's user metadata.
    `max_tags`: the most tags of an object.
    `max_bucket_tags`: the most tags of a bucket.
    """

    max_keys: int = 1000
    refuse_more_keys: bool = False
    max_put_bytes: int = 5 * GIB
    max_copy_bytes: int = 5 * GIB
    min_part_bytes: int = 5 * MIB
    max_parts: int = 10_000
    max_metadata_bytes: int = 2048
    max_tags: int = 10
    max_bucket_tags: int = 50


class Dialect(msgspec.Struct, frozen=True):
    """What an S3 does where S3s differ. Each fact that is not AWS's cites its source beside it.

    `fine_faults`: show the fine-grained fault names of ActiveScale's Table A-1 instead of AWS's codes.
    `untagged_bucket_is_empty`: GetBucketTagging of an untagged bucket answers an empty TagSet instead of
    NoSuchTagSet.
    `own_bucket_again`: CreateBucket of a bucket the caller owns is "refused" with BucketAlreadyOwnedByYou,
    "fine" (200), or "fine in us-east-1", which is AWS's way: where both the bucket and the region asked for
    are us-east-1 (a bucket and a request that name none are in the server's `region`). It is never fine when
    tags or an ownership are asked for that the bucket has not.
    `location`: what GetBucketLocation says of a bucket without a constraint ("" is us-east-1).
    `deletes_full_buckets`: DeleteBucket also deletes what is in it, every version.
    `compares_part_etags`: CompleteMultipartUpload compares ETags: "always", "when given" or "when ours"
    (they look like MD5).
    `wants_part_checksums`: CompleteMultipartUpload of an upload of composite checksums needs those of the
    parts.
    `refuses_bodies`: a request with a body to an action that takes none is refused; else only a copy is
    (versitygw #1242), and the body of others is checked and ignored.
    `aws_bucket_names`: new buckets must follow AWS's naming rules (else 1-255 of letters,
    digits, `.`, `-`, `_`, `:`).
    `version2_element`: listings say whether they are of version 2, as Alluxio's do.
    `encodes_unasked`: listings are url-encoded and say so even when the client did not ask.
    `counts_in_plain_list`: the plain listing carries KeyCount and continuation tokens (Alluxio 1.x).
    `requires_length`: an upload that says neither its length nor that it comes in chunks is refused; else it
    is empty.
    `default_type`: the content type of objects whose writer named none.
    `xmlns`: the name space of answers; "" writes none.
    """

    name: str
    limits: Limits = Limits()
    fine_faults: bool = False
    untagged_bucket_is_empty: bool = False
    own_bucket_again: str = "fine in us-east-1"
    location: str = ""
    deletes_full_buckets: bool = False
    compares_part_etags: str = "always"
    wants_part_checksums: bool = True
    refuses_bodies: bool = False
    aws_bucket_names: bool = True
    version2_element: bool = False
    encodes_unasked: bool = False
    counts_in_plain_list: bool = False
    requires_length: bool = True
    default_type: str = "binary/octet-stream"
    xmlns: str = "http://s3.amazonaws.com/doc/2006-03-01/"
