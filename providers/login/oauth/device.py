"""The way by another device: a code to type there, and asking whether it was. It waits for nothing.

RFC 8628.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlsplit

from providers.errors import ProviderError
from providers.login.oauth import texts
from providers.login.oauth.registered import Registered
from providers.login.oauth.server import Server
from providers.login.oauth.tokens import Tokens, given, read, send
from schemas.reasons import Reason

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
INTERVAL = 5
"""Seconds between two questions where the provider names none (RFC 8628 §3.2)."""
SLOWER = 5
"""Seconds more after each `slow_down`."""


@dataclass(frozen=True, slots=True)
class Device:
    """What the customer types where, and what we ask with meanwhile."""

    device_code: str = field(repr=False)
    user_code: str
    verification_uri: str
    verification_uri_complete: str | None
    expires_in: int
    interval: int

    def plain(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Nobody has agreed yet: ask again after so many seconds."""

    interval: int


async def begin(there: Registered) -> Device:
    """Ask for a code.

    Raises:
        ProviderError: as the token endpoint's; `provider_changed` where it sends the customer elsewhere.
    """
    url, spec = there.server.device_url, there.spec
    if url is None:
        raise ProviderError("config", Reason.NOT_SET_UP, texts.CHANGED)
    headers, more = there.proof()
    scopes = " ".join((*spec.scopes, *spec.optional_scopes))
    asked = {"client_id": there.client.client_id, **({"scope": scopes} if scopes else {}), **more}
    answer = await send(there, url, asked, headers)
    said = read(answer)
    if answer.status >= 500 or answer.status == 429:
        raise answer.error((), there.http.clock())
    if answer.status != 200:
        raise ProviderError("config", Reason.NOT_SET_UP, texts.CLIENT_REFUSED)
    return _device(there.server, said)


def _device(server: Server, said: Mapping[str, Any]) -> Device:
    code, user = said.get("device_code"), said.get("user_code")
    place = said.get("verification_uri") or said.get("verification_url")
    whole = said.get("verification_uri_complete")
    seconds, interval = said.get("expires_in"), said.get("interval", INTERVAL)
    if not isinstance(code, str) or not isinstance(user, str) or not isinstance(place, str):
        raise ProviderError("transient", Reason.PROVIDER_DOWN, texts.ODD)
    hosts = server.spec.verification_hosts or (urlsplit(server.device_url or "").hostname or "",)
    for address in (place, whole):
        if isinstance(address, str) and not _leads_to(address, hosts):
            raise ProviderError("config", Reason.PROVIDER_CHANGED, texts.ANOTHER_SERVER)
    return Device(
        code,
        user[:100],
        place[:500],
        whole[:500] if isinstance(whole, str) else None,
        expires_in=min(seconds, 1800) if isinstance(seconds, int) and seconds > 0 else 600,
        interval=min(interval, 60) if isinstance(interval, int) and interval > 0 else INTERVAL,
    )


def _leads_to(address: str, hosts: tuple[str, ...]) -> bool:
    """Whether it is a web page at one of these hosts: it becomes a link."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in ("https", "http") and parts.hostname in hosts


async def poll(there: Registered, device_code: str, interval: int) -> Tokens | Waiting:
    """Ask once whether the customer agreed.

    Raises:
        ProviderError: `cancelled` for no, `session_expired` for too late, and as the token endpoint's.
    """
    headers, more = there.proof()
    asked = {"grant_type": GRANT, "device_code": device_code, "client_id": there.client.client_id, **more}
    answer = await send(there, there.server.token_url, asked, headers)
    said = read(answer)
    match said.get("error"):
        case "authorization_pending":
            return Waiting(interval)
        case "slow_down":
            return Waiting(interval + SLOWER)
        case "expired_token":
            raise ProviderError("auth", Reason.SESSION_EXPIRED, texts.CODE_OVER)
    return given(there, answer, said, GRANT)
