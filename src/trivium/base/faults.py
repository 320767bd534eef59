"""The fault catalogue: everything that can be wrong with a request, each a row.

Theory of operation. A `FaultKind` is a row: a fine-grained name, the S3 code that AWS sends for it, an HTTP
status and a message. Calling a kind makes a `Fault`, the one exception of the house; keyword facts given
there become children of the error's XML (`raise NoSuchKey(Key=key)`). A dialect decides whether the name or
the code is shown. The names follow ActiveScale 6.1 S3 API Reference, Table A-1, the codes and messages the
AWS S3 API Reference, "Error responses". That table says which names a client may meet: what is not in it is
a name for ourselves, for logs and metrics, and shows its code everywhere.
"""

from __future__ import annotations

from typing import Final

CATALOGUE: Final[dict[str, FaultKind]] = {}


class Fault(Exception):
    """A refusal, on its way to the client. `facts` are shown to the client: never put a secret there."""

    def __init__(self, kind: FaultKind, message: str, facts: dict[str, str | int]) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.facts = facts

    def __repr__(self) -> str:
        return f"Fault({self.kind.name}: {self.message}, {self.facts})"


class FaultKind:
    """One row of the catalogue. Calling it makes the `Fault` to raise.

    `name` is unique; `code` is what AWS sends and several names may share it; `status` is the HTTP status.
    `fine` and `fine_status` are what dialects with fine names show: name and status, unless said otherwise.
    """

    __slots__ = ("code", "fine", "fine_status", "message", "name", "status")

    def __init__(
        self, name: str, status: int, message: str, *, code: str = "", fine: str = "", fine_status: int = 0,
    ) -> None:
        if name in CATALOGUE:
            raise AssertionError(f"fault {name} is declared twice")
        self.name, self.status, self.message, self.code = name, status, message, code or name
        self.fine, self.fine_status = fine or name, fine_status or status
        CATALOGUE[name] = self

    def __call__(self, message: str = "", /, **facts: str | int) -> Fault:
        return Fault(self, message or self.message, facts)

    def __repr__(self) -> str:
        return f"FaultKind({self.name})"


_row = FaultKind


def _own(name: str, status: int, message: str, *, code: str) -> FaultKind:
    """A row whose name is for ourselves: every dialect shows the code."""
    return FaultKind(name, status, message, code=code, fine=code)


# What is asked for is not there
NoSuchBucket = _row("NoSuchBucket", 404, "The specified bucket does not exist.")
NoSuchKey = _row("NoSuchKey", 404, "The specified key does not exist.")
NoSuchVersion = _row("NoSuchVersion", 404, "The specified version does not exist.")
NoSuchUpload = _row(
    "NoSuchUpload", 404,
    "The specified upload does not exist. The upload ID may be invalid, or the upload may have been"
    " aborted or completed.",
)
NoSuchTagSet = _row("NoSuchTagSet", 404, "The TagSet does not exist")
OwnershipControlsNotFoundError = _row(
    "OwnershipControlsNotFoundError", 404, "The bucket ownership controls were not found")

KeyIsDeleteMarker = _own("KeyIsDeleteMarker", 404, "The specified key does not exist.", code="NoSuchKey")
VersionIsDeleteMarker = _own(
    "VersionIsDeleteMarker", 405, "The specified method is not allowed against this resource.",
    code="MethodNotAllowed")

# Access and signatures
AccessDenied = _row("AccessDenied", 403, "Access Denied")
AnonymousAccessForbidden = _row("AnonymousAccessForbidden", 403, "Access Denied", code="AccessDenied")
AccessControlListNotSupported = _row("AccessControlListNotSupported", 400, "The bucket does not allow ACLs")
InvalidBucketAclWithObjectOwnership = _row(
    "InvalidBucketAclWithObjectOwnership", 400,
    "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting")
MalformedACLError = _row(
    "MalformedACLError", 400,
    "The XML you provided was not well-formed or did not validate against our published schema")
ACPTooManyGrants = _row(
    "ACPTooManyGrants", 400, "The request has more grants than an ACL can have.", code="MalformedACLError")
ACPCannedACLAndGrantHeader = _row(
    "ACPCannedACLAndGrantHeader", 400, "Specifying both Canned ACLs and Header Grants is not allowed",
    code="InvalidRequest")
