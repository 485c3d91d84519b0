"""HTTP in: the catalogue to search, logos, the suggestion form (CONTRACT §6). No decisions here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Protocol

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field as Member, StringConstraints

from catalog.handlers import Asker, Told
from catalog.lifecycle import Glance, Provider, State
from catalog.mirror import Mirror
from catalog.reading import Logo
from catalog.search import Place, Wanted
from kit.endings import Refused
from kit.http import MOST_ITEMS, Caller, Page, Problem, cursor_of, not_found, read_cursor
from kit.tokens import ServiceTokens, TokenRefused
from schemas.base import Model
from schemas.catalog import ProviderSuggested
from schemas.fields import Field, Words
from schemas.login import Ask, Choose, Confirm, Device, Redirect
from schemas.manifest import Category, Manifest
from schemas.reasons import Direction
from schemas.schedules import DAILY, Schedule
from web.security import A_DRAWING

CONNECTIONS = "connections"
LOGO_SECONDS = 3600
SANDBOX = A_DRAWING | {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


class Item(Model):
    """A provider in a list, in one language."""

    id: str
    name: str
    summary: str
    categories: tuple[Category, ...]
    countries: tuple[str, ...]
    directions: tuple[Direction, ...]
    available: bool
    logo_url: str


class Shown(Model):
    """What a list shows of a manifest. To check the rest for each provider takes longer than to search."""

    name: Words
    summary: Words
    categories: tuple[Category, ...]
    countries: tuple[str, ...] = ()
    directions: tuple[Direction, ...]


class Step(Model):
    """A login step, as it will be asked."""

    kind: str
    title: str | None
    message: str | None
    fields: tuple[Field, ...] = ()


class Detail(Item):
    """A provider with what a login and an export will ask for."""

    revision: int
    website: str | None
    docs: str | None
    login: tuple[Step, ...]
    options: dict[str, tuple[Field, ...]]
    schedule: Schedule | None = None
    """When its imports are due where nobody says anything; null is daily."""


class Taken(BaseModel):
    """What became of a suggestion."""

    status: Literal["new", "repeated", "known"]
    provider_id: str | None = None


class Shelf(Protocol):
    """Where whole providers and logos are read from."""

    async def read(self, ids: list[str]) -> dict[str, Provider]:
        """Providers by id, retired ones too."""

    async def shown(self, ids: list[str]) -> dict[str, Glance]:
        """What lists show of them."""

    async def logo(self, provider_id: str) -> Logo | None:
        """A provider's logo."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What the paths need. `suggest` raises `Refused`."""

    shelf: Shelf
    mirror: Mirror
    suggest: Callable[[ProviderSuggested, Asker], Awaitable[Told]]
    url: str
    can_be_chosen: Callable[[Mapping[str, Any]], bool] = bool
    """Whether the operator has set up what a manifest's login needs."""


Locale = Annotated[str, StringConstraints(max_length=35)]


class Search(BaseModel):
    """The parameters of a search; what is left out does not matter."""

    direction: Literal["import", "export"] | None = None
    query: Annotated[str, StringConstraints(max_length=200)] = ""
    category: Category | None = None
    country: Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2}$", to_lower=True)] | None = None
    locale: Locale = "en"
    cursor: str | None = None
    limit: Annotated[int, Member(ge=1, le=MOST_ITEMS)] = 50

    @property
    def wanted(self) -> Wanted:
        """What the index is asked."""
        language = self.locale[:2].lower()
        return Wanted(self.query, self.direction, self.category, self.country, language)


