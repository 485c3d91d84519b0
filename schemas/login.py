"""The steps of a provider's login, as its manifest writes them: data alone. `providers.login` acts on them.

A step is told by its first member: `ask:`, `confirm:` and so on. A further kind is a model here and a file in
`providers/login/steps/`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field as Member, Tag

from schemas.base import Maybe, Model
from schemas.fields import FieldSpec, Said


class _Step(Model):
    """What every step may say."""

    title: Maybe[Said] = None
    message: Maybe[Said] = None


class Ask(_Step):
    """A login step that asks for fields (`credentials`)."""

    ask: Literal["credentials"]
    fields: tuple[FieldSpec, ...] = Member(min_length=1, max_length=20)


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


KINDS = ("ask", "confirm", "redirect", "device", "grant")
"""The members that tell the kinds of steps apart."""


def _step_kind(step: Any) -> str | None:
    return next(
        (kind for kind in KINDS if (kind in step if isinstance(step, dict) else hasattr(step, kind))), None
    )


LoginStep = Annotated[
    Annotated[Ask, Tag("ask")]
    | Annotated[Confirm, Tag("confirm")]
    | Annotated[Redirect, Tag("redirect")]
    | Annotated[Device, Tag("device")]
    | Annotated[Grant, Tag("grant")],
    Discriminator(
        _step_kind,
        custom_error_type="login_step",
        custom_error_message=f"A login step starts with one of {', '.join(f'`{kind}:`' for kind in KINDS)}.",
    ),
]
