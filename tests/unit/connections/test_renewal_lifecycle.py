"""The table of tokens, against a grid written by hand; when tokens are renewed, and ends are announced."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from connections.lifecycle.deciding import timed_out
from connections.lifecycle.messages import (
    ConsentEnds,
    GrantGivenBack,
    GrantKept,
    RenewalClaimed,
    RenewalDelayed,
    RenewalPutOff,
    RenewalRefused,
    RenewalWanted,
    Renewed,
    TokenEnded,
)
from connections.lifecycle.renewal import RENEWAL, Lasts, again_after, due, ends_nothing_else
from connections.lifecycle.things import Connection, Status
from connections.lifecycle.tokens import Token, TokenState
from schemas.connections import (
    ConnectionExpiring,
    ConnectionNeedsAttention,
    ConnectionPauseRequested,
    ConnectionRecovered,
    ConnectionRemovalRequested,
)
from schemas.oauth import OAuth, TokenLife
from schemas.reasons import Reason
from tests.unit.connections.builders import ID, NOW, SEALED, active, after, said
from tests.unit.connections.grids import cells, messages, states

GRID = """
                            | none | fresh    | renewing | dead
RenewalClaimed              | none | renewing | renewing | dead
RenewalClaimed by a stale   | none | fresh    | renewing | dead
RenewalWanted               | none | fresh    | renewing | dead
TokenEnded                  | none | fresh    | renewing | dead
RenewalDelayed              | none | fresh    | renewing | dead
Renewed                     | none | fresh    | fresh    | fresh
Renewed by a late worker    | none | fresh    | fresh    | fresh
Renewed of older tokens     | none | fresh    | renewing | dead
RenewalPutOff               | none | fresh    | fresh    | dead
RenewalPutOff by a stale    | none | fresh    | renewing | dead
GrantGivenBack              | none | fresh    | renewing | dead
GrantKept                   | none | fresh    | renewing | dead
RenewalRefused              | none | fresh    | dead     | dead
RenewalRefused by a stale   | none | fresh    | renewing | dead
"""
SOON = NOW + timedelta(hours=1)


def token(**members: Any) -> Token:
    return Token(sealed=SEALED, access_until=SOON, access_due=SOON - timedelta(minutes=5), fence=3, **members)


def holding(state: TokenState, **members: Any) -> Connection:
    held = None if state is TokenState.NONE else token(state=state, **members)
    return active().model_copy(update={"token": held})


MESSAGES = {
    "RenewalClaimed": RenewalClaimed(4),
    "RenewalClaimed by a stale": RenewalClaimed(3),
    "RenewalWanted": RenewalWanted(),
    "TokenEnded": TokenEnded(),
    "RenewalDelayed": RenewalDelayed(SOON),
    "Renewed": Renewed(3, token(renewals=1)),
    "Renewed by a late worker": Renewed(2, token(renewals=1)),
    "Renewed of older tokens": Renewed(3, token(renewals=0)),
    "RenewalPutOff": RenewalPutOff(3, SOON),
    "RenewalPutOff by a stale": RenewalPutOff(2, SOON),
    "GrantGivenBack": GrantGivenBack(1),
    "GrantKept": GrantKept(1, SOON),
    "RenewalRefused": RenewalRefused(3, Reason.CONSENT_EXPIRED),
    "RenewalRefused by a stale": RenewalRefused(2, Reason.CONSENT_EXPIRED),
}


@pytest.mark.parametrize(("message", "state", "becomes"), list(cells(GRID)))
def test_a_message_and_a_state_make(message: str, state: str, becomes: str) -> None:
    it = after(holding(TokenState(state)), MESSAGES[message])

    assert (it.token.state if it.token else TokenState.NONE) == becomes


def test_the_grid_knows_every_state_and_every_message() -> None:
    assert states(GRID) == {state.value for state in TokenState}
    possible = {(state, message.split()[0]) for message, state, _ in cells(GRID)}
    assert {(state.value, message.__name__) for state, message in RENEWAL} == possible
    assert messages(GRID) == MESSAGES.keys()


ENDS = """
      | alone | logged in again | another holder | a holder elsewhere
