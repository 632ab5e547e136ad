"""Says in words what an object store, or the way to it, refused, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
    SSLError,
)

from unbarb.deploy.s3.place import Place
from unbarb.errors import ConfigError, InputError, UnbarbError

AGAIN = "run the same command again: it goes on where it stopped"

WRONG_KEY = frozenset(
    {"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "TokenRefreshRequired", "AuthFailure"}
    | {"InvalidClientTokenId", "UnrecognizedClientException"}
)
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
DENIED = frozenset({"AccessDenied", "AllAccessDisabled", "AccountProblem", "403", "401"})
NO_BUCKET = frozenset({"NoSuchBucket"})
ELSEWHERE = frozenset(
    {"PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"}
)
FULL = frozenset(
    {"InsufficientStorage", "507", "QuotaExceeded", "InsufficientCapacity", "StorageFull"}
    | {"XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "StorageQuotaExceeded"}
)
"""HTTP 507 is RFC 4918's; MinIO and Ceph have codes of their own for a full disk and a quota."""
DAMAGED = frozenset(
    {"BadDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch", "InvalidDigest"}
)

NEEDED = (
    "s3:ListBucket, s3:GetObject, s3:PutObject, s3:AbortMultipartUpload, s3:ListMultipartUploadParts and"
    " s3:ListBucketMultipartUploads"
)


@contextmanager
def refusals(place: Place, doing: str) -> Iterator[None]:
    """Turn what goes wrong inside into an error of unbarb; `doing` says what was done, as "uploading x".

    Raises:
        ConfigError: credentials that are missing or not taken, or the wrong region.
        InputError: the bucket is not there, the store is full, refuses or was lost on the way.
    """
    try:
        yield
    except ClientError as error:
        raise _refused(place, doing, error) from error
    except NoCredentialsError as error:
        raise ConfigError(f"{doing}: the credentials of the environment are gone: {error}") from error
    except SSLError as error:
        raise ConfigError(
            f"{doing}: the store's certificate is not trusted ({error}); name the authority that signed it:"
            " AWS_CA_BUNDLE=FILE"
        ) from error
    except (HTTPClientError, ConnectionError, IncompleteReadError) as error:
        raise InputError(
            f"{doing}: the store cannot be reached, or was lost on the way ({error}); see"
            f" AWS_ENDPOINT_URL and the network, then {AGAIN}"
        ) from error
    except BotoCoreError as error:
        raise InputError(f"{doing}: {error}; {AGAIN}") from error


def code(error: ClientError) -> str:
    """What the store calls it; the HTTP status where it only gives that."""
    return str(error.response.get("Error", {}).get("Code") or status(error))


def status(error: ClientError) -> int:
    """The HTTP status of an answer."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def absent(error: ClientError) -> bool:
    """Whether it only says that an object is not there."""
    return code(error) in ("NoSuchKey", "404", "NotFound")


def _refused(place: Place, doing: str, error: ClientError) -> UnbarbError:
    what, said = code(error), _said(error.response)
    if what in WRONG_KEY:
        return ConfigError(
            f"{doing}: the store does not take the credentials ({said}); see AWS_ACCESS_KEY_ID,"
            " AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN and AWS_ENDPOINT_URL"
        )
    if what in EXPIRED:
        return ConfigError(f"{doing}: the credentials have expired ({said}); renew them, then {AGAIN}")
    if what == "RequestTimeTooSkewed":
        return ConfigError(f"{doing}: this machine's clock is wrong ({said}); set it, then {AGAIN}")
    if what in NO_BUCKET:
        return InputError(
            f"{doing}: there is no bucket {place.bucket!r} ({said}); correct the name or AWS_ENDPOINT_URL,"
            f" or make it: `aws s3 mb s3://{place.bucket}`"
        )
    if what in ELSEWHERE or status(error) == 301:
        region = (
            error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("x-amz-bucket-region")
        )
        return ConfigError(
            f"{doing}: the bucket {place.bucket!r} is in another region ({said}); set"
            f" AWS_REGION{f'={region}' if region else ''}"
        )
    if what in FULL or status(error) == 507:
        return InputError(
            f"{doing}: the store is full, or the bucket's quota is used up ({said}); make room or raise the"
            f" quota, then {AGAIN}"
        )
    if what in DAMAGED:
        return InputError(f"{doing}: the bytes were damaged on the way ({said}); {AGAIN}")
    if what == "NoSuchUpload":
        return InputError(f"{doing}: another run finished or ended this upload ({said}); {AGAIN}")
    if what in DENIED or status(error) in (401, 403):
        return ConfigError(
            f"{doing}: the credentials may not do this in {place} ({said}); they need {NEEDED}"
        )
    return InputError(f"{doing}: the store refused: {said}; {AGAIN}")


def _said(response: Mapping[str, Any]) -> str:
    """What it answered, on one line."""
    error = response.get("Error", {})
    number = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    words = " ".join(str(error.get("Message") or "").split())
    return f"{number} {error.get('Code')}: {words}" if words else f"{number} {error.get('Code')}"
