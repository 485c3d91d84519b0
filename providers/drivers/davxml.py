"""WebDAV's XML: what is asked of a PROPFIND, and what its multistatus says (RFC 4918 §9.1, §14.16). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote, urlsplit
from xml.etree.ElementTree import Element

from providers.drivers.elements import elements
from providers.errors import ProviderError
from providers.http import Answer
from providers.moments import moment
from providers.words import words
from schemas.reasons import Reason

PROPFIND = (
    b'<?xml version="1.0" encoding="utf-8"?>'
    b'<d:propfind xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns"><d:prop>'
    b"<d:resourcetype/><d:getcontentlength/><d:getetag/><oc:checksums/>"
    b"</d:prop></d:propfind>"
)

INVENTORY = (
    b'<?xml version="1.0" encoding="utf-8"?>'
    b'<d:propfind xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns"><d:prop>'
    b"<d:resourcetype/><d:getcontentlength/><d:getetag/><oc:checksums/>"
    b"<d:getlastmodified/><d:getcontenttype/><oc:id/>"
    b"</d:prop></d:propfind>"
)
"""As `PROPFIND`, with what imports want to know besides."""
_COLLECTION = "{DAV:}prop/{DAV:}resourcetype/{DAV:}collection"
_FILE_ID = "{DAV:}prop/{http://owncloud.org/ns}id"
_SHA256 = re.compile(r"SHA256:([0-9a-fA-F]{64})")


@dataclass(frozen=True, slots=True)
class Listed:
    """One thing of a listing: `path` is the server's, decoded; `name` its last segment.

    The last three are only asked for by `INVENTORY`.
    """

    path: str
    is_folder: bool
    size: int
    etag: str | None
    sha256: str | None
    modified_at: datetime | None
    media_type: str | None
    lasting_id: str | None

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


def listed(answer: Answer) -> list[Listed]:
    """What a multistatus names, in its order: what was asked for comes first.

    Raises:
        ProviderError: `provider_changed` where this is no WebDAV answer.
    """
    try:
        if answer.status == 207:
            return [_one(each) for each in elements(answer.body) if each.tag == "{DAV:}response"]
    except ValueError:
        pass
    raise ProviderError("config", Reason.PROVIDER_CHANGED, words("no_webdav"), field="url")


def _one(response: Element) -> Listed:
    path = urlsplit((response.findtext("{DAV:}href") or "").strip()).path
    good = [each for each in response.iterfind("{DAV:}propstat") if _ok(each)]
    checksums = " ".join(text for each in good for text in each.itertext())
    sha256 = _SHA256.search(checksums)
    return Listed(
        path=unquote(path.rstrip("/")),
        is_folder=any(each.find(_COLLECTION) is not None for each in good),
        size=int(_text(good, "getcontentlength") or 0),
        etag=_text(good, "getetag"),
        sha256=sha256.group(1).lower() if sha256 else None,
        modified_at=moment(_text(good, "getlastmodified")),
        media_type=_text(good, "getcontenttype"),
        lasting_id=next((text for each in good if (text := each.findtext(_FILE_ID))), None),
    )


def _ok(propstat: Element) -> bool:
    return " 200" in (propstat.findtext("{DAV:}status") or "")


def _text(good: list[Element], name: str) -> str | None:
    for each in good:
        text = each.findtext(f"{{DAV:}}prop/{{DAV:}}{name}")
        if text:
            return text.strip()
    return None
