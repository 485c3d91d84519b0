"""The picture of a QR code with the secret of an authenticator app, read where a challenge takes one."""

from __future__ import annotations

import asyncio

from kit.endings import Refused
from providers.errors import ProviderError
from providers.login import totp
from schemas.connections import AuthChallengeIssued
from schemas.fields import Field, FieldError, FieldType
from schemas.reasons import ChallengeKind, Locale, Reason


def secret_field(challenge: AuthChallengeIssued) -> Field | None:
    """The field for the app's secret, where the challenge has one."""
    if challenge.kind is not ChallengeKind.CODE_OFFLINE:
        return None
    return next((one for one in challenge.fields if one.secret and one.type is FieldType.TEXT), None)


async def scanned(challenge: AuthChallengeIssued, picture: str, locale: Locale = "en") -> dict[str, str]:
    """The secret by its field's name; nothing where no picture was given, or none is asked for.

    Raises:
        Refused: `invalid` for that field, where the picture shows no such secret.
    """
    field = secret_field(challenge)
    if field is None or not picture.startswith("data:"):
        return {}
    try:
        return {field.name: await asyncio.to_thread(totp.read, picture, field.name)}
    except ProviderError as wrong:
        error = FieldError(field=field.name, code="qr", message=wrong.text.said(locale))
        raise Refused(Reason.INVALID, error.message, (error,)) from None
