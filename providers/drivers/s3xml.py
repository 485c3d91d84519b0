"""S3's XML: what a listing and an error say. Pure."""

from __future__ import annotations

from urllib.parse import unquote_plus
from xml.etree.ElementTree import Element

from providers.drivers.elements import elements
from providers.errors import Kind, ProviderError
from providers.words import words
from schemas.reasons import Reason

_WHY: dict[str, tuple[Kind, Reason, str, str | None]] = {
    "InvalidAccessKeyId": ("auth", Reason.CREDENTIALS_WRONG, "no_such_key", "access_key_id"),
    "SignatureDoesNotMatch": ("auth", Reason.CREDENTIALS_WRONG, "wrong_secret", "secret_access_key"),
    "ExpiredToken": ("auth", Reason.CREDENTIALS_WRONG, "no_such_key", "access_key_id"),
    "RequestTimeTooSkewed": ("transient", Reason.PROVIDER_DOWN, "clocks", None),
    "NoSuchBucket": ("config", Reason.DESTINATION_MISSING, "no_bucket", "bucket"),
    "InvalidBucketName": ("config", Reason.DESTINATION_MISSING, "no_bucket", "bucket"),
    "PermanentRedirect": ("config", Reason.INVALID, "other_region", "region"),
    "AuthorizationHeaderMalformed": ("config", Reason.INVALID, "other_region", "region"),
    "QuotaExceeded": ("config", Reason.QUOTA_FULL, "no_space", None),
    "XMinioStorageFull": ("config", Reason.QUOTA_FULL, "no_space", None),
    "XMinioAdminBucketQuotaExceeded": ("config", Reason.QUOTA_FULL, "no_space", None),
    "SlowDown": ("rate_limited", Reason.RATE_LIMITED, "pause", None),
    "XAmzContentSHA256Mismatch": ("item_permanent", Reason.CONTENT_CHANGED, "content_changed", None),
}


def why(body: bytes, wait: float | None) -> ProviderError | None:
    """The error that the answer names, where it names one that we know."""
    try:
        code = next((each.text for each in elements(body) if _name(each) == "Code"), None)
    except ValueError:
        return None
    if code not in _WHY:
        return None
    kind, reason, key, field = _WHY[code]
    return ProviderError(kind, reason, words(key), retry_after=wait, field=field)


def listing(body: bytes) -> tuple[list[str], str | None]:
    """The common prefixes of one page, decoded, and where the next page starts.

    Raises:
        ProviderError: `provider_changed` where this is no listing.
    """
    prefixes: list[str] = []
    following = None
    try:
        for each in elements(body):
            if _name(each) == "CommonPrefixes":
                prefixes += [unquote_plus(prefix.text or "") for prefix in each.iterfind("{*}Prefix")]
            elif _name(each) == "NextContinuationToken":
                following = each.text
    except ValueError:
        raise ProviderError("config", Reason.PROVIDER_CHANGED, words("no_s3"), field="endpoint") from None
    return prefixes, following


def _name(element: Element) -> str:
    """Without its namespace: not every service has Amazon's."""
    return element.tag.rpartition("}")[2]
