"""The connection: its statuses, what moves it, what it says then. Pure.

What concerns a login it says to the login's own table (`messages.Consequence`); `deciding` passes it on.
"""

from __future__ import annotations

from connections.lifecycle import changes, saying
from connections.lifecycle.case import Case
from connections.lifecycle.messages import (
    ConsentEnds,
    LoggedIn,
    LoginBroke,
    LoginMended,
    OnboardingTimedOut,
)
from connections.lifecycle.things import LOGIN_BROKEN, Status
from connections.lifecycle.words import ACTIONS
from kit.transitions import Refuse, Row, Table
from schemas.catalog import ProviderRetired
from schemas.connections import (
    ConnectionChangeRequested,
    ConnectionOptionsSubmitted,
    ConnectionPauseRequested,
    ConnectionRemovalRequested,
    ConnectionRequested,
    ConnectionResumeRequested,
    ReauthenticationRequested,
)
from schemas.reasons import Reason
from schemas.syncs import DocumentsExported, DocumentsImported, SyncFailed

NEW, CONNECTING, CONFIGURING, ACTIVE, ATTENTION, REJECTED, REMOVED = Status


def _differs(case: Case, asked: ConnectionRequested) -> bool:
    return case.it.asked != asked.wire()


def _retired(case: Case, _: ConnectionRequested) -> bool:
    return case.offered.retired


def _not_set_up(case: Case, _: ConnectionRequested | ReauthenticationRequested) -> bool:
    return not case.offered.set_up


def _halted(case: Case, _: ConnectionRequested | ReauthenticationRequested) -> bool:
    return case.offered.paused


def _blocked(case: Case, _: ReauthenticationRequested) -> bool:
    return case.it.blocked_until is not None and case.at < case.it.blocked_until


def _of_another_revision(case: Case, wanted: ConnectionChangeRequested) -> bool:
    return wanted.expected_revision != case.it.revision


def _changes_what_is_wrong(case: Case, wanted: ConnectionChangeRequested) -> bool:
    trouble = case.it.trouble
    return trouble is not None and trouble.action == "change_options" and wanted.options is not None


def _of_older_credentials(case: Case, failed: SyncFailed) -> bool:
    return (
        failed.credentials_revision is not None and failed.credentials_revision < case.it.credentials_revision
    )


def _is_our_own_word(_: Case, failed: SyncFailed) -> bool:
    """A run that we stopped or lent nothing to says so: that is no news, and may come after its end."""
    refused = failed.credentials_revision is None and failed.reason in LOGIN_BROKEN
    return refused or failed.reason in (Reason.PAUSED, Reason.REMOVED)


def _is_known(case: Case, failed: SyncFailed) -> bool:
    return case.it.trouble is not None and case.it.trouble.reason is failed.reason


def _needs_a_person(_: Case, failed: SyncFailed) -> bool:
    return failed.reason in ACTIONS or failed.retry_at is None


def _went_through(case: Case, moved: DocumentsExported | DocumentsImported) -> bool:
    trouble = case.it.trouble
    return trouble is not None and moved.counts.done > 0 and moved.started_at > trouble.since


def _breaks_the_same_way(case: Case, broke: LoginBroke) -> bool:
    return case.it.trouble is not None and case.it.trouble.reason is broke.reason


def _ends_the_trouble(case: Case, _: LoginMended) -> bool:
    ends = case.it.ends_at
    return case.it.login_broken and (ends is None or case.at < ends)


def _is_there(case: Case, _: ConsentEnds) -> bool:
    return case.it.ends_at is not None and case.at >= case.it.ends_at


def _ended_in_trouble(case: Case, message: ConsentEnds) -> bool:
    return _is_there(case, message) and case.it.login_broken


def _abandoned(case: Case, _: object) -> bool:
    return case.it.reason is Reason.ABANDONED


