"""How a connection changes: what each row of `connection.CONNECTION` does to it. Pure; which row holds is not
decided here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from connections.lifecycle.case import Case
from connections.lifecycle.messages import ConsentEnds, LoginBroke, OnboardingTimedOut
from connections.lifecycle.things import ANNOUNCED, LOAN_LASTS, Connection, Login, Status, Trouble
from connections.lifecycle.tokens import OldGrant
from connections.lifecycle.values import checked
from connections.lifecycle.words import ACTIONS, said, title_of
from kit.endings import Refused
from schemas.catalog import ProviderRetired
from schemas.connections import (
    ConnectionChangeRequested,
    ConnectionOptionsSubmitted,
    ConnectionPauseRequested,
    ConnectionRemovalRequested,
    ConnectionRequested,
    ConnectionResumeRequested,
)
from schemas.fields import FieldError
from schemas.filters import Filters
from schemas.manifest import Manifest
from schemas.reasons import Reason
from schemas.schedules import Schedule
from schemas.syncs import SyncFailed


def create(case: Case, asked: ConnectionRequested) -> Case:
    provider = case.offered
    locale = asked.locale or "en"
    name = provider.manifest.name.said(locale)
    if asked.direction not in provider.manifest.directions:
        text = said("direction", locale, name=name)
        raise Refused(Reason.INVALID, text, (FieldError(field="direction", code="direction", message=text),))
    return case.became(
        Connection(
            id=asked.connection_id,
            account=case.account,
            asked=asked.wire(),
            direction=asked.direction,
            provider_id=asked.provider_id,
            provider_revision=provider.revision,
            locale=locale,
            name=asked.name or name,
            status=Status.NEW,
            schedule=asked.schedule or _usual(provider.manifest, asked),
            filters=asked.filters or Filters(),
            start=asked.start or "now",
            created_at=case.at,
            login=Login(answer_by=asked.answer_by, locale=locale),
        )
    )


def _usual(manifest: Manifest, asked: ConnectionRequested) -> Schedule:
    """How often where nobody says so, by the customer's own clock where that is known."""
    usual = manifest.usual(asked.direction)
    return usual.model_copy(update={"timezone": asked.timezone}) if asked.timezone else usual


def _chosen(it: Connection, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options as they are kept; faults are told by their path in the event's data."""
    try:
        return checked(it.option_fields, options, it.locale)
    except Refused as refused:
        errors = (error.model_copy(update={"field": f"options.{error.field}"}) for error in refused.errors)
        raise Refused(refused.reason, refused.message, tuple(errors)) from None


def save(case: Case, chosen: ConnectionOptionsSubmitted) -> Case:
    it = case.it
    return case.changed(
        options=_chosen(it, chosen.options),
        schedule=chosen.schedule or it.schedule,
        filters=chosen.filters or it.filters,
        start=chosen.start or it.start,
        name=chosen.name or it.name,
        revision=1,
        saved_at=case.at,
    )


def change(case: Case, wanted: ConnectionChangeRequested) -> Case:
    it = case.it
    options = it.options
    if wanted.options is not None:
        options = _chosen(it, wanted.options)
    return case.changed(
        options=options,
        schedule=wanted.schedule or it.schedule,
        filters=wanted.filters or it.filters,
        name=wanted.name or it.name,
        revision=it.revision + 1,
        saved_at=case.at,
    )


def mend_by_change(case: Case, wanted: ConnectionChangeRequested) -> Case:
    return change(case, wanted).changed(healed=case.it.trouble, trouble=None)


def pause(case: Case, _: ConnectionPauseRequested) -> Case:
    return case.changed(paused=True)


def resume(case: Case, _: ConnectionResumeRequested) -> Case:
    return case.changed(paused=False)


MOST_GRANTS = 5
"""Old grants that wait to be given back; older ones are left to the provider."""


def retire_grant(case: Case) -> Case:
    """The grant there is, if any, is to be given back once what was lent of it has ended."""
    it, token = case.it, case.it.token
    if token is None:
        return case
    old = OldGrant(
        sealed=token.sealed,
        credentials_revision=token.credentials_revision,
        renewals=token.renewals,
        provider_revision=it.provider_revision,
        revoke_at=case.at + LOAN_LASTS,
    )
    return case.changed(old_grants=(*it.old_grants, old)[-MOST_GRANTS:], token=None)


def _shred(case: Case) -> Case:
    """Without the sealed data key nobody opens the credentials ever again."""
    return retire_grant(case).changed(credentials=None, ends_at=None, known={}, trouble=None)


def remove(case: Case, _: ConnectionRemovalRequested) -> Case:
    return _shred(case).changed(reason=None, message=None, removed_at=case.at)


def reject(case: Case, finished: OnboardingTimedOut | ProviderRetired) -> Case:
    reason = Reason.ABANDONED if isinstance(finished, OnboardingTimedOut) else Reason.PROVIDER_RETIRED
    return _shred(case).changed(reason=reason, message=said(reason.value, case.it.locale), removed_at=case.at)


def suffer(case: Case, failed: SyncFailed | LoginBroke) -> Case:
    return _in_trouble(case, failed.reason)


def end_by_calendar(case: Case, ends: ConsentEnds) -> Case:
    return _in_trouble(announce(case, ends), Reason.CONSENT_EXPIRED)


def announce(case: Case, _: ConsentEnds) -> Case:
    """What is said now covers every announcement whose time has come."""
    return case.changed(announced=passed(case.it.ends_at, case.at))


def passed(ends_at: datetime | None, at: datetime) -> int:
    """How many announcements of an end are due at `at`, the end itself included."""
    if ends_at is None:
        return 0
    return sum(at >= ends_at - before for before in (*ANNOUNCED, timedelta(0)))


def _in_trouble(case: Case, reason: Reason) -> Case:
    action = ACTIONS.get(reason, "contact_support")
    trouble = Trouble(
        reason=reason,
        title=title_of(reason, case.it.locale),
        message=said(action, case.it.locale),
        action=action,
        since=case.at,
    )
    return case.changed(trouble=trouble)


def heal(case: Case, _: object) -> Case:
    return case.changed(healed=case.it.trouble, trouble=None)
