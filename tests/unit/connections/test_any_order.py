"""Whatever order things happen in, some things stay so: one winner, known ends, no secret said."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from connections import store
from connections.lifecycle.deciding import decide, timed_out
from connections.lifecycle.messages import Proven, TryClaimed
from connections.lifecycle.things import Connection, LoginState, Status
from kit.endings import Refused
from kit.transitions import IllegalTransition
from schemas.catalog import ProviderRetired
from schemas.connections import (
    ConnectionChangeRequested,
    ConnectionOptionsSubmitted,
    ConnectionPauseRequested,
    ConnectionRemovalRequested,
    ConnectionResumeRequested,
    ReauthenticationRequested,
)
from schemas.reasons import Reason
from tests.unit.connections.builders import (
    ID,
    NOW,
    SEALED,
    answered,
    case,
    exported,
    failed,
    request,
    unreached,
    verified,
    wrong,
)

REQUESTS = (
    request(),
    request(answer_by="window"),
    ConnectionOptionsSubmitted(connection_id=ID, options={}),
    ConnectionChangeRequested(connection_id=ID, expected_revision=1, name="Archive"),
    ReauthenticationRequested(connection_id=ID, answer_by="sealed"),
    ReauthenticationRequested(connection_id=ID, answer_by="window"),
    ConnectionPauseRequested(connection_id=ID),
    ConnectionResumeRequested(connection_id=ID),
    ConnectionRemovalRequested(connection_id=ID),
    ProviderRetired(provider_id="webdav", revision=4),
)
BROWSERS = st.sampled_from([None, "one", "two"])
"""None answers by a sealed answer."""
LAST = (Status.REJECTED, Status.REMOVED)


class AnyOrder(RuleBasedStateMachine):
    """One connection, and everything that can happen to it."""

    def __init__(self) -> None:
        super().__init__()
        self.it: Connection | None = None
        self.at = NOW
        self.fence = 0
        self.said: list[Any] = []
        self.taken: list[str] = []

    def tell(self, message: object) -> None:
        before = self.it
        try:
            decision = decide(case(self.it, self.at), message)
        except IllegalTransition:
            raise
        except Refused:
            return
        if decision is None:
            return
        self.it = decision.after
        self.said += decision.emits
        if before is not None and before.status in LAST:
            assert self.it.status is before.status

    @rule(message=st.sampled_from(REQUESTS))
    def ask(self, message: object) -> None:
        if self.it is not None or not isinstance(message, ProviderRetired):
            self.tell(message)

    @precondition(lambda self: self.it is not None)
    @rule(browser=BROWSERS, action=st.sampled_from(["answer", "cancel", "resend"]))
    def answer(self, browser: str | None, action: str) -> None:
        assert self.it is not None
        answer = answered(self.it, browser=browser, action=action)
        open_before = self.it.login.state is LoginState.OPEN
        self.tell(answer)
        if answer.answer_id in self.it.login.spent and action != "cancel":  # that is taken during a try too
            assert open_before
            assert answer.challenge_id not in self.taken
            self.taken.append(answer.challenge_id)

    @precondition(lambda self: self.it is not None)
    @rule()
    def claim(self) -> None:
        self.fence += 1
        self.tell(TryClaimed(self.fence))

    @precondition(lambda self: self.it is not None)
    @rule(
        make=st.sampled_from(
            [wrong, unreached, verified, lambda it: verified(it, "another@dav.example.org")]
        ),
    )
    def outcome(self, make: Any) -> None:
        assert self.it is not None
        if self.it.login.fence or self.it.login.state is not LoginState.TRYING:
            self.tell(make(self.it))

    @precondition(lambda self: self.it is not None)
    @rule(browser=st.sampled_from(["one", "two"]))
    def prove(self, browser: str) -> None:
        assert self.it is not None
        before = self.it
        self.tell(Proven(before.login.session_id, browser))
        if self.it.credentials_revision > before.credentials_revision:
            assert before.login.browser == browser

    @precondition(lambda self: self.it is not None)
    @rule(minutes=st.sampled_from([1, 11, 31, 60 * 24 * 8]))
    def time_passes(self, minutes: int) -> None:
        assert self.it is not None
        self.at += timedelta(minutes=minutes)
        if message := timed_out(self.it, self.at):
            self.tell(message)

    @precondition(lambda self: self.it is not None)
    @rule(
        reason=st.sampled_from([Reason.CREDENTIALS_WRONG, Reason.DESTINATION_MISSING, Reason.PROVIDER_DOWN])
    )
    def run_fails(self, reason: Reason) -> None:
        assert self.it is not None
        self.tell(failed(self.it, reason))

    @precondition(lambda self: self.it is not None)
    @rule()
    def run_goes_through(self) -> None:
        assert self.it is not None
        self.tell(exported(self.it, at=self.at))

    @invariant()
    def credentials_are_there_exactly_while_they_may_be_used(self) -> None:
        if self.it is None:
            return
        usable = (Status.CONFIGURING, Status.ACTIVE, Status.ATTENTION)
        assert (self.it.credentials is not None) == (self.it.status in usable)
        assert (self.it.saved_at is not None) or self.it.status not in (Status.ACTIVE, Status.ATTENTION)
        assert (self.it.trouble is not None) == (self.it.status is Status.ATTENTION)

    @invariant()
    def the_login_holds_what_its_state_needs_and_no_more(self) -> None:
        if self.it is None:
            return
        login = self.it.login
        assert (login.challenge is not None) == (login.state in (LoginState.OPEN, LoginState.TRYING))
        assert (login.given is not None) == (login.state is LoginState.TRYING)
        assert (login.found is not None) == (login.state is LoginState.PROVING)
        assert login.state is LoginState.IDLE or self.it.status not in LAST
        assert (self.it.wake_at is None) == (self.it.login_ends_at is None and not self.it.unfinished)

    @invariant()
    def what_waits_has_an_end(self) -> None:
        if self.it is not None and self.it.login.state is not LoginState.IDLE:
            assert self.it.login_ends_at is not None

    @invariant()
    def nothing_said_holds_a_secret(self) -> None:
        for event in self.said:
            assert "'ct'" not in repr(event.wire())
            assert str(SEALED["wk"]) not in repr(event.wire())

    @invariant()
    def a_session_ends_once_and_is_authorized_only_then(self) -> None:
        ended = [event.session_id for event in self.said if type(event).__name__ == "AuthSessionEnded"]
        assert len(ended) == len(set(ended))
        authorized = [
            event.session_id for event in self.said if type(event).__name__ == "ConnectionAuthorized"
        ]
        assert set(authorized) <= set(ended)

    @invariant()
    def what_is_stored_is_what_is_read(self) -> None:
        if self.it is not None:
            kept = {**store.dump(self.it), "_id": self.it.id, "account": self.it.account}
            assert store.load(kept) == self.it


AnyOrder.TestCase.settings = settings(max_examples=25, stateful_step_count=25)
test_any_order = AnyOrder.TestCase