UNKNOWN = Refuse(
    Reason.UNKNOWN_CONNECTION,
    "There is no such connection; check `connection_id` and `accountid`.",
)
NOT_AUTHORIZED = Refuse(Reason.NOT_YET, "The login comes first; wait for ConnectionAuthorized.")
NOT_SAVED = Refuse(Reason.NOT_YET, "The connection is not saved yet; wait for ConnectionSaved.")
SAVED = Refuse(Reason.ALREADY_ANSWERED, "The options were submitted already; send ConnectionChangeRequested.")
GONE = Refuse(Reason.REMOVED, "The connection was removed; request a new one under a new id.")
ENDED = (
    Refuse(
        Reason.ABANDONED, "It was not completed in 7 days; request a new one under a new id.", when=_abandoned
    ),
    Refuse(Reason.PROVIDER_RETIRED, "Its provider is no longer offered; choose another one."),
)
NOT_NOW = (
    Refuse(Reason.NOT_SET_UP, "The operator has not set up this provider; choose another one.", _not_set_up),
    Refuse(Reason.PAUSED, "The operator paused this provider; ask again later.", _halted),
)
BLOCKED = Refuse(
    Reason.LOCKED,
    "Too many logins failed in a row; ask again after `retry_at`, so that no account is locked.",
    _blocked,
)
CONFLICT = Refuse(
    Reason.REVISION_CONFLICT,
    "It was changed meanwhile; read it again and send its `revision`.",
    _of_another_revision,
)
REQUESTED = (Refuse(Reason.EXISTS, "This id is taken by another request; choose a new one.", _differs),)

