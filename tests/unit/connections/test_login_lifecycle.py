"""The table of login sessions, against a grid written by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from connections.handlers.tries import first_question
from connections.lifecycle import messages as happens
from connections.lifecycle.deciding import decide, timed_out
from connections.lifecycle.login import LOGIN
from connections.lifecycle.things import (
    TRIES,
    TRY_LASTS,
    ChallengeEnd,
    Connection,
    LoginState,
)
from kit.endings import Refused
from kit.transitions import IllegalTransition
from schemas.connections import (
    AuthChallengeAnswered,
    AuthChallengeExpired,
    AuthChallengeIssued,
    AuthSessionEnded,
    ReauthenticationRequested,
)
from schemas.manifest import Limits
from schemas.reasons import ChallengeKind, Reason
from tests.sentences import says_what_to_do
from tests.unit.connections.builders import (
    BROWSER,
    ID,
    MANIFEST,
    NOW,
    SEALED,
    after,
    answered,
    case,
    connecting,
    in_login_state,
    said,
    trying,
    unreached,
    verified,
    wrong,
)
from tests.unit.connections.grids import cells, messages, states

BLOCK_LASTS, SESSION_LASTS = timedelta(minutes=15), timedelta(minutes=30)
GRID = """
                             | idle             | open              | trying            | proving
