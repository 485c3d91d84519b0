"""`paperbus provider try`: a login in the terminal, by the machine of the services. It stores nothing."""

from __future__ import annotations

import asyncio
import base64
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import click

from paperbus.errors import Stopped
from providers.content import of_bytes
from providers.drivers import open_driver
from providers.errors import ProviderError
from providers.login import machine
from providers.login.oauth.client import Client
from providers.login.oauth.leaving import came_back, depart
from providers.login.oauth.registered import registered
from providers.login.outcomes import (
    Answer,
    Asked,
    Authorized,
    Failed,
    LoginState,
    Outcome,
    Unreached,
    Waiting,
    aside,
)
from providers.reach import Reach
from providers.recording import Passed, Recording, Tapped, names_of
from schemas.challenges import Challenge
from schemas.fields import Field, FieldType
from schemas.manifest import Manifest
from schemas.reasons import ChallengeKind

DOCUMENT = b"This is a test document of Paperbus. You can delete it.\n"


@dataclass
class Trial:
    """One login in a terminal."""

    manifest: Manifest
    reach: Reach
    locale: str
    secrets: set[str] = field(default_factory=set)
    """What is never printed."""
    typed: list[Mapping[str, Any]] = field(default_factory=list)
    """What no recording may hold, by its name."""
    recording: Recording = field(default_factory=lambda: Recording(""))
    state: LoginState = field(default_factory=dict, repr=False)
    redirect_uri: str = ""
    """Where the provider sends browsers back to: as the client was registered with it."""

    def tap(self) -> None:
        """Show and record whatever passes from now on."""
        self.recording = Recording(self.manifest.id)
        self.reach.http = Tapped(self.reach, self._passed)

    def _passed(self, passed: Passed) -> None:
        self.recording.passed.append(passed)
        url = passed.url
        for secret in self.secrets:
            url = url.replace(secret, "•••") if len(secret) > 3 else url
        click.secho(f"    {passed.method} {url} → {passed.status}", dim=True)

    async def walk(self) -> Authorized:
        """From the first question to the end.

        Raises:
            Stopped: the login ended otherwise.
        """
        asked = machine.begin(self.manifest, {}, self.locale)
        while True:
            came = await self._next(asked)
            if isinstance(came, Authorized):
                self.recording.identity = came.identity
                self.recording.at = self.reach.clock().isoformat()
                self.state = came.state
                return came
            if isinstance(came, Asked):
                asked = came
            elif isinstance(came, Unreached):
                click.secho(f"  {came.error.message} ({came.error.reason.value})", fg="yellow")
            elif isinstance(came, Failed):
                raise Stopped(f"{came.message} ({came.reason.value})")

    async def _next(self, asked: Asked) -> Outcome:
        """Answer what is asked."""
        show(asked)
        if asked.challenge.kind is ChallengeKind.REDIRECT:
            return await self._step(asked, await self._away(asked))
        if asked.challenge.poll_after is not None:
            return await self._waited(asked, asked.challenge.poll_after)
        fields = {one.name: prompted(one) for one in asked.challenge.fields}
        answer = {name: value for name, value in fields.items() if value not in (None, "")}
        action = "answer"
        if asked.challenge.resends and not any(answer.values()):
            action, answer = "resend", {}
        secret = {one.name for one in asked.challenge.fields if one.secret}
        self.secrets |= {str(answer[name]) for name in secret & answer.keys()}
        return await self._step(asked, Answer(answer, action))

    async def _away(self, asked: Asked) -> Answer:
        """At the provider's own page, in any browser; the address that it led back to is pasted here.

        Raises:
            Stopped: what was pasted is of another login.
        """
        there = await registered(self.manifest, asked.state["values"], self.reach)
        address, state, departure = depart(there, self.redirect_uri)
        click.secho(f"\n{address}\n", bold=True)
        click.echo(
            f"Open it in a browser and agree. It is sent to {self.redirect_uri}…: that no page is there"
        )
        click.echo("does not matter. Copy the whole address that the browser shows then.")
        pasted = urlsplit(click.prompt("The address", hide_input=True).strip())
        back = came_back(dict(parse_qsl(pasted.query)))
        if back.pop("state", None) != state:
            raise Stopped(
                "This address is not of this login: copy the one that the browser shows at the end."
            )
        self.secrets |= {*back.values(), *departure.plain().values()} - {self.redirect_uri}
        return Answer({"back": back, "departure": departure.plain()})

    async def _waited(self, asked: Asked, seconds: int) -> Outcome:
        until = time.monotonic() + (asked.challenge.lasts.total_seconds() if asked.challenge.lasts else 300)
        while time.monotonic() < until:
            await asyncio.sleep(seconds)
            came = await self._step(asked, Answer({}, "poll"))
            if not isinstance(came, Waiting):
                return came
            asked = Asked(came.state, asked.challenge)
            seconds = came.poll_after or seconds
        raise Stopped("Nobody approved it in time.")

    async def _step(self, asked: Asked, answer: Answer) -> Outcome:
        self.recording.answers.append({"fields": dict(answer.fields), "action": answer.action})
        code = {
            "user_code": aside(asked.state).get("code"),
            "device_code": asked.state["here"].get("device_code"),
        }
        self.typed += [answer.fields, code]
        return await machine.step(self.manifest, asked.state, answer, self.reach, self.locale)

    async def look_around(self, found: Authorized, folder: str) -> None:
        """List what can be chosen, and move one document there and back."""
        given = {
            **found.credentials,
            **({"access_token": found.tokens["access_token"]} if found.tokens else {}),
        }
        name = f"{folder.rstrip('/')}/paperbus-test.txt"
        async with open_driver(self.manifest, given, {}, self.reach) as driver:
            for spec in self.manifest.options_for("export"):
                if spec.choices_live:
                    choices = await driver.choices(spec.name)
                    click.echo(
                        f"  {spec.label.said(self.locale)}: {', '.join(one.label for one in choices) or '—'}"
                    )
            if "export" not in self.manifest.directions:
                return
            try:
                receipt = await driver.put(name, of_bytes(DOCUMENT, "text/plain"))
            except ProviderError as error:
                if error.kind != "conflict":
                    raise
                click.echo(f"  {name} is there already; it was left.")
                return
            found_there = await driver.find(name)
            size = found_there.size if found_there else 0
            click.secho(f"  {receipt.path}: {size} bytes arrived. You can delete it.", fg="green")


