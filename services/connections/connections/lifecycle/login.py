"""The login session: its states, what moves it, what is said then. Pure.

A challenge goes `open → trying → accepted | wrong | interrupted`, or `expired | superseded | cancelled`; what
became of it is remembered in `Login.past`, so that an answer that comes late is told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from connections.lifecycle import saying, sessions
from connections.lifecycle.case import Case
from connections.lifecycle.messages import (
    Answered,
    Asked,
    LoggedIn,
    LoginFailed,
    Proven,
    SessionBegun,
    SessionStopped,
    SessionTimedOut,
    TryClaimed,
    Unreached,
    Verified,
)
from connections.lifecycle.things import TRIES, ChallengeEnd, LoginState
from kit.transitions import Refuse, Row, Table
from schemas.connections import AuthChallengeAnswered, AuthChallengeExpired, AuthSessionEnded
from schemas.reasons import Reason

IDLE, OPEN, TRYING, PROVING = LoginState

Outcome = Asked | Unreached | Verified | LoginFailed


def _it(became: ChallengeEnd) -> Callable[[Case, Answered], bool]:
    def was(case: Case, answer: Answered) -> bool:
        return case.it.login.past.get(answer.challenge_id) is became

    return was


def _of_another_challenge(case: Case, answer: Answered) -> bool:
    challenge = case.it.login.challenge
    return challenge is None or challenge.challenge_id != answer.challenge_id


def _spent(case: Case, answer: Answered) -> bool:
    return answer.answer_id in case.it.login.spent


def _too_late(case: Case, _: Answered) -> bool:
    challenge = case.it.login.challenge
    return challenge is not None and case.at >= challenge.expires_at


def _the_other_way(case: Case, answer: Answered) -> bool:
    challenge = case.it.login.challenge
    return challenge is not None and answer.via not in challenge.answer_by


def _of_another_browser(case: Case, message: Answered | Proven) -> bool:
    """A window's first answer takes the session for its browser: what was typed there is nobody else's."""
    return case.it.login.browser is not None and message.browser not in (None, case.it.login.browser)


def _resends_nothing(case: Case, answer: Answered) -> bool:
    challenge = case.it.login.challenge
    return answer.action == "resend" and (challenge is None or challenge.resend is None)


def _cancels(_: Case, answer: Answered) -> bool:
    return answer.action == "cancel"


def _cancels_in_its_way(case: Case, answer: Answered) -> bool:
    return _cancels(case, answer) and not _the_other_way(case, answer)


def _of_a_stale_worker(case: Case, outcome: Outcome) -> bool:
    return outcome.fence != case.it.login.fence


def _after_a_crash(case: Case, claimed: TryClaimed) -> bool:
    return 0 < case.it.login.fence < claimed.fence


def _by_a_stale_worker(case: Case, claimed: TryClaimed) -> bool:
    return claimed.fence <= case.it.login.fence


def _was_the_last_chance(case: Case, message: Asked | Unreached | TryClaimed) -> bool:
    if isinstance(message, Asked) and message.error is None:
        return False
    reason = sessions.trouble(case, message).reason
    if reason in sessions.BLAMED:
        # What is locked already is never tried again by whoever sits in front of it.
        return sessions.attempts_left(case) <= 1 or reason is Reason.LOCKED
    return case.it.login.tries + 1 >= TRIES


def _crashed_in_the_last_chance(case: Case, claimed: TryClaimed) -> bool:
    return _after_a_crash(case, claimed) and _was_the_last_chance(case, claimed)


def _complains(_: Case, asked: Asked) -> bool:
    return asked.error is not None


def _of_another_account(case: Case, verified: Verified) -> bool:
    return case.it.saved_at is not None and verified.found.identity != case.it.identity


def _needs_proof(case: Case, _: Verified) -> bool:
    return case.it.login.browser is not None


def _of_another_session(case: Case, proven: Proven) -> bool:
    return proven.session_id != case.it.login.session_id


def _of_the_authorized_session(case: Case, proven: Proven) -> bool:
    ended = case.it.login.ended
    return ended is not None and ended.session_id == proven.session_id and ended.result.value == "authorized"


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
    return () if ended is None else (AuthSessionEnded(connection_id=case.it.id, **dict(ended)),)


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
    Refuse(Reason.SESSION_EXPIRED, "This challenge expired unanswered.", when=_it(ChallengeEnd.EXPIRED)),
    Refuse(Reason.SUPERSEDED, "A newer login took this one's place.", when=_it(ChallengeEnd.SUPERSEDED)),
    Refuse(Reason.CANCELLED, "This login was cancelled.", when=_it(ChallengeEnd.CANCELLED)),
    Refuse(
        Reason.ALREADY_ANSWERED, "It was answered, and the answer was taken.", when=_it(ChallengeEnd.ACCEPTED)
    ),
    Refuse(
        Reason.ALREADY_ANSWERED,
        "It was answered; a newer challenge asks again.",
        when=_it(ChallengeEnd.WRONG),
    ),
    Refuse(
        Reason.ALREADY_ANSWERED,
        "It was answered; a newer challenge asks again.",
        when=_it(ChallengeEnd.INTERRUPTED),
    ),
)
"""What an answer to a challenge that is over is told."""
UNKNOWN = Refuse(Reason.INVALID, "There is no such challenge; answer the newest AuthChallengeIssued.")
ELSEWHERE = Refuse(
    Reason.ALREADY_ANSWERED,
    "This login goes on in the browser that answered first; ReauthenticationRequested begins a new one.",
    when=_of_another_browser,
)
CROSSED = Row(IDLE)
"""What crossed with the end of the session changes nothing any more."""

LOGIN: Table[LoginState] = {
    (IDLE, SessionBegun): Row(OPEN, sessions.begin, _issued),
    (IDLE, SessionStopped): CROSSED,
    (IDLE, Answered): (*LATE, UNKNOWN),
    (IDLE, TryClaimed): CROSSED,
    (IDLE, Asked): CROSSED,
    (IDLE, Unreached): CROSSED,
    (IDLE, Verified): CROSSED,
    (IDLE, LoginFailed): CROSSED,
    (IDLE, Proven): (
        Row(IDLE, when=_of_the_authorized_session),
        Refuse(Reason.SESSION_EXPIRED, "This login is over; begin a new one."),
    ),
    (IDLE, SessionTimedOut): CROSSED,
    (OPEN, SessionStopped): Row(IDLE, sessions.stop, _ended),
    (OPEN, Answered): (
        *LATE,
        Refuse(UNKNOWN.reason, UNKNOWN.message, when=_of_another_challenge),
        Refuse(Reason.ALREADY_ANSWERED, "This answer_id was used before.", when=_spent),
        Refuse(Reason.SESSION_EXPIRED, "This challenge expired.", when=_too_late),
        Refuse(Reason.INVALID, "Answer it the way its `answer_by` names.", when=_the_other_way),
        ELSEWHERE,
        Refuse(Reason.INVALID, "There is nothing to send again.", when=_resends_nothing),
        Row(IDLE, sessions.cancel, _cancelled, when=_cancels),
        Row(TRYING, sessions.take, _taken),
    ),
    (OPEN, TryClaimed): Row(OPEN),
    (OPEN, Asked): Row(OPEN),
    (OPEN, Unreached): Row(OPEN),
    (OPEN, Verified): Row(OPEN),
    (OPEN, LoginFailed): Row(OPEN),
    (OPEN, Proven): (
        Refuse(Reason.SUPERSEDED, "A newer login took this one's place.", when=_of_another_session),
        Refuse(Reason.NOT_YET, "The provider has not accepted this login yet."),
    ),
    (OPEN, SessionTimedOut): Row(IDLE, sessions.time_out, _expired),
    (TRYING, SessionStopped): Row(IDLE, sessions.stop, _ended),
    (TRYING, Answered): (
        *LATE,
        Refuse(UNKNOWN.reason, UNKNOWN.message, when=_of_another_challenge),
        ELSEWHERE,
        # What the worker finds then is of no session any more.
        Row(IDLE, sessions.cancel, _cancelled, when=_cancels_in_its_way),
        Refuse(Reason.ALREADY_ANSWERED, "Another answer is being tried."),
    ),
    (TRYING, TryClaimed): (
        Row(TRYING, when=_by_a_stale_worker),
        Row(IDLE, sessions.exhaust, _ended, when=_crashed_in_the_last_chance),
        Row(OPEN, sessions.ask_the_same, _issued, when=_after_a_crash),
        Row(TRYING, sessions.claim),
    ),
    (TRYING, Asked): (
        Row(TRYING, when=_of_a_stale_worker),
        Row(IDLE, sessions.exhaust, _ended, when=_was_the_last_chance),
        Row(OPEN, sessions.ask_again, _issued, when=_complains),
        Row(OPEN, sessions.ask_on, _issued),
    ),
    (TRYING, Unreached): (
        Row(TRYING, when=_of_a_stale_worker),
        Row(IDLE, sessions.exhaust, _ended, when=_was_the_last_chance),
        Row(OPEN, sessions.ask_the_same, _issued),
    ),
    (TRYING, Verified): (
        Row(TRYING, when=_of_a_stale_worker),
        Row(IDLE, sessions.refuse_identity, _ended, when=_of_another_account),
        Row(PROVING, sessions.await_proof, when=_needs_proof),
        Row(IDLE, sessions.authorize, _authorized),
    ),
    (TRYING, LoginFailed): (
        Row(TRYING, when=_of_a_stale_worker),
        Row(IDLE, sessions.fail, _ended),
    ),
    (TRYING, Proven): (
        Refuse(Reason.SUPERSEDED, "A newer login took this one's place.", when=_of_another_session),
        Refuse(Reason.NOT_YET, "The provider has not accepted this login yet."),
    ),
    # A worker has it: what it finds decides, and a dead worker's successor ends it.
    (TRYING, SessionTimedOut): Row(TRYING),
    (PROVING, SessionStopped): Row(IDLE, sessions.stop, _ended),
    (PROVING, Answered): (*LATE, UNKNOWN),
    (PROVING, TryClaimed): Row(PROVING),
    (PROVING, Asked): Row(PROVING),
    (PROVING, Unreached): Row(PROVING),
    (PROVING, Verified): Row(PROVING),
    (PROVING, LoginFailed): Row(PROVING),
    (PROVING, Proven): (
        Refuse(Reason.SUPERSEDED, "A newer login took this one's place.", when=_of_another_session),
        ELSEWHERE,
        Row(IDLE, sessions.authorize, _authorized),
    ),
    (PROVING, SessionTimedOut): Row(IDLE, sessions.time_out, _ended),
}
