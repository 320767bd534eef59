"""ActiveScale 6.1 S3 API Reference, Table A-1, "Error codes": its names by status, and why some are not here yet."""

from __future__ import annotations

from typing import Final

_BY_STATUS: Final = {
    301: """
        PermanentRedirect
    """,
    307: """
        Redirect TemporaryRedirect
    """,
    400: """
        ACPCannedACLAndGrantHeader ACPIInvalidArgumentFormat ACPIInvalidCannedACL ACPIInvalidGroupURI ACPIInvalidID
        ACPTooManyGrants AccountRequiredForAccessControlTranslationOwner AmbiguousGrantByEmailAddress
        AuthorizationComponentMalformed AuthorizationHeaderNeedsOneSpace AuthorizationHeaderRequiresThreeComponents
        BadDigest BadDigestClient BadOptionsRequest BadReplicaChecksum BadRequest BadRequestInvalidURI
        BucketLifecycleActionDateMustBeMidnightGMT BucketLifecycleActionDateNotBeforeEpoch
        BucketLifecycleActionDaysMustBePositiveInteger BucketLifecycleOverlappingPrefixesForSameActionType
        BucketLifecycleRuleIDMustBeUnique BucketLifecycleRuleIDTooLong BucketLifecycleRuleNeedsAtLeastOneAction
        BucketLifecycleRulePrefixTooLong BucketLifecycleRulesWithSamePrefix CannotSetBothRangeAndPartnumber
        Content_MD5_Missing CopyIllegalCopyHeader CopyInvalidSource CopyInvalidSourceEncoding
        CopyInvalidSourceParameter CopyInvalidSourceRange CopyInvalidSourceUri CopySourceTooBig
        CredentialDateNotSameAsXamzDate CredentialsNotSupported EmptyContentSha256
        EmptyOrNullReplicationDestinationBucket EmptyVersionId EmptyVersionIdMarker EntityTooLarge EntityTooSmall
        ExpiredToken IllegalLocationConstraint IllegalVersioningConfigurationException
        InappropriateReplicationVersionId IncompleteBody IncompleteBodyBodyTerminatedUnexpectedly
        IncorrectNumberOfFilesInPostRequest InlineDataTooLarge InvalidAccountId InvalidArgument
        InvalidArgumentBucketName InvalidArgumentGlacier InvalidBucketARN InvalidBucketName InvalidContentSha256
        InvalidCopySourceMethod InvalidCopyToSelf InvalidDelimiter InvalidDigest InvalidEncodingMethod
        InvalidEncryptionAlgorithmError InvalidEncryptionMethod InvalidHeaderForContext InvalidHeaderValue
        InvalidKeyMarker InvalidLocationConstraint InvalidMarker InvalidMaxKeys InvalidMaxUploads
        InvalidMetadataDirective InvalidPart InvalidPartNumber InvalidPartOrder InvalidPolicyDocument InvalidPrefix
        InvalidRedirectLocation InvalidRedirectLocation_TooLong InvalidReplicationStatus InvalidRequest
        InvalidRuleId InvalidSOAPRequest InvalidSiteId InvalidSiteIdAndStatusCombination InvalidStorageClass
        InvalidTargetBucketForLogging InvalidToken InvalidURI InvalidURI_EOF InvalidURI_isHexDigit
        InvalidUploadIdMarker InvalidV2AuthorizationHeader InvalidValue InvalidVersionId KeyTooLong
        MalformedACLError MalformedPOSTRequest MalformedXML MaxMessageLengthExceeded
        MaxNumberOfReplicationRulesExceeded MaxPostPreDataLengthExceededError MetadataInContext MetadataTooLarge
        MissingAuthorizationCredential MissingAuthorizationSignature MissingAuthorizationSignedHeaders
        MissingContentSha256 MissingRequestBodyError MissingSecurityElement MissingSecurityHeader
        NoLoggingStatusForKey NoPartsSpecified NoVersionsStatusForKey NonEmptyBody NonEmptyReplicationRulePrefix
        NonOverridableResponseHeader NotAllReplicationHeadersProvided NotAllV4QueryParametersProvided NotModified
        NotificationNotActivatedOnSystemError OnlyOneAuthMechanismAllowed OnlyOneEncryptionAlgorithmAllowed
        OnlyOneMetadataDirectiveAllowed OnlyOneWebsiteRedirectLocationAllowed QueryParamNotImplemented
        RangeIsNotSupportedInCopy ReplicaKmsKeyIDRequiredForSseKmsEncryptedObjects
        ReplicaKmsKeyIDRequiredInEncryptionConfiguration ReplicationNotActivatedOnSystemError
        ReplicationSourceBucketNotVersioningEnabled ReplicationStatusNotAllowed RequestIsNotMultiPartContent
        RequestPartNumberOfBucket RequestTimeout RequestTorrentOfBucketError RequestUploadIdOfBucket SmallPartNumber
        SourceCopyMayNotBeDeleteMarker SseKmsEncryptedObjectsRequiredForEncryptionConfiguration
        SseKmsEncryptedObjectsRequiredInSourceSelectionCriteria StorageClassNotSupportedForReplication
        TokenRefreshRequired TooManyBuckets TooManyUploadParts UnexpectedContent UnexpectedQueryStringParameter
        UnresolvableGrantByEmailAddress UnsupportedAuthorizationType UploadsExpectsNoKey UseNoAuthorizationMechanism
        UseV2AuthorizationMechanism UseV4AuthorizationMechanism UserKeyMustBeSpecified User_Key_Not_Specified
        V4MHAuthorizationCredentialMalformed V4MHEmptyAuthorizationAccessKey V4MHEmptyAuthorizationRegion
        V4MHIncorrectAuthorizationDateFormat V4MHIncorrectAuthorizationRegion V4MHIncorrectAuthorizationRequestType
        V4MHIncorrectAuthorizationService V4QPAuthorizationCredentialMalformed V4QPEmptyAuthorizationAccessKey
        V4QPEmptyAuthorizationRegion V4QPIncorrectAuthorizationDateFormat V4QPIncorrectAuthorizationRegion
        V4QPIncorrectAuthorizationService VersionIdMarkerWithoutKeyMarker VersionIdMethodMismatch VersionIdTooLong
        XAmzAlgorithmUnsupported XAmzContentSHA256Mismatch XAmzDateIncorrectFormat XAmzExpiresLongerThanAWeek
        XAmzExpiresMustBeNonNegative XAmzExpiresShouldBeANumber
        XAmzServerSideEncryptionHeaderNotSupportedForThisOperation
        XAmzWebsiteRedirectLocationNotSupportedForThisOperation
    """,
    403: """
        AWSAuthenticationRequiresDate AccessDenied AccountProblem AnonymousAccessForbidden
        AuthorizationHeadersNotSigned CrossLocationLoggingProhibited EncryptionDisallowed EncryptionRequired
        InvalidAccessKeyId InvalidChunkSizeError InvalidDate InvalidObjectState InvalidPayer InvalidSecurity
        NotSignedUp QueryAuthenticationRequiresParameters QuotaExceeded RequestExpired RequestTimeTooSkewed
        SignatureDoesNotMatch
    """,
    404: """
        NoSuchBucket NoSuchBucketPolicy NoSuchCORSConfiguration NoSuchKey NoSuchLifecycleConfiguration
        NoSuchObjectLockConfiguration NoSuchTagSet NoSuchUpload NoSuchVersion NoSuchWebsiteConfiguration
        ObjectLockConfigurationNotFoundError ReplicationConfigurationNotFound
        ServerSideEncryptionConfigurationNotFound
    """,
    405: """
        MethodNotAllowed
    """,
    409: """
        BucketAlreadyExists BucketAlreadyOwnedByYou BucketNotEmpty BucketNotVersioningEnabled
        CannotChangeVersioningStateIfReplicationIsEnabled InvalidBucketState MultipartAlreadyInitialized
        MultipartReplicaVersionIdNotAvailable ObjectsNotEquivalent OperationAborted RestoreAlreadyInProgress
        VersionIdNotAvailableForReplication VersionedBucketNotEmpty
    """,
    411: """
        MissingContentLength
    """,
    412: """
        PreconditionFailed
    """,
    416: """
        InvalidRange RangeNotSatisfiable
    """,
    500: """
        InternalError
    """,
    501: """
        BucketLifecycleActionNotImplemented ChangingReplicaOwnerNotSupported NotImplemented
        ReplicationOfKmsEncryptedObjectsNotSupported
    """,
    503: """
        ServiceUnavailable SlowDown
    """,
    507: """
        InsufficientStorage
    """,
}
TABLE: Final = {name: status for status, names in _BY_STATUS.items() for name in names.split()}

