"""Sealed answers: a JWE out of an event becomes an answer, or a refusal in words. It tries no answer.

Anyone can seal to a public key, so the seal says nothing about who did: the access token inside does, and the
claims bind it to this one challenge (CONTRACT §4, RFC 7516). No refusal holds anything of the inside.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal, NoReturn
from uuid import UUID

from pydantic import Field as Member, StringConstraints, ValidationError

from connections.answer_keys import WHERE, AnswerKeys
from connections.window.onboarding import Answer
from kit.endings import Refused
from kit.tokens import Access, TokenRefused, unseal
from schemas.base import ConnectionId, Model, rfc3339
from schemas.connections import AuthChallengeAnswerSubmitted, Values
from schemas.envelope import Event
from schemas.fields import FieldError
from schemas.reasons import Reason
from schemas.wording import wording

TYP = "paperbus-answer+jwe"
AUDIENCE = "paperbus.connections"
LONGEST = 600
"""Seconds between `iat` and `exp`, at most."""
LEEWAY = 60
"""Seconds by which clocks may differ."""
_HEADER = {"alg": "ECDH-ES", "enc": "A256GCM", "typ": TYP}
_KNOWN = frozenset({*_HEADER, "kid", "epk", "apu", "apv", "cty"})


class _Inside(Model):
    """What is sealed, as CONTRACT §4 names it."""

    aud: str
    token: Annotated[str, StringConstraints(max_length=8_000)]
    connection_id: ConnectionId
    challenge_id: str
    answer_id: UUID
    action: Literal["answer", "resend", "cancel"]
    iat: Annotated[int, Member(ge=0, le=1 << 40)]
    exp: Annotated[int, Member(ge=0, le=1 << 40)]
    fields: Values = Member(default_factory=dict)


class Opener:
    """Opens sealed answers."""

    def __init__(
        self, keys: AnswerKeys, access: Callable[[str], Access], now: Callable[[], datetime]
    ) -> None:
        """`access(token)` is `kit.tokens.Verifier.access`."""
        self._keys = keys
        self._access = access
        self._now = now

    async def open(self, event: Event[AuthChallengeAnswerSubmitted]) -> Answer:
        """The answer in `event`, by somebody who may give it.

        That an `answer_id` counts once is the lifecycle's to see to, in the write that takes the answer.

        Raises:
            Refused: `invalid`; the message says what to mend.
        """
        sealed = event.data.sealed
        inside = _read(_unsealed(sealed, await self._keys.private(_kid_of(sealed))))
        _bound_to(inside, event.data)
        _timely(inside, self._now())
        access = self._by_whom(inside, event.accountid)
        return Answer(
            account=access.account,
            connection_id=event.data.connection_id,
            challenge_id=inside.challenge_id,
            answer_id=str(inside.answer_id),
            action=inside.action,
            fields=inside.fields,
            actor=access.sub,
        )

    def _by_whom(self, inside: _Inside, account: str | None) -> Access:
        try:
            access = self._access(inside.token)
        except TokenRefused:
            _refuse("The sealed `token` is no access token that counts now: get a fresh one.")
        if access.account != account:
            _refuse("The sealed `token` must be of the event's `accountid`, and is of another account.")
        if not access.may_manage:
            _refuse("The sealed `token` must have the role `admin`: let an admin of the account answer.")
        return access


def _unsealed(sealed: str, key: Any) -> dict[str, Any]:
    """The JSON object in `sealed`.

    Raises:
        Refused: it does not open, or holds something else.
    """
    try:
        return unseal(sealed, key, TYP)
    except TokenRefused:
        _refuse(f"The sealed answer does not open with the key that it names: {WHERE}.")


def _kid_of(sealed: str) -> str:
    """The key that it is sealed to; its protected header is as the contract has it."""
    parts = sealed.split(".")
    if len(parts) != 5:
        _refuse("`sealed` must be a compact JWE: five parts, joined by dots.")
    try:
        header = json.loads(
            base64.b64decode(parts[0] + "=" * (-len(parts[0]) % 4), altchars=b"-_", validate=True)
        )
    except (ValueError, binascii.Error, RecursionError):
        header = None
    if not isinstance(header, dict):
        _refuse("The protected header of `sealed` must be base64url of a JSON object.")
    for name, value in _HEADER.items():
        if header.get(name) != value:
            _refuse(f'The protected header of `sealed` must have `{name}`: "{value}".')
    if set(header) - _KNOWN:
        _refuse("The protected header of `sealed` must hold `alg`, `enc`, `kid`, `typ` and `epk` alone.")
    kid = header.get("kid")
    if not isinstance(kid, str):
        _refuse(f"The protected header of `sealed` names no key in `kid`: {WHERE}.")
    return kid


def _read(claims: dict[str, Any]) -> _Inside:
    try:
        return _Inside.model_validate(claims)
    except ValidationError as invalid:
        found = invalid.errors(include_input=False, include_url=False, include_context=False)
        # Only names that the contract knows: a stranger's member name could be a secret itself.
        errors = tuple(
            FieldError(field=name, code=error["type"], message=wording(error))
            for error in found[:20]
            if (name := str(error["loc"][0]) if error["loc"] else "") in _Inside.model_fields
        )
        raise Refused(
            Reason.INVALID, "The sealed answer breaks its own rules; see `errors`.", errors
        ) from None


def _bound_to(inside: _Inside, outside: AuthChallengeAnswerSubmitted) -> None:
    if inside.aud != AUDIENCE:
        _refuse(f'The sealed `aud` must be "{AUDIENCE}".')
    for name in ("connection_id", "challenge_id"):
        if getattr(inside, name) != getattr(outside, name):
            _refuse(f"The sealed `{name}` is not the event's: seal an answer for each challenge.")


def _timely(inside: _Inside, now: datetime) -> None:
    at = now.timestamp()
    if not 0 < inside.exp - inside.iat <= LONGEST:
        _refuse(f"The sealed `exp` must come after `iat`, by {LONGEST} seconds at most.")
    if inside.iat > at + LEEWAY:
        _refuse(f"The sealed `iat` is in the future; it is {rfc3339(now)} here. Check the clock.")
    if inside.exp < at - LEEWAY:
        _refuse(f"The sealed answer is stale; it is {rfc3339(now)} here. Seal a fresh one.")


def _refuse(message: str) -> NoReturn:
    raise Refused(Reason.INVALID, message) from None
