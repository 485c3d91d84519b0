"""Events about providers: suggestions (`catalog.requests`), what exists (`catalog.events`)."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from schemas.base import Maybe, ProviderId, Text
from schemas.envelope import Data
from schemas.manifest import Manifest
from schemas.reasons import Direction


class ProviderSuggested(Data):
    """A customer misses a provider."""

    SUBJECT = None

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
    """What the provider is called."""
    url: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)]
    """Its website."""
    direction: Direction
    """What it is missed for."""
    note: Maybe[Text] = None
    """What the customer says."""
    contact: Maybe[Annotated[str, StringConstraints(max_length=200)]] = None
    """Where to tell that it is there."""


class ProviderPublished(Data):
    """A provider exists, or changed: its whole manifest."""

    SUBJECT = "provider_id"

    provider_id: ProviderId
    revision: int
    manifest: Manifest


class ProviderRetired(Data):
    """A provider is offered no more. Connections that exist go on with the revision they know."""

    SUBJECT = "provider_id"

    provider_id: ProviderId
    revision: int


REQUESTS: tuple[type[Data], ...] = (ProviderSuggested,)
EVENTS: tuple[type[Data], ...] = (ProviderPublished, ProviderRetired)
