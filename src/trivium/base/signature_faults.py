"""The faults of signatures: what can be wrong with the claim to be somebody. Rows of the same catalogue."""

from __future__ import annotations

from trivium.base.faults import FaultKind

_row = FaultKind

InvalidAccessKeyId = _row(
    "InvalidAccessKeyId", 403, "The AWS Access Key Id you provided does not exist in our records.")
SignatureDoesNotMatch = _row(
    "SignatureDoesNotMatch", 403,
    "The request signature we calculated does not match the signature you provided. Check"
    " your key and signing method.",
)
RequestTimeTooSkewed = _row(
    "RequestTimeTooSkewed", 403, "The difference between the request time and the current time is too large.")
RequestExpired = _row("RequestExpired", 403, "Request has expired", code="AccessDenied")
AuthorizationHeadersNotSigned = _row(
    "AuthorizationHeadersNotSigned", 403, "There were headers present in the request which were not signed",
    code="AccessDenied",
)
AWSAuthenticationRequiresDate = _row(
    "AWSAuthenticationRequiresDate", 403, "AWS authentication requires a valid Date or x-amz-date header",
    code="AccessDenied",
)
InvalidDate = _row(
    "InvalidDate", 403, "Invalid date (should be seconds since epoch)", code="AccessDenied")
QueryAuthenticationRequiresParameters = _row(
    "QueryAuthenticationRequiresParameters", 403,
    "Query-string authentication requires the Signature, Expires and"
    " AWSAccessKeyId parameters", code="AccessDenied",
)
InvalidV2AuthorizationHeader = _row(
    "InvalidV2AuthorizationHeader", 400,
    "AWS authorization header is invalid.  Expected AwsAccessKeyId:signature", code="InvalidArgument",
)
RequestNotYetValid = _row(
    "RequestNotYetValid", 403, "Request is not valid yet", code="AccessDenied", fine="AccessDenied")
InvalidToken = _row("InvalidToken", 400, "The provided token is malformed or otherwise invalid.")
UseV4AuthorizationMechanism = _row(
    "UseV4AuthorizationMechanism", 400,
    "The authorization mechanism you have provided is not supported. Please use"
    " AWS4-HMAC-SHA256.", code="InvalidRequest",
)
UnsupportedAuthorizationType = _row(
    "UnsupportedAuthorizationType", 400, "Unsupported Authorization Type", code="InvalidArgument")
OnlyOneAuthMechanismAllowed = _row(
    "OnlyOneAuthMechanismAllowed", 400,
    "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter,"
    " Signature query string parameter or the Authorization header should be specified",
    code="InvalidArgument",
)
AuthorizationHeaderNeedsOneSpace = _row(
    "AuthorizationHeaderNeedsOneSpace", 400,
    "Authorization header is invalid -- one and only one ' ' (space) required.", code="InvalidArgument",
)
MissingContentSha256 = _row(
    "MissingContentSha256", 400, "Missing required header for this request: x-amz-content-sha256",
    code="InvalidRequest")
EmptyContentSha256 = _row(
    "EmptyContentSha256", 400, "The provided 'x-amz-content-sha256' header must be a valid SHA256.",
    code="InvalidArgument")
InvalidContentSha256 = _row(
    "InvalidContentSha256", 400,
    "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER,"
    " STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER,"
    " STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD, STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER or a valid"
    " sha256 value.",
    code="InvalidArgument",
)
InvalidContentSha256ForAnonymous = _row(
    "InvalidContentSha256ForAnonymous", 400,
    "Anonymous requests don't support this x-amz-content-sha256 value. Please use"
    " UNSIGNED-PAYLOAD or STREAMING-UNSIGNED-PAYLOAD-TRAILER.", code="InvalidRequest", fine="InvalidRequest",
)


def _header_row(name: str, what: str) -> FaultKind:
    return FaultKind(
        name, 400, f"The authorization header is malformed; {what}", code="AuthorizationHeaderMalformed")


# The Authorization header (what names the wrong part is given its whole message where it is raised)
AuthorizationHeaderMalformed = _row(
    "AuthorizationHeaderMalformed", 400, "The authorization header is malformed.")
AuthorizationComponentMalformed = _header_row(
    "AuthorizationComponentMalformed", "an authorization component is malformed.")
