"""Read, decide, save: what became of manifests, and what customers miss. No files, no Kafka, no HTTP here."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, Protocol
from urllib.parse import urlsplit

from catalog.lifecycle import TRANSITIONS, Message, Provider, State
from catalog.wire import Wire
from catalog.words import words
from kit.aggregates import Aggregates, Change, Draft
from kit.endings import NotNow, Refused
from kit.logs import logger
from kit.owed import NOBODY
from kit.transitions import Decision, decide
from schemas.catalog import ProviderSuggested
from schemas.fields import FieldError
from schemas.reasons import Reason

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A provider that somebody misses. The same name at the same host for the same direction is the same."""

    key: str
    host: str
    asked: ProviderSuggested


@dataclass(frozen=True, slots=True)
class Told:
    """What became of a suggestion: new, repeated, or known already as `provider_id`."""

    status: Literal["new", "repeated", "known"]
    provider_id: str | None = None


@dataclass(frozen=True, slots=True)
class Asker:
    """Who suggested it. `id` is the same when the same suggestion comes again."""

    id: str
    account: str | None


@dataclass(frozen=True, slots=True)
class Recorded:
    """The ids of those that changed, and of those that could not: they owe too much, or it cannot happen."""

    changed: set[str]
    left: set[str]


class Suggestions(Protocol):
    """Where suggestions are kept."""

    async def keep(self, suggestion: Suggestion, asker: Asker, now: datetime) -> bool:
        """Keep it. Whether it is new; what the same asker said before changes nothing."""


class Published(Protocol):
    """What the store knows of what the topic should hold."""

    @property
    def providers(self) -> Aggregates[Provider]:
        """The providers themselves."""

    async def ends(self) -> dict[str, int]:
        """Where the topic ended when both agreed last, by partition; empty where they never did."""

    async def keep_ends(self, ends: Mapping[str, int]) -> None:
        """Note where the topic ends."""

    def versions(self) -> AsyncIterator[tuple[str, int, bool]]:
        """Each provider, its version, and whether it owes an event still."""

    async def adopt(self, said: Mapping[str, tuple[int, Wire | None]]) -> None:
        """Take over what only the topic knows: version and manifest, None where it was retired."""


def decided(provider_id: str, provider: Provider | None, message: Message) -> Decision[Provider] | None:
    """What a message does to a provider; None where nothing is said and so nothing is to be written.

    Raises:
        Refused: it cannot happen.
    """
    before = provider or Provider(provider_id)
    decision = decide(TRANSITIONS, before.state, before, message, _entered)
    return decision if decision.emits else None


def _entered(provider: Provider, state: State) -> Provider:
    return replace(provider, state=state)


async def record(providers: Aggregates[Provider], messages: Mapping[str, Message]) -> Recorded:
    """Apply one message to each of these providers, all in one write."""
    changed, left, waiting = set[str](), set[str](), dict(messages)
    while waiting:
        kept, now = await providers.read(waiting), providers.now()
        changes: list[Change] = []
        for provider_id, message in waiting.items():
            draft = Draft(providers.kind, provider_id, kept.get(provider_id), now)
            try:
                change = _change(draft, message)
            except (Refused, NotNow) as ended:
                log.warning("provider left as it is", provider_id=provider_id, why=str(ended))
                left.add(provider_id)
            else:
                changes += [change] if change else []
        lost = await providers.write(changes) if changes else set()
        changed |= {change.id for change in changes} - lost
        waiting = {provider_id: waiting[provider_id] for provider_id in lost}
    if changed:
        providers.ring()
    return Recorded(changed, left)


def _change(draft: Draft[Provider], message: Message) -> Change | None:
    decision = decided(draft.id, draft.thing, message)
    if decision is None:
        return None
    draft.make_room()
    draft.take(decision, None, NOBODY)
    return draft.change()


async def suggest(
    asked: ProviderSuggested,
    asker: Asker,
    *,
    known: Callable[[str, str], str | None],
    store: Suggestions,
    now: Callable[[], datetime],
) -> Told:
    """Keep a suggestion, unless the provider is there already.

    `known(name, direction)` is the id of the provider of that name.

    Raises:
        Refused: its address is none, or its name holds no word.
    """
    suggestion = read_suggestion(asked)
    if provider_id := known(asked.name, asked.direction):
        return Told("known", provider_id)
    return Told("new" if await store.keep(suggestion, asker, now()) else "repeated")


def read_suggestion(asked: ProviderSuggested) -> Suggestion:
    """A suggestion with what tells it apart.

    Raises:
        Refused: its address is none, or its name holds no word.
    """
    name, host = " ".join(words(asked.name)), _host(asked.url)
    if not name:
        raise _wrong("name", "A suggestion needs a name with at least one letter or digit.")
    if not host:
        raise _wrong("url", "A suggestion needs the provider's address, such as https://example.com.")
    told_apart = f"{name}\n{host}\n{asked.direction}"
    return Suggestion(hashlib.sha256(told_apart.encode()).hexdigest()[:32], host, asked)


def _wrong(field: str, message: str) -> Refused:
    return Refused(Reason.INVALID, message, (FieldError(field=field, code="invalid", message=message),))


def _host(url: str) -> str | None:
    """The host of an address, without `www.`; None where it is no address of the web."""
    try:
        parts = urlsplit(url if "://" in url else f"https://{url}")
        host = parts.hostname or ""
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or "." not in host.strip(".") or not host.isprintable():
        return None
    return None if any(c.isspace() for c in url) else host.removeprefix("www.")
