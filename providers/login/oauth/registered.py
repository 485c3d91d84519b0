"""One client at its authorization server: what each request to it begins with. It asks nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from providers.login.oauth.client import Client, client_for, proof
from providers.login.oauth.server import Server, server_of

if TYPE_CHECKING:
    from providers.http import Http
    from providers.reach import Reach
    from schemas.manifest import Manifest
    from schemas.oauth import OAuth


@dataclass(frozen=True, slots=True)
class Registered:
    """A client, the server that knows it, and the way there."""

    server: Server
    client: Client
    http: Http

    @property
    def spec(self) -> OAuth:
        return self.server.spec

    def proof(self) -> tuple[dict[str, str], dict[str, str]]:
        """How the client proves itself now: headers and parameters to add."""
        return proof(self.spec, self.client, self.server.token_url, self.http.clock())


async def registered(manifest: Manifest, values: Mapping[str, Any], reach: Reach) -> Registered:
    """The client of a login, at its server.

    Args:
        manifest: one with `oauth`.
        values: what the login asked before.
        reach: the guarded way out, with the operator's clients.

    Raises:
        ProviderError: `not_set_up`; or the server cannot be found.
    """
    client = await client_for(manifest, values, reach.clients)
    return Registered(await server_of(manifest, values, reach.http), client, reach.http)
