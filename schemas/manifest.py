"""The provider manifest: what a provider is, how one logs in, what can be chosen, which driver moves files.

A provider is one folder with one `manifest.yaml` and a logo: adding one is data, no code. `extends:` names
another manifest whose members are taken where this one says nothing; what is published is whole. Readers take
what they know; authors are told of every member that is not known (`model_validate(…, extra="forbid")`).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field as Member, StringConstraints, model_validator

from schemas.base import Maybe, Model, ProviderId
from schemas.fields import FieldSpec, Said
from schemas.login import Ask, AskFor, Choose, Device, Grant, Keep, LoginStep, OwnToken, Redirect
from schemas.oauth import OAuth
from schemas.reasons import Direction, Reason
from schemas.schedules import DAILY, NIGHT, Schedule
from schemas.sources import RestSource

Country = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")]
Category = Literal[
    "storage", "accounting", "email", "shop", "payment", "bank", "erp", "archive", "tax_adviser", "other"
]


class DriverSpec(Model):
    """Which driver moves the files, and its settings: plain values with `{field}` of the credentials."""

    kind: Literal["webdav", "sftp", "object", "ftp", "smtp", "imap", "rest"]
    settings: dict[str, str | int | float | bool] = Member(default_factory=dict)
    identity: Maybe[str] = None
    """How the account is called, such as `{username}@{host}`; the driver's own word where unset."""


class LoginLimits(Model):
    """What the provider bears while somebody logs in."""

    failed_asker: int = Member(default=10, ge=1, le=100)
    """Failed logins of one customer of ours at this provider, whichever accounts they name."""
    block_minutes: int = Member(default=15, ge=1, le=1440)
    """How long we stop after too many; each time in a row twice as long, to a day."""
    wrong_answers: int = Member(default=3, ge=1, le=10)
    """Wrong answers of one login session, of every kind."""
    resend_seconds: tuple[int, ...] = Member(default=(30, 60, 120), max_length=10)
    """How long to wait before a code may be sent again, each time: as often as there are waits."""
    session_minutes: int = Member(default=30, ge=5, le=60)
    per_minute: Maybe[float] = Member(default=None, gt=0)
    """Answers that we try at this provider, of all customers together; more wait their turn."""


def _usual(limits: LoginLimits) -> bool:
    return limits == LoginLimits()


class Limits(Model):
    """What the provider bears."""

    concurrency: int = Member(default=4, ge=1, le=64)
    requests_per_second: Maybe[float] = Member(default=None, gt=0)
    max_bytes: Maybe[int] = Member(default=None, gt=0)
    failed_logins: int = Member(default=3, ge=1, le=10)
    """Failed logins in a row after which we stop by ourselves, before the provider locks the account.

    They are counted by account name at a host, whoever asks, and for each connection.
    """
    logins: LoginLimits = Member(default=LoginLimits(), exclude_if=_usual)
    """What it bears while somebody logs in."""


class Lifetimes(Model):
    """How long what was stored lasts, in days; unset is for ever."""

    credentials_days: Maybe[int] = Member(default=None, ge=1)


class ErrorRule(Model):
    """A refinement of the driver's own table of errors. 401 and 403 can be told apart, never ignored."""

    status: int = Member(ge=400, le=599)
    contains: Maybe[str] = None
    kind: Literal["auth", "config", "rate_limited", "transient", "item_permanent", "conflict"]
    reason: Reason
    message: Maybe[Said] = None


class Logo(Model):
    """The logo's file beside the manifest, and its source: `monogram`, or its owner's unaltered file."""

    file: str = "logo.svg"
    source: str = "monogram"
    terms: Maybe[str] = None


def _shown_to_all(spec: FieldSpec) -> FieldSpec:
    if spec.secret:
        raise ValueError(f"An option is never secret: ask for {spec.name} at the login")
    return spec


Option = Annotated[FieldSpec, AfterValidator(_shown_to_all)]


class Options(Model):
    """What a customer chooses after the login, by direction."""

    export: tuple[Option, ...] = ()
    import_: tuple[Option, ...] = Member(default=(), alias="import")


CODES = ("code_sent", "captcha_image", "question", "action_on_site")
"""What a person has to answer at once."""