AuthorizationHeaderRequiresThreeComponents = _header_row(
    "AuthorizationHeaderRequiresThreeComponents",
    "the authorization header requires three components: Credential,"
    " SignedHeaders, and Signature.",
)
MissingAuthorizationCredential = _header_row("MissingAuthorizationCredential", "missing Credential.")
MissingAuthorizationSignedHeaders = _header_row("MissingAuthorizationSignedHeaders", "missing SignedHeaders.")
MissingAuthorizationSignature = _header_row("MissingAuthorizationSignature", "missing Signature.")
CredentialDateNotSameAsXamzDate = _header_row(
    "CredentialDateNotSameAsXamzDate", "Invalid credential date. Date is not the same as X-Amz-Date.")
V4MHAuthorizationCredentialMalformed = _header_row(
    "V4MHAuthorizationCredentialMalformed", "the Credential is mal-formed.")
V4MHEmptyAuthorizationAccessKey = _header_row("V4MHEmptyAuthorizationAccessKey", "the Access Key is empty.")
V4MHEmptyAuthorizationRegion = _header_row("V4MHEmptyAuthorizationRegion", "the region is empty.")
V4MHIncorrectAuthorizationDateFormat = _header_row(
    "V4MHIncorrectAuthorizationDateFormat", "incorrect date format.")
V4MHIncorrectAuthorizationRequestType = _header_row(
    "V4MHIncorrectAuthorizationRequestType", "incorrect terminal.")
V4MHIncorrectAuthorizationService = _header_row("V4MHIncorrectAuthorizationService", "incorrect service.")


def _query_row(name: str, message: str, *, fine: str = "") -> FaultKind:
    return FaultKind(name, 400, message, code="AuthorizationQueryParametersError", fine=fine)


# Presigned URLs
NotAllV4QueryParametersProvided = _query_row(
    "NotAllV4QueryParametersProvided", "Query-string authentication version 4 requires the X-Amz-Algorithm,"
    " X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
)
XAmzAlgorithmUnsupported = _query_row(
    "XAmzAlgorithmUnsupported", 'X-Amz-Algorithm only supports "AWS4-HMAC-SHA256"')
XAmzSignedHeadersMalformed = _query_row(
    "XAmzSignedHeadersMalformed",
    "X-Amz-SignedHeaders must be a list of header names in lower case, separated by ;")
XAmzDateIncorrectFormat = _query_row(
    "XAmzDateIncorrectFormat", "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"")
XAmzExpiresShouldBeANumber = _query_row("XAmzExpiresShouldBeANumber", "X-Amz-Expires should be a number")
XAmzExpiresMustBeNonNegative = _query_row(
    "XAmzExpiresMustBeNonNegative", "X-Amz-Expires must be non-negative")
XAmzExpiresLongerThanAWeek = _query_row(
    "XAmzExpiresLongerThanAWeek",
    "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires"
    " must be less than 604800 seconds",
)
V4QPCredentialDateNotSameAsXamzDate = _query_row(
    "V4QPCredentialDateNotSameAsXamzDate",
    "Invalid credential date. This date is not the same as X-Amz-Date.",
    fine="CredentialDateNotSameAsXamzDate")
V4QPAuthorizationCredentialMalformed = _query_row(
    "V4QPAuthorizationCredentialMalformed",
    "Error parsing the X-Amz-Credential parameter; the Credential is mal-formed.")
V4QPEmptyAuthorizationAccessKey = _query_row(
    "V4QPEmptyAuthorizationAccessKey",
    "Error parsing the X-Amz-Credential parameter; the Access Key is empty.")
V4QPEmptyAuthorizationRegion = _query_row(
    "V4QPEmptyAuthorizationRegion", "Error parsing the X-Amz-Credential parameter; the region is empty.")
V4QPIncorrectAuthorizationDateFormat = _query_row(
    "V4QPIncorrectAuthorizationDateFormat",
    "Error parsing the X-Amz-Credential parameter; incorrect date format.")
V4QPIncorrectAuthorizationRequestType = _query_row(
    "V4QPIncorrectAuthorizationRequestType",
    "Error parsing the X-Amz-Credential parameter; incorrect terminal.")
V4QPIncorrectAuthorizationService = _query_row(
    "V4QPIncorrectAuthorizationService", "Error parsing the X-Amz-Credential parameter; incorrect service.")
