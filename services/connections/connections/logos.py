"""Providers' logos for the login window, asked of catalog and remembered for a while. It checks no picture
but for its kind and size; catalog takes none that could act.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import quote

import aiohttp

from kit.bodies import whole
from kit.logs import logger
from kit.tokens import ServiceTokens

CATALOG = "catalog"
REMEMBERED = 600.0
"""Seconds; a logo that could not be had is asked for again after a tenth of that."""
MOST = 200
BYTES = 64 * 1024
SECONDS = 3.0
KINDS = frozenset({"image/png", "image/svg+xml"})

log = logger(__name__)


class Logo(NamedTuple):
    """A logo's file."""

    media_type: str
    data: bytes


Ask = Callable[[str], Awaitable[Logo | None]]
"""The logo of a provider by id; None where there is none, or it cannot be had now."""


@dataclass(frozen=True, slots=True)
class CatalogAsked:
    """Catalog, over HTTP. `url` is how it is reached; without `tokens` it is never asked."""

    url: str
    tokens: ServiceTokens | None

    async def __call__(self, provider_id: str) -> Logo | None:
        if self.tokens is None:
            return None
        headers = {"Authorization": f"Bearer {self.tokens.issue(CATALOG, {})}"}
        url = f"{self.url}/internal/v1/providers/{quote(provider_id, safe='')}/logo"
        timeout = aiohttp.ClientTimeout(total=SECONDS)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, trust_env=False) as session,
                session.get(url, headers=headers, allow_redirects=False) as answer,
            ):
                if answer.status != 200 or answer.content_type not in KINDS:
                    return None
                data = await whole(answer, BYTES)
                return None if data is None else Logo(answer.content_type, data)
        except (aiohttp.ClientError, TimeoutError) as error:
            log.warning("catalog does not give a logo", provider_id=provider_id, error=type(error).__name__)
            return None


class Logos:
    """Remembers what was asked, of few providers at a time."""

    def __init__(self, ask: Ask, clock: Callable[[], float] = time.monotonic) -> None:
        self._ask = ask
        self._clock = clock
        self._known: dict[str, tuple[float, Logo | None]] = {}

    async def __call__(self, provider_id: str) -> Logo | None:
        """The logo of a provider; None where there is none, or it cannot be had now."""
        known = self._known.get(provider_id)
        if known is not None and self._clock() < known[0]:
            return known[1]
        found = await self._ask(provider_id)
        while len(self._known) >= MOST:
            del self._known[next(iter(self._known))]
        lasts = REMEMBERED if found else REMEMBERED / 10
        self._known[provider_id] = (self._clock() + lasts, found)
        return found
