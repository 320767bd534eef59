"""Where our declarations differ from botocore's model, each with the reason. A line that is not needed fails the test."""

from __future__ import annotations

from typing import Final

# What every operation reads or refuses in one place of its own
EVERYWHERE: Final = {
    "x-amz-expected-bucket-owner": "compared by serve.permit before any handler runs",
    "x-amz-source-expected-bucket-owner": "compared by serve when it opens the source",
    "x-amz-request-payer": "nobody pays here: it changes nothing",
    "x-amz-optional-object-attributes": "asks for RestoreStatus; nothing is archived, so it is never told",
    "x-amz-bypass-governance-retention": "without locks there is nothing to bypass",
    "content-length": "read where the body is",
    "content-md5": "checked where the body is read",
    "x-amz-sdk-checksum-algorithm": "checked where the body is read",
    "x-amz-checksum-": "checked where the body is read",
}

# (operation, header or query parameter of its input) -> why the Ask does not have it
INPUTS: Final = {
    ("CompleteMultipartUpload", "host"): "every request has it; the answer's Location repeats it",
    ("CopyObject", "x-amz-object-annotation-directive"): "objects have no annotations to copy",
    (
        "ListObjects",
        "continuation-token",
    ): "Alluxio 1.x has it in the plain listing; other dialects ignore it",
    **{
        (name, "x-amz-grant-write"): "taken like the others, as of PutObjectAcl; on an object it permits nothing"
        for name in ("CopyObject", "CreateMultipartUpload", "PutObject")
    },
    ("PutObject", "content-range"): "refused: RFC 9110, 14.5",
    ("PutObject", "x-amz-checksum-type"): "refused unless it is what the answer says it is",
    **{(name, "if-range"): "RFC 9110, 13.1.5: who goes on with a download" for name in ("GetObject", "HeadObject")},
    **{
        ("GetObjectAttributes", name): "its text says what comes of two of them, as GetObject's does"
        for name in ("if-match", "if-none-match", "if-modified-since", "if-unmodified-since")
    },
}

# Headers of answers that nobody gets, whatever the operation
NEVER_ANSWERED: Final = {
    "x-amz-request-charged": "nobody pays here",
    "x-amz-expiration": "there is no lifecycle yet",
    "x-amz-restore": "nothing is archived",
    "x-amz-replication-status": "there is no replication yet",
    "x-amz-missing-meta": "metadata that HTTP cannot carry is sent as MIME words",
    "x-amz-archive-status": "nothing is archived",
    "x-amz-server-side-encryption": "encryption asked for is refused",
    "x-amz-server-side-encryption-": "encryption asked for is refused",
    "x-amz-object-lock-": "locks asked for are refused",
    "x-amz-bucket-arn": "buckets have no ARN here",
    "x-amz-abort-date": "there is no lifecycle yet",
    "x-amz-abort-rule-id": "there is no lifecycle yet",
    "content-length": "written by the door, from the body",
}

# (operation, header of its output) -> why the Reply does not have it
OUTPUTS: Final = {
    ("GetObject", "x-amz-delete-marker"): "written by the fault that a delete marker is",
    ("HeadObject", "x-amz-delete-marker"): "written by the fault that a delete marker is",
    ("GetObjectAttributes", "x-amz-delete-marker"): "written by the fault that a delete marker is",
    ("HeadBucket", "x-amz-bucket-location-type"): "of directory buckets",
    ("HeadBucket", "x-amz-bucket-location-name"): "of directory buckets",
    ("PutObject", "x-amz-object-size"): "of appends, which are refused",
    **{
        (name, "x-amz-version-id"): "an upload gets its version when it is completed, not before"
        for name in (
            "AbortMultipartUpload",
            "CreateMultipartUpload",
            "ListParts",
            "UploadPart",
            "UploadPartCopy",
        )
    },
}

# (operation, element path) -> why the model has an element that we have not
ELEMENTS_LEFT_OUT: Final = {
    ("ListBuckets", "Buckets/Bucket/BucketArn"): "buckets have no ARN here",
    ("CreateBucket", "Location/Type"): "directory buckets are refused whatever else is said of them",
    ("CreateBucket", "Location/Name"): "directory buckets are refused whatever else is said of them",
    ("CreateBucket", "Bucket/DataRedundancy"): "directory buckets are refused whatever else is said of them",
    ("CreateBucket", "Bucket/Type"): "directory buckets are refused whatever else is said of them",
    ("ListMultipartUploads", "Upload/VersionId"): "an upload gets its version when it is completed",
    ("*", "RestoreStatus"): "nothing is archived",
}

# (operation, element path) -> why we have an element that the model has not
ELEMENTS_ADDED: Final = {
    **{
        (listing, "version2"): "Alluxio says of which version a listing is"
        for listing in ("ListObjects", "ListObjectsV2")
    },
    **{
        ("ListObjects", name): "Alluxio 1.x counts and pages like this in the plain listing"
        for name in ("KeyCount", "ContinuationToken", "NextContinuationToken")
    },
    ("ListObjects", "StartAfter"): "never written: both listings have one shape",
    **{
        ("ListObjectsV2", name): "never written: both listings have one shape"
        for name in ("Marker", "NextMarker")
    },
}

# Elements that the model allows several times and that we write once at most
ONE_OF_MANY: Final = {
    "ChecksumAlgorithm": "an object has one checksum",
}
