"""What S3 and botocore say when something fails, as one line: wait, or mend this."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from botocore.exceptions import (  # type: ignore[import-untyped]
    ClientError,
    ConnectionError,
    CredentialRetrievalError,
    HTTPClientError,
    IncompleteReadError,
    MetadataRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    SSLError,
)
from botocore.parsers import ResponseParserError  # type: ignore[import-untyped]

from posterbot.stores.store import StoreError, UnavailableError

# What may pass although its status does not say so; 5xx and 429 do.
_PASSING = {
    "BadDigest",
    "BandwidthLimitExceeded",
    "ConditionalRequestConflict",
    "IncompleteBody",
    "OperationAborted",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestTimeout",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "TooManyRequests",
}
_PASSING_ERRORS = (
    ConnectionError,
    CredentialRetrievalError,
    HTTPClientError,
    IncompleteReadError,
    MetadataRetrievalError,
)
_NO_BUCKET = "there is no such bucket; make it, or set IMAGES_STORE to another"
_TOKEN = "the session is over, or its token is wrong; set AWS_SESSION_TOKEN"
_REGION = "the bucket is in {region}; set AWS_REGION_NAME"
_FULL = "no room is left there; make some, or set IMAGES_STORE to another"
_WRONG = {
    "AccessControlListNotSupported": "ACLs are disabled for the bucket; set IMAGES_STORE_S3_ACL to nothing ('')",
    "AuthorizationHeaderMalformed": _REGION,
    "ExpiredToken": _TOKEN,
    "IllegalLocationConstraintException": _REGION,
    "InvalidAccessKeyId": "the key is not known there; set AWS_ACCESS_KEY_ID",
    "InvalidToken": _TOKEN,
    "NoSuchBucket": _NO_BUCKET,
    "PermanentRedirect": _REGION,
    "QuotaExceeded": _FULL,
    "RequestTimeTooSkewed": "this machine's clock is off by {skew}; set it",
    "SignatureDoesNotMatch": "the secret does not belong to the key; set AWS_SECRET_ACCESS_KEY",
    "TokenRefreshRequired": _TOKEN,
}
_PERMISSIONS = {
    "DeleteObject": "delete (s3:DeleteObject)",
    "GetObject": "read (s3:GetObject)",
    "HeadObject": "read (s3:GetObject, s3:ListBucket)",
    "ListObjectsV2": "list (s3:ListBucket)",
    "PutObject": "write (s3:PutObject)",
}


def status_of(error: ClientError) -> int:
    """The HTTP status of the answer; 0 where there is none."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def code_of(error: ClientError) -> str:
    """The code in the answer; its status where it has no body."""
    return str(error.response.get("Error", {}).get("Code", ""))


def refusal(error: Exception, name: str) -> StoreError | UnavailableError:
    """What to raise for an error of botocore's.

    Args:
        error: BotoCoreError, ClientError or ResponseParserError.
        name: of the store.
    """
    if isinstance(error, ClientError):
        return _answered(error, name)
    said = " ".join(str(error).split())
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return _wrong(name, f"{said}; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
    if isinstance(error, SSLError) and "CERTIFICATE_VERIFY_FAILED" in said:
        return _wrong(name, f"{said}; set AWS_VERIFY to a file with the CA that signed its certificate")
    if isinstance(error, SSLError) and "WRONG_VERSION_NUMBER" in said:
        return _wrong(name, f"{said}; there is no TLS: set AWS_ENDPOINT_URL to http://…, or AWS_USE_SSL to False")
    if isinstance(error, ResponseParserError):
        return UnavailableError(f"{name}: that was no answer of S3; if it stays so, see AWS_ENDPOINT_URL")
    if isinstance(error, _PASSING_ERRORS):
        return UnavailableError(f"{name}: {said}; if it stays so, see AWS_ENDPOINT_URL")
    return _wrong(name, f"{said}; see the AWS_… settings")


def _answered(error: ClientError, name: str) -> StoreError | UnavailableError:
    status, code = status_of(error), code_of(error)
    said = " ".join(f"{code}: {error.response.get('Error', {}).get('Message', '')}".split()).rstrip(".:")
    if status == 507:
        return _wrong(name, _FULL)
    if code in _PASSING or status in {408, 409, 429} or (status >= 500 and status != 501):
        return UnavailableError(f"{name}: {said}")
    if code in _WRONG:
        return _wrong(name, _WRONG[code].format(region=_region(error), skew=_skew(error)))
    if status == 404:
        return _wrong(name, _NO_BUCKET)
    if status in {401, 403}:
        what = _PERMISSIONS.get(error.operation_name, error.operation_name)
        return _wrong(name, f"these keys may not {what}; permit it, or set AWS_ACCESS_KEY_ID to one that may ({said})")
    return _wrong(name, f"{said}; see IMAGES_STORE and the AWS_… settings")


def _wrong(name: str, line: str) -> StoreError:
    return StoreError(f"IMAGES_STORE: {name}: {line}")


def _region(error: ClientError) -> str:
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    region = error.response.get("Error", {}).get("Region") or headers.get("x-amz-bucket-region")
    return f"the region {region}" if region else "another region"


def _skew(error: ClientError) -> str:
    """By how much the clocks of here and there differ: days and hours, or minutes."""
    date = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    if date is None:
        return "more than 15 minutes"
    minutes = abs((datetime.now(UTC) - parsedate_to_datetime(date)).total_seconds()) / 60
    return f"{minutes:.0f} minutes" if minutes < 180 else f"{minutes / 60:.0f} hours"