ACPIInvalidArgumentFormat = _row(
    "ACPIInvalidArgumentFormat", 400, "Argument format not recognized", code="InvalidArgument")
ACPIInvalidCannedACL = _row("ACPIInvalidCannedACL", 400, "Invalid Argument", code="InvalidArgument")
ACPIInvalidGroupURI = _row("ACPIInvalidGroupURI", 400, "Invalid group uri", code="InvalidArgument")
ACPIInvalidID = _row("ACPIInvalidID", 400, "Invalid id", code="InvalidArgument")
MissingSecurityHeader = _row("MissingSecurityHeader", 400, "Your request was missing a required header")
UnexpectedContent = _row("UnexpectedContent", 400, "This request does not support content")
UnresolvableGrantByEmailAddress = _row(
    "UnresolvableGrantByEmailAddress", 400,
    "The email address you provided does not match any account on record.")
AmbiguousGrantByEmailAddress = _row(
    "AmbiguousGrantByEmailAddress", 400,
    "The email address you provided is associated with more than one account.")

# Preconditions and conflicts
NotModified = _row("NotModified", 304, "Not Modified")
PreconditionFailed = _row(
    "PreconditionFailed", 412, "At least one of the pre-conditions you specified did not hold")
OperationAborted = _row(
    "OperationAborted", 409,
    "A conflicting conditional operation is currently in progress against this resource. Try"
    " again.",
)
IdempotencyParameterMismatch = _row(
    "IdempotencyParameterMismatch", 400,
    "Parameters on this idempotent request are inconsistent with parameters used in previous request(s).")
BucketAlreadyExists = _row(
    "BucketAlreadyExists", 409,
    "The requested bucket name is not available. The bucket namespace is shared by all users"
    " of the system. Please select a different name and try again.",
)
BucketAlreadyOwnedByYou = _row(
    "BucketAlreadyOwnedByYou", 409,
    "Your previous request to create the named bucket succeeded and you already own it.")
BucketNotEmpty = _row("BucketNotEmpty", 409, "The bucket you tried to delete is not empty")
VersionedBucketNotEmpty = _row(
    "VersionedBucketNotEmpty", 409,
    "The bucket you tried to delete is not empty. You must delete all versions in the"
    " bucket.", code="BucketNotEmpty",
)

# Methods and features
BadOptionsRequest = _row(
    "BadOptionsRequest", 400, "Insufficient information. Origin request header needed.", code="BadRequest")
OneHostNeeded = _own(
    "OneHostNeeded", 400, "A request needs one Host header, and no more than one.", code="BadRequest")
CorsNotEnabled = _own(
    "CorsNotEnabled", 403, "CORSResponse: CORS is not enabled for this bucket.", code="AccessForbidden")
MethodNotAllowed = _row("MethodNotAllowed", 405, "The specified method is not allowed against this resource.")
NotImplemented_ = _row(
    "NotImplemented", 501, "A header or query you provided implies functionality that is not implemented")
UnexpectedQueryStringParameter = _row(
    "UnexpectedQueryStringParameter", 501, NotImplemented_.message, code="NotImplemented", fine_status=400)
UploadsExpectsNoKey = _row(
    "UploadsExpectsNoKey", 400, "Key is not expected for the GET method ?uploads subresource",
    code="InvalidRequest")
NoVersionsStatusForKey = _row(
    "NoVersionsStatusForKey", 400, "There is no such thing as the ?versions sub-resource for a key",
    code="InvalidRequest")
NoLoggingStatusForKey = _row(
    "NoLoggingStatusForKey", 400, "There is no such thing as a logging status sub-resource for a key.")
RequestTorrentOfBucketError = _row(
    "RequestTorrentOfBucketError", 400, "Requesting the torrent file of a bucket is not permitted.")

# Names and arguments
InvalidBucketName = _row("InvalidBucketName", 400, "The specified bucket is not valid.")
InvalidArgumentBucketName = _row(
    "InvalidArgumentBucketName", 400, "Invalid copy source bucket name", code="InvalidArgument")
