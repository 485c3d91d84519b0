"""What a connection says once it has changed, to the world and to its login. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connections.lifecycle.case import Case
from connections.lifecycle.messages import LoggedIn, SessionBegun, SessionStopped
from connections.lifecycle.things import Connection
from connections.lifecycle.words import said, title_of
from schemas.connections import (
    AuthChallengeIssued,
    ConnectionAuthorized,
    ConnectionChanged,
    ConnectionExpiring,
    ConnectionNeedsAttention,
    ConnectionPaused,
    ConnectionRecovered,
    ConnectionRejected,
    ConnectionRemoved,
    ConnectionRequested,
    ConnectionResumed,
    ConnectionSaved,
    ReauthenticationRequested,
)
from schemas.reasons import ChallengeKind, Reason


def outside(it: Connection, reason: Reason, text: str) -> str:
    """What is told outside a window of a trouble in it: the reason alone.

    Which server and account were typed in a window is nobody else's to know before the proof: somebody may
    have been lured into it.
    """
    return text if it.login.browser is None else title_of(reason, it.login.locale)


def challenge(it: Connection) -> AuthChallengeIssued | None:
    """The challenge as it is told outside its window, which itself shows it whole."""
    asked = it.login.challenge
    if asked is None or it.login.browser is None:
        return asked
    error = asked.error
    if error is not None:
        error = error.model_copy(update={"message": outside(it, error.reason, error.message)})
    words = _neutral(it) if it.login.tells_values else {}
    return asked.model_copy(update={"error": error, "facts": None, **words, **_for_the_window_alone(asked)})


def _neutral(it: Connection) -> dict[str, str]:
    """In place of a title and a message that hold values."""
    locale = it.login.locale
    return {"title": said("goes_on_title", locale), "message": said("goes_on", locale)}


def _for_the_window_alone(asked: AuthChallengeIssued) -> dict[str, Any]:
    """What the provider told about the account that was typed: its devices, its companies, its phone."""
    if asked.kind is ChallengeKind.CREDENTIALS or "sealed" in asked.answer_by:
        return {}
    medium = asked.medium.model_copy(update={"label": ""}) if asked.medium else None
    return {"fields": (), "medium": medium}


def _begun(case: Case, asked: ConnectionRequested | ReauthenticationRequested) -> SessionBegun:
    provider, it = case.offered, case.it
    if case.first is None:
        raise LookupError("a login begins with a question")
    return SessionBegun(
        purpose="connect" if it.saved_at is None else "reauthenticate",
        answer_by=asked.answer_by,
        locale=asked.locale or it.locale,
        provider_revision=provider.revision,
        limits=provider.manifest.limits,
        question=case.first,
    )


def begins(case: Case, asked: ConnectionRequested) -> Sequence[object]:
    return (_begun(case, asked),)


def begins_anew(case: Case, asked: ReauthenticationRequested) -> Sequence[object]:
    return SessionStopped(Reason.SUPERSEDED), _begun(case, asked)


def authorized(case: Case, _: LoggedIn) -> Sequence[object]:
    it = case.it
    ended = it.login.ended
    return (
        ConnectionAuthorized(
            connection_id=it.id,
            session_id=ended.session_id if ended else "",
            purpose=ended.purpose if ended else "connect",
            identity=it.identity or "",
            options=it.option_fields,
            provider_revision=it.provider_revision,
            same_as=it.same_as or None,
        ),
    )


def _settled(case: Case) -> dict[str, Any]:
    it = case.it
    return {
        "connection_id": it.id,
        "direction": it.direction,
        "provider_id": it.provider_id,
        "provider_revision": it.provider_revision,
        "name": it.name,
        "identity": it.identity or "",
        "schedule": it.schedule,
        "options": it.options,
        "filters": it.filters,
        "start": it.start,
        "revision": it.revision,
        "saved_at": it.saved_at or case.at,
    }


def saved(case: Case, _: object) -> Sequence[object]:
    return SessionStopped(Reason.SUPERSEDED), ConnectionSaved(**_settled(case))


def changed(case: Case, _: object) -> Sequence[object]:
    return (ConnectionChanged(**_settled(case)),)


def recovered(case: Case, _: object) -> Sequence[object]:
    it = case.it
    if it.healed is None:
        return ()
    text = said("recovered", it.locale)
    reason = it.healed.reason
    return (ConnectionRecovered(connection_id=it.id, reason=reason, title=text, message=text, action=None),)


def changed_and_recovered(case: Case, message: object) -> Sequence[object]:
    return (*changed(case, message), *recovered(case, message))


def authorized_and_recovered(case: Case, message: LoggedIn) -> Sequence[object]:
    return (*authorized(case, message), *recovered(case, message))


def needs_attention(case: Case, _: object) -> Sequence[object]:
    trouble = case.it.trouble
    if trouble is None:
        return ()
    told = trouble.model_dump(include={"reason", "title", "message", "action"})
    return (ConnectionNeedsAttention(connection_id=case.it.id, **told),)


def expiring(case: Case, _: object) -> Sequence[object]:
    it = case.it
    if it.ends_at is None:
        return ()
    return (
        ConnectionExpiring(
            connection_id=it.id,
            reason=Reason.CONSENT_EXPIRED,
            title=said("expiring_title", it.locale),
            message=said("expiring", it.locale, day=f"{it.ends_at:%Y-%m-%d}"),
            action="reauthenticate",
            expires_at=it.ends_at,
        ),
    )


def paused(case: Case, _: object) -> Sequence[object]:
    return (ConnectionPaused(connection_id=case.it.id, by="customer"),)


def resumed(case: Case, _: object) -> Sequence[object]:
    return (ConnectionResumed(connection_id=case.it.id, by="customer"),)


def removed(case: Case, _: object) -> Sequence[object]:
    return SessionStopped(Reason.REMOVED), ConnectionRemoved(connection_id=case.it.id, by="customer")


def rejected(case: Case, _: object) -> Sequence[object]:
    reason, message = case.it.reason or Reason.ABANDONED, case.it.message or ""
    return SessionStopped(reason), ConnectionRejected(
        connection_id=case.it.id, reason=reason, message=message
    )
