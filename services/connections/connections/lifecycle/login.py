"""The login session: its states, what moves it, what is said then. Pure.

A challenge goes `open → trying → accepted | wrong | interrupted`, or `expired | superseded | cancelled`; what
became of it is remembered in `Login.past`, so that an answer that comes late is told.
"""

from __future__ import annotations

from collections.abc import Sequence

from connections.lifecycle import guards, saying, sessions
from connections.lifecycle.case import Case
from connections.lifecycle.guards import it_was
from connections.lifecycle.messages import (
    Answered,
    Asked,
    LoggedIn,
    LoginBlocked,
    LoginFailed,
    PollDue,
    Proven,
    SessionBegun,
    SessionStopped,
    SessionTimedOut,
    Spoken,
    StillWaiting,
    TryClaimed,
    TryDelayed,
    Unreached,
    Verified,
)
from connections.lifecycle.things import ChallengeEnd, LoginState
from kit.transitions import Refuse, Row, Table
from schemas.connections import AuthChallengeAnswered, AuthChallengeExpired, AuthSessionEnded
from schemas.reasons import Reason

IDLE, OPEN, TRYING, PROVING = LoginState


def _issued(case: Case, _: object) -> Sequence[object]:
    challenge = saying.challenge(case.it)
    return () if challenge is None else (challenge,)


def _taken(case: Case, answer: Answered) -> Sequence[object]:
    return (
        AuthChallengeAnswered(
            connection_id=case.it.id,
            session_id=case.it.login.session_id,
            challenge_id=answer.challenge_id,
            answer_id=answer.answer_id,
            via=answer.via,
            action=answer.action,
        ),
    )


def _ended(case: Case, _: object) -> Sequence[object]:
    ended = case.it.login.ended
    return (
        ()
        if ended is None
        else (AuthSessionEnded(connection_id=case.it.id, **ended.model_dump(exclude={"told"})),)
    )


def _cancelled(case: Case, answer: Answered) -> Sequence[object]:
    return (*_taken(case, answer), *_ended(case, answer))


def _authorized(case: Case, message: object) -> Sequence[object]:
    return (*_ended(case, message), LoggedIn())


def _expired(case: Case, message: object) -> Sequence[object]:
    challenge_id = next(reversed(case.it.login.past), "")
    expired = AuthChallengeExpired(
        connection_id=case.it.id,
        session_id=case.it.login.session_id,
        challenge_id=challenge_id,
        reason=Reason.SESSION_EXPIRED,
    )
    return (expired, *_ended(case, message))


LATE = (
    Refuse(
        Reason.SESSION_EXPIRED,
        "This challenge expired unanswered; ReauthenticationRequested begins a new login.",
        when=it_was(ChallengeEnd.EXPIRED),
    ),
    Refuse(
        Reason.SUPERSEDED,
        "A newer login took this one's place; answer its AuthChallengeIssued.",
        when=it_was(ChallengeEnd.SUPERSEDED),
    ),
    Refuse(
        Reason.CANCELLED,
        "This login was cancelled; ReauthenticationRequested begins a new one.",
        when=it_was(ChallengeEnd.CANCELLED),
    ),
    Refuse(
        Reason.ALREADY_ANSWERED,
        "It was answered, and the answer was taken; wait for what comes of it.",
        when=it_was(ChallengeEnd.ACCEPTED),
    ),
    Refuse(
        Reason.ALREADY_ANSWERED,
        "It was answered; answer the newest AuthChallengeIssued.",
        when=it_was(ChallengeEnd.WRONG),
    ),
    Refuse(
        Reason.ALREADY_ANSWERED,
        "It was answered; answer the newest AuthChallengeIssued.",
        when=it_was(ChallengeEnd.INTERRUPTED),
    ),
)
"""What an answer to a challenge that is over is told."""
UNKNOWN = Refuse(Reason.INVALID, "There is no such challenge; answer the newest AuthChallengeIssued.")
ELSEWHERE = Refuse(
    Reason.ALREADY_ANSWERED,
    "This login goes on in the browser that answered first; ReauthenticationRequested begins a new one.",
    when=guards.of_another_browser,
)
TAKEN = (
    Refuse(
        Reason.ALREADY_ANSWERED,
        "This answer_id was used before; give each answer a new one.",
        when=guards.spent,
    ),
    Refuse(
        Reason.SESSION_EXPIRED,
        "This challenge expired; ReauthenticationRequested begins a new login.",
        when=guards.too_late,
    ),
    Refuse(Reason.INVALID, "Answer it the way its `answer_by` names.", when=guards.the_other_way),
    ELSEWHERE,
    Refuse(
        Reason.INVALID, "There is nothing to send again; answer with `fields`.", when=guards.resends_nothing
    ),
    Refuse(
        Reason.LOCKED,
        "It was sent again as often as it may be; answer it, or cancel.",
        when=guards.resent_enough,
    ),
    Refuse(Reason.NOT_YET, "Ask for it again from `resend.not_before` on.", when=guards.resends_too_early),
    Row(IDLE, sessions.cancel, _cancelled, when=guards.cancels),
    Row(TRYING, sessions.take, _taken),
)
"""What an answer to the open challenge comes to."""
CROSSED = Row(IDLE)
"""What crossed with the end of the session changes nothing any more."""