def routes(catalogue: Catalogue) -> APIRouter:
    """The paths of the catalogue."""
    router = APIRouter(prefix="/v1")

    @router.get("/providers")
    async def providers(_: Caller, search: Annotated[Search, Query()]) -> Page[Item]:
        """Providers that fit, best first, then by name."""
        found = catalogue.mirror.index.find(search.wanted, search.limit, _place(search.cursor))
        kept = await catalogue.shelf.shown(found.ids)
        items = [_item(catalogue, kept[id_], search.locale) for id_ in found.ids if id_ in kept]
        return Page[Item](items=items, next=cursor_of(*found.next) if found.next else None)

    @router.get("/providers/{provider_id}")
    async def provider(_: Caller, provider_id: str, locale: Locale = "en") -> Detail:
        """One provider, a retired one too: it is then not available."""
        kept = (await catalogue.shelf.read([provider_id])).get(provider_id)
        if kept is None or kept.manifest is None:
            raise not_found("provider")
        glance = Glance(kept.id, kept.state, kept.manifest.head)
        return _detail(catalogue, glance, kept.revision, kept.manifest.manifest(), locale)

    @router.get("/providers/{provider_id}/logo", response_class=Response)
    async def logo(_: Caller, provider_id: str, request: Request) -> Response:
        """The logo's file."""
        found = await catalogue.shelf.logo(provider_id)
        if found is None:
            raise not_found("logo")
        return _logo(found, request.headers.get("if-none-match"))

    @router.post("/suggestions", response_model=Taken)
    async def suggestions(caller: Caller, asked: ProviderSuggested) -> JSONResponse:
        """Suggest a provider: 201 where it is new, 200 where it is known or was suggested before."""
        taken = await _taken(catalogue, asked, Asker(f"{caller.account} {caller.sub}", caller.account))
        return JSONResponse(taken.model_dump(), 201 if taken.status == "new" else 200)

    return router


def inner_routes(shelf: Shelf, tokens: ServiceTokens) -> APIRouter:
    """`GET /internal/v1/providers/{id}/logo`, for connections, whose login window shows it."""
    router = APIRouter(include_in_schema=False)

    @router.get("/internal/v1/providers/{provider_id}/logo", response_class=Response)
    async def logo(provider_id: str, authorization: Annotated[str, Header()] = "") -> Response:
        try:
            tokens.verify_bearer(authorization, [CONNECTIONS])
        except TokenRefused:
            raise Problem(401, f"Only {CONNECTIONS} asks, with a token by its own service key.") from None
        found = await shelf.logo(provider_id)
        if found is None:
            raise not_found("logo")
        return _logo(found, None)

    return router


async def _taken(catalogue: Catalogue, asked: ProviderSuggested, asker: Asker) -> Taken:
    try:
        told = await catalogue.suggest(asked, asker)
    except Refused as refused:
        raise Problem(422, refused.message, reason=str(refused.reason.value), errors=refused.errors) from None
    return Taken(status=told.status, provider_id=told.provider_id)


def _place(cursor: str | None) -> Place | None:
    parts = read_cursor(cursor, int, str, str)
    return None if parts is None else Place(*parts)


_KINDS: dict[type, str] = {Confirm: "confirm", Redirect: "redirect", Device: "device_code", Choose: "select"}
"""Steps that ask something of the customer, beside those that ask for fields, by the kind of challenge."""


def _item(catalogue: Catalogue, glance: Glance, locale: str) -> Item:
    return Item(**_members(catalogue, glance, Shown.model_validate(glance.head), locale))


def _detail(catalogue: Catalogue, glance: Glance, revision: int, manifest: Manifest, locale: str) -> Detail:
    return Detail(
        **_members(catalogue, glance, manifest, locale),
        revision=revision,
        website=manifest.website,
        docs=manifest.docs,
        login=tuple(
            Step(
                kind=step.ask if isinstance(step, Ask) else _KINDS[type(step)],
                title=None if step.title is None else step.title.said(locale),
                message=None if step.message is None else step.message.said(locale),
                fields=tuple(spec.shown(locale) for spec in step.fields) if isinstance(step, Ask) else (),
            )
            for step in manifest.login
            if isinstance(step, Ask) or type(step) in _KINDS
        ),
        options={
            str(direction): tuple(spec.shown(locale) for spec in manifest.options_for(direction))
            for direction in manifest.directions
        },
        schedule=None if (usual := manifest.usual("import")) == DAILY else usual,
    )


def _members(
    catalogue: Catalogue, glance: Glance, manifest: Shown | Manifest, locale: str
) -> dict[str, object]:
    return {
        "id": glance.id,
        "name": manifest.name.said(locale),
        "summary": manifest.summary.said(locale),
        "categories": manifest.categories,
        "countries": manifest.countries,
        "directions": manifest.directions,
        "available": glance.state is State.PUBLISHED and catalogue.can_be_chosen(glance.head),
        "logo_url": f"{catalogue.url}/v1/providers/{glance.id}/logo",
    }


def _logo(found: Logo, known: str | None) -> Response:
    tag = f'"{found.sha256[:32]}"'
    headers = {"ETag": tag, "Cache-Control": f"private, max-age={LOGO_SECONDS}", **SANDBOX}
    if known is not None and tag in known:
        return Response(status_code=304, headers=headers)
    return Response(found.data, media_type=found.media_type, headers=headers)
