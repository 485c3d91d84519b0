"""Which providers the operator has set up, as connections says it. It is asked now and then.

Without an answer the last one goes on; before the first one, no provider that needs a client can be chosen.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import aiohttp

from kit.bodies import whole
from kit.logs import logger
from kit.tokens import ServiceTokens

EVERY = 10.0
"""Seconds between two questions, so that a provider that was just set up can soon be chosen."""
SECONDS = 5.0
MOST = 1024 * 1024
"""Bytes of an answer."""
CONNECTIONS = "connections"

log = logger(__name__)


class SetUp:
    """What is known of it now."""

    def __init__(self, url: str, tokens: ServiceTokens | None) -> None:
        """`url` is how connections is reached; without `tokens` it is never asked."""
        self._url = f"{url}/internal/v1/clients"
        self._tokens = tokens
        self._known: frozenset[str] = frozenset()
        self._answered = False

    def can_be_chosen(self, manifest: Mapping[str, Any]) -> bool:
        """Whether an operator has set up the client that a provider's login needs, or it needs none."""
        oauth = manifest.get("oauth")
        if not oauth or oauth.get("client", "operator") != "operator":
            return True
        return str(manifest.get("id")) in self._known

    async def follow(self) -> None:
        """Keep asking, until cancelled."""
        if self._tokens is None:
            return
        timeout = aiohttp.ClientTimeout(total=SECONDS)
        async with aiohttp.ClientSession(timeout=timeout, trust_env=False) as session:
            while True:
                await self._ask(session, self._tokens)
                await asyncio.sleep(EVERY)

    async def _ask(self, session: aiohttp.ClientSession, tokens: ServiceTokens) -> None:
        headers = {"Authorization": f"Bearer {tokens.issue(CONNECTIONS, {})}"}
        try:
            async with session.get(self._url, headers=headers) as answer:
                answer.raise_for_status()
                said = json.loads(await whole(answer, MOST) or b"")
                self._known = frozenset(str(id_) for id_ in said["items"])
        except (aiohttp.ClientError, TimeoutError, ValueError, KeyError, TypeError) as error:
            if self._answered:
                log.warning("connections does not say who is set up", error=type(error).__name__)
            self._answered = False
        else:
            self._answered = True
