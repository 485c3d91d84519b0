"""What a window achieved counts with the proof of its browser alone."""

from __future__ import annotations

from dataclasses import replace

from connections.lifecycle import messages as happens
from connections.lifecycle.deciding import decide, timed_out
from connections.lifecycle.things import (
    PROOF_LASTS,
    Connection,
    LoginState,
)
from schemas.challenges import Challenge
from schemas.connections import (
    AuthChallengeIssued,
    AuthSessionEnded,
    ConnectionAuthorized,
    ConnectionOptionsSubmitted,
    ReauthenticationRequested,
)
from schemas.reasons import ChallengeKind
from tests.unit.connections.builders import (
    BROWSER,
    ID,
    NOW,
    SEALED,
    after,
    case,
    connecting,
    in_login_state,
    said,
    trying,
    unreached,
    verified,
)


def kinds(connection: Connection, message: object) -> list[type]:
    return [type(event) for event in said(connection, message)]


def proven(it: Connection) -> happens.Proven:
    return happens.Proven(it.login.session_id, BROWSER)


def test_what_the_window_achieved_counts_only_with_the_proof() -> None:
    it = in_login_state(LoginState.PROVING)

    assert it.credentials is None
    assert it.status == "connecting"
    proof = proven(it)
    assert kinds(it, proof) == [AuthSessionEnded, ConnectionAuthorized]
    assert after(it, proof).credentials == SEALED
    assert decide(case(after(it, proof)), proof) is None


def test_another_account_in_a_window_is_refused_without_its_name() -> None:
    it = after(in_login_state(LoginState.PROVING), proven(in_login_state(LoginState.PROVING)))
    it = after(it, ConnectionOptionsSubmitted(connection_id=ID, options={}))
    it = trying(after(it, ReauthenticationRequested(connection_id=ID)), browser=BROWSER)
    (ended,) = said(it, verified(it, "victim@dav.example.org"))

    assert (ended.result, ended.reason) == ("failed", "identity_changed")
    assert "victim" not in ended.message


def test_a_title_that_holds_values_is_for_the_window_alone() -> None:
    it = trying(connecting(answer_by="window"), browser=BROWSER)
    question = Challenge(ChallengeKind.CODE_SENT, 2, "Is it 0170…?", "Sent to 0170….", tells_values=True)
    asked = happens.Asked(it.login.fence, question, SEALED)
    plain = happens.Asked(it.login.fence, replace(question, tells_values=False), SEALED)

    (issued,) = said(it, asked)
    shown = after(it, asked)

    assert issued.title == "The login goes on"
    assert "0170" not in repr(issued)
    assert shown.login.challenge is not None
    assert shown.login.challenge.title == "Is it 0170…?"  # the window's
    assert unanswered(shown).title == "The login goes on"
    assert said(it, plain)[0].title == "Is it 0170…?"


def unanswered(it: Connection) -> AuthChallengeIssued:
    """The same challenge once more, after the provider could not be reached."""
    again = trying(it, browser=BROWSER)
    return next(event for event in said(again, unreached(again)) if isinstance(event, AuthChallengeIssued))


def test_without_the_proof_nothing_is_connected_and_the_secrets_go() -> None:
    it = in_login_state(LoginState.PROVING)
    (ended,) = said(it, timed_out(it, NOW + PROOF_LASTS))

    assert (ended.result, ended.reason) == ("expired", "session_expired")
    over = after(it, happens.SessionTimedOut())
    assert (over.login.found, over.credentials) == (None, None)


def test_a_sealed_answer_carries_its_own_token_and_needs_no_proof() -> None:
    it = trying()
    assert kinds(it, verified(it)) == [AuthSessionEnded, ConnectionAuthorized]