InvalidURI = _row("InvalidURI", 400, "Couldn't parse the specified URI.")
KeyTooLong = _row("KeyTooLong", 400, "Your key is too long", code="KeyTooLongError")
InvalidArgument = _row("InvalidArgument", 400, "Invalid Argument")
InvalidRequest = _row("InvalidRequest", 400, "Invalid Request")
InvalidHeaderValue = _row("InvalidHeaderValue", 400, "Invalid header value", code="InvalidArgument")
EmptyVersionId = _row(
    "EmptyVersionId", 400, "Version id cannot be the empty string", code="InvalidArgument")
VersionIdTooLong = _row("VersionIdTooLong", 400, "Invalid version id specified", code="InvalidArgument")
VersionIdMethodMismatch = _row(
    "VersionIdMethodMismatch", 400, "This operation does not accept a version-id.", code="InvalidArgument")
RequestUploadIdOfBucket = _row(
    "RequestUploadIdOfBucket", 400, "A key must be specified.", code="InvalidRequest")
RequestPartNumberOfBucket = _row(
    "RequestPartNumberOfBucket", 400, "A key must be specified.", code="InvalidRequest")
InvalidVersionId = _row("InvalidVersionId", 400, "Invalid version id specified", code="InvalidArgument")
VersionIdMarkerWithoutKeyMarker = _row(
    "VersionIdMarkerWithoutKeyMarker", 400, "A version-id marker cannot be specified without a key marker.",
    code="InvalidArgument",
)
EmptyVersionIdMarker = _row(
    "EmptyVersionIdMarker", 400, "A version-id marker cannot be empty.", code="InvalidArgument")
InvalidTag = _row("InvalidTag", 400, "The tag provided was not a valid tag.")
UserKeyNotSpecified = _row(
    "User_Key_Not_Specified", 400, "You must specify at least one non-empty key",
    code="UserKeyMustBeSpecified")
TooManyTags = _own("TooManyTags", 400, "Object tags cannot be greater than 10", code="InvalidTag")
MetadataTooLarge = _row(
    "MetadataTooLarge", 400, "Your metadata headers exceed the maximum allowed metadata size")
RequestHeaderSectionTooLarge = _row(
    "RequestHeaderSectionTooLarge", 400, "Your request header section exceeds the maximum allowed size.")
InvalidStorageClass = _row("InvalidStorageClass", 400, "The storage class you specified is not valid")
InvalidRedirectLocation = _row(
    "InvalidRedirectLocation", 400,
    "The website redirect location must have a prefix of 'http://' or 'https://' or '/'.")
InvalidRedirectLocationTooLong = _row(
    "InvalidRedirectLocation_TooLong", 400,
    "The length of website redirect location cannot exceed 2,048 characters.", code="InvalidRedirectLocation",
)
InvalidPart = _row(
    "InvalidPart", 400,
    "One or more of the specified parts could not be found.  The part may not have been uploaded, or"
    " the specified entity tag may not match the part's entity tag.",
)
NoPartsSpecified = _row(
    "NoPartsSpecified", 400,
    "The XML you provided was not well-formed or did not validate against our published schema",
    code="MalformedXML")
InvalidPartOrder = _row(
    "InvalidPartOrder", 400,
    "The list of parts was not in ascending order. Parts must be ordered by part number.")
InvalidPartNumber = _row(
    "InvalidPartNumber", 400, "Part number must be an integer between 1 and 10000, inclusive",
    code="InvalidArgument")
SmallPartNumber = _row(
    "SmallPartNumber", 400, "Part number must be an integer between 1 and 10000, inclusive",
    code="InvalidArgument")
TooManyUploadParts = _row(
    "TooManyUploadParts", 400,
    "The XML you provided was not well-formed or did not validate against our published schema",
    code="MalformedXML",
)
InvalidUploadIdMarker = _row("InvalidUploadIdMarker", 400, "Invalid uploadId marker", code="InvalidArgument")
CopySourceTooBig = _row(
    "CopySourceTooBig", 400,
    "The specified copy source is larger than the maximum allowable size for a copy source",
    code="InvalidRequest",
)
CopyInvalidSourceRange = _row(
    "CopyInvalidSourceRange", 400,
    "The x-amz-copy-source-range value must be of the form bytes=first-last where first and"
    " last are the zero-based offsets of the first and last bytes to copy", code="InvalidArgument",
)
InvalidRange = _row("InvalidRange", 416, "The requested range is not satisfiable")
RangeNotSatisfiable = _row(
    "RangeNotSatisfiable", 416, "The requested partnumber is not satisfiable", code="InvalidPartNumber")

