"""The actions of S3 that are not here yet: each is answered with NotImplemented, never by another action."""

from __future__ import annotations

from typing import Final

from trivium.s3.messages import BUCKET, OBJECT, SERVICE
from trivium.s3.registry import refuse

# Configuration documents of a bucket: which of Get, Put, Delete exist, under which query key, with which suffix of the name
_DOCUMENTS: Final = (
    ("BucketAbac", "abac", "GET PUT"),
    ("BucketAccelerateConfiguration", "accelerate", "GET PUT"),
    ("BucketAcl", "acl", "GET PUT"),
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
    ("BucketOwnershipControls", "ownershipControls", "GET PUT DELETE"),
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
    ("GetObjectAcl", "GET", "acl"), ("PutObjectAcl", "PUT", "acl"), ("GetObjectLegalHold", "GET", "legal-hold"),
    ("PutObjectLegalHold", "PUT", "legal-hold"), ("GetObjectRetention", "GET", "retention"),
    ("PutObjectRetention", "PUT", "retention"), ("GetObjectTorrent", "GET", "torrent"), ("RestoreObject", "POST", "restore"),
):
    refuse(name, method, OBJECT, query)

refuse("CreateSession", "GET", BUCKET, "session")
refuse("CreateBucketMetadataConfiguration", "POST", BUCKET, "metadataConfiguration")
refuse("CreateBucketMetadataTableConfiguration", "POST", BUCKET, "metadataTable")
refuse("SelectObjectContent", "POST", OBJECT, "select", "select-type=2")
refuse("WriteGetObjectResponse", "POST", SERVICE, "WriteGetObjectResponse")
refuse("PostObject", "POST", BUCKET)
