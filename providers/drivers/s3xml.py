"""S3's XML: what a listing and an error say. Pure."""

from __future__ import annotations

from urllib.parse import unquote_plus
from xml.etree.ElementTree import Element, ParseError, fromstring

from providers.errors import Kind, ProviderError
from schemas.reasons import Reason

_WHY: dict[str, tuple[Kind, Reason, str, str | None]] = {
    "InvalidAccessKeyId": (
        "auth",
        Reason.CREDENTIALS_WRONG,
        "This access key is not known.",
        "access_key_id",
    ),
    "SignatureDoesNotMatch": (
        "auth",
        Reason.CREDENTIALS_WRONG,
        "The secret key does not belong to the access key.",
        "secret_access_key",
    ),
    "ExpiredToken": ("auth", Reason.CREDENTIALS_WRONG, "The access key has expired.", "access_key_id"),
    "RequestTimeTooSkewed": (
        "transient",
        Reason.PROVIDER_DOWN,
        "The provider's clock differs from ours.",
        None,
    ),
    "NoSuchBucket": ("config", Reason.DESTINATION_MISSING, "There is no such bucket.", "bucket"),
    "InvalidBucketName": ("config", Reason.DESTINATION_MISSING, "There is no such bucket.", "bucket"),
    "PermanentRedirect": ("config", Reason.INVALID, "The bucket lies in another region.", "region"),
    "AuthorizationHeaderMalformed": (
        "config",
        Reason.INVALID,
        "The bucket lies in another region.",
        "region",
    ),
    "QuotaExceeded": ("config", Reason.QUOTA_FULL, "There is no space left in the bucket.", None),
    "XMinioStorageFull": ("config", Reason.QUOTA_FULL, "There is no space left in the bucket.", None),
    "XMinioAdminBucketQuotaExceeded": ("config", Reason.QUOTA_FULL, "The bucket's quota is used up.", None),
    "SlowDown": ("rate_limited", Reason.RATE_LIMITED, "The provider asked for a pause.", None),
    "XAmzContentSHA256Mismatch": (
        "item_permanent",
        Reason.CONTENT_CHANGED,
        "The document's bytes are not the ones that were announced; it was not sent.",
        None,
    ),
}


def why(body: bytes, wait: float | None) -> ProviderError | None:
    """The error that the answer names, where it names one that we know."""
    try:
        code = _parsed(body).findtext("{*}Code")
    except ProviderError:
        return None
    if code not in _WHY:
        return None
    kind, reason, message, field = _WHY[code]
    return ProviderError(kind, reason, message, retry_after=wait, field=field)


def listing(body: bytes) -> tuple[list[str], str | None]:
    """The common prefixes of one page, decoded, and where the next page starts.

    Raises:
        ProviderError: `provider_changed` where this is no listing.
    """
    page = _parsed(body)
    prefixes = [unquote_plus(each.text or "") for each in page.iterfind("{*}CommonPrefixes/{*}Prefix")]
    return prefixes, page.findtext("{*}NextContinuationToken")


def _parsed(body: bytes) -> Element:
    if b"<!DOCTYPE" not in body and b"<!ENTITY" not in body:
        try:
            return fromstring(body)  # noqa: S314 - no document type, so no entities
        except (ParseError, ValueError):
            pass
    raise ProviderError(
        "config", Reason.PROVIDER_CHANGED, "There is no S3 service at this address.", field="endpoint"
    )
