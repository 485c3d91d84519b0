"""Codes that are sent again, approvals that are waited for, blocks that grow: rows of the login's table."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from connections.handlers.tries import first_question
from connections.lifecycle import messages as happens
from connections.lifecycle.deciding import decide, timed_out
from connections.lifecycle.things import Connection, LoginState
from kit.endings import Refused
from schemas.connections import (
    AuthChallengeAnswered,
    AuthChallengeIssued,
    AuthSessionEnded,
    ReauthenticationRequested,
)
from schemas.reasons import ChallengeKind, Reason
from tests.unit.connections.builders import (
    MANIFEST,
    NOW,
    SEALED,
    after,
    answered,
    case,
    connecting,
    said,
    trying,
    unreached,
    wrong,
)

CODE = replace(first_question(MANIFEST, "en", {}), kind=ChallengeKind.CODE_SENT, step=2, resends=True)
APPROVAL = replace(
    first_question(MANIFEST, "en", {}),
    kind=ChallengeKind.APPROVE_ELSEWHERE,
    fields=(),
    poll_after=3,
    lasts=timedelta(minutes=5),
    window_only=True,
)


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def code_sent() -> Connection:
    it = trying()
    return after(it, happens.Asked(it.login.fence, CODE, SEALED))


def sent_again(it: Connection, at: timedelta) -> Connection:
    """Sent again by a worker, at this time."""
    it = after(it, answered(it, action="resend"), at=NOW + at)
    fence = it.login.machine_fence + 1
    return after(it, happens.TryClaimed(fence), happens.Asked(fence, CODE, SEALED), at=NOW + at)


def refusal(it: Connection, message: object, at: timedelta = timedelta()) -> Reason:
    with pytest.raises(Refused) as refused:
        decide(case(it, NOW + at), message)
    return refused.value.reason


def test_a_code_is_sent_again_after_30_then_60_then_120_seconds_and_no_more() -> None:
    it, at = code_sent(), timedelta()
    for wait, left in ((30, 3), (60, 2), (120, 1)):
        resend = it.login.challenge.resend  # type: ignore[union-attr]
        assert (resend.left, resend.not_before) == (left, NOW + at + seconds(wait))  # type: ignore[union-attr]
        assert refusal(it, answered(it, action="resend"), at + seconds(wait - 1)) is Reason.NOT_YET
        at += seconds(wait)
        it = sent_again(it, at)

    assert it.login.challenge.resend.left == 0  # type: ignore[union-attr]
    assert refusal(it, answered(it, action="resend"), at + seconds(600)) is Reason.LOCKED


def test_only_the_newest_code_counts() -> None:
    it = code_sent()
    newer = sent_again(it, seconds(30))

    assert refusal(newer, answered(it), seconds(31)) is Reason.ALREADY_ANSWERED


def test_a_resend_is_counted_before_it_is_tried_also_where_nobody_knows_what_came_of_it() -> None:
    it = after(code_sent(), answered(code_sent(), action="resend"), at=NOW + seconds(30))
    it = after(it, happens.TryClaimed(901), happens.TryClaimed(902), at=NOW + seconds(70))

    resend = it.login.challenge.resend  # type: ignore[union-attr]
    assert (resend.left, resend.not_before) == (2, NOW + seconds(90))  # type: ignore[union-attr]


def test_a_wrong_code_sends_none_and_keeps_the_wait() -> None:
    it = code_sent()
    it = after(it, answered(it), happens.TryClaimed(900), at=NOW + seconds(10))
    error = wrong(it).error
    it = after(it, happens.Asked(900, CODE, SEALED, error), at=NOW + seconds(10))

    resend = it.login.challenge.resend  # type: ignore[union-attr]
    assert (resend.left, resend.not_before) == (3, NOW + seconds(30))  # type: ignore[union-attr]


def waited_for() -> Connection:
    it = trying(connecting(answer_by="window"), browser="b")
    return after(it, happens.Asked(it.login.fence, APPROVAL, SEALED))


def looked_at(it: Connection) -> Connection:
    """A worker looks at the provider."""
    return after(it, happens.PollDue(), happens.TryClaimed(950), at=NOW + seconds(3))


def test_an_approval_is_looked_for_by_the_clock_and_says_nothing_while_it_is_not_there() -> None:
    it = waited_for()
    assert timed_out(it, NOW + seconds(2.9)) is None
    assert isinstance(timed_out(it, NOW + seconds(3)), happens.PollDue)
    assert it.wake_at == NOW + seconds(3)

    looking = looked_at(it)
    assert said(it, happens.PollDue()) == []
    assert looking.login.challenge == it.login.challenge
    waiting = happens.StillWaiting(950, SEALED, poll_after=5)
    assert said(looking, waiting) == []
    again = after(looking, waiting, at=NOW + seconds(4))
    assert (again.login.state, again.login.poll_at) == (LoginState.OPEN, NOW + seconds(9))


def test_a_look_of_a_new_login_waits_for_no_lease_of_an_older_one() -> None:
    older = after(waited_for(), happens.PollDue())
    it = after(older, answered(older, browser="b", action="cancel"))
    it = after(it, ReauthenticationRequested(connection_id=it.id, answer_by="window"))
    it = trying(it, browser="b")
    newer = after(it, happens.Asked(it.login.fence, APPROVAL, SEALED), happens.PollDue())

    looks = [one.login.given.answer_id for one in (older, newer) if one.login.given]
    assert len(set(looks)) == 2


def test_who_says_that_it_is_approved_is_asked_anew_where_it_is_not() -> None:
    it = waited_for()
    it = after(it, answered(it, browser="b"), happens.TryClaimed(951), at=NOW + seconds(1))
    (challenge,) = said(it, happens.StillWaiting(951, SEALED), at=NOW + seconds(1))

    assert isinstance(challenge, AuthChallengeIssued)
    assert (challenge.error, challenge.expires_at) == (None, NOW + timedelta(minutes=5))


def test_an_answer_during_a_look_is_taken_and_what_the_look_finds_then_is_not() -> None:
    it = looked_at(waited_for())
    (taken,) = said(it, answered(it, browser="b"))

    assert isinstance(taken, AuthChallengeAnswered)
    assert decide(case(after(it, answered(it, browser="b"))), happens.StillWaiting(950, SEALED)) is None


@pytest.mark.parametrize("message", [happens.TryClaimed(999), "unreached"])
def test_a_look_that_fails_costs_nothing_and_is_made_again(message: object) -> None:
    it = looked_at(waited_for())
    it = after(it, unreached(it) if message == "unreached" else message)

    assert (it.login.state, it.login.tries, it.failed_logins) == (LoginState.OPEN, 0, 0)
    assert it.login.poll_at is not None


def test_an_approval_that_nobody_gives_expires() -> None:
    it = waited_for()
    assert isinstance(timed_out(it, NOW + timedelta(minutes=5)), happens.SessionTimedOut)


def test_a_try_that_waits_its_turn_is_looked_at_then_and_given_up_where_the_session_ends_before() -> None:
    it = connecting()
    it = after(it, answered(it), happens.TryDelayed(NOW + seconds(40)))
    assert it.wake_at == NOW + seconds(40)

    (ended,) = said(it, happens.TryDelayed(NOW + timedelta(hours=1)))
    assert isinstance(ended, AuthSessionEnded)
    assert (ended.result, ended.reason) == ("failed", "rate_limited")


def test_each_block_is_twice_as_long_as_the_one_before() -> None:
    it, at = connecting(), NOW
    for minutes in (15, 30, 60):
        for _ in range(3):
            fence = it.login.machine_fence + it.login.sessions * 100 + 1
            it = after(it, answered(it), happens.TryClaimed(fence), at=at)
            it = after(it, wrong(it), at=at)
        assert it.blocked_until == at + timedelta(minutes=minutes)
        at += timedelta(minutes=minutes)
        it = after(it, ReauthenticationRequested(connection_id=it.id, answer_by="sealed"), at=at)


def test_a_name_that_failed_too_often_elsewhere_is_not_tried_and_told_until_when() -> None:
    it = trying()
    (ended,) = said(it, happens.LoginBlocked(it.login.fence, NOW + timedelta(minutes=15)))

    assert isinstance(ended, AuthSessionEnded)
    assert (ended.result, ended.reason, ended.retry_at) == (
        "exhausted",
        "locked",
        NOW + timedelta(minutes=15),
    )