class Manifest(Model):
    """One provider, whole."""

    id: ProviderId
    name: Said
    summary: Said
    aliases: tuple[str, ...] = ()
    categories: tuple[Category, ...] = Member(min_length=1)
    countries: tuple[Country, ...] = ()
    """Where it is at home (ISO 3166-1, lower case); empty is everywhere."""
    directions: tuple[Direction, ...] = Member(min_length=1)
    website: Maybe[str] = None
    docs: Maybe[str] = None
    logo: Logo = Logo()
    login: tuple[LoginStep, ...] = Member(min_length=1)
    oauth: Maybe[OAuth] = None
    """The authorization server that `redirect`, `device` and `grant` steps speak to."""
    driver: DriverSpec
    source: Maybe[RestSource] = None
    """How the driver `rest` lists and fetches documents."""
    options: Options = Options()
    schedule: Maybe[Schedule] = None
    """When its imports are due where nobody says anything; unset is daily. See `usual`."""
    limits: Limits = Limits()
    lifetimes: Lifetimes = Lifetimes()
    errors: tuple[ErrorRule, ...] = ()

    @model_validator(mode="after")
    def _fields_are_named_once(self) -> Manifest:
        for where, specs in (
            ("login", self.credentials),
            ("options.export", self.options.export),
            ("options.import", self.options.import_),
        ):
            names = [spec.name for spec in specs]
            twice = {name for name in names if names.count(name) > 1}
            if twice:
                raise ValueError(
                    f"{where} names {', '.join(sorted(twice))} twice; each field needs its own name"
                )
        return self

    @model_validator(mode="after")
    def _oauth_is_said_where_used(self) -> Manifest:
        if self.oauth is not None and self.own_token is not None:
            raise ValueError("a login brings the tokens of `oauth` or a `token` of its own, never both")
        uses = any(isinstance(step, Redirect | Device | Grant) for step in self.login)
        if uses != (self.oauth is not None):
            raise ValueError("a login step `redirect`, `device` or `grant` and `oauth` need one another")
        if self.oauth is not None:
            fields = {spec.name: spec for spec in self.credentials}
            for name in sorted(self.oauth.fields_in_addresses):
                if name not in fields or not fields[name].destination or not fields[name].stored:
                    raise ValueError(
                        f"oauth: `{name}` is part of an address, so the login must ask for it, stored, with "
                        "`destination: true`"
                    )
            if self.oauth.client == "customer" and not {"client_id", "client_secret"} <= fields.keys():
                raise ValueError("oauth: a customer's own client needs `client_id` and `client_secret`")
        return self

    @property
    def credentials(self) -> tuple[FieldSpec, ...]:
        """Every field that the login asks for, in order; what is chosen too."""
        return tuple(spec for step in self.login for spec in _fields(step))

    @property
    def brought(self) -> frozenset[str]:
        """What a login brings for the driver besides the fields: `keep`, and see `schemas.oauth`."""
        kept = frozenset(name for step in self.login if isinstance(step, Keep) for name in step.keep)
        if self.oauth is None:
            return kept if self.own_token is None else kept | {"access_token"}
        told = self.oauth.identity.keep if self.oauth.identity else {}
        return frozenset({*kept, "access_token", "account", *self.oauth.keep_from_callback, *told})

    @property
    def own_token(self) -> OwnToken | None:
        """The token that its login brings without OAuth, where it brings one."""
        kept = (step.token for step in self.login if isinstance(step, Keep))
        return next((token for token in kept if token is not None), None)

    @property
    def renewal(self) -> OAuth | OwnToken | None:
        """Whose `life` and `requests_per_second` its tokens have; None where its login brings no tokens."""
        return self.oauth or self.own_token

    def usual(self, direction: Direction) -> Schedule:
        """When it is due where nobody says anything. What may ask for a code again is left alone at night."""
        if direction == "export":
            return DAILY
        usual = self.schedule or DAILY
        asks = any(step.ask in CODES for step in self.login if isinstance(step, AskFor))
        return usual.model_copy(update={"quiet": (NIGHT,)}) if asks and not usual.quiet else usual

    def options_for(self, direction: Direction) -> tuple[FieldSpec, ...]:
        """The options of one direction."""
        return self.options.export if direction == "export" else self.options.import_


def _fields(step: LoginStep) -> tuple[FieldSpec, ...]:
    if isinstance(step, Choose):
        return (step.field,)
    return step.fields if isinstance(step, Ask) else ()
