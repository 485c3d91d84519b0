"""S3's XML: what a listing and an error say. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
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


@dataclass(frozen=True, slots=True)
class Key:
    """One object of a listing."""

    key: str
    size: int
    etag: str
    modified_at: datetime | None


@dataclass(frozen=True, slots=True)
class Listing:
    """One page: common prefixes and objects, decoded, and where the next page starts."""

    prefixes: list[str]
    keys: list[Key]
    following: str | None


def listing(body: bytes) -> Listing:
    """What a page of ListObjectsV2 says.

    Raises:
        ProviderError: `provider_changed` where this is no listing.
    """
    prefixes: list[str] = []
    keys: list[Key] = []
    following = None
    try:
        for each in elements(body):
            if _name(each) == "CommonPrefixes":
                prefixes += [unquote_plus(prefix.text or "") for prefix in each.iterfind("{*}Prefix")]
            elif _name(each) == "Contents":
                keys.append(_key(each))
            elif _name(each) == "NextContinuationToken":
                following = each.text
    except ValueError:
        raise ProviderError("config", Reason.PROVIDER_CHANGED, words("no_s3"), field="endpoint") from None
    return Listing(prefixes, keys, following)


def _key(contents: Element) -> Key:
    said = {_name(each): each.text or "" for each in contents}
    try:
        modified_at = datetime.fromisoformat(said.get("LastModified", "")).astimezone(UTC)
    except ValueError:
        modified_at = None
    return Key(unquote_plus(said.get("Key", "")), int(said.get("Size", 0)), said.get("ETag", ""), modified_at)


def _name(element: Element) -> str:
    """Without its namespace: not every service has Amazon's."""
    return element.tag.rpartition("}")[2]