CONNECTION: Table[Status] = {
    (NEW, ConnectionRequested): (
        Refuse(Reason.PROVIDER_RETIRED, "This provider is no longer offered; choose another one.", _retired),
        *NOT_NOW,
        Row(CONNECTING, changes.create, saying.begins),
    ),
    (NEW, ConnectionOptionsSubmitted): UNKNOWN,
    (NEW, ConnectionChangeRequested): UNKNOWN,
    (NEW, ReauthenticationRequested): UNKNOWN,
    (NEW, ConnectionPauseRequested): UNKNOWN,
    (NEW, ConnectionResumeRequested): UNKNOWN,
    (NEW, ConnectionRemovalRequested): UNKNOWN,
    (CONNECTING, ConnectionRequested): (*REQUESTED, Row(CONNECTING)),
    (CONNECTING, ConnectionOptionsSubmitted): NOT_AUTHORIZED,
    (CONNECTING, ConnectionChangeRequested): NOT_SAVED,
    (CONNECTING, ReauthenticationRequested): (*NOT_NOW, BLOCKED, Row(CONNECTING, emits=saying.begins_anew)),
    (CONNECTING, ConnectionPauseRequested): NOT_SAVED,
    (CONNECTING, ConnectionResumeRequested): NOT_SAVED,
    (CONNECTING, ConnectionRemovalRequested): Row(REMOVED, changes.remove, saying.removed),
    (CONNECTING, LoggedIn): Row(CONFIGURING, emits=saying.authorized),
    (CONNECTING, OnboardingTimedOut): Row(REJECTED, changes.reject, saying.rejected),
    (CONNECTING, ProviderRetired): Row(REJECTED, changes.reject, saying.rejected),
    (CONNECTING, LoginBroke): Row(CONNECTING),
    (CONNECTING, LoginMended): Row(CONNECTING),
    (CONNECTING, ConsentEnds): Row(CONNECTING),
    (CONNECTING, SyncFailed): Row(CONNECTING),
    (CONNECTING, DocumentsExported): Row(CONNECTING),
    (CONNECTING, DocumentsImported): Row(CONNECTING),
    (CONFIGURING, ConnectionRequested): (*REQUESTED, Row(CONFIGURING)),
    (CONFIGURING, ConnectionOptionsSubmitted): Row(ACTIVE, changes.save, saying.saved),
    (CONFIGURING, ConnectionChangeRequested): NOT_SAVED,
    (CONFIGURING, ReauthenticationRequested): (*NOT_NOW, BLOCKED, Row(CONFIGURING, emits=saying.begins_anew)),
    (CONFIGURING, ConnectionPauseRequested): NOT_SAVED,
    (CONFIGURING, ConnectionResumeRequested): NOT_SAVED,
    (CONFIGURING, ConnectionRemovalRequested): Row(REMOVED, changes.remove, saying.removed),
    (CONFIGURING, LoggedIn): Row(CONFIGURING, emits=saying.authorized),
    (CONFIGURING, OnboardingTimedOut): Row(REJECTED, changes.reject, saying.rejected),
    (CONFIGURING, ProviderRetired): Row(REJECTED, changes.reject, saying.rejected),
    # Whoever saves it then is told by the first run.
    (CONFIGURING, LoginBroke): Row(CONFIGURING),
    (CONFIGURING, LoginMended): Row(CONFIGURING),
    (CONFIGURING, ConsentEnds): Row(CONFIGURING),
    (CONFIGURING, SyncFailed): Row(CONFIGURING),
    (CONFIGURING, DocumentsExported): Row(CONFIGURING),
    (CONFIGURING, DocumentsImported): Row(CONFIGURING),
    (ACTIVE, ConnectionRequested): (*REQUESTED, Row(ACTIVE)),
    (ACTIVE, ConnectionOptionsSubmitted): SAVED,
    (ACTIVE, ConnectionChangeRequested): (CONFLICT, Row(ACTIVE, changes.change, saying.changed)),
    (ACTIVE, ReauthenticationRequested): (*NOT_NOW, BLOCKED, Row(ACTIVE, emits=saying.begins_anew)),
    (ACTIVE, ConnectionPauseRequested): Row(ACTIVE, changes.pause, saying.paused),
    (ACTIVE, ConnectionResumeRequested): Row(ACTIVE, changes.resume, saying.resumed),
    (ACTIVE, ConnectionRemovalRequested): Row(REMOVED, changes.remove, saying.removed),
    (ACTIVE, LoggedIn): Row(ACTIVE, emits=saying.authorized),
    # The save and the clock race; whichever lost changes nothing.
    (ACTIVE, OnboardingTimedOut): Row(ACTIVE),
    (ACTIVE, ProviderRetired): Row(ACTIVE),
    (ACTIVE, LoginBroke): Row(ATTENTION, changes.suffer, saying.needs_attention),
    (ACTIVE, LoginMended): Row(ACTIVE),
    (ACTIVE, ConsentEnds): (
        Row(ATTENTION, changes.end_by_calendar, saying.needs_attention, _is_there),
        Row(ACTIVE, changes.announce, saying.expiring),
    ),
    (ACTIVE, SyncFailed): (
        Row(ACTIVE, when=_of_older_credentials),
        Row(ACTIVE, when=_is_our_own_word),
        Row(ATTENTION, changes.suffer, saying.needs_attention, _needs_a_person),
        Row(ACTIVE),
    ),
    (ACTIVE, DocumentsExported): Row(ACTIVE),
    (ACTIVE, DocumentsImported): Row(ACTIVE),
    (ATTENTION, ConnectionRequested): (*REQUESTED, Row(ATTENTION)),
    (ATTENTION, ConnectionOptionsSubmitted): SAVED,
    (ATTENTION, ConnectionChangeRequested): (
        CONFLICT,
        Row(ACTIVE, changes.mend_by_change, saying.changed_and_recovered, _changes_what_is_wrong),
        Row(ATTENTION, changes.change, saying.changed),
    ),
    (ATTENTION, ReauthenticationRequested): (*NOT_NOW, BLOCKED, Row(ATTENTION, emits=saying.begins_anew)),
    (ATTENTION, ConnectionPauseRequested): Row(ATTENTION, changes.pause, saying.paused),
    (ATTENTION, ConnectionResumeRequested): Row(ATTENTION, changes.resume, saying.resumed),
    (ATTENTION, ConnectionRemovalRequested): Row(REMOVED, changes.remove, saying.removed),
    # Whatever else was wrong, the next run says so again.
    (ATTENTION, LoggedIn): Row(ACTIVE, changes.heal, saying.authorized_and_recovered),
    (ATTENTION, OnboardingTimedOut): Row(ATTENTION),
    (ATTENTION, ProviderRetired): Row(ATTENTION),
    (ATTENTION, LoginBroke): (
        Row(ATTENTION, when=_breaks_the_same_way),
        Row(ATTENTION, changes.suffer, saying.needs_attention),
    ),
    (ATTENTION, LoginMended): (
        Row(ACTIVE, changes.heal, saying.recovered, _ends_the_trouble),
        Row(ATTENTION),
    ),
    (ATTENTION, ConsentEnds): (
        Row(ATTENTION, changes.announce, when=_ended_in_trouble),
        Row(ATTENTION, changes.end_by_calendar, saying.needs_attention, _is_there),
        Row(ATTENTION, changes.announce, saying.expiring),
    ),
    (ATTENTION, SyncFailed): (
        Row(ATTENTION, when=_of_older_credentials),
        Row(ATTENTION, when=_is_our_own_word),
        Row(ATTENTION, when=_is_known),
        Row(ATTENTION, changes.suffer, saying.needs_attention, _needs_a_person),
        Row(ATTENTION),
    ),
    (ATTENTION, DocumentsExported): (
        Row(ACTIVE, changes.heal, saying.recovered, _went_through),
        Row(ATTENTION),
    ),
    (ATTENTION, DocumentsImported): (
        Row(ACTIVE, changes.heal, saying.recovered, _went_through),
        Row(ATTENTION),
    ),
    (REJECTED, ConnectionRequested): ENDED,
    (REJECTED, ConnectionOptionsSubmitted): ENDED,
    (REJECTED, ConnectionChangeRequested): ENDED,
    (REJECTED, ReauthenticationRequested): ENDED,
    (REJECTED, ConnectionPauseRequested): ENDED,
    (REJECTED, ConnectionResumeRequested): ENDED,
    (REJECTED, ConnectionRemovalRequested): ENDED,
    (REJECTED, OnboardingTimedOut): Row(REJECTED),
    (REJECTED, ProviderRetired): Row(REJECTED),
    (REJECTED, LoginBroke): Row(REJECTED),
    (REJECTED, LoginMended): Row(REJECTED),
    (REJECTED, ConsentEnds): Row(REJECTED),
    (REJECTED, SyncFailed): Row(REJECTED),
    (REJECTED, DocumentsExported): Row(REJECTED),
    (REJECTED, DocumentsImported): Row(REJECTED),
    (REMOVED, ConnectionRequested): GONE,
    (REMOVED, ConnectionOptionsSubmitted): GONE,
    (REMOVED, ConnectionChangeRequested): GONE,
    (REMOVED, ReauthenticationRequested): GONE,
    (REMOVED, ConnectionPauseRequested): GONE,
    (REMOVED, ConnectionResumeRequested): GONE,
    (REMOVED, ConnectionRemovalRequested): GONE,
    (REMOVED, OnboardingTimedOut): Row(REMOVED),
    (REMOVED, ProviderRetired): Row(REMOVED),
    (REMOVED, LoginBroke): Row(REMOVED),
    (REMOVED, LoginMended): Row(REMOVED),
    (REMOVED, ConsentEnds): Row(REMOVED),
    # A run under way finishes with what it was lent.
    (REMOVED, SyncFailed): Row(REMOVED),
    (REMOVED, DocumentsExported): Row(REMOVED),
    (REMOVED, DocumentsImported): Row(REMOVED),
}
