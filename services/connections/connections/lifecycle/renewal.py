"""The tokens of a connection: when they are renewed, by whom, and what follows from the answer. Pure.

A renewal is written down before the provider is asked (`renewing`, with the worker's fence): a worker that
dies in between leaves a trace, and the next one tries with the refresh token that is stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from connections.lifecycle.case import Case
from connections.lifecycle.messages import (
    GrantGivenBack,
    GrantKept,
    LoginBroke,
    LoginMended,
    RenewalClaimed,
    RenewalDelayed,
    RenewalPutOff,
    RenewalRefused,
    RenewalWanted,
    Renewed,
    TokenEnded,
)
from connections.lifecycle.things import Connection
from connections.lifecycle.tokens import TokenState
from kit.transitions import Row, Table
from schemas.oauth import OAuth, TokenLife

NONE, FRESH, RENEWING, DEAD = TokenState

LOOK_AFTER = timedelta(seconds=31)
"""A worker's lease (30 s) and a moment: then somebody looks what became of its renewal."""
Outcome = Renewed | RenewalPutOff | RenewalRefused


@dataclass(frozen=True, slots=True)
class Lasts:
    """From when and until when tokens are good; None is not known."""

    since: datetime
    access_until: datetime | None
    refresh_until: datetime | None


def due(connection_id: str, life: TokenLife, lasts: Lasts) -> tuple[datetime | None, datetime | None]:
    """When to renew an access token, and when to keep an unused refresh token alive; None is never.

    Before its end by the provider's margin, but no more than a fifth of its life; earlier by up to half of
    that, the same for each connection, so that tokens that were given together are not renewed together. A
    refresh token that dies unused is used at half of its life.
    """
    access = keep = None
    if lasts.access_until is not None:
        length = max(lasts.access_until - lasts.since, timedelta(0))
        margin = min(timedelta(seconds=life.margin_seconds), length / 5)
        access = lasts.access_until - margin - margin / 2 * (UUID(connection_id).int % 1000 / 1000)
    if lasts.refresh_until is not None and life.refresh_slides:
        keep = lasts.since + (lasts.refresh_until - lasts.since) / 2
    return access, keep


def again_after(failures: int) -> timedelta:
    """How long to wait after so many renewals that did not work out: 30 s, doubling, to 15 minutes."""
    return timedelta(seconds=min(30 << min(failures, 10), 900))


def ends_nothing_else(it: Connection, spec: OAuth, others: Iterable[OAuth]) -> bool:
    """Whether an old grant can be given back without ending tokens that are in use.

    Args:
        it: whose old grant it is; its present tokens may be of the same grant.
        spec: how its provider does OAuth.
        others: the same of other connections that hold tokens of this account.
    """
    if spec.revocation_ends == "token":
        return True
    server = (spec.issuer, spec.token_url)
    return it.token is None and all((other.issuer, other.token_url) != server for other in others)


def _of_a_stale_worker(case: Case, outcome: Outcome) -> bool:
    token = case.it.token
    return token is None or outcome.fence != token.fence


def _of_other_tokens(case: Case, renewed: Renewed) -> bool:
    token, new = case.it.token, renewed.token
    return token is None or (new.credentials_revision, new.renewals) != (
        token.credentials_revision,
        token.renewals + 1,
    )


def _by_a_stale_worker(case: Case, claimed: RenewalClaimed) -> bool:
    token = case.it.token
    return token is None or claimed.fence <= token.fence


def _token(case: Case, **members: object) -> Case:
    token = case.it.token
    return case if token is None else case.changed(token=token.model_copy(update=members))


def _claim(case: Case, claimed: RenewalClaimed) -> Case:
    return _token(case, fence=claimed.fence, look_at=case.at + LOOK_AFTER, not_before=None)


def _claim_after_a_crash(case: Case, claimed: RenewalClaimed) -> Case:
    lost = case.it.token.interrupted + 1 if case.it.token else 0
    return _token(_claim(case, claimed), interrupted=lost)


def _renew(case: Case, renewed: Renewed) -> Case:
    old = case.it.token
    return case.changed(token=renewed.token.model_copy(update={"fence": old.fence if old else 0}))


def _put_off(case: Case, put: RenewalPutOff) -> Case:
    failures = case.it.token.failures + 1 if case.it.token else 0
    return _token(case, failures=failures, not_before=put.until, look_at=None)