class Prompting:
    """The client that whoever tries is asked for, once; it is kept in memory alone."""

    def __init__(self, typed: list[Mapping[str, Any]]) -> None:
        """`typed`: where its secret is told to who must hide it."""
        self._typed = typed
        self._client: Client | None = None

    async def of(self, provider_id: str) -> Client | None:
        """The client for this provider."""
        if self._client is None:
            click.echo(f"This login needs a client that is registered with {provider_id}.")
            client_id = click.prompt("Client id")
            secret = click.prompt(
                "Client secret (empty: none)", default="", hide_input=True, show_default=False
            )
            self._client = Client(client_id, secret or None)
            self._typed.append({"client_secret": secret})
        return self._client


def show(asked: Asked) -> None:
    """A challenge, as the window would say it."""
    it: Challenge = asked.challenge
    if asked.error is not None:
        click.secho(f"  {asked.error.message} ({asked.error.reason.value})", fg="red")
    click.secho(f"\n{it.title}", bold=True)
    click.echo(it.message)
    if it.medium is not None:
        click.echo(f"  {it.medium.type}: {it.medium.label}")
    for fact in it.facts or ():
        click.echo(f"  {fact.label}: {fact.value}")
    beside = aside(asked.state)
    for name in ("link", "code"):
        if name in beside:
            click.secho(f"  {beside[name]}", bold=True)
    if it.image is not None:
        with tempfile.NamedTemporaryFile("wb", suffix=".png", prefix="paperbus-", delete=False) as file:
            file.write(base64.b64decode(it.image.data))
        click.echo(f"  The picture: {file.name}")
    if it.resends:
        click.echo("  (Enter nothing to have it sent again.)")


def prompted(one: Field) -> Any:
    """What is typed for a field."""
    if one.type is FieldType.BOOLEAN:
        return click.confirm(one.label)
    if one.choices:
        for number, choice in enumerate(one.choices, 1):
            click.echo(f"  {number}. {choice.label}")
        number = click.prompt(one.label, type=click.IntRange(1, len(one.choices)))
        return one.choices[number - 1].value
    label = one.label if one.required else f"{one.label} (optional)"
    value = click.prompt(
        label, default=one.default or "", hide_input=one.secret, show_default=bool(one.default)
    )
    return int(value) if one.type is FieldType.INTEGER and str(value).isdigit() else value


async def tried(trial: Trial, folder: str, record: Path | None) -> None:
    """The whole of it."""
    trial.tap()
    try:
        found = await trial.walk()
        click.secho(f"\nLogged in as {found.identity}.", fg="green")
        passed = len(trial.recording.passed)
        await trial.look_around(found, folder)
    except ProviderError as error:
        raise Stopped(f"{error.text.said(trial.locale)} ({error.reason.value})") from None
    finally:
        await trial.reach.aclose()
    if record is not None:
        del trial.recording.passed[passed:]
        names = names_of([*trial.typed, found.credentials, {"identity": found.identity}], trial.state)
        await asyncio.to_thread(record.write_text, trial.recording.text(names), "utf-8")
        click.echo(
            f"{record} has the login, without anything that was typed. Read it before you give it away."
        )
