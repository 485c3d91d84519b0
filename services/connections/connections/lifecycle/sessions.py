"""How a login session changes: what each row of `login.LOGIN` does to it. Pure; it picks no row.

Every change of a challenge goes through `_ask`, `_over` or `_end`, so that what became of each is remembered.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid5

from connections.lifecycle import saying
from connections.lifecycle.case import Case, Question
from connections.lifecycle.messages import (
    Answered,
    Asked,
    LoginFailed,
    Proven,
    SessionBegun,
    SessionStopped,
    SessionTimedOut,
    TryClaimed,
    Unreached,
    Verified,
)
from connections.lifecycle.things import (
    BLOCK_LASTS,
    PAST_CHALLENGES,
    PROOF_LASTS,
    SESSION_LASTS,
    TRY_LASTS,
    WRONG_ANSWERS,
    ChallengeEnd,
    Ended,
    Given,
    Login,
)
from connections.lifecycle.words import said
from schemas.connections import AuthChallengeIssued, Trouble
from schemas.reasons import Reason, SessionResult

BLAMED = frozenset(
    {
        Reason.CREDENTIALS_WRONG,
        Reason.PASSWORD_EXPIRED,
        Reason.CHALLENGE_NEEDED,
        Reason.LOCKED,
        Reason.INTERRUPTED,
    }
)
"""What the answer is, or may be, to blame for: it costs an attempt. Outages and rate limits never do."""
_SHORTEST = timedelta(minutes=2)
"""What is asked again leaves at least this long to answer."""


def begin(case: Case, begun: SessionBegun) -> Case:
    login = case.it.login
    number = login.sessions + 1
    fresh = Login(
        state=login.state,
        sessions=number,
        session_id=str(uuid5(UUID(case.it.id), f"session {number}")),
        purpose=begun.purpose,
        answer_by=begun.answer_by,
        locale=begun.locale,
        provider_revision=begun.provider_revision,
        most_failed=begun.most_failed,
        expires_at=case.at + SESSION_LASTS,
        past=login.past,
        spent=login.spent,
    )
    return _ask(case.changed(login=fresh), begun.question, None)


def take(case: Case, answer: Answered) -> Case:
    login = case.it.login
    given = Given(answer_id=answer.answer_id, action=answer.action, via=answer.via, sealed=answer.sealed)
    spent = (*login.spent, answer.answer_id)[-PAST_CHALLENGES:]
    browser = login.browser or answer.browser
    return case.login(given=given, spent=spent, browser=browser, fence=0, try_at=case.at)


def cancel(case: Case, answer: Answered) -> Case:
    text = said("cancelled", case.it.login.locale)
    return _end(take(case, answer), SessionResult.CANCELLED, Reason.CANCELLED, text, ChallengeEnd.CANCELLED)


def claim(case: Case, claimed: TryClaimed) -> Case:
    return case.login(fence=claimed.fence, try_at=case.at + TRY_LASTS)


def ask_on(case: Case, asked: Asked) -> Case:
    case = _over(case, ChallengeEnd.ACCEPTED).login(machine=asked.machine, machine_fence=asked.fence)
    return _ask(case, asked.question, None)


def ask_again(case: Case, asked: Asked) -> Case:
    case = _over(_count(case, asked), ChallengeEnd.WRONG)
    case = case.login(machine=asked.machine, machine_fence=asked.fence)
    return _ask(case, asked.question, asked.error)


def ask_the_same(case: Case, message: Unreached | TryClaimed) -> Case:
    """The same question once more, as a new challenge: nothing was sent again by itself."""
    old = case.it.login.challenge
    if old is None:
        raise LookupError("no answer is tried without a challenge")
    case = _over(_count(case, message), _became(message))
    return _ask(case, _question(case, old), trouble(case, message))


def exhaust(case: Case, message: Asked | Unreached | TryClaimed) -> Case:
    error = trouble(case, message)
    case = _count(case, message)
    if case.it.failed_logins >= case.it.login.most_failed or error.reason is Reason.LOCKED:
        case = case.changed(failed_logins=0, blocked_until=case.at + BLOCK_LASTS)
    text = saying.outside(case.it, error.reason, error.message)
    return _end(case, SessionResult.EXHAUSTED, error.reason, text, _became(message))


def fail(case: Case, failed: LoginFailed) -> Case:
    return _end(case, SessionResult.FAILED, failed.reason, failed.message, ChallengeEnd.WRONG)


def refuse_identity(case: Case, verified: Verified) -> Case:
    text = said("identity_changed", case.it.login.locale, old=case.it.identity, new=verified.found.identity)
    text = saying.outside(case.it, Reason.IDENTITY_CHANGED, text)
    return _end(case, SessionResult.FAILED, Reason.IDENTITY_CHANGED, text, ChallengeEnd.ACCEPTED)


def await_proof(case: Case, verified: Verified) -> Case:
    case = _over(case, ChallengeEnd.ACCEPTED)
    until = case.at + PROOF_LASTS
    return case.login(found=verified.found, given=None, machine=None, fence=0, expires_at=until)


def authorize(case: Case, message: Verified | Proven) -> Case:
    """The login counts: the session ends, and what it found becomes the connection's."""
    found = message.found if isinstance(message, Verified) else case.it.login.found
    if found is None:
        raise LookupError("only a verified login can be authorized")
    revision = case.it.login.provider_revision
    case = _end(case, SessionResult.AUTHORIZED, None, None, ChallengeEnd.ACCEPTED)
    return case.changed(
        identity=found.identity,
        credentials=found.credentials,
        credentials_revision=case.it.credentials_revision + 1,
        known=found.known,
        option_fields=found.options,
        provider_revision=revision,
        failed_logins=0,
        blocked_until=None,
    )