CopyInvalidSource = _row(
    "CopyInvalidSource", 400, "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
    code="InvalidArgument",
)
CopyInvalidSourceParameter = _row(
    "CopyInvalidSourceParameter", 400, "Unsupported copy source parameter.", code="InvalidArgument")
CopyInvalidSourceEncoding = _row(
    "CopyInvalidSourceEncoding", 400, "Copy Source must be URL-encoded.", code="InvalidArgument")
InvalidCopySourceMethod = _row(
    "InvalidCopySourceMethod", 400, "You can only specify a copy source header for copy requests.",
    code="InvalidArgument")
RangeIsNotSupportedInCopy = _row(
    "RangeIsNotSupportedInCopy", 400, "A copy cannot be of a range: a part of an upload can.",
    code="InvalidArgument")
SourceCopyMayNotBeDeleteMarker = _row(
    "SourceCopyMayNotBeDeleteMarker", 400,
    "The source of a copy request may not specifically refer to a delete marker by version"
    " id.", code="InvalidRequest",
)
InvalidCopyToSelf = _row(
    "InvalidCopyToSelf", 400,
    "This copy request is illegal because it is trying to copy an object to itself without"
    " changing the object's metadata, storage class, website redirect location or encryption attributes.",
    code="InvalidRequest",
)
CannotSetBothRangeAndPartnumber = _row(
    "CannotSetBothRangeAndPartnumber", 400, "Cannot specify both Range header and partNumber query parameter",
    code="InvalidRequest",
)
InvalidMaxKeys = _row("InvalidMaxKeys", 400, "Argument maxKeys must be an integer between 0 and 2147483647",
                      code="InvalidArgument")
InvalidMaxUploads = _row(
    "InvalidMaxUploads", 400, "Argument max-uploads must be an integer between 0 and 2147483647",
    code="InvalidArgument")
InvalidEncodingMethod = _row(
    "InvalidEncodingMethod", 400, "Invalid Encoding Method specified in Request", code="InvalidArgument")
NonOverridableResponseHeader = _row(
    "NonOverridableResponseHeader", 400,
    "The parameter is not in the set of overridable response headers.", code="InvalidArgument")
InvalidMetadataDirective = _row(
    "InvalidMetadataDirective", 400, "Unknown metadata directive.", code="InvalidArgument")
OnlyOneMetadataDirectiveAllowed = _row(
    "OnlyOneMetadataDirectiveAllowed", 400, "Only one metadata directive can be specified.",
    code="InvalidArgument")
IllegalVersioningConfigurationException = _row(
    "IllegalVersioningConfigurationException", 400, "The Versioning element must be specified")
InvalidLocationConstraint = _row(
    "InvalidLocationConstraint", 400, "The specified location-constraint is not valid")

# Bodies
MissingContentLength = _row("MissingContentLength", 411, "You must provide the Content-Length HTTP header.")
NonEmptyBody = _row(
    "NonEmptyBody", 400, "Requests of this type must not include a non-empty body.", code="InvalidRequest")
IncompleteBody = _row(
    "IncompleteBody", 400,
    "You did not provide the number of bytes specified by the Content-Length HTTP header")
IncompleteBodyBodyTerminatedUnexpectedly = _row(
    "IncompleteBodyBodyTerminatedUnexpectedly", 400, "The request body terminated unexpectedly",
    code="IncompleteBody")
InvalidChunkSizeError = _row(
    "InvalidChunkSizeError", 403, "Only the last chunk is allowed to have a size less than 8192 bytes")
MalformedTrailerError = _row(
    "MalformedTrailerError", 400,
    "The request contained trailing data that was not well-formed or did not conform to our"
    " published schema.",
)
InvalidChecksumAlgorithm = _own(
    "InvalidChecksumAlgorithm", 400,
    "Checksum algorithm provided is unsupported. Please try again with any of the valid"
    " types: [CRC32, CRC32C, CRC64NVME, MD5, SHA1, SHA256, SHA512, XXHASH128, XXHASH3, XXHASH64]",
    code="InvalidRequest",
)
InvalidChecksumHeader = _own(
    "InvalidChecksumHeader", 400, "The algorithm type you specified in x-amz-checksum- header is invalid.",
    code="InvalidRequest",
)
InvalidChecksumValue = _own(
    "InvalidChecksumValue", 400, "Value for x-amz-checksum- header is invalid.", code="InvalidRequest")