SessionBegun                 | open             | never             | never             | never
SessionStopped               | idle             | idle              | idle              | idle
Answered                     | !invalid         | trying            | !already_answered | !invalid
Answered to cancel           | !invalid         | idle              | idle              | !invalid
Answered elsewhere           | !invalid         | !already_answered | !already_answered | !invalid
Answered to cancel elsewhere | !invalid         | !already_answered | !already_answered | !invalid
Answered late                | !superseded      | !superseded       | !superseded       | !superseded
TryClaimed                   | idle             | open              | trying            | proving
TryClaimed after crash       | idle             | open              | open              | proving
Asked                        | idle             | open              | open              | proving
Asked with error             | idle             | open              | open              | proving
Asked by a dead worker       | idle             | open              | trying            | proving
Unreached                    | idle             | open              | open              | proving
StillWaiting                 | idle             | open              | open              | proving
Spoken                       | idle             | open              | trying            | proving
PollDue                      | idle             | trying            | trying            | proving
TryDelayed                   | idle             | open              | trying            | proving
TryDelayed past the session  | idle             | open              | trying            | proving
LoginBlocked                 | idle             | open              | idle              | proving
Verified                     | idle             | open              | proving           | proving
LoginFailed                  | idle             | open              | idle              | proving
Proven                       | !session_expired | !not_yet          | !not_yet          | idle
Proven for another           | !session_expired | !superseded       | !superseded       | !superseded
Proven elsewhere             | !session_expired | !not_yet          | !not_yet          | !already_answered
SessionTimedOut              | idle             | idle              | trying            | idle
"""
FENCE = 101


def proven(it: Connection, browser: str = BROWSER) -> happens.Proven:
    return happens.Proven("" if it.login.state is LoginState.IDLE else it.login.session_id, browser)


MESSAGES: dict[str, Callable[[Connection], object]] = {
    "SessionBegun": lambda _: happens.SessionBegun(
        "connect", "window", "en", 3, Limits(), first_question(MANIFEST, "en", {})
    ),
    "SessionStopped": lambda _: happens.SessionStopped(Reason.CANCELLED),
    "Answered": lambda it: answered(it, browser=BROWSER),
    "Answered to cancel": lambda it: answered(it, browser=BROWSER, action="cancel"),
    "Answered elsewhere": lambda it: answered(it, browser="another"),
    "Answered to cancel elsewhere": lambda it: answered(it, browser="another", action="cancel"),
    "Answered late": lambda it: answered(it, browser=BROWSER, challenge_id="an older one"),
    "TryClaimed": lambda it: happens.TryClaimed(it.login.fence or FENCE),
    "TryClaimed after crash": lambda _: happens.TryClaimed(FENCE + 1),
    "Asked": lambda _: happens.Asked(FENCE, first_question(MANIFEST, "en", {}), SEALED),
    "Asked with error": lambda it: replace(wrong(it), fence=FENCE),
    "Asked by a dead worker": lambda _: happens.Asked(FENCE - 1, first_question(MANIFEST, "en", {}), SEALED),
    "Unreached": lambda it: replace(unreached(it), fence=FENCE),
    "StillWaiting": lambda _: happens.StillWaiting(FENCE, SEALED),
    "Spoken": lambda _: happens.Spoken("de", first_question(MANIFEST, "de", {})),
    "PollDue": lambda _: happens.PollDue(),
    "TryDelayed": lambda _: happens.TryDelayed(NOW + timedelta(seconds=5)),
    "TryDelayed past the session": lambda _: happens.TryDelayed(NOW + SESSION_LASTS),
    "LoginBlocked": lambda _: happens.LoginBlocked(FENCE, NOW + BLOCK_LASTS),
    "Verified": lambda it: replace(verified(it), fence=FENCE),
    "LoginFailed": lambda _: happens.LoginFailed(FENCE, Reason.BUG, "It broke."),
    "Proven": proven,
    "Proven for another": lambda _: happens.Proven("another", BROWSER),
    "Proven elsewhere": lambda it: proven(it, "another"),
    "SessionTimedOut": lambda _: happens.SessionTimedOut(),
}


@pytest.mark.parametrize(("message", "state", "becomes"), list(cells(GRID)))
def test_a_message_and_a_state_make(message: str, state: str, becomes: str) -> None:
    before = in_login_state(LoginState(state))
    past = {**before.login.past, "an older one": ChallengeEnd.SUPERSEDED}
    before = before.model_copy(update={"login": before.login.model_copy(update={"past": past})})
    thing = MESSAGES[message](before)

    if becomes == "never":
        with pytest.raises(IllegalTransition):
            decide(case(before), thing)
    elif becomes.startswith("!"):
        with pytest.raises(Refused) as refused:
            decide(case(before), thing)
        assert refused.value.reason == becomes[1:]
    else:
        assert after(before, thing).login.state == becomes


def test_the_grid_knows_every_state_and_every_message() -> None:
    assert states(GRID) == {state.value for state in LoginState}
    assert {message.split()[0] for message in messages(GRID)} == {message.__name__ for _, message in LOGIN}


def test_the_table_has_a_row_for_every_cell_that_is_not_impossible() -> None:
    possible = {(state, message.split()[0]) for message, state, becomes in cells(GRID) if becomes != "never"}
    assert {(state.value, message.__name__) for state, message in LOGIN} == possible


def kinds(connection: Connection, message: object) -> list[type]:
    return [type(event) for event in said(connection, message)]


def refusal(connection: Connection, message: object, at: object = NOW) -> Reason:
    with pytest.raises(Refused) as refused:
        decide(case(connection, at), message)  # type: ignore[arg-type]  # a moment
    return refused.value.reason


def test_of_two_answers_the_second_is_told_that_the_first_was_taken() -> None:
    it = connecting()
    first, second = answered(it), answered(it)

    assert kinds(it, first) == [AuthChallengeAnswered]
    assert refusal(after(it, first), second) is Reason.ALREADY_ANSWERED


def test_an_answer_id_counts_once() -> None:
    it = connecting()
    answer = answered(it)
    it = after(it, answer, happens.TryClaimed(1))
    it = after(it, unreached(it))

    challenge = it.login.challenge
    assert challenge is not None
    assert refusal(it, replace(answer, challenge_id=challenge.challenge_id)) is Reason.ALREADY_ANSWERED


def test_the_other_way_of_answering_is_refused_and_costs_nothing() -> None:
    it = connecting(answer_by="sealed")
    assert refusal(it, answered(it, browser=BROWSER)) is Reason.INVALID


@pytest.mark.parametrize("way", ["sealed", "window"])
@pytest.mark.parametrize("first", ["sealed", "window"])
def test_of_an_answer_in_the_window_and_the_same_one_sealed_at_once_one_counts(way: str, first: str) -> None:
    it = connecting(answer_by=way)
    both = {"sealed": answered(it), "window": answered(it, browser=BROWSER)}
    second = "window" if first == "sealed" else "sealed"
    taken, refused = 0, []
    for message in (both[first], both[second], both[first], both[second]):
        try:
            it = after(it, message)
        except Refused as refusal_:
            refused.append(refusal_)
        else:
            taken += 1

    assert (taken, len(refused)) == (1, 3)
    assert {one.reason for one in refused} <= {Reason.ALREADY_ANSWERED, Reason.INVALID}
    assert all(says_what_to_do(one.message) for one in refused)
    challenge = it.login.challenge
    assert challenge is not None
    assert challenge.attempts_left == 3, "the answer that did not count cost a try"
    assert it.login.state is LoginState.TRYING
    assert it.login.given is not None


def test_an_answer_after_the_end_of_its_challenge_is_too_late_though_no_clock_has_struck() -> None:
    it = connecting()
    assert refusal(it, answered(it), NOW + SESSION_LASTS) is Reason.SESSION_EXPIRED


def test_there_is_nothing_to_send_again_where_nothing_was_sent() -> None:
    it = connecting()
    assert refusal(it, answered(it, action="resend")) is Reason.INVALID


def test_a_wrong_answer_costs_an_attempt_and_is_asked_anew_under_a_new_id() -> None:
    it = trying()
    (challenge,) = said(it, wrong(it))

    assert isinstance(challenge, AuthChallengeIssued)
    assert challenge.attempts_left == 2
    assert challenge.error is not None
    assert challenge.error.reason == "credentials_wrong"
    old = it.login.challenge
    assert old is not None
    assert challenge.challenge_id != old.challenge_id
    late = replace(answered(it), challenge_id=old.challenge_id)
    assert refusal(after(it, wrong(it)), late) is Reason.ALREADY_ANSWERED


def test_an_outage_costs_no_attempt_and_is_no_failed_login() -> None:
    it = trying()
    (challenge,) = said(it, unreached(it))

    assert (challenge.attempts_left, challenge.error.reason) == (3, "host_unreachable")
    assert after(it, unreached(it)).failed_logins == 0


def test_trying_hosts_has_an_end_too() -> None:
    blocked_before = NOW - timedelta(hours=1)
    it = connecting().model_copy(update={"blocked_until": blocked_before})
    for _ in range(TRIES):
        it = trying(
            it.model_copy(update={"login": it.login.model_copy(update={"machine_fence": it.login.tries})})
        )
        it = after(it, unreached(it))

    assert it.login.ended is not None
    assert (it.login.ended.result, it.login.ended.reason) == ("exhausted", "host_unreachable")
    assert (it.login.ended.retry_at, it.blocked_until) == (None, blocked_before)


def test_a_worker_that_died_is_an_interruption_asked_anew_and_counted() -> None:
    it = trying()
    (challenge,) = said(it, happens.TryClaimed(it.login.fence + 1))

    assert isinstance(challenge, AuthChallengeIssued)
    assert (challenge.error.reason, challenge.attempts_left) == ("interrupted", 2)  # type: ignore[union-attr]
    it = after(it, happens.TryClaimed(it.login.fence + 1))
    assert it.login.given is None


def test_a_worker_that_comes_back_from_the_dead_changes_nothing() -> None:
    it = trying()
    stale = verified(it)
    it = after(it, happens.TryClaimed(it.login.fence + 1))

    assert decide(case(it), stale) is None


def test_a_try_is_due_at_once_and_looked_at_again_after_the_lease() -> None:
    it = connecting()
    waiting = after(it, answered(it))

    assert waiting.wake_at == NOW
    assert trying(it).wake_at == NOW + TRY_LASTS


def test_a_next_step_is_a_new_challenge_of_the_same_session() -> None:
    it = trying()
    question = replace(first_question(MANIFEST, "en", {}), kind=ChallengeKind.CONFIRM, step=2)
    (challenge,) = said(it, happens.Asked(it.login.fence, question, SEALED))

    assert (challenge.kind, challenge.step, challenge.error) == ("confirm", 2, None)
    assert challenge.session_id == it.login.session_id


def test_a_challenge_nobody_answers_expires_with_its_session() -> None:
    it = connecting()

    assert timed_out(it, NOW + SESSION_LASTS - timedelta(milliseconds=1)) is None
    expired, ended = said(it, timed_out(it, NOW + SESSION_LASTS))
    assert isinstance(expired, AuthChallengeExpired)
    assert expired.challenge_id == it.login.challenge.challenge_id  # type: ignore[union-attr]
    assert (ended.result, ended.reason) == ("expired", "session_expired")
    over = after(it, happens.SessionTimedOut())
    assert refusal(over, answered(it)) is Reason.SESSION_EXPIRED
    assert kinds(over, ReauthenticationRequested(connection_id=ID)) == [AuthChallengeIssued]


def test_a_cancelled_login_says_both_that_it_was_answered_and_that_it_ended() -> None:
    it = connecting()
    assert kinds(it, answered(it, action="cancel")) == [AuthChallengeAnswered, AuthSessionEnded]


def test_a_session_pins_the_revision_that_it_began_with() -> None:
    assert connecting().login.provider_revision == 3


def test_an_account_that_the_provider_has_locked_is_not_tried_again() -> None:
    it = trying()
    it = after(it, wrong(it, Reason.LOCKED))

    assert it.login.ended is not None
    assert (it.login.ended.result, it.login.ended.reason) == ("exhausted", "locked")
    assert it.blocked_until is not None


def test_three_failed_logins_in_a_row_block_for_a_while() -> None:
    it = connecting()
    for _ in range(3):
        it = trying(it)
        it = after(it, wrong(it))

    assert it.login.ended is not None
    assert (it.login.ended.result, it.login.ended.retry_at) == ("exhausted", NOW + BLOCK_LASTS)
    with pytest.raises(Refused) as refused:
        decide(case(it), ReauthenticationRequested(connection_id=ID))
    assert refused.value.reason is Reason.LOCKED
    later = NOW + BLOCK_LASTS
    assert decide(case(it, later), ReauthenticationRequested(connection_id=ID))
