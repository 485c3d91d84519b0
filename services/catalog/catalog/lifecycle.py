"""PURE: a provider's states and what moves it between them. It reads no file and knows no time of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from typing import Any, Final

from catalog.wire import Wire
from kit.transitions import Row, Table
from schemas.base import ProviderId
from schemas.catalog import ProviderRetired
from schemas.envelope import Data


class State(Enum):
    """Where a provider stands. Absent is what no one has heard of yet."""

    ABSENT = "absent"
    PUBLISHED = "published"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider as others know it. `revision` rises with everything that is said of it."""

    id: str
    state: State = State.ABSENT
    revision: int = 0
    manifest: Wire | None = field(default=None, repr=False)
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Glance:
    """What lists show of a provider. `head` is that of its manifest (`catalog.wire.Wire`)."""

    id: str
    state: State
    head: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class ManifestRead:
    """Its files were read and are right."""

    manifest: Wire = field(repr=False)
    at: datetime


@dataclass(frozen=True, slots=True)
class ManifestGone:
    """Its folder is no more."""

    at: datetime


@dataclass(frozen=True, slots=True)
class TopicLacks:
    """The topic does not have what was last said of it: Kafka lost it, or an operator wants it said again."""

    at: datetime


Message = ManifestRead | ManifestGone | TopicLacks


class ProviderPublished(Data):
    """`schemas.catalog.ProviderPublished` as its writer says it, with the manifest's JSON as it was read."""

    SUBJECT = "provider_id"

    provider_id: ProviderId
    revision: int
    manifest: bytes

    def model_dump_json(self, **_: Any) -> str:
        """As it travels."""
        manifest = self.manifest.decode()
        return f'{{"provider_id":"{self.provider_id}","revision":{self.revision},"manifest":{manifest}}}'


def _same(provider: Provider, read: ManifestRead) -> bool:
    return provider.manifest is not None and provider.manifest.says_the_same(read.manifest)


def _taken(provider: Provider, read: ManifestRead) -> Provider:
    return replace(provider, manifest=read.manifest, revision=provider.revision + 1, at=read.at)


def _risen(provider: Provider, message: ManifestGone | TopicLacks) -> Provider:
    return replace(provider, revision=provider.revision + 1, at=message.at)


def _published(provider: Provider, _: Message) -> Sequence[ProviderPublished]:
    if provider.manifest is None:
        raise ValueError(f"{provider.id} is published without a manifest")
    said = provider.manifest.json
    return (ProviderPublished(provider_id=provider.id, revision=provider.revision, manifest=said),)


def _retired(provider: Provider, _: Message) -> Sequence[ProviderRetired]:
    return (ProviderRetired(provider_id=provider.id, revision=provider.revision),)


TRANSITIONS: Final[Table[State]] = {
    (State.ABSENT, ManifestRead): Row(State.PUBLISHED, change=_taken, emits=_published),
    (State.PUBLISHED, ManifestRead): (
        Row(State.PUBLISHED, when=_same),
        Row(State.PUBLISHED, change=_taken, emits=_published),
    ),
    (State.PUBLISHED, ManifestGone): Row(State.RETIRED, change=_risen, emits=_retired),
    (State.PUBLISHED, TopicLacks): Row(State.PUBLISHED, change=_risen, emits=_published),
    (State.RETIRED, ManifestRead): Row(State.PUBLISHED, change=_taken, emits=_published),
    # Two replicas saw that it is gone; the second changes nothing.
    (State.RETIRED, ManifestGone): Row(State.RETIRED),
    (State.RETIRED, TopicLacks): Row(State.RETIRED, change=_risen, emits=_retired),
}
