"""Deciding what a message does to a connection, and telling one table what the other says to it. Pure."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

from connections.lifecycle.case import Case
from connections.lifecycle.connection import CONNECTION
from connections.lifecycle.login import LOGIN
from connections.lifecycle.messages import (
    ConsentEnds,
    Consequence,
    OnboardingTimedOut,
    PollDue,
    SessionTimedOut,
)
from connections.lifecycle.renewal import RENEWAL
from connections.lifecycle.things import Connection, LoginState
from connections.lifecycle.tokens import TokenState
from kit import transitions
from kit.transitions import Decision

_OF_THE_LOGIN = frozenset(message for _, message in LOGIN)
_OF_THE_TOKEN = frozenset(message for _, message in RENEWAL)


def decide(case: Case, message: object) -> Decision[Connection] | None:
    """What `message` does to the connection, and what is said; None where nothing changes.

    Raises:
        Refused: with the reason that the asker is told.
    """
    after, said = _follow(case, message)
    if after.connection is case.connection and not said:
        return None
    return Decision(after.it, said)


def _follow(case: Case, message: object) -> tuple[Case, tuple[object, ...]]:
    """One message, and after it every consequence in the other table."""
    if type(message) in _OF_THE_LOGIN:
        decision = transitions.decide(LOGIN, case.it.login.state, case, message, _enter_login)
    elif type(message) in _OF_THE_TOKEN:
        token = case.it.token
        state = TokenState.NONE if token is None else token.state
        decision = transitions.decide(RENEWAL, state, case, message, _enter_token)
    else:
        decision = transitions.decide(CONNECTION, case.status, case, message, _enter)
    after = decision.after
    said: list[object] = []
    for item in decision.emits:
        if isinstance(item, Consequence):
            after, more = _follow(after, item)
            said += more
        else:
            said.append(item)
    return after, tuple(said)


def _enter(case: Case, status: Enum) -> Case:
    return case if case.status is status else case.changed(status=status)


def _enter_login(case: Case, state: LoginState) -> Case:
    return case if case.it.login.state is state else case.login(state=state)


def _enter_token(case: Case, state: TokenState) -> Case:
    token = case.it.token
    if token is None or token.state is state:
        return case
    return case.changed(token=token.model_copy(update={"state": state}))


def timed_out(
    connection: Connection, at: datetime
) -> OnboardingTimedOut | SessionTimedOut | PollDue | ConsentEnds | None:
    """What the clock says to a connection at `at`; None where it is not yet time."""
    if connection.abandoned_at is not None and connection.abandoned_at <= at:
        return OnboardingTimedOut()
    ends = connection.login_ends_at
    if connection.login.state in (LoginState.OPEN, LoginState.PROVING) and ends is not None and ends <= at:
        return SessionTimedOut()
    poll_at = connection.login.poll_at
    if connection.login.state is LoginState.OPEN and poll_at is not None and poll_at <= at:
        return PollDue()
    if connection.announce_at is not None and connection.announce_at <= at:
        return ConsentEnds()
    return None
