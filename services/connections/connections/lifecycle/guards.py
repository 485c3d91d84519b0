"""When a row of the login's table holds. Pure; the table is `login.LOGIN`."""

from __future__ import annotations

from collections.abc import Callable

from connections.lifecycle import sessions
from connections.lifecycle.case import Case
from connections.lifecycle.challenges import attempts_left
from connections.lifecycle.messages import (
    Answered,
    Asked,
    LoginBlocked,
    LoginFailed,
    Proven,
    Spoken,
    StillWaiting,
    TryClaimed,
    TryDelayed,
    Unreached,
    Verified,
)
from connections.lifecycle.things import TRIES, ChallengeEnd
from schemas.reasons import Reason

Outcome = Asked | Unreached | StillWaiting | Verified | LoginFailed | LoginBlocked


def it_was(became: ChallengeEnd) -> Callable[[Case, Answered], bool]:
    def was(case: Case, answer: Answered) -> bool:
        return case.it.login.past.get(answer.challenge_id) is became

    return was


def of_another_challenge(case: Case, answer: Answered) -> bool:
    challenge = case.it.login.challenge
    return challenge is None or challenge.challenge_id != answer.challenge_id


def spent(case: Case, answer: Answered) -> bool:
    return answer.answer_id in case.it.login.spent


def too_late(case: Case, _: Answered) -> bool:
    challenge = case.it.login.challenge
    return challenge is not None and case.at >= challenge.expires_at


def the_other_way(case: Case, answer: Answered) -> bool:
    challenge = case.it.login.challenge
    return challenge is not None and answer.via not in challenge.answer_by


def of_another_browser(case: Case, message: Answered | Proven) -> bool:
    """A window's first answer takes the session for its browser: what was typed there is nobody else's."""
    return case.it.login.browser is not None and message.browser not in (None, case.it.login.browser)


def resends_nothing(case: Case, answer: Answered) -> bool:
    challenge = case.it.login.challenge
    return answer.action == "resend" and (challenge is None or challenge.resend is None)


def resent_enough(case: Case, answer: Answered) -> bool:
    challenge = case.it.login.challenge
    resend = challenge.resend if challenge else None
    return answer.action == "resend" and resend is not None and resend.left == 0


def resends_too_early(case: Case, answer: Answered) -> bool:
    challenge = case.it.login.challenge
    resend = challenge.resend if challenge else None
    return answer.action == "resend" and resend is not None and case.at < resend.not_before


def tries_an_answer(case: Case, _: Answered) -> bool:
    return not case.it.looking


def only_looked(case: Case, message: StillWaiting | Unreached | TryClaimed) -> bool:
    return case.it.looking and not (isinstance(message, TryClaimed) and not after_a_crash(case, message))


def asks_first(case: Case, spoken: Spoken) -> bool:
    """Whether nothing but the first question was asked yet, and in another language."""
    login = case.it.login
    return login.machine is None and login.wrong == 0 and login.locale != spoken.locale


def past_the_session(case: Case, delayed: TryDelayed) -> bool:
    ends = case.it.login.expires_at
    return ends is not None and delayed.until >= ends


def claimed_already(case: Case, _: TryDelayed) -> bool:
    return case.it.login.fence > 0


def cancels(_: Case, answer: Answered) -> bool:
    return answer.action == "cancel"


def cancels_in_its_way(case: Case, answer: Answered) -> bool:
    return cancels(case, answer) and not the_other_way(case, answer)


def of_a_stale_worker(case: Case, outcome: Outcome) -> bool:
    return outcome.fence != case.it.login.fence


def after_a_crash(case: Case, claimed: TryClaimed) -> bool:
    return 0 < case.it.login.fence < claimed.fence


def by_a_stale_worker(case: Case, claimed: TryClaimed) -> bool:
    return claimed.fence <= case.it.login.fence


def was_the_last_chance(case: Case, message: Asked | Unreached | TryClaimed) -> bool:
    if isinstance(message, Asked) and message.error is None:
        return False
    reason = sessions.trouble(case, message).reason
    if reason in sessions.BLAMED:
        # What is locked already is never tried again by whoever sits in front of it.
        return attempts_left(case) <= 1 or reason is Reason.LOCKED
    return case.it.login.tries + 1 >= TRIES


def crashed_in_the_last_chance(case: Case, claimed: TryClaimed) -> bool:
    return after_a_crash(case, claimed) and was_the_last_chance(case, claimed)


def complains(_: Case, asked: Asked) -> bool:
    return asked.error is not None


def of_another_account(case: Case, verified: Verified) -> bool:
    return case.it.saved_at is not None and verified.found.identity != case.it.identity


def needs_proof(case: Case, _: Verified) -> bool:
    return case.it.login.browser is not None


def of_another_session(case: Case, proven: Proven) -> bool:
    return proven.session_id != case.it.login.session_id


def of_the_authorized_session(case: Case, proven: Proven) -> bool:
    ended = case.it.login.ended
    return ended is not None and ended.session_id == proven.session_id and ended.result.value == "authorized"
