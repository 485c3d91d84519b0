"""The way to providers, as the parts of this service take it: one `Reach` in each. It decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from connections.choices import OpenDriver, OpenSource
from connections.handlers.counting import Step
from providers.drivers import Driver, open_driver
from providers.login import machine, outcomes, renewing
from providers.login.oauth import renewal
from providers.login.oauth.tokens import Tokens
from providers.reach import Reach
from providers.sources import Source, open_source
from schemas.manifest import Manifest
from schemas.reasons import Locale


def steps(reach: Reach) -> Step:
    async def step(
        manifest: Manifest, state: outcomes.LoginState, answer: outcomes.Answer, locale: Locale
    ) -> outcomes.Outcome:
        return await machine.step(manifest, state, answer, reach, locale)

    return step


@dataclass(frozen=True, slots=True)
class ProvidersAsked:
    """`providers.login.renewing`, and the end of grants, with their way out."""

    reach: Reach

    async def renew(self, manifest: Manifest, at: Mapping[str, Any], old: Tokens) -> Tokens:
        return await renewing.renew(manifest, at, old, self.reach)

    async def give_back(self, manifest: Manifest, at: Mapping[str, Any], tokens: Tokens) -> bool:
        return await renewal.give_back(manifest, at, tokens, self.reach)


def lists(reach: Reach) -> OpenSource:
    """`providers.sources.open_source` by this way out."""

    def opened(
        manifest: Manifest, credentials: Mapping[str, Any], options: Mapping[str, Any]
    ) -> AbstractAsyncContextManager[Source]:
        return open_source(manifest, credentials, options, reach)

    return opened


def opens(reach: Reach) -> OpenDriver:
    def opened(
        manifest: Manifest, credentials: Mapping[str, Any], options: Mapping[str, Any]
    ) -> AbstractAsyncContextManager[Driver]:
        return open_driver(manifest, credentials, options, reach)

    return opened
