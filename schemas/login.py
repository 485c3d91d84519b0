"""The steps of a provider's login, as its manifest writes them: data alone. `providers.login` acts on them.

A step is told by its first member: `ask:`, `confirm:` and so on. A further kind is a model here and a file in
`providers/login/steps/`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field as Member, Tag, model_validator

from schemas.base import Maybe, Model
from schemas.calls import From, Request, Template, Then
from schemas.fields import FieldSpec, Name, Said
from schemas.oauth import TokenLife


class _Step(Model):
    """What every step may say. Texts hold `{name}` of what was taken from the provider's answers."""

    name: Maybe[Name] = None
    """How `go`, `resend` and the like call this step."""
    title: Maybe[Said] = None
    message: Maybe[Said] = None


class CodeMedium(Model):
    """Where a code was sent; `label` may hold `{name}`s, such as `{phone}` that the provider told."""

    type: Literal["sms", "email", "call", "app"]
    label: Maybe[Template] = None


class Ask(_Step):
    """A login step that asks for fields: `credentials`."""

    ask: Literal["credentials"]
    fields: tuple[FieldSpec, ...] = Member(min_length=1, max_length=20)


class AskFor(Ask):
    """A login step that asks for what proves the login: a code, an answer, the letters in a picture.

    `action_on_site` asks nothing: the customer settles something at the provider, and says when it is done.
    """

    ask: Literal["code_sent", "code_offline", "question", "captcha_image", "action_on_site"]  # type: ignore[assignment]  # other kinds of the same step
    fields: tuple[FieldSpec, ...] = Member(default=(), max_length=20)
    medium: Maybe[CodeMedium] = None
    resend: Maybe[Name] = None
    """The step that sends the code again, or fetches another picture."""
    seconds: Maybe[int] = Member(default=None, ge=30, le=1800)
    """How long it can be answered; unset is the usual time of its kind."""
    image: Maybe[Name] = None
    audio: Maybe[Name] = None
    """What was taken as a picture, and as its sound."""
    totp: Maybe[Name] = None
    """The field that holds the secret of an authenticator app, where the customer chose to store it."""

    @model_validator(mode="after")
    def _asks_something(self) -> AskFor:
        if not self.fields and self.ask != "action_on_site":
            raise ValueError(f"a step that asks for {self.ask} needs `fields`")
        if (self.ask == "captcha_image") != (self.image is not None):
            raise ValueError("`captcha_image` and `image` go together")
        if self.medium is not None and self.ask != "code_sent":
            raise ValueError("`medium` goes with `ask: code_sent`")
        return self


class Call(_Step):
    """A login step that sends a request and reads its answer. It asks the customer nothing."""

    call: Request
    take: dict[Name, From] = Member(default_factory=dict, max_length=30)
    then: tuple[Then, ...] = Member(default=(), max_length=30)


class Wait(_Step):
    """A login step that waits for something elsewhere, such as an approval in the provider's app."""

    wait: Request
    """The look at the provider, made again and again."""
    every: int = Member(default=3, ge=2, le=30)
    """Seconds between two looks."""
    seconds: int = Member(default=300, ge=30, le=1800)
    show: Maybe[Template] = None
    """The number or word to compare, such as `{number}`; in the window alone."""
    take: dict[Name, From] = Member(default_factory=dict, max_length=30)
    then: tuple[Then, ...] = Member(min_length=1, max_length=30)


class Choose(_Step):
    """A login step that lets the customer choose one of what the provider offers: a device, a company.

    Skipped where there is one alone.
    """

    choose: Name
    """What was taken with `each`; what is chosen goes by the name of the list's field."""
    field: FieldSpec


class OwnToken(Model):
    """A token that the provider gave for what was typed, and how another one is got before it ends.

    Runs are lent it as `{access_token}`, and no secret that was typed unless the driver names that.
    """

    access: Template
    """The token, such as `{token}`."""
    seconds: Maybe[Template] = None
    """How long it lasts, as the provider says it: `{expires_in}`. Unset: see `life`."""
    renew: Name
    """The `call` that gets another one. From it on to here the login is walked again with what was stored:
    calls, which ask the customer nothing, and codes of an app whose secret is stored (`totp`)."""
    life: TokenLife = TokenLife()
    requests_per_second: float = Member(default=5.0, gt=0, le=1000)
    """What the provider bears of renewals, of all accounts together."""


class Keep(_Step):
    """A login step that says what later runs need, besides stored fields, and whose account it is."""

    keep: dict[Name, Template] = Member(max_length=20)
    identity: Maybe[Template] = None
    token: Maybe[OwnToken] = None


class Prompts(_Step):
    """A login step in which the server itself asks, over its own protocol (RFC 4256)."""

    prompts: Literal["keyboard_interactive"]


class Confirm(_Step):
    """A login step that shows what the driver found out, such as a host's key, and asks to accept it.

    Skipped where what would be confirmed is what the connection has confirmed before.
    """

    confirm: Literal["host_key"]


class Redirect(_Step):
    """A login step at the provider's own page, as the manifest's `oauth` says (RFC 6749 §4.1)."""

    redirect: Literal["oauth"]


class Device(_Step):
    """A login step by a code that the customer types at the provider's, with any device (RFC 8628)."""

    device: Literal["oauth"]


class Grant(_Step):
    """A step that gets a token by the client's own right; it asks the customer nothing (RFC 6749 §4.4)."""

    grant: Literal["client_credentials"]


KINDS = ("ask", "confirm", "call", "wait", "choose", "keep", "prompts", "redirect", "device", "grant")
"""The members that tell the kinds of steps apart."""


def _step_kind(step: Any) -> str | None:
    told = step if isinstance(step, dict) else getattr(step, "__dict__", {})
    kind = next((kind for kind in KINDS if kind in told), None)
    return "ask_for" if kind == "ask" and told["ask"] != "credentials" else kind


LoginStep = Annotated[
    Annotated[Ask, Tag("ask")]
    | Annotated[AskFor, Tag("ask_for")]
    | Annotated[Confirm, Tag("confirm")]
    | Annotated[Call, Tag("call")]
    | Annotated[Wait, Tag("wait")]
    | Annotated[Choose, Tag("choose")]
    | Annotated[Keep, Tag("keep")]
    | Annotated[Prompts, Tag("prompts")]
    | Annotated[Redirect, Tag("redirect")]
    | Annotated[Device, Tag("device")]
    | Annotated[Grant, Tag("grant")],
    Discriminator(
        _step_kind,
        custom_error_type="login_step",
        custom_error_message=f"A login step starts with one of {', '.join(f'`{kind}:`' for kind in KINDS)}.",
    ),
]