LOGIN: Table[LoginState] = {
    (IDLE, SessionBegun): Row(OPEN, sessions.begin, _issued),
    (IDLE, SessionStopped): CROSSED,
    (IDLE, Answered): (*LATE, UNKNOWN),
    (IDLE, Spoken): CROSSED,
    (IDLE, TryClaimed): CROSSED,
    (IDLE, Asked): CROSSED,
    (IDLE, Unreached): CROSSED,
    (IDLE, StillWaiting): CROSSED,
    (IDLE, TryDelayed): CROSSED,
    (IDLE, LoginBlocked): CROSSED,
    (IDLE, PollDue): CROSSED,
    (IDLE, Verified): CROSSED,
    (IDLE, LoginFailed): CROSSED,
    (IDLE, Proven): (
        Row(IDLE, when=guards.of_the_authorized_session),
        Refuse(Reason.SESSION_EXPIRED, "This login is over; ReauthenticationRequested begins a new one."),
    ),
    (IDLE, SessionTimedOut): CROSSED,
    (OPEN, SessionStopped): Row(IDLE, sessions.stop, _ended),
    (OPEN, Answered): (
        *LATE,
        Refuse(UNKNOWN.reason, UNKNOWN.message, when=guards.of_another_challenge),
        *TAKEN,
    ),
    (OPEN, Spoken): (Row(OPEN, sessions.speak, _issued, when=guards.asks_first), Row(OPEN)),
    (OPEN, TryClaimed): Row(OPEN),
    (OPEN, Asked): Row(OPEN),
    (OPEN, Unreached): Row(OPEN),
    (OPEN, StillWaiting): Row(OPEN),
    (OPEN, TryDelayed): Row(OPEN),
    (OPEN, LoginBlocked): Row(OPEN),
    (OPEN, PollDue): Row(TRYING, sessions.poll),
    (OPEN, Verified): Row(OPEN),
    (OPEN, LoginFailed): Row(OPEN),
    (OPEN, Proven): (
        Refuse(
            Reason.SUPERSEDED,
            "A newer login took this one's place; answer its AuthChallengeIssued.",
            when=guards.of_another_session,
        ),
        Refuse(Reason.NOT_YET, "The provider has not accepted this login yet; wait for AuthSessionEnded."),
    ),
    (OPEN, SessionTimedOut): Row(IDLE, sessions.time_out, _expired),
    (TRYING, SessionStopped): Row(IDLE, sessions.stop, _ended),
    (TRYING, Answered): (
        *LATE,
        Refuse(UNKNOWN.reason, UNKNOWN.message, when=guards.of_another_challenge),
        ELSEWHERE,
        # What the worker finds then is of no session any more.
        Row(IDLE, sessions.cancel, _cancelled, when=guards.cancels_in_its_way),
        Refuse(
            Reason.ALREADY_ANSWERED,
            "Another answer is being tried; wait for what comes of it.",
            when=guards.tries_an_answer,
        ),
        *TAKEN,
    ),
    (TRYING, Spoken): Row(TRYING),
    (TRYING, TryClaimed): (
        Row(TRYING, when=guards.by_a_stale_worker),
        Row(OPEN, sessions.wait_on, when=guards.only_looked),
        Row(IDLE, sessions.exhaust, _ended, when=guards.crashed_in_the_last_chance),
        Row(OPEN, sessions.ask_the_same, _issued, when=guards.after_a_crash),
        Row(TRYING, sessions.claim),
    ),
    (TRYING, Asked): (
        Row(TRYING, when=guards.of_a_stale_worker),
        Row(IDLE, sessions.exhaust, _ended, when=guards.was_the_last_chance),
        Row(OPEN, sessions.ask_again, _issued, when=guards.complains),
        Row(OPEN, sessions.ask_on, _issued),
    ),
    (TRYING, Unreached): (
        Row(TRYING, when=guards.of_a_stale_worker),
        Row(OPEN, sessions.wait_on, when=guards.only_looked),
        Row(IDLE, sessions.exhaust, _ended, when=guards.was_the_last_chance),
        Row(OPEN, sessions.ask_the_same, _issued),
    ),
    (TRYING, StillWaiting): (
        Row(TRYING, when=guards.of_a_stale_worker),
        Row(OPEN, sessions.wait_on, when=guards.only_looked),
        Row(OPEN, sessions.ask_anew, _issued),
    ),
    (TRYING, TryDelayed): (
        Row(TRYING, when=guards.claimed_already),
        Row(IDLE, sessions.give_up, _ended, when=guards.past_the_session),
        Row(TRYING, sessions.delay),
    ),
    (TRYING, LoginBlocked): (
        Row(TRYING, when=guards.of_a_stale_worker),
        Row(IDLE, sessions.block, _ended),
    ),
    (TRYING, PollDue): Row(TRYING),
    (TRYING, Verified): (
        Row(TRYING, when=guards.of_a_stale_worker),
        Row(IDLE, sessions.refuse_identity, _ended, when=guards.of_another_account),
        Row(PROVING, sessions.await_proof, when=guards.needs_proof),
        Row(IDLE, sessions.authorize, _authorized),
    ),
    (TRYING, LoginFailed): (
        Row(TRYING, when=guards.of_a_stale_worker),
        Row(IDLE, sessions.fail, _ended),
    ),
    (TRYING, Proven): (
        Refuse(
            Reason.SUPERSEDED,
            "A newer login took this one's place; answer its AuthChallengeIssued.",
            when=guards.of_another_session,
        ),
        Refuse(Reason.NOT_YET, "The provider has not accepted this login yet; wait for AuthSessionEnded."),
    ),
    # A worker has it: what it finds decides, and a dead worker's successor ends it.
    (TRYING, SessionTimedOut): Row(TRYING),
    (PROVING, SessionStopped): Row(IDLE, sessions.stop, _ended),
    (PROVING, Answered): (*LATE, UNKNOWN),
    (PROVING, Spoken): Row(PROVING),
    (PROVING, TryClaimed): Row(PROVING),
    (PROVING, Asked): Row(PROVING),
    (PROVING, Unreached): Row(PROVING),
    (PROVING, StillWaiting): Row(PROVING),
    (PROVING, TryDelayed): Row(PROVING),
    (PROVING, LoginBlocked): Row(PROVING),
    (PROVING, PollDue): Row(PROVING),
    (PROVING, Verified): Row(PROVING),
    (PROVING, LoginFailed): Row(PROVING),
    (PROVING, Proven): (
        Refuse(
            Reason.SUPERSEDED,
            "A newer login took this one's place; answer its AuthChallengeIssued.",
            when=guards.of_another_session,
        ),
        ELSEWHERE,
        Row(IDLE, sessions.authorize, _authorized),
    ),
    (PROVING, SessionTimedOut): Row(IDLE, sessions.time_out, _ended),
}