def stop(case: Case, stopped: SessionStopped) -> Case:
    superseded = stopped.reason is Reason.SUPERSEDED
    became = ChallengeEnd.SUPERSEDED if superseded else ChallengeEnd.CANCELLED
    text = said(stopped.reason.value, case.it.login.locale)
    return _end(case, SessionResult.CANCELLED, stopped.reason, text, became)


def time_out(case: Case, _: SessionTimedOut) -> Case:
    text = said("session_expired", case.it.login.locale)
    return _end(case, SessionResult.EXPIRED, Reason.SESSION_EXPIRED, text, ChallengeEnd.EXPIRED)


def attempts_left(case: Case) -> int:
    """Answers that may still be wrong: of this session, and before the provider may lock the account."""
    login = case.it.login
    return max(0, min(WRONG_ANSWERS - login.wrong, login.most_failed - case.it.failed_logins))


def trouble(case: Case, message: Asked | Unreached | TryClaimed) -> Trouble:
    """What was wrong with a try. Finding one that another worker left is itself the trouble."""
    error = None if isinstance(message, TryClaimed) else message.error
    return error or Trouble(reason=Reason.INTERRUPTED, message=said("interrupted", case.it.login.locale))


def _became(message: Asked | Unreached | TryClaimed) -> ChallengeEnd:
    return ChallengeEnd.INTERRUPTED if isinstance(message, TryClaimed) else ChallengeEnd.WRONG


def _count(case: Case, message: Asked | Unreached | TryClaimed) -> Case:
    case = case.login(tries=case.it.login.tries + 1)
    if trouble(case, message).reason not in BLAMED:
        return case
    return case.login(wrong=case.it.login.wrong + 1).changed(failed_logins=case.it.failed_logins + 1)


def _ask(case: Case, question: Question, error: Trouble | None) -> Case:
    """The next challenge, with an id of its own."""
    login = case.it.login
    number = login.asked + 1
    until = login.expires_at or case.at
    challenge = AuthChallengeIssued(
        connection_id=case.it.id,
        session_id=login.session_id,
        purpose=login.purpose,
        challenge_id=str(uuid5(UUID(login.session_id), f"challenge {number}")),
        kind=question.kind,
        step=question.step,
        title=question.title,
        message=question.message,
        fields=question.fields,
        answer_by=("window",) if question.window_only else (login.answer_by,),
        expires_at=until if question.lasts is None else min(until, case.at + question.lasts),
        attempts_left=attempts_left(case),
        error=error,
        medium=question.medium,
        image=question.image,
        facts=question.facts,
        poll_after=question.poll_after,
    )
    return case.login(challenge=challenge, asked=number, given=None, fence=0)


def _question(case: Case, old: AuthChallengeIssued) -> Question:
    """The question of an old challenge, to be asked once more."""
    return Question(
        kind=old.kind,
        step=old.step,
        title=old.title,
        message=old.message,
        fields=old.fields,
        lasts=max(old.expires_at - case.at, _SHORTEST),
        window_only=case.it.login.answer_by not in old.answer_by,
        medium=old.medium,
        image=old.image,
        facts=old.facts,
        poll_after=old.poll_after,
    )


def _over(case: Case, became: ChallengeEnd) -> Case:
    """The challenge there is, if any, is over."""
    login = case.it.login
    if login.challenge is None:
        return case
    past = {**login.past, login.challenge.challenge_id: became}
    return case.login(past=dict(list(past.items())[-PAST_CHALLENGES:]), challenge=None)


def _end(
    case: Case, result: SessionResult, reason: Reason | None, message: str | None, became: ChallengeEnd
) -> Case:
    """The session is over, and whatever secret it held is gone."""
    login, blocked = case.it.login, case.it.blocked_until
    ended = Ended(
        session_id=login.session_id,
        purpose=login.purpose,
        result=result,
        reason=reason,
        message=message,
        retry_at=blocked if result is SessionResult.EXHAUSTED and blocked and blocked > case.at else None,
    )
    return _over(case, became).login(ended=ended, given=None, machine=None, found=None, fence=0, try_at=None)
