"""Lending: what one run needs to log in, sealed to the key of the process that runs (docs/lending.md).

Written to the audit trail first; what cannot be written there is not lent. Nothing is lent for a connection
that may not run. No refresh token leaves.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Header, Response
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from pydantic import Field as Member, StringConstraints, ValidationError

from connections.handlers.destinations import AS_STORED, Using
from connections.lifecycle.things import Connection, Status
from connections.renewal import lent_credentials
from connections.vault import SealBroken, Sealed, Vault, credentials_place
from kit.http import Problem, not_found
from kit.logs import logger
from kit.tokens import ServiceTokens, TokenRefused, seal
from providers.errors import ProviderError
from schemas.base import AccountId, ConnectionId, Model, rfc3339
from schemas.reasons import Reason

TYP = "paperbus-loan+jwe"
BORROWER = "sync-runner"
CATALOG = "catalog"
SECONDS = 60
"""How long a request to lend counts."""
LENT_FOR = timedelta(minutes=5)

_HELD = {
    Reason.PROVIDER_CHANGED: "an operator has to approve the provider's new address first.",
    Reason.PAUSED: "an operator paused this provider.",
}

log = logger(__name__)


class _Confirmation(Model):
    jwk: dict[str, str]


class Asked(Model):
    """The claims of a request to lend."""

    account: AccountId
    connection_id: ConnectionId
    run_id: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    fence: Annotated[int, Member(ge=1)]
    cnf: _Confirmation
    refused: Annotated[str, StringConstraints(max_length=64)] | None = None
    """The digest of the access token that was lent, where the provider takes it no longer."""


@dataclass(frozen=True, slots=True)
class Lent:
    """One line of the audit trail: who was lent whose credentials, for which run, until when."""

    at: datetime
    connection: str
    account: str
    run_id: str
    fence: int
    credentials_revision: int
    expires_at: datetime
    to: str = BORROWER


class Audit(Protocol):
    """The audit trail."""

    async def write(self, lent: Lent) -> None:
        """Durable when it returns; raises where it is not."""


@dataclass(frozen=True, slots=True)
class Lender:
    """Lends the credentials of connections that may run."""

    read: Callable[[str], Awaitable[Connection | None]]
    """The connection as it is now, from the primary."""
    vault: Vault
    audit: Audit
    now: Callable[[], datetime]
    using: Using = AS_STORED
    """Whether secrets are held back, and where they go."""

    fresh: Callable[[str, str | None], Awaitable[Connection | None]] | None = None
    """The connection with an access token that is not due for renewal (`Renewals.fresh`); unset, as it is."""

    async def lend(self, asked: Asked) -> str:
        """The loan: a compact JWE to the key that asks.

        Raises:
            Problem: 404, 409 or 503, as docs/lending.md says.
        """
        key = _key_of(asked)
        connection = await self.read(asked.connection_id)
        if connection is None or connection.account != asked.account:
            raise _unknown()
        refused = refusal(connection)
        if refused is not None:
            raise Problem(409, f"Nothing is lent: {refused[1]}", reason=refused[0])
        await self._let_go(connection)
        connection = await self._fresh(connection, asked.refused)
        credentials = self._opened(connection, asked.refused)
        until = self._until(connection)
        await self._write_down(asked, connection, until)
        loan = {
            "connection_id": connection.id,
            "account": connection.account,
            "run_id": asked.run_id,
            "fence": asked.fence,
            "provider_id": connection.provider_id,
            "provider_revision": await self.using.in_use(
                connection.provider_id, connection.provider_revision
            ),
            "credentials": credentials,
            "credentials_revision": connection.credentials_revision,
            "expires_at": rfc3339(until),
        }
        return seal(loan, key, TYP)

    async def _let_go(self, connection: Connection) -> None:
        """Nothing, unless its secrets are held back."""
        held = await self.using.held(connection.provider_id, connection.provider_revision)
        if held is not None:
            raise Problem(409, f"Nothing is lent: {_HELD[held]}", reason=held)

    async def _fresh(self, connection: Connection, ended: str | None) -> Connection:
        """With an access token that lasts for a while; it may be that it runs no more now."""
        if self.fresh is None or connection.token is None:
            return connection
        renewed = await self.fresh(connection.id, ended)
        if renewed is None:
            raise _unknown()
        refused = refusal(renewed)
        if refused is not None:
            raise Problem(409, f"Nothing is lent: {refused[1]}", reason=refused[0])
        await self._let_go(renewed)  # it took up to 15 s: an operator may have paused the provider
        return renewed

    def _until(self, connection: Connection) -> datetime:
        """A loan ends no later than its access token."""
        until = self.now() + LENT_FOR
        ends = connection.token.access_until if connection.token else None
        return until if ends is None else min(until, ends)

    def _opened(self, connection: Connection, ended: str | None) -> dict[str, Any]:
        """The credentials, with an access token where there is one; a refresh token never leaves."""
        place = credentials_place(connection.account, connection.id, connection.credentials_revision)
        try:
            kept = self.vault.open_values(place, Sealed.of(connection.credentials or {}))
            return lent_credentials(self.vault, connection, kept, self.now(), ended)
        except ProviderError as error:
            raise Problem(503, error.message, reason=error.reason, retry_after=30) from None
        except SealBroken as broken:
            log.critical("credentials do not open", connection_id=connection.id, why=str(broken))
            raise Problem(
                503, "The stored credentials do not open; an operator must look.", retry_after=60
            ) from None

    async def _write_down(self, asked: Asked, connection: Connection, until: datetime) -> None:
        line = Lent(
            at=self.now(),
            connection=connection.id,
            account=connection.account,
            run_id=asked.run_id,
            fence=asked.fence,
            credentials_revision=connection.credentials_revision,
            expires_at=until,
        )
        try:
            await self.audit.write(line)
        except Exception as failure:
            log.critical(
                "the audit trail cannot be written", connection_id=connection.id, why=type(failure).__name__
            )
            raise Problem(
                503, "The audit trail cannot be written; nothing is lent.", retry_after=5
            ) from failure


def refusal(connection: Connection) -> tuple[Reason, str] | None:
    """Why this connection may not run now, as reason and sentence; None if it may."""
    match connection.status:
        case Status.REMOVED:
            return Reason.REMOVED, "the connection was removed."
        case Status.ACTIVE | Status.ATTENTION if connection.paused:
            return Reason.PAUSED, "the connection is paused."
        case Status.ATTENTION if connection.trouble and connection.login_broken:
            return connection.trouble.reason, "the customer has to log in again first."
        case Status.ACTIVE | Status.ATTENTION:
            return None
        case _:
            return Reason.NOT_YET, "the connection has not been saved."


def routes(lender: Lender, tokens: ServiceTokens) -> APIRouter:
    """`POST /internal/v1/connections/{id}/lend`, for the inner listener alone."""
    router = APIRouter(include_in_schema=False)

    @router.post("/internal/v1/connections/{connection_id}/lend")
    async def lend(connection_id: str, authorization: Annotated[str, Header()] = "") -> Response:
        asked = _asked(tokens, authorization)
        if asked.connection_id != connection_id.lower():
            raise _unknown()
        loan = await lender.lend(asked)
        return Response(loan, media_type="application/jose", headers={"Cache-Control": "no-store"})

    return router


def client_routes(known: Callable[[], Awaitable[list[str]]], tokens: ServiceTokens) -> APIRouter:
    """`GET /internal/v1/clients`, for the catalog: which providers the operator has set up, never how."""
    router = APIRouter(include_in_schema=False)

    @router.get("/internal/v1/clients")
    async def clients(authorization: Annotated[str, Header()] = "") -> dict[str, list[str]]:
        try:
            tokens.verify_bearer(authorization, [CATALOG], longest=SECONDS)
        except TokenRefused:
            raise Problem(401, f"Only {CATALOG} asks, with a token by its own service key.") from None
        return {"items": await known()}

    return router


def _asked(tokens: ServiceTokens, authorization: str) -> Asked:
    try:
        return Asked.model_validate(tokens.verify_bearer(authorization, [BORROWER], longest=SECONDS))
    except TokenRefused as refused:
        log.warning("a request to lend was refused", why=str(refused))
        raise _who() from None
    except ValidationError as invalid:
        wrong = sorted({str(error["loc"][0]) for error in invalid.errors(include_input=False)})
        raise Problem(400, f"The token breaks docs/lending.md in: {', '.join(wrong)}.") from None


def _key_of(asked: Asked) -> ECKey:
    """The key that the loan is sealed to: public, EC P-256, with a `kid`."""
    jwk = asked.cnf.jwk
    wrong = Problem(400, "`cnf.jwk` must be a public EC P-256 key with a `kid`.")
    if "d" in jwk or jwk.get("crv") != "P-256" or not jwk.get("kid"):
        raise wrong
    try:
        return ECKey.import_key(dict(jwk))
    except (JoseError, ValueError, KeyError, TypeError):
        raise wrong from None


def _who() -> Problem:
    return Problem(401, f"Only {BORROWER} borrows, with a token by its own service key.")


def _unknown() -> Problem:
    problem = not_found("connection")
    problem.reason = Reason.UNKNOWN_CONNECTION
    return problem
