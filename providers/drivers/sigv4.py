"""AWS Signature Version 4. Pure.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

EMPTY = hashlib.sha256(b"").hexdigest()
"""The hash of no content."""


@dataclass(frozen=True, slots=True)
class Keys:
    """What requests to one service in one region are signed with."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    region: str
    service: str = "s3"
    session_token: str | None = field(default=None, repr=False)
    """What comes with a key that was given for a while."""
    _derived: dict[str, bytes] = field(default_factory=dict, init=False, repr=False, compare=False)

    def signed(
        self, method: str, url: str, headers: Mapping[str, str], sha256: str, now: datetime
    ) -> dict[str, str]:
        """`headers` with what makes them a signed request.

        Args:
            method: in capitals.
            url: percent-encoded, its query from `query_string`.
            headers: names in lower case.
            sha256: of the content, hex.
            now: the time of day; services refuse one that is 15 minutes off.
        """
        parts = urlsplit(url)
        moment = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
        scope = f"{moment[:8]}/{self.region}/{self.service}/aws4_request"
        whole = {**headers, "host": parts.netloc, "x-amz-date": moment}
        if self.session_token is not None:
            whole["x-amz-security-token"] = self.session_token
        path = parts.path or "/"
        if self.service == "s3":
            whole["x-amz-content-sha256"] = sha256
        else:
            path = quote(path, safe="/~")  # S3 alone signs the path as it is sent
        names = ";".join(sorted(whole))
        lines = "".join(f"{name}:{' '.join(whole[name].split())}\n" for name in sorted(whole))
        request = f"{method}\n{path}\n{parts.query}\n{lines}\n{names}\n{sha256}"
        text = "\n".join(("AWS4-HMAC-SHA256", moment, scope, hashlib.sha256(request.encode()).hexdigest()))
        signature = hmac.digest(self._signing_key(scope), text.encode(), "sha256").hex()
        del whole["host"]  # The client sends it by itself.
        credential = f"{self.access_key_id}/{scope}"
        whole["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}"
        )
        return whole

    def _signing_key(self, scope: str) -> bytes:
        """Good for one day; every request asks for it, so the newest is remembered as long as these keys."""
        if scope not in self._derived:
            key = f"AWS4{self.secret_access_key}".encode()
            for part in scope.split("/"):
                key = hmac.digest(key, part.encode(), "sha256")
            self._derived.clear()
            self._derived[scope] = key
        return self._derived[scope]


def query_string(query: Mapping[str, str]) -> str:
    """Sorted and encoded as the signature wants it; send it exactly so."""
    return "&".join(f"{quote(name, safe='')}={quote(query[name], safe='')}" for name in sorted(query))
