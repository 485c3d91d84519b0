"""HTTP in, on the inner listener: connections, their timeline and options. Changes come in as events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query

from connections.answer_keys import AnswerKeys
from connections.choices import LiveChoices
from connections.handlers.ports import Connections, Lists
from connections.lifecycle import saying
from connections.lifecycle.things import Connection, LoginState, Status
from connections.timeline import Timeline
from kit.http import Caller, Page, Problem, cursor_of, not_found, read_cursor
from kit.tokens import Access
from schemas.base import rfc3339
from schemas.fields import Choice, Field, FieldType
from schemas.reasons import Reason

Limit = Annotated[int, Query(ge=1, le=200)]
Place = tuple[datetime, str]
"""The moment and id that a page starts after."""
SHOWN = (
    "id", "direction", "provider_id", "name", "identity", "status", "paused", "schedule", "options",
    "filters", "start", "revision", "created_at", "saved_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reading:
    """What the interface reads from."""

    connections: Connections
    lists: Lists
    timeline: Timeline
    keys: AnswerKeys
    live: LiveChoices

    async def one(self, connection_id: str, caller: Access) -> Connection:
        """The connection, where it exists for this caller; 404 otherwise."""
        id_ = connection_id.lower()
        kept = (await self.connections.read((id_,))).get(id_)
        if kept is None or not caller.may_see(kept.thing.account):
            raise not_found("connection")
        return kept.thing

    async def page(
        self, account: str, caller: Access, after: Place | None, limit: int
    ) -> Page[dict[str, Any]]:
        """Connections of an account, newest first; 404 where the caller may not see it."""
        if not caller.may_see(account):
            raise not_found("account")
        found = await self.lists.of_account(account, limit + 1, after)
        last = found[limit - 1] if len(found) > limit else None
        following = cursor_of(last.created_at, last.id) if last else None
        return Page(items=[shown(it) for it in found[:limit]], next=following)

    async def told(self, it: Connection, after: Place | None, limit: int) -> Page[dict[str, Any]]:
        """Its timeline, newest first."""
        found = await self.timeline.of(it.id, it.account, limit + 1, after)
        last = found[limit - 1] if len(found) > limit else None
        following = cursor_of(last["at"], last["_id"]) if last else None
        return Page(items=[_entry(entry) for entry in found[:limit]], next=following)

    async def choices(self, it: Connection, option: str, query: str, parent: str | None) -> list[Choice]:
        """What can be chosen for an option, asked of the provider now where only it knows."""
        field = next((field for field in it.option_fields if field.name == option), None)
        if field is None:
            raise not_found("option")
        if not field.choices_live:
            return [choice for choice in field.choices or () if query.lower() in choice.label.lower()]
        if field.type is FieldType.DATE:
            return await self.live.days(it, query)
        return await self.live.of(it, option, query, parent)


def shown(it: Connection) -> dict[str, Any]:
    """A connection as CONTRACT §5 has it. No secret is in it."""
    trouble = it.trouble
    login = it.login
    asks = saying.challenge(it) if login.state is LoginState.OPEN else None
    members = it.model_dump(mode="json", include=set(SHOWN))
    return members | {
        "reason": (trouble.reason if trouble else it.reason),
        "title": trouble.title if trouble else None,
        "message": (trouble.message if trouble else it.message),
        "action": trouble.action if trouble else None,
        "login": login.state.value,
        "challenge": asks.wire() if asks else None,
    }


def option_fields(it: Connection) -> list[Field]:
    """The options with what was chosen as their defaults."""
    if it.status is Status.CONNECTING:
        raise Problem(409, "The login comes first.", reason=Reason.NOT_YET)
    return [
        field.model_copy(update={"default": it.options[field.name]}) if field.name in it.options else field
        for field in it.option_fields
    ]


def _entry(document: Mapping[str, Any]) -> dict[str, Any]:
    at: datetime = document["at"]
    told = {name: document[name] for name in ("what", "actor", "data")}
    return {"id": document["_id"], "at": rfc3339(at), **told}


def _place(cursor: str | None) -> Place | None:
    """After which moment and id a page starts."""
    after = read_cursor(cursor, datetime, str)
    return (after[0], after[1]) if after else None


def routes(reading: Reading) -> APIRouter:
    """Everything that the contract lets others read."""
    router = APIRouter()

    @router.get("/v1/connections", tags=["connections"])
    async def listed(
        caller: Caller, account: str | None = None, cursor: str | None = None, limit: Limit = 50
    ) -> Page[dict[str, Any]]:
        """The account's connections, newest first. An operator may name another `account`."""
        return await reading.page(account or caller.account, caller, _place(cursor), limit)

    @router.get("/v1/connections/{connection_id}", tags=["connections"])
    async def one(connection_id: str, caller: Caller) -> dict[str, Any]:
        """One connection, with its open challenge."""
        return shown(await reading.one(connection_id, caller))

    @router.get("/v1/connections/{connection_id}/timeline", tags=["connections"])
    async def timeline(
        connection_id: str, caller: Caller, cursor: str | None = None, limit: Limit = 100
    ) -> Page[dict[str, Any]]:
        """What happened to it, newest first."""
        return await reading.told(await reading.one(connection_id, caller), _place(cursor), limit)

    @router.get("/v1/connections/{connection_id}/options", tags=["options"])
    async def options(connection_id: str, caller: Caller) -> Page[Field]:
        """What can be chosen; what was chosen is the default."""
        return Page(items=option_fields(await reading.one(connection_id, caller)))

    @router.get("/v1/connections/{connection_id}/options/{name}/choices", tags=["options"])
    async def choices(
        connection_id: str, name: str, caller: Caller, query: str = "", parent: str | None = None
    ) -> Page[Choice]:
        """The values of one option, asked of the provider now."""
        it = await reading.one(connection_id, caller)
        return Page(items=await reading.choices(it, name, query, parent))

    @router.get("/.well-known/jwks.json", tags=["keys"])
    async def jwks() -> dict[str, Any]:
        """The keys that answers are sealed to, the one to use first."""
        return await reading.keys.published()

    return router