def _delay(case: Case, delayed: RenewalDelayed) -> Case:
    return _token(case, not_before=delayed.until)


def _hurry(case: Case, _: RenewalWanted | TokenEnded) -> Case:
    return _token(case, access_due=case.at, not_before=None)


def _die(case: Case, _: RenewalRefused) -> Case:
    return _token(case, look_at=None)


def _given_back(case: Case, gone: GrantGivenBack) -> Case:
    kept = (old for old in case.it.old_grants if old.credentials_revision != gone.credentials_revision)
    return case.changed(old_grants=tuple(kept))


def _ask_later(case: Case, kept: GrantKept) -> Case:
    later = {"revoke_at": kept.until}
    return case.changed(
        old_grants=tuple(
            old.model_copy(update={**later, "tries": old.tries + 1})
            if old.credentials_revision == kept.credentials_revision
            else old
            for old in case.it.old_grants
        )
    )


def _breaks(_: Case, refused: RenewalRefused) -> Sequence[object]:
    return (LoginBroke(refused.reason),)


def _mends(_: Case, __: Renewed) -> Sequence[object]:
    return (LoginMended(),)


def _cannot_wait(case: Case, _: RenewalWanted) -> bool:
    token = case.it.token
    return token is None or not token.renewable or token.failures > 0


def _failed_lately(case: Case, _: TokenEnded) -> bool:
    token = case.it.token
    return token is None or token.failures > 0


RENEWAL: Table[TokenState] = {
    (NONE, RenewalClaimed): Row(NONE),
    (NONE, RenewalWanted): Row(NONE),
    (NONE, TokenEnded): Row(NONE),
    (NONE, RenewalDelayed): Row(NONE),
    (NONE, Renewed): Row(NONE),
    (NONE, RenewalPutOff): Row(NONE),
    (NONE, RenewalRefused): Row(NONE),
    (FRESH, RenewalClaimed): (Row(FRESH, when=_by_a_stale_worker), Row(RENEWING, _claim)),
    # What did not work out waits for its time, whoever is in a hurry.
    (FRESH, RenewalWanted): (Row(FRESH, when=_cannot_wait), Row(FRESH, _hurry)),
    # Also one of which nobody knew when it ends.
    (FRESH, TokenEnded): (Row(FRESH, when=_failed_lately), Row(FRESH, _hurry)),
    (FRESH, RenewalDelayed): Row(FRESH, _delay),
    # A newer login took the old tokens' place meanwhile.
    (FRESH, Renewed): Row(FRESH),
    (FRESH, RenewalPutOff): Row(FRESH),
    (FRESH, RenewalRefused): Row(FRESH),
    (RENEWING, RenewalClaimed): (
        Row(RENEWING, when=_by_a_stale_worker),
        Row(RENEWING, _claim_after_a_crash),
    ),
    (RENEWING, RenewalWanted): Row(RENEWING),
    (RENEWING, TokenEnded): Row(RENEWING),
    (RENEWING, RenewalDelayed): Row(RENEWING),
    # A worker that comes late brings what the provider gave nonetheless: its successor would be refused.
    (RENEWING, Renewed): (Row(RENEWING, when=_of_other_tokens), Row(FRESH, _renew)),
    (RENEWING, RenewalPutOff): (Row(RENEWING, when=_of_a_stale_worker), Row(FRESH, _put_off)),
    (RENEWING, RenewalRefused): (
        Row(RENEWING, when=_of_a_stale_worker),
        Row(DEAD, _die, _breaks),
    ),
    (DEAD, RenewalClaimed): Row(DEAD),
    (DEAD, RenewalWanted): Row(DEAD),
    (DEAD, TokenEnded): Row(DEAD),
    (DEAD, RenewalDelayed): Row(DEAD),
    # Its successor was refused because this one was first: what it brings, however late, is good.
    (DEAD, Renewed): (Row(DEAD, when=_of_other_tokens), Row(FRESH, _renew, _mends)),
    (DEAD, RenewalPutOff): Row(DEAD),
    (DEAD, RenewalRefused): Row(DEAD),
    **{(state, GrantGivenBack): Row(state, _given_back) for state in TokenState},
    **{(state, GrantKept): Row(state, _ask_later) for state in TokenState},
}