grant | yes   | no              | no             | yes
token | yes   | yes             | yes            | yes
"""
HERE = "https://login.example/t"
HELD = {
    "alone": (TokenState.NONE, []),
    "logged in again": (TokenState.FRESH, []),
    "another holder": (TokenState.NONE, [OAuth(token_url=HERE)]),
    "a holder elsewhere": (TokenState.NONE, [OAuth(token_url="https://other.example/t")]),
}


@pytest.mark.parametrize(("ends", "held", "given_back"), list(cells(ENDS)))
def test_an_old_grant_is_given_back_where_that_ends_nothing_else(
    ends: Any, held: str, given_back: str
) -> None:
    state, others = HELD[held]
    spec = OAuth(token_url=HERE, revocation_ends=ends)

    assert ends_nothing_else(holding(state), spec, others) is (given_back == "yes")


def test_a_provider_of_which_nothing_is_known_is_taken_to_end_all() -> None:
    assert OAuth(token_url=HERE).revocation_ends == "grant"


def test_a_refused_refresh_token_asks_the_customer_at_once() -> None:
    it = holding(TokenState.RENEWING)
    refused = RenewalRefused(3, Reason.CONSENT_EXPIRED)

    told = said(it, refused)

    assert [type(event) for event in told] == [ConnectionNeedsAttention]
    assert told[0].reason is Reason.CONSENT_EXPIRED
    assert told[0].action == "reauthenticate"
    assert after(it, refused).status is Status.ATTENTION
    assert after(it, refused).renew_at is None


def test_a_token_that_comes_after_its_successors_refusal_makes_all_good_again() -> None:
    refused = after(holding(TokenState.RENEWING), RenewalRefused(3, Reason.CONSENT_EXPIRED))
    late = Renewed(2, token(renewals=1))

    told = said(refused, late)
    it = after(refused, late)

    assert [(type(event), event.reason) for event in told] == [(ConnectionRecovered, Reason.CONSENT_EXPIRED)]
    assert (it.status, it.trouble) == (Status.ACTIVE, None)
    assert it.token is not None
    assert (it.token.renewals, it.renew_at) == (1, SOON - timedelta(minutes=5))


def test_an_outage_asks_nobody_and_is_waited_out() -> None:
    it = holding(TokenState.RENEWING)
    put_off = RenewalPutOff(3, NOW + timedelta(hours=2))

    assert said(it, put_off) == []
    assert after(it, put_off).renew_at == NOW + timedelta(hours=2)
    assert after(it, put_off).status is Status.ACTIVE


def test_a_renewal_is_written_down_before_the_provider_is_asked_and_looked_after() -> None:
    claimed = after(holding(TokenState.FRESH), RenewalClaimed(4))

    assert claimed.token is not None
    assert claimed.token.fence == 4
    assert claimed.renew_at == NOW + timedelta(seconds=31)
    again = after(claimed, RenewalClaimed(5))
    assert again.token is not None
    assert again.token.interrupted == 1
    assert again.token.sealed == SEALED  # the old refresh token is tried once more


def test_a_newer_login_is_not_overwritten_by_a_renewal_of_the_old_one() -> None:
    newer = holding(TokenState.FRESH, renewals=0)

    assert after(newer, Renewed(3, token(renewals=7))).token == newer.token


def test_a_pause_renews_only_what_would_die_unused() -> None:
    it = holding(TokenState.FRESH, keep_due=NOW + timedelta(days=30))

    assert it.renew_at == SOON - timedelta(minutes=5)
    assert after(it, ConnectionPauseRequested(connection_id=ID)).renew_at == NOW + timedelta(days=30)


def test_what_did_not_work_out_is_not_hurried() -> None:
    it = holding(TokenState.FRESH, failures=1, not_before=SOON)

    assert after(it, RenewalWanted()).renew_at == SOON
    assert after(holding(TokenState.FRESH), RenewalWanted()).renew_at == NOW


@pytest.mark.parametrize(
    ("life", "lasts", "least", "most"),
    [
        (TokenLife(), timedelta(hours=1), timedelta(minutes=52), timedelta(minutes=55)),
        (TokenLife(), timedelta(minutes=10), timedelta(minutes=7), timedelta(minutes=8)),
        (TokenLife(margin_seconds=30), timedelta(minutes=10), timedelta(minutes=9), timedelta(minutes=9.5)),
        (TokenLife(), timedelta(seconds=0), timedelta(0), timedelta(0)),
    ],
    ids=[
        "an hour",
        "ten minutes: a fifth at most",
        "a provider that renews only shortly before",
        "over already",
    ],
)
def test_an_access_token_is_renewed_before_its_end(
    life: TokenLife, lasts: timedelta, least: timedelta, most: timedelta
) -> None:
    for _ in range(20):
        access, keep = due(str(uuid4()), life, Lasts(NOW, NOW + lasts, None))
        assert keep is None
        assert access is not None
        assert least <= access - NOW <= most


def test_tokens_that_were_given_together_are_not_renewed_together() -> None:
    times = {due(str(UUID(int=n)), TokenLife(), Lasts(NOW, SOON, None))[0] for n in range(1000)}
    assert len(times) == 1000


@pytest.mark.parametrize(
    ("life", "refresh_until", "keep"),
    [
        (TokenLife(), NOW + timedelta(hours=11), NOW + timedelta(hours=5.5)),
        (TokenLife(refresh_slides=False), NOW + timedelta(days=7), None),
        (TokenLife(), None, None),
    ],
    ids=["dies after 11 hours unused", "dies after 7 days whatever happens", "never dies"],
)
def test_a_refresh_token_is_kept_alive_where_that_helps(
    life: TokenLife, refresh_until: datetime | None, keep: datetime | None
) -> None:
    assert due(ID, life, Lasts(NOW, None, refresh_until)) == (None, keep)


def test_waits_grow_to_a_quarter_of_an_hour() -> None:
    assert [again_after(n).total_seconds() for n in (0, 1, 4, 5, 400)] == [30, 60, 480, 900, 900]


def test_an_end_by_the_calendar_is_announced_7_days_and_1_day_before_and_is_then_there() -> None:
    end = NOW + timedelta(days=90)
    it = active().model_copy(update={"ends_at": end})
    told: list[tuple[timedelta, type]] = []

    for hours in range(0, 91 * 24, 6):
        at = NOW + timedelta(hours=hours)
        message = timed_out(it, at)
        if isinstance(message, ConsentEnds):
            told += [(end - at, type(event)) for event in said(it, message, at)]
            it = after(it, message, at=at)

    assert told == [
        (timedelta(days=7), ConnectionExpiring),
        (timedelta(days=1), ConnectionExpiring),
        (timedelta(0), ConnectionNeedsAttention),
    ]
    assert it.status is Status.ATTENTION


def test_at_its_end_a_grant_is_given_back_once_no_loan_of_it_is_in_use() -> None:
    gone = after(holding(TokenState.FRESH), ConnectionRemovalRequested(connection_id=ID))

    assert gone.token is None
    assert gone.renew_at == NOW + timedelta(minutes=6)
    kept = after(gone, GrantKept(0, SOON))
    assert kept.renew_at == SOON
    assert after(kept, GrantGivenBack(0)).renew_at is None


def test_after_a_long_outage_an_end_is_announced_once() -> None:
    it = active().model_copy(update={"ends_at": NOW + timedelta(hours=2)})

    assert [type(event) for event in said(it, ConsentEnds())] == [ConnectionExpiring]
    assert after(it, ConsentEnds()).announce_at == NOW + timedelta(hours=2)
