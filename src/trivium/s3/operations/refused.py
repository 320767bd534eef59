"""The actions of S3 that are not here yet: each is answered with NotImplemented, never by another action.

Source: botocore's model of S3, which is also what a test holds this list against.
"""

from __future__ import annotations

from typing import Final

from trivium.base import faults
from trivium.s3.messages import BUCKET, OBJECT
from trivium.s3.registry import misplace, refuse

# Configuration documents of a bucket: which of Get, Put, Delete exist, under which query key, with which
# suffix of the name
_DOCUMENTS: Final = (
    ("BucketAbac", "abac", "GET PUT"),
    ("BucketAccelerateConfiguration", "accelerate", "GET PUT"),
    ("BucketAnalyticsConfiguration", "analytics", "GET PUT DELETE"),
    ("BucketCors", "cors", "GET PUT DELETE"),
    ("BucketEncryption", "encryption", "GET PUT DELETE"),
    ("BucketIntelligentTieringConfiguration", "intelligent-tiering", "GET PUT DELETE"),
    ("BucketInventoryConfiguration", "inventory", "GET PUT DELETE"),
    ("BucketLifecycleConfiguration", "lifecycle", "GET PUT"),
    ("BucketLifecycle", "lifecycle", "DELETE"),
    ("BucketLogging", "logging", "GET PUT"),
    ("BucketMetadataConfiguration", "metadataConfiguration", "GET DELETE"),
    ("BucketMetadataTableConfiguration", "metadataTable", "GET DELETE"),
    ("BucketMetricsConfiguration", "metrics", "GET PUT DELETE"),
    ("BucketNotificationConfiguration", "notification", "GET PUT"),
    ("BucketPolicy", "policy", "GET PUT DELETE"),
    ("BucketPolicyStatus", "policyStatus", "GET"),
    ("BucketReplication", "replication", "GET PUT DELETE"),
    ("BucketRequestPayment", "requestPayment", "GET PUT"),
    ("BucketWebsite", "website", "GET PUT DELETE"),
    ("ObjectLockConfiguration", "object-lock", "GET PUT"),
    ("PublicAccessBlock", "publicAccessBlock", "GET PUT DELETE"),
)
_VERBS: Final = {"GET": "Get", "PUT": "Put", "DELETE": "Delete"}
for name, query, methods in _DOCUMENTS:
    for method in methods.split():
        refuse(_VERBS[method] + name, method, BUCKET, query)

for name, method, query in (
    ("DeleteObjectAnnotation", "DELETE", "annotation"), ("GetObjectAnnotation", "GET", "annotation"),
    ("PutObjectAnnotation", "PUT", "annotation"), ("UpdateObjectEncryption", "PUT", "encryption"),
    ("GetObjectLegalHold", "GET", "legal-hold"),
    ("PutObjectLegalHold", "PUT", "legal-hold"), ("GetObjectRetention", "GET", "retention"),
    ("PutObjectRetention", "PUT", "retention"), ("GetObjectTorrent", "GET", "torrent"),
    ("RestoreObject", "POST", "restore"),
):
    refuse(name, method, OBJECT, query)

for name, query in (
    ("UpdateBucketMetadataAnnotationTableConfiguration", "metadataAnnotationTable"),
    ("UpdateBucketMetadataInventoryTableConfiguration", "metadataInventoryTable"),
    ("UpdateBucketMetadataJournalTableConfiguration", "metadataJournalTable"),
):
    refuse(name, "PUT", BUCKET, query)

refuse("CreateSession", "GET", BUCKET, "session")
refuse("CreateBucketMetadataConfiguration", "POST", BUCKET, "metadataConfiguration")
refuse("CreateBucketMetadataTableConfiguration", "POST", BUCKET, "metadataTable")
refuse("SelectObjectContent", "POST", OBJECT, "select", "select-type=2")
refuse("PostObject", "POST", BUCKET)  # a form that a browser sends; not in the model

# Amazon S3 API Reference, "Error responses", and what S3 says of the others in the same words
misplace("uploads", "GET", OBJECT, faults.UploadsExpectsNoKey)
misplace("versions", "GET", OBJECT, faults.NoVersionsStatusForKey)
misplace("logging", "GET", OBJECT, faults.NoLoggingStatusForKey)
misplace("torrent", "GET", BUCKET, faults.RequestTorrentOfBucketError)

# Actions that send the same request as another one: the other's row answers for both
ALIKE: Final = {
    **{f"ListBucket{name}Configurations": f"GetBucket{name}Configuration"
       for name in ("Analytics", "IntelligentTiering", "Inventory", "Metrics")},
    "GetBucketLifecycle": "GetBucketLifecycleConfiguration",
    "PutBucketLifecycle": "PutBucketLifecycleConfiguration",
    "GetBucketNotification": "GetBucketNotificationConfiguration",
    "PutBucketNotification": "PutBucketNotificationConfiguration",
    "ListObjectAnnotations": "GetObjectAnnotation",
    # told apart by its host alone; there are no directory buckets here
    "ListDirectoryBuckets": "ListBuckets",
    # POST /WriteGetObjectResponse: no header or query of its own selects it
    "WriteGetObjectResponse": "PostObject",
}
