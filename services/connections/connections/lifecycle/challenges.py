"""A session's challenges: the next one with its id and its ends, and what became of each before it. Pure."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid5

from connections.lifecycle.case import Case
from connections.lifecycle.things import PAST_CHALLENGES, ChallengeEnd
from schemas.challenges import Challenge
from schemas.connections import AuthChallengeIssued, Resend, Trouble
from schemas.reasons import ChallengeKind

SHORTEST = timedelta(minutes=2)
"""What is asked again leaves at least this long to answer."""


def ask(case: Case, question: Challenge, error: Trouble | None) -> Case:
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
        resend=resend(case, question.kind) if question.resends else None,
        error=error,
        medium=question.medium,
        image=question.image,
        facts=question.facts,
        poll_after=question.poll_after,
    )
    after = question.poll_after
    poll_at = None if after is None else case.at + timedelta(seconds=after)
    case = case.login(challenge=challenge, asked=number, given=None, fence=0)
    return case.login(poll_at=poll_at, blamed=None, tells_values=question.tells_values)


def asked_before(case: Case, old: AuthChallengeIssued) -> Challenge:
    """The question of an old challenge, to be asked once more."""
    return Challenge(
        kind=old.kind,
        step=old.step,
        title=old.title,
        message=old.message,
        tells_values=case.it.login.tells_values,
        fields=old.fields,
        lasts=max(old.expires_at - case.at, SHORTEST),
        window_only=case.it.login.answer_by not in old.answer_by,
        resends=old.resend is not None,
        medium=old.medium,
        image=old.image,
        facts=old.facts,
        poll_after=old.poll_after,
    )


def over(case: Case, became: ChallengeEnd) -> Case:
    """The challenge there is, if any, is over."""
    login = case.it.login
    if login.challenge is None:
        return case
    past = {**login.past, login.challenge.challenge_id: became}
    return case.login(past=dict(list(past.items())[-PAST_CHALLENGES:]), challenge=None, poll_at=None)


def attempts_left(case: Case) -> int:
    """Answers that may still be wrong: of this session, and before the provider may lock the account."""
    login, limits = case.it.login, case.it.login.limits
    return max(
        0, min(limits.logins.wrong_answers - login.wrong, limits.failed_logins - case.it.failed_logins)
    )


def resend(case: Case, kind: ChallengeKind) -> Resend:
    """How often a code may still be sent again in this session, and from when."""
    login, waits = case.it.login, case.it.login.limits.logins.resend_seconds
    left = max(0, len(waits) - login.resent)
    if kind is ChallengeKind.CAPTCHA_IMAGE:
        return Resend(left=left, not_before=case.at)  # a picture reaches nobody's phone
    sent_at = login.sent_at or case.at
    return Resend(left=left, not_before=sent_at + timedelta(seconds=waits[login.resent]) if left else sent_at)
