"""How a login session changes: what each row of `login.LOGIN` does to it. Pure; it picks no row.

Every change of a challenge goes through `ask`, `over` or `_end`, so that what became of each is remembered.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid5

from connections.lifecycle import saying
from connections.lifecycle.case import Case
from connections.lifecycle.challenges import ask, asked_before, over
from connections.lifecycle.changes import passed, retire_grant
from connections.lifecycle.messages import (
    Answered,
    Asked,
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
from connections.lifecycle.things import (
    PAST_CHALLENGES,
    PROOF_LASTS,
    TRY_LASTS,
    ChallengeEnd,
    Ended,
    Given,
    Login,
)
from connections.lifecycle.words import said
from schemas.connections import Trouble
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
LONGEST_BLOCK = timedelta(days=1)
POLL_SECONDS = 3
"""Between two looks at a provider that names no time."""


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
        limits=begun.limits,
        expires_at=case.at + timedelta(minutes=begun.limits.logins.session_minutes),
        past=login.past,
        spent=login.spent,
    )
    return ask(case.changed(login=fresh), begun.question, None)


def take(case: Case, answer: Answered) -> Case:
    login = case.it.login
    given = Given(answer_id=answer.answer_id, action=answer.action, via=answer.via, sealed=answer.sealed)
    spent = (*login.spent, answer.answer_id)[-PAST_CHALLENGES:]
    browser = login.browser or answer.browser
    case = case.login(given=given, spent=spent, browser=browser, fence=0, try_at=case.at)
    # Counted before anything is sent: a crash must not send a code that nobody counts.
    return case.login(resent=login.resent + 1, sent_at=case.at) if answer.action == "resend" else case


def cancel(case: Case, answer: Answered) -> Case:
    text = said("cancelled", case.it.login.locale)
    return _end(take(case, answer), SessionResult.CANCELLED, Reason.CANCELLED, text, ChallengeEnd.CANCELLED)


def claim(case: Case, claimed: TryClaimed) -> Case:
    return case.login(fence=claimed.fence, try_at=case.at + TRY_LASTS)


def ask_on(case: Case, asked: Asked) -> Case:
    case = over(case, ChallengeEnd.ACCEPTED).login(machine=asked.machine, machine_fence=asked.fence)
    if asked.question.resends:
        case = case.login(sent_at=case.at)
    return ask(case, asked.question, None)


def ask_again(case: Case, asked: Asked) -> Case:
    case = over(_count(case, asked), ChallengeEnd.WRONG)
    case = case.login(machine=asked.machine, machine_fence=asked.fence)
    return ask(case, asked.question, asked.error).login(blamed=asked.blamed)


def ask_the_same(case: Case, message: Unreached | TryClaimed) -> Case:
    """The same question once more, as a new challenge: nothing was sent again by itself."""
    old = case.it.login.challenge
    if old is None:
        raise LookupError("no answer is tried without a challenge")
    case = over(_count(case, message), _became(message))
    return ask(case, asked_before(case, old), trouble(case, message))


def exhaust(case: Case, message: Asked | Unreached | TryClaimed) -> Case:
    error = trouble(case, message)
    case = _count(case, message)
    if case.it.failed_logins >= case.it.login.limits.failed_logins or error.reason is Reason.LOCKED:
        case = case.changed(
            failed_logins=0, blocks=case.it.blocks + 1, blocked_until=case.at + _block_lasts(case)
        )
    text = saying.outside(case.it, error.reason, error.message)
    return _end(case, SessionResult.EXHAUSTED, error.reason, text, _became(message))


def _block_lasts(case: Case) -> timedelta:
    """Twice as long each time, to a day."""
    minutes = case.it.login.limits.logins.block_minutes * 2 ** min(case.it.blocks, 16)
    return min(timedelta(minutes=minutes), LONGEST_BLOCK)


def block(case: Case, blocked: LoginBlocked) -> Case:
    """Too many tries have failed already, whoever made them: this one is not made."""
    case = case.changed(blocked_until=blocked.until)
    text = said("blocked", case.it.login.locale)
    return _told(_end(case, SessionResult.EXHAUSTED, Reason.LOCKED, text, ChallengeEnd.WRONG), text)


def delay(case: Case, delayed: TryDelayed) -> Case:
    """The provider bears no more at once: the try waits its turn."""
    return case.login(try_at=delayed.until)


def give_up(case: Case, _: TryDelayed) -> Case:
    text = said("provider_slow", case.it.login.locale)
    return _end(case, SessionResult.FAILED, Reason.RATE_LIMITED, text, ChallengeEnd.INTERRUPTED)


def speak(case: Case, spoken: Spoken) -> Case:
    return ask(over(case, ChallengeEnd.SUPERSEDED).login(locale=spoken.locale), spoken.question, None)


def poll(case: Case, _: PollDue) -> Case:
    """A look at the provider while the challenge stays as it is: a try that nobody answered."""
    login = case.it.login
    number = login.polls + 1
    look = (
        f"look {number} of {login.session_id}"  # a lease is of one answer, also where another session's lasts
    )
    given = Given(answer_id=look, action="poll", via="window", sealed=None)
    return case.login(given=given, polls=number, fence=0, try_at=case.at, poll_at=None)


def wait_on(case: Case, message: StillWaiting | Unreached | TryClaimed) -> Case:
    """Nothing happened at the provider yet: the same challenge stays open, until the next look."""
    challenge = case.it.login.challenge
    after = challenge.poll_after if challenge else None
    if isinstance(message, StillWaiting):
        case = case.login(machine=message.machine, machine_fence=message.fence)
        after = message.poll_after or after
    return case.login(given=None, fence=0, poll_at=case.at + timedelta(seconds=after or POLL_SECONDS))


def ask_anew(case: Case, waiting: StillWaiting) -> Case:
    """Somebody said that it is done; it is not yet."""
    old = case.it.login.challenge
    if old is None:
        raise LookupError("nothing is waited for without a challenge")
    lasts = old.expires_at - case.at
    case = over(case, ChallengeEnd.ACCEPTED).login(machine=waiting.machine, machine_fence=waiting.fence)
    return ask(case, replace(asked_before(case, old), lasts=lasts), None)


def fail(case: Case, failed: LoginFailed) -> Case:
    text = saying.outside(case.it, failed.reason, failed.message)
    return _told(_end(case, SessionResult.FAILED, failed.reason, text, ChallengeEnd.WRONG), failed.message)


def refuse_identity(case: Case, verified: Verified) -> Case:
    text = said("identity_changed", case.it.login.locale, old=case.it.identity, new=verified.found.identity)
    outside = saying.outside(case.it, Reason.IDENTITY_CHANGED, text)
    ended = _end(case, SessionResult.FAILED, Reason.IDENTITY_CHANGED, outside, ChallengeEnd.ACCEPTED)
    return _told(ended, text)


def await_proof(case: Case, verified: Verified) -> Case:
    case = over(case, ChallengeEnd.ACCEPTED)
    until = case.at + PROOF_LASTS
    return case.login(found=verified.found, given=None, machine=None, fence=0, expires_at=until)


def authorize(case: Case, message: Verified | Proven) -> Case:
    """The login counts: the session ends, and what it found becomes the connection's."""
    found = message.found if isinstance(message, Verified) else case.it.login.found
    if found is None:
        raise LookupError("only a verified login can be authorized")
    revision = case.it.login.provider_revision
    case = _end(case, SessionResult.AUTHORIZED, None, None, ChallengeEnd.ACCEPTED)
    return retire_grant(case).changed(
        identity=found.identity,
        credentials=found.credentials,
        credentials_revision=case.it.credentials_revision + 1,
        known=found.known,
        token=found.token,
        ends_at=found.ends_at,
        announced=passed(found.ends_at, case.at),
        option_fields=found.options,
        same_as=found.same_as,
        provider_revision=revision,
        failed_logins=0,
        blocks=0,
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


def trouble(case: Case, message: Asked | Unreached | TryClaimed) -> Trouble:
    """What was wrong with a try. Finding one that another worker left is itself the trouble."""
    error = None if isinstance(message, TryClaimed) else message.error
    return error or Trouble(reason=Reason.INTERRUPTED, message=said("interrupted", case.it.login.locale))


def _told(case: Case, text: str) -> Case:
    """The session is over, and its window says why before the browser goes back."""
    ended = case.it.login.ended
    if ended is None or case.it.login.browser is None or ended.reason is Reason.CANCELLED:
        return case
    return case.login(ended=ended.model_copy(update={"told": text}))


def _became(message: Asked | Unreached | TryClaimed) -> ChallengeEnd:
    return ChallengeEnd.INTERRUPTED if isinstance(message, TryClaimed) else ChallengeEnd.WRONG


def _count(case: Case, message: Asked | Unreached | TryClaimed) -> Case:
    case = case.login(tries=case.it.login.tries + 1)
    if trouble(case, message).reason not in BLAMED:
        return case
    return case.login(wrong=case.it.login.wrong + 1).changed(failed_logins=case.it.failed_logins + 1)


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
    case = over(case, became).login(ended=ended, given=None, machine=None, found=None, fence=0)
    return case.login(try_at=None, poll_at=None)