_NOT_YET: Final = {
    "lifecycle is refused as a whole": """
        BucketLifecycleActionDateMustBeMidnightGMT BucketLifecycleActionDateNotBeforeEpoch
        BucketLifecycleActionDaysMustBePositiveInteger BucketLifecycleActionNotImplemented
        BucketLifecycleOverlappingPrefixesForSameActionType BucketLifecycleRuleIDMustBeUnique
        BucketLifecycleRuleIDTooLong BucketLifecycleRuleNeedsAtLeastOneAction BucketLifecycleRulePrefixTooLong
        BucketLifecycleRulesWithSamePrefix InvalidArgumentGlacier InvalidRuleId NoSuchLifecycleConfiguration
        RestoreAlreadyInProgress
    """,
    "replication is refused as a whole": """
        AccountRequiredForAccessControlTranslationOwner BadReplicaChecksum BucketNotVersioningEnabled
        CannotChangeVersioningStateIfReplicationIsEnabled ChangingReplicaOwnerNotSupported
        EmptyOrNullReplicationDestinationBucket InappropriateReplicationVersionId InvalidAccountId InvalidBucketARN
        InvalidReplicationStatus InvalidSiteId InvalidSiteIdAndStatusCombination MaxNumberOfReplicationRulesExceeded
        MultipartAlreadyInitialized MultipartReplicaVersionIdNotAvailable NonEmptyReplicationRulePrefix
        NotAllReplicationHeadersProvided ObjectsNotEquivalent ReplicaKmsKeyIDRequiredForSseKmsEncryptedObjects
        ReplicaKmsKeyIDRequiredInEncryptionConfiguration ReplicationConfigurationNotFound
        ReplicationNotActivatedOnSystemError ReplicationOfKmsEncryptedObjectsNotSupported
        ReplicationSourceBucketNotVersioningEnabled ReplicationStatusNotAllowed
        SseKmsEncryptedObjectsRequiredForEncryptionConfiguration
        SseKmsEncryptedObjectsRequiredInSourceSelectionCriteria StorageClassNotSupportedForReplication
        VersionIdNotAvailableForReplication
    """,
    "encryption is refused as a whole: NotImplemented": """
        EncryptionDisallowed EncryptionRequired InvalidEncryptionAlgorithmError InvalidEncryptionMethod
        OnlyOneEncryptionAlgorithmAllowed ServerSideEncryptionConfigurationNotFound
        XAmzServerSideEncryptionHeaderNotSupportedForThisOperation
    """,
    "an action of S3 that is not here is NotImplemented, 501, in every dialect": """
        QueryParamNotImplemented
    """,
    "storage classes are names: nothing is brought back from the cold": """
        InvalidObjectState
    """,
    "the configuration document is refused as a whole": """
        CrossLocationLoggingProhibited InvalidPayer InvalidTargetBucketForLogging NoSuchBucketPolicy
        NoSuchCORSConfiguration NoSuchObjectLockConfiguration NoSuchWebsiteConfiguration
        NotificationNotActivatedOnSystemError ObjectLockConfigurationNotFoundError
    """,
    "forms that browsers send are refused as a whole": """
        IncorrectNumberOfFilesInPostRequest InvalidPolicyDocument MalformedPOSTRequest
        MaxPostPreDataLengthExceededError RequestIsNotMultiPartContent UserKeyMustBeSpecified
    """,
    "nobody speaks SOAP here": """
        InlineDataTooLarge InvalidSOAPRequest MissingSecurityElement
    """,
    "there are no accounts with troubles, quotas or temporary credentials": """
        AccountProblem ExpiredToken InvalidSecurity NotSignedUp QuotaExceeded TokenRefreshRequired
        TooManyBuckets
    """,
    "there is one endpoint, for every region": """
        IllegalLocationConstraint PermanentRedirect Redirect TemporaryRedirect V4MHIncorrectAuthorizationRegion
        V4QPIncorrectAuthorizationRegion
    """,
    "every mechanism that is known is taken wherever one is taken": """
        CredentialsNotSupported UseNoAuthorizationMechanism UseV2AuthorizationMechanism
    """,
    "the HTTP server answers what is no HTTP, and decodes the path: what it leaves of escapes are characters": """
        BadRequest BadRequestInvalidURI InvalidURI_EOF InvalidURI_isHexDigit
    """,
    "every text is one": """
        InvalidDelimiter InvalidKeyMarker InvalidMarker InvalidPrefix InvalidValue
    """,
    "what says nothing here is ignored, as unknown headers and parameters are": """
        CopyIllegalCopyHeader InvalidHeaderForContext MetadataInContext
        XAmzWebsiteRedirectLocationNotSupportedForThisOperation
    """,
    "a header that comes twice is joined, and an address may hold a comma": """
        OnlyOneWebsiteRedirectLocationAllowed
    """,
    "a copy source is a path, never an address": """
        CopyInvalidSourceUri
    """,
    "no request needs it: checksums stand in for it": """
        Content_MD5_Missing
    """,
}
NOT_YET: Final = {name: why for why, names in _NOT_YET.items() for name in names.split()}

# Two that the table leaves out, between others of their kind
SIBLINGS: Final = frozenset({"V4QPIncorrectAuthorizationRequestType", "XAmzSignedHeadersMalformed"})