OnlyOneChecksumAllowed = _own(
    "OnlyOneChecksumAllowed", 400,
    "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
    code="InvalidRequest",
)
ChecksumMissing = _own(
    "ChecksumMissing", 400,
    "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer"
    " headers were found.", code="InvalidRequest",
)
InvalidTrailerHeader = _own(
    "InvalidTrailerHeader", 400, "The value specified in the x-amz-trailer header is not supported",
    code="InvalidRequest")
MaxMessageLengthExceeded = _row("MaxMessageLengthExceeded", 400, "Your request was too big.")
EntityTooLarge = _row("EntityTooLarge", 400, "Your proposed upload exceeds the maximum allowed size")
EntityTooSmall = _row("EntityTooSmall", 400, "Your proposed upload is smaller than the minimum allowed size")
BadDigest = _row(
    "BadDigest", 400,
    "The Content-MD5 or checksum value that you specified did not match what the server"
    " received.")
BadDigestClient = _row(
    "BadDigestClient", 400, "The Content-MD5 you specified did not match what we received.", code="BadDigest")
InvalidDigest = _row("InvalidDigest", 400, "The Content-MD5 you specified was invalid.")
XAmzContentSHA256Mismatch = _row(
    "XAmzContentSHA256Mismatch", 400,
    "The provided 'x-amz-content-sha256' header does not match what was computed.")
MalformedXML = _row(
    "MalformedXML", 400,
    "The XML you provided was not well-formed or did not validate against our published schema")
MissingRequestBodyError = _row("MissingRequestBodyError", 400, "Request Body is empty")
RequestTimeout = _row(
    "RequestTimeout", 400,
    "Your socket connection to the server was not read from or written to within the timeout"
    " period.")

# Ours
InternalError = _row("InternalError", 500, "We encountered an internal error. Please try again.")
InsufficientStorage = _row("InsufficientStorage", 507, "The storage is full.")
SlowDown = _row("SlowDown", 503, "Please reduce your request rate.")

# Branches
BranchHasForks = _own(
    "BranchHasForks", 409, "Another branch starts from this one and reads its past: delete that one first.",
    code="InvalidBucketState")

# Mounts: keys that cannot be names of files
KeyHasEmptyComponent = _own(
    "KeyHasEmptyComponent", 400, "A key of this bucket cannot start with a slash or hold two in a row.",
    code="InvalidArgument")
KeyHasDotComponent = _own(
    "KeyHasDotComponent", 400, "A key of this bucket cannot hold the components '.' and '..'.",
    code="InvalidArgument")
KeyHasNul = _own(
    "KeyHasNul", 400, "A key of this bucket cannot hold the character U+0000.", code="InvalidArgument")
KeyComponentTooLong = _own(
    "KeyComponentTooLong", 400, "A component of the key is longer than a file name can be.",
    code="InvalidArgument")
KeyIsReserved = _own(
    "KeyIsReserved", 400, "The key holds a component that is reserved for the server.",
    code="InvalidArgument")
KeyBelowFile = _own(
    "KeyBelowFile", 400, "A leading part of the key is a file (or a link): nothing can be below it.",
    code="InvalidArgument")
KeyNamesFolder = _own("KeyNamesFolder", 400, "The key is the name of a directory.", code="InvalidArgument")
KeyNamesNoFile = _own(
    "KeyNamesNoFile", 400,
    "The key is the name of something that is no regular file, or cannot be the name of one.",
    code="InvalidArgument")
KeyOnOtherFileSystem = _own(
    "KeyOnOtherFileSystem", 400, "The key is on another file system than the mounted directory.",
    code="InvalidArgument")
FolderHasBody = _own(
    "FolderHasBody", 400, "A key that ends in a slash is a directory and cannot have a body.",
    code="InvalidArgument")
MountMissing = _own(
    "MountMissing", 503, "The mounted directory is not there.", code="ServiceUnavailable")
FileChanging = _own(
    "FileChanging", 503, "The file was changed by another program while it was read. Please try again.",
    code="SlowDown")
