"""How a run borrows what it needs to log in (docs/lending.md). Kept in memory for that run, and never longer.

* NotLent            nothing is lent: the run stops (`later` False) or is tried again (`later` True)
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import quote

from pydantic import Field as Member, ValidationError

from kit.tokens import ServiceTokens, TokenRefused, new_sealing_key, unseal
from providers.errors import ProviderError, waiting
from providers.http import Answer
from providers.reach import Reach
from schemas.base import Model, Moment
from schemas.reasons import Reason

AUDIENCE = "connections"
TYP = "paperbus-loan+jwe"
TOKEN_SECONDS = 60
EARLY = timedelta(seconds=60)
"""A loan is not used any more this long before it ends, so that a put under way still has it."""


class NotLent(Exception):
    """Nothing is lent. `message` is a sentence without secrets; `wait` in seconds, where it was said."""

    def __init__(self, reason: Reason, message: str, *, later: bool, wait: float | None = None) -> None:
        super().__init__(f"{reason.value}: {message}")
        self.reason = reason
        self.message = message
        self.later = later
        self.wait = wait


class Loan(Model):
    """What was lent, for one run under one fence."""

    connection_id: str
    account: str
    run_id: str
    fence: int
    provider_id: str
    provider_revision: int
    credentials: dict[str, Any] = Member(repr=False)
    credentials_revision: int
    expires_at: Moment

    def fresh(self, now: datetime) -> bool:
        """Whether it may still be used for a while."""
        return now < self.expires_at - EARLY


class Borrow(Protocol):
    """Borrows for one run, as often as it is called."""

    def __call__(self, refused: str | None = None) -> Awaitable[Loan]:
        """What is lent. `refused`: an access token that was lent and that the provider takes no longer.

        Raises:
            NotLent: refused, or `connections` cannot be reached.
        """


class Lender:
    """Where runs borrow.

    Args:
        reach: the way to our own services, inside.
        url: `PAPERBUS_CONNECTIONS_URL`.
        tokens: `sync-runner`'s own.
    """

    def __init__(self, reach: Reach, url: str, tokens: ServiceTokens) -> None:
        self._reach = reach
        self._url = url.rstrip("/")
        self._tokens = tokens

    def for_run(self, account: str, connection_id: str, run_id: str, fence: int) -> Borrow:
        """What borrows for this run. Its key lives in it alone."""
        key = new_sealing_key(f"run-{run_id}-{fence}")
        claims = {
            "account": account,
            "connection_id": connection_id,
            "run_id": run_id,
            "fence": fence,
            "cnf": {"jwk": key.as_dict(private=False)},
        }

        async def borrow(refused: str | None = None) -> Loan:
            ended = {} if refused is None else {"refused": hashlib.sha256(refused.encode()).hexdigest()}
            answer = await self._ask(connection_id, claims | ended)
            loan = _opened(answer, key, claims)
            if not loan.fresh(self._reach.clock()):
                message = "What was lent had run out on arrival; compare the clocks of both services."
                raise NotLent(Reason.INTERRUPTED, message, later=True)
            return loan

        return borrow

    async def _ask(self, connection_id: str, claims: dict[str, Any]) -> Answer:
        token = self._tokens.issue(AUDIENCE, claims, TOKEN_SECONDS)
        url = f"{self._url}/internal/v1/connections/{quote(connection_id, safe='')}/lend"
        try:
            answer = await self._reach.http.exchange(
                "POST", url, headers={"Authorization": f"Bearer {token}"}
            )
        except ProviderError as error:
            raise NotLent(
                Reason.INTERRUPTED, f"The connections service cannot be reached: {error.message}", later=True
            ) from None
        if answer.status != 200:
            raise _refusal(answer, self._reach.clock())
        return answer


def _opened(answer: Answer, key: Any, claims: dict[str, Any]) -> Loan:
    try:
        loan = Loan.model_validate(unseal(answer.body.decode("ascii"), key, TYP))
    except (TokenRefused, ValidationError, UnicodeDecodeError):
        raise NotLent(
            Reason.BUG, "What was lent cannot be read; see the operators' log.", later=True
        ) from None
    if any(getattr(loan, name) != claims[name] for name in ("account", "connection_id", "run_id", "fence")):
        raise NotLent(Reason.BUG, "What was lent is for another run; see the operators' log.", later=True)
    return loan


def _refusal(answer: Answer, now: datetime) -> NotLent:
    if answer.status in (404, 409, 403):
        said = _problem(answer.body)
        reason = Reason(said.get("reason", Reason.UNKNOWN_CONNECTION.value))
        message = str(said.get("detail") or "The connection may not run now.")[:500]
        return NotLent(reason, message, later=False)
    if answer.status == 401:
        return NotLent(
            Reason.BUG, "The connections service does not know our key; see the settings.", later=True
        )
    wait = waiting(answer.headers.get("Retry-After"), now)
    return NotLent(
        Reason.INTERRUPTED, f"Nothing can be lent now (status {answer.status}).", later=True, wait=wait
    )


def _problem(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
