"""What the console reads, over HTTP, in the name of who is signed in. It changes nothing but by the login
window's and the suggestion's own paths.

* Away          a service does not answer, or not in time
* NotThere      404: not there, or another account's
* Declined      any other answer than success, in words
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

import httpx
from joserfc.jwk import Key

from console.sessions import Session
from kit.tokens import AUDIENCE, sign
from schemas.fields import FieldError

Json: TypeAlias = dict[str, Any]

PATIENCE = 6.0
CHOICES_PATIENCE = 25.0
"""Seconds; a provider is asked meanwhile."""
TOKEN_LASTS = 60
MOST_ACCOUNTS = 1000
A_PAGE = 200
REMEMBERED = 60.0
"""Seconds that a provider's name is remembered."""


class Away(Exception):
    """A service does not answer. `service` is its name."""

    def __init__(self, service: str) -> None:
        super().__init__(f"{service} does not answer")
        self.service = service


class NotThere(LookupError):
    """Not there, or another account's: the same to whoever asks."""


class Declined(Exception):
    """A service says no. `message` is a sentence."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(str(problem.get("detail", "")))
        self.status = status
        self.message = str(problem.get("detail", ""))
        self.reason = str(problem.get("reason", ""))
        self.errors = [FieldError.model_validate(error) for error in problem.get("errors", ())]


@dataclass(frozen=True, slots=True)
class Urls:
    """Where the services are."""

    catalog: str
    connections: str
    sync_runner: str


@dataclass(frozen=True)
class Services:
    """Asks the three services."""

    http: httpx.AsyncClient
    urls: Urls
    key: Key
    now: Callable[[], datetime]
    _providers: dict[tuple[str, str], tuple[float, Json]] = field(default_factory=dict)

    async def connections(self, who: Session) -> list[Json]:
        """The account's connections, newest first; at most 1,000."""
        found = await self._get("connections", "/v1/connections", who, limit=A_PAGE)
        items: list[Json] = found["items"]
        while (cursor := found.get("next")) and len(items) < MOST_ACCOUNTS:
            found = await self._get("connections", "/v1/connections", who, limit=A_PAGE, cursor=cursor)
            items += found["items"]
        return items

    async def connection(self, who: Session, id_: str) -> Json:
        return await self._get("connections", f"/v1/connections/{_uuid(id_)}", who)

    async def option_fields(self, who: Session, id_: str) -> list[Json]:
        """The options; what was chosen is the default."""
        items: list[Json] = (await self._get("connections", f"/v1/connections/{id_}/options", who))["items"]
        return items

    async def choices(
        self, who: Session, id_: str, option: str, query: str, parent: str | None
    ) -> list[Json]:
        """What can be chosen for an option now."""
        path = f"/v1/connections/{_uuid(id_)}/options/{_segment(option)}/choices"
        asked: Json = {"query": query} | ({"parent": parent} if parent is not None else {})
        found = await self._get("connections", path, who, CHOICES_PATIENCE, **asked)
        items: list[Json] = found["items"]
        return items

    async def timeline(self, who: Session, id_: str, cursor: str | None = None) -> Json:
        asked: Json = {"cursor": cursor} if cursor else {}
        return await self._get("connections", f"/v1/connections/{id_}/timeline", who, **asked)

    async def window(self, who: Session, id_: str, wanted: Json) -> Json:
        """An address of the login window."""
        return await self._post("connections", f"/v1/connections/{id_}/window", who, wanted, PATIENCE + 3)

    async def complete(self, who: Session, id_: str, proof: str) -> None:
        """Hand in a window's proof."""
        await self._post("connections", f"/v1/connections/{id_}/window/complete", who, {"proof": proof})

    async def search(self, who: Session, **asked: Any) -> Json:
        """Providers that fit, best first."""
        return await self._get("catalog", "/v1/providers", who, **asked)

    async def provider(self, who: Session, id_: str, locale: str) -> Json:
        """One provider; remembered for a minute."""
        clock = asyncio.get_running_loop().time()
        known = self._providers.get((id_, locale))
        if known and clock - known[0] < REMEMBERED:
            return known[1]
        found = await self._get("catalog", f"/v1/providers/{_segment(id_)}", who, locale=locale)
        if len(self._providers) > 1000:
            self._providers.clear()
        self._providers[id_, locale] = (clock, found)
        return found

    async def logo(self, who: Session, id_: str, known: str | None) -> httpx.Response:
        """A logo's file, or 304 where the browser has it."""
        headers = {"If-None-Match": known} if known else {}
        return await self._ask("catalog", "GET", f"/v1/providers/{_segment(id_)}/logo", who, headers=headers)

    async def suggest(self, who: Session, wanted: Json) -> Json:
        return await self._post("catalog", "/v1/suggestions", who, wanted)

    async def standings(self, who: Session, ids: list[str]) -> dict[str, Json]:
        """How connections stand, by id; those that are not saved yet are left out."""
        told: list[Json] = []
        for at in range(0, len(ids), A_PAGE):
            some = ",".join(ids[at : at + A_PAGE])
            found = await self._get("sync-runner", "/v1/connections", who, ids=some)
            told += found["items"]
        return {one["id"]: one for one in told}

    async def standing(self, who: Session, id_: str) -> Json | None:
        try:
            return await self._get("sync-runner", f"/v1/connections/{id_}", who)
        except NotThere:
            return None

    async def documents(self, who: Session, id_: str, **asked: Any) -> Json:
        """A page of the ledger, newest first."""
        return await self._get("sync-runner", f"/v1/connections/{id_}/documents", who, **asked)

    async def runs(self, who: Session, id_: str) -> list[Json]:
        items: list[Json] = (await self._get("sync-runner", f"/v1/connections/{id_}/runs", who))["items"]
        return items

    async def preview(self, who: Session, choice: Json) -> Json:
        """What a choice would do with the account's documents."""
        return await self._get("sync-runner", "/v1/preview", who, **choice)

    async def coming(self, who: Session, schedule: str) -> list[str]:
        """The next two times of a schedule (JSON)."""
        found = await self._get("sync-runner", "/v1/schedules/next", who, schedule=schedule)
        times: list[str] = found["next"]
        return times

    async def _get(
        self, service: str, path: str, who: Session, patience: float = PATIENCE, **asked: Any
    ) -> Json:
        found: Json = (await self._ask(service, "GET", path, who, patience, params=asked)).json()
        return found

    async def _post(
        self, service: str, path: str, who: Session, body: Json, patience: float = PATIENCE
    ) -> Json:
        found: Json = (await self._ask(service, "POST", path, who, patience, json=body)).json()
        return found

    async def _ask(  # noqa: PLR0913, PLR0917 - one request, whole
        self,
        service: str,
        method: str,
        path: str,
        who: Session,
        patience: float = PATIENCE,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> httpx.Response:
        url = getattr(self.urls, service.replace("-", "_")) + path
        sent = {**(headers or {}), "Authorization": f"Bearer {self._token(who)}"}
        try:
            answer = await self.http.request(method, url, headers=sent, timeout=patience, **more)
        except (httpx.HTTPError, OSError):
            raise Away(service) from None
        if answer.status_code == httpx.codes.NOT_FOUND:
            raise NotThere
        if answer.is_success or answer.status_code == httpx.codes.NOT_MODIFIED:
            return answer
        if answer.status_code >= 500 and not _is_problem(answer):
            raise Away(service)
        raise Declined(answer.status_code, answer.json() if _is_problem(answer) else {})

    def _token(self, who: Session) -> str:
        """The console's own word for this session (CONTRACT §6)."""
        now = int(self.now().timestamp())
        claims = {"iss": "console", "sub": who.sub, "aud": AUDIENCE, "iat": now, "exp": now + TOKEN_LASTS}
        return sign(self.key, claims | {"jti": str(uuid.uuid4()), "account": who.account, "role": who.role})


def _is_problem(answer: httpx.Response) -> bool:
    kind: str = answer.headers.get("content-type", "")
    return kind.startswith("application/problem+json")


def _uuid(text: str) -> str:
    """A connection's id as it goes into a path.

    Raises:
        NotThere: it is none, so nothing has it.
    """
    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise NotThere from None


def _segment(text: str) -> str:
    """A name as it goes into a path.

    Raises:
        NotThere: it could be no name.
    """
    if not text or not all(char.isascii() and (char.isalnum() or char in "-_") for char in text):
        raise NotThere
    return text
