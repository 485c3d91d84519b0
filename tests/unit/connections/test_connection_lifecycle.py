"""The table of connections, against a grid written by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from connections.lifecycle.case import Provider
from connections.lifecycle.changes import create
from connections.lifecycle.connection import CONNECTION
from connections.lifecycle.deciding import decide, timed_out
from connections.lifecycle.messages import (
    ConsentEnds,
    LoggedIn,
    LoginBroke,
    LoginMended,
    OnboardingTimedOut,
)
from connections.lifecycle.things import ONBOARDING_LASTS, Connection, Status
from kit.endings import Refused
from kit.transitions import IllegalTransition
from schemas.catalog import ProviderRetired
from schemas.connections import (
    AuthChallengeIssued,
    AuthSessionEnded,
    ConnectionAuthorized,
    ConnectionChanged,
    ConnectionChangeRequested,
    ConnectionOptionsSubmitted,
    ConnectionPaused,
    ConnectionPauseRequested,
    ConnectionRejected,
    ConnectionRemovalRequested,
    ConnectionRemoved,
    ConnectionRequested,
    ConnectionResumed,
    ConnectionResumeRequested,
    ConnectionSaved,
    ReauthenticationRequested,
)
from schemas.manifest import Manifest
from schemas.reasons import Reason
from schemas.syncs import DocumentsExported, DocumentsImported, SyncFailed
from tests.unit.connections.builders import (
    ID,
    MANIFEST,
    NOW,
    active,
    after,
    case,
    configuring,
    connecting,
    exported,
    failed,
    in_status,
    request,
    said,
    trying,
    verified,
    wrong,
)
from tests.unit.connections.grids import cells, messages, states

GRID = """
                           | new                 | connecting  | configuring | active            | attention         | rejected          | removed
ConnectionRequested        | connecting          | connecting  | configuring | active            | attention         | !provider_retired | !removed
ConnectionOptionsSubmitted | !unknown_connection | !not_yet    | active      | !already_answered | !already_answered | !provider_retired | !removed
ConnectionChangeRequested  | !unknown_connection | !not_yet    | !not_yet    | active            | attention         | !provider_retired | !removed
ReauthenticationRequested  | !unknown_connection | connecting  | configuring | active            | attention         | !provider_retired | !removed
ConnectionPauseRequested   | !unknown_connection | !not_yet    | !not_yet    | active            | attention         | !provider_retired | !removed
ConnectionResumeRequested  | !unknown_connection | !not_yet    | !not_yet    | active            | attention         | !provider_retired | !removed
ConnectionRemovalRequested | !unknown_connection | removed     | removed     | removed           | removed           | !provider_retired | !removed
LoggedIn                   | never               | configuring | configuring | active            | active            | never             | never
OnboardingTimedOut         | never               | rejected    | rejected    | active            | attention         | rejected          | removed
ProviderRetired            | never               | rejected    | rejected    | active            | attention         | rejected          | removed
LoginBroke                 | never               | connecting  | configuring | attention         | attention         | rejected          | removed
LoginMended                | never               | connecting  | configuring | active            | active            | rejected          | removed
LoginMended at the end     | never               | connecting  | configuring | active            | attention         | rejected          | removed
ConsentEnds                | never               | connecting  | configuring | active            | attention         | rejected          | removed
ConsentEnds at the end     | never               | connecting  | configuring | attention         | attention         | rejected          | removed
SyncFailed                 | never               | connecting  | configuring | attention         | attention         | rejected          | removed
SyncFailed when stopped    | never               | connecting  | configuring | active            | attention         | rejected          | removed
SyncFailed as nothing lent | never               | connecting  | configuring | active            | attention         | rejected          | removed
SyncFailed on its way back | never               | connecting  | configuring | active            | attention         | rejected          | removed
DocumentsExported          | never               | connecting  | configuring | active            | active            | rejected          | removed
DocumentsImported          | never               | connecting  | configuring | active            | active            | rejected          | removed
"""  # noqa: E501 - one line a message

MESSAGES: dict[str, Callable[[Connection | None], object]] = {
    "ConnectionRequested": lambda _: request(),
    "ConnectionOptionsSubmitted": lambda _: ConnectionOptionsSubmitted(connection_id=ID, options={}),
    "ConnectionChangeRequested": lambda _: ConnectionChangeRequested(
        connection_id=ID, expected_revision=1, name="Archive"
    ),
    "ReauthenticationRequested": lambda _: ReauthenticationRequested(connection_id=ID),
    "ConnectionPauseRequested": lambda _: ConnectionPauseRequested(connection_id=ID),
    "ConnectionResumeRequested": lambda _: ConnectionResumeRequested(connection_id=ID),
    "ConnectionRemovalRequested": lambda _: ConnectionRemovalRequested(connection_id=ID),
    "LoggedIn": lambda _: LoggedIn(),
    "OnboardingTimedOut": lambda _: OnboardingTimedOut(),
    "ProviderRetired": lambda _: ProviderRetired(provider_id="webdav", revision=4),
    "LoginBroke": lambda _: LoginBroke(Reason.CONSENT_EXPIRED),
    "LoginMended": lambda _: LoginMended(),
    "LoginMended at the end": lambda _: LoginMended(),
    "ConsentEnds": lambda _: ConsentEnds(),
    "ConsentEnds at the end": lambda _: ConsentEnds(),
    "SyncFailed": lambda it: failed(it or active()),
    "SyncFailed when stopped": lambda it: failed(it or active(), Reason.PAUSED),
    "SyncFailed as nothing lent": lambda it: failed(it or active(), credentials_revision=None),
    "SyncFailed on its way back": lambda it: failed(it or active(), credentials_revision=0),
    "DocumentsExported": lambda it: exported(it or active()),
    "DocumentsImported": lambda it: DocumentsImported(**dict(exported(it or active()))),
}


@pytest.mark.parametrize(("message", "status", "becomes"), list(cells(GRID)))
def test_a_message_and_a_status_make(message: str, status: str, becomes: str) -> None:
    before = in_status(Status(status))
    if message.endswith(" at the end") and before is not None:
        before = before.model_copy(update={"ends_at": NOW})
    thing = MESSAGES[message](before)

    if becomes == "never":
        with pytest.raises(IllegalTransition):
            decide(case(before), thing)
    elif becomes.startswith("!"):
        with pytest.raises(Refused) as refused:
            decide(case(before), thing)
        assert refused.value.reason == becomes[1:]
        assert not isinstance(refused.value, IllegalTransition)
    else:
        assert after(before, thing).status == becomes


def test_the_grid_knows_every_status_and_every_message() -> None:
    assert states(GRID) == {status.value for status in Status}
    assert {message.split()[0] for message in messages(GRID)} == {
        message.__name__ for _, message in CONNECTION
    }


def test_the_table_has_a_row_for_every_cell_that_is_not_impossible() -> None:
    possible = {(state, message.split()[0]) for message, state, becomes in cells(GRID) if becomes != "never"}
    assert {(state.value, message.__name__) for state, message in CONNECTION} == possible


def kinds(connection: Connection | None, message: object) -> list[type]:
    return [type(event) for event in said(connection, message)]


def test_a_request_is_answered_with_the_first_challenge() -> None:
    (challenge,) = said(None, request())

    assert isinstance(challenge, AuthChallengeIssued)
    assert [field.name for field in challenge.fields] == ["url", "username", "password"]
    assert (challenge.purpose, challenge.step, challenge.attempts_left) == ("connect", 1, 3)
    assert challenge.answer_by == ("sealed",)
    assert challenge.expires_at == NOW + timedelta(minutes=30)


def test_the_same_request_again_changes_nothing() -> None:
    assert decide(case(active()), request()) is None


def test_another_request_for_the_same_id_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        decide(case(connecting()), request(name="Another"))
    assert refused.value.reason is Reason.EXISTS


def test_a_direction_that_the_provider_does_not_offer_is_refused_by_its_field() -> None:
    with pytest.raises(Refused) as refused:
        decide(case(), request(direction="import"))
    assert refused.value.reason is Reason.INVALID
    assert [error.field for error in refused.value.errors] == ["direction"]


def test_an_abandoned_connection_says_so_to_whoever_asks() -> None:
    it = after(connecting(), OnboardingTimedOut())
    with pytest.raises(Refused) as refused:
        decide(case(it), ReauthenticationRequested(connection_id=ID))
    assert refused.value.reason is Reason.ABANDONED


def test_an_authorized_login_offers_the_options() -> None:
    it = trying()
    ended, authorized = said(it, verified(it))

    assert isinstance(ended, AuthSessionEnded)
    assert ended.result == "authorized"
    assert isinstance(authorized, ConnectionAuthorized)
    assert [field.name for field in authorized.options] == ["folder", "clash"]
    assert (authorized.identity, authorized.provider_revision) == ("jane@dav.example.org", 3)


def test_a_save_says_everything_that_was_chosen_and_what_was_not() -> None:
    chosen = ConnectionOptionsSubmitted(connection_id=ID, options={"folder": "Invoices"})
    (saved,) = said(configuring(), chosen)

    assert isinstance(saved, ConnectionSaved)
    assert saved.options == {"folder": "/Invoices", "clash": "skip_same"}
    assert (saved.revision, saved.schedule.every, saved.start, saved.name) == (1, "P1D", "now", "WebDAV")


@pytest.mark.parametrize(
    ("options", "field", "code"),
    [
        ({"clash": "never"}, "clash", "choice"),
        ({"colour": "red"}, "colour", "unknown"),
        ({"folder": 7}, "folder", "text"),
        ({"folder": "/a/../b"}, "folder", "folder"),
        ({"folder": "/{nonsense}"}, "folder", "placeholder"),
        ({"folder": "/{year"}, "folder", "brace"),
    ],
)
def test_options_that_break_their_fields_rules_are_refused_by_field(
    options: dict[str, object], field: str, code: str
) -> None:
    with pytest.raises(Refused) as refused:
        decide(case(configuring()), ConnectionOptionsSubmitted(connection_id=ID, options=options))
    assert refused.value.reason is Reason.INVALID
    assert [(error.field, error.code) for error in refused.value.errors] == [(f"options.{field}", code)]


def test_a_change_replaces_whole_members_and_rises_the_revision() -> None:
    change = ConnectionChangeRequested(connection_id=ID, expected_revision=1, options={"clash": "number"})
    (changed,) = said(active(), change)

    assert isinstance(changed, ConnectionChanged)
    assert changed.options == {"folder": "/", "clash": "number"}
    assert changed.revision == 2


@pytest.mark.parametrize("expected", [2, 7])
def test_a_change_of_another_revision_is_refused(expected: int) -> None:
    change = ConnectionChangeRequested(connection_id=ID, expected_revision=expected, name="Archive")
    with pytest.raises(Refused) as refused:
        decide(case(active()), change)
    assert refused.value.reason is Reason.REVISION_CONFLICT


def test_a_second_reauthentication_supersedes_the_first() -> None:
    again = ReauthenticationRequested(connection_id=ID, answer_by="sealed")
    it = after(active(), again)
    ended, challenge = said(it, again)

    assert (ended.result, ended.reason, ended.purpose) == ("cancelled", "superseded", "reauthenticate")
    assert challenge.challenge_id != it.login.challenge.challenge_id  # type: ignore[union-attr]
    assert challenge.session_id != ended.session_id


def test_a_relogin_offers_what_is_no_secret() -> None:
    (challenge,) = said(active(), ReauthenticationRequested(connection_id=ID))
    assert {field.name: field.default for field in challenge.fields} == {
        "url": None,
        "username": "jane",
        "password": None,
    }


def test_a_pause_said_twice_is_said_twice_and_a_resume_ends_it() -> None:
    it = after(active(), ConnectionPauseRequested(connection_id=ID))

    assert it.paused
    assert kinds(it, ConnectionPauseRequested(connection_id=ID)) == [ConnectionPaused]
    assert kinds(it, ConnectionResumeRequested(connection_id=ID)) == [ConnectionResumed]


@pytest.mark.parametrize("status", [Status.CONNECTING, Status.CONFIGURING, Status.ACTIVE, Status.ATTENTION])
def test_a_removal_shreds_every_secret_and_ends_the_login(status: Status) -> None:
    before = after(in_status(status), ReauthenticationRequested(connection_id=ID, answer_by="sealed"))
    before = trying(before)
    removal = ConnectionRemovalRequested(connection_id=ID)

    assert kinds(before, removal) == [AuthSessionEnded, ConnectionRemoved]
    it = after(before, removal)
    held = (it.credentials, it.login.given, it.login.machine, it.login.found, it.known)
    assert held == (None, None, None, None, {})
    assert it.wake_at is None


def test_an_unfinished_onboarding_is_given_up_after_seven_days() -> None:
    it = configuring()
    end = NOW + ONBOARDING_LASTS

    assert it.wake_at == end
    assert timed_out(it, end - timedelta(milliseconds=1)) is None
    (rejected,) = said(it, timed_out(it, end))
    assert isinstance(rejected, ConnectionRejected)
    assert rejected.reason == "abandoned"
    assert after(it, OnboardingTimedOut()).credentials is None


def test_a_retired_provider_ends_an_onboarding_but_no_saved_connection() -> None:
    retired = ProviderRetired(provider_id="webdav", revision=4)

    assert kinds(connecting(), retired) == [AuthSessionEnded, ConnectionRejected]
    assert decide(case(active()), retired) is None


def test_failed_logins_are_counted_across_sessions() -> None:
    it = connecting()
    for _ in range(2):
        it = trying(it)
        it = after(it, wrong(it))
    it = after(it, ReauthenticationRequested(connection_id=ID, answer_by="sealed"))

    assert it.login.challenge is not None
    assert it.login.challenge.attempts_left == 1


def test_every_message_of_the_topic_is_in_the_table() -> None:
    from schemas.connections import REQUESTS

    heard = {message for _, message in CONNECTION}
    assert set(REQUESTS) | {SyncFailed, DocumentsExported, DocumentsImported, ProviderRetired} <= heard
    assert ConnectionRequested in heard


@pytest.mark.parametrize(
    ("told", "asked", "every"),
    [(None, None, "P1D"), ("PT1H", None, "PT1H"), ("PT1H", "PT15M", "PT15M")],
    ids=["nobody says", "the provider says", "the customer says"],
)
def test_an_import_is_due_as_its_provider_says_where_the_customer_says_nothing(
    told: str | None, asked: str | None, every: str
) -> None:
    schedule = {"schedule": {"every": told}} if told else {}
    manifest = Manifest.model_validate(MANIFEST.wire() | {"directions": ["import"]} | schedule)
    wanted = request(direction="import", **({"schedule": {"every": asked}} if asked else {}))
    made = create(replace(case(), provider=Provider(manifest, revision=3)), wanted)

    assert made.it.schedule.every == every


@pytest.mark.parametrize(
    ("direction", "asks", "asked", "quiet"),
    [
        ("import", {"ask": "code_sent"}, None, [("21:00", "07:00")]),
        ("import", {"ask": "code_offline"}, None, []),
        ("import", None, None, []),
        ("import", {"ask": "code_sent"}, {"every": "P1D"}, []),
        ("export", {"ask": "code_sent"}, None, []),
    ],
    ids=["a code is sent", "its own device makes it", "no code", "the customer says", "an export"],
)
def test_no_import_by_default_runs_at_night_where_the_provider_may_ask_for_a_code(
    direction: str, asks: dict[str, Any] | None, asked: dict[str, Any] | None, quiet: list[tuple[str, str]]
) -> None:
    field = {"name": "code", "label": "Code", "type": "code", "required": True}
    code = [{**asks, "fields": [field]}] if asks else []
    wire = MANIFEST.wire()
    both = {"directions": ["import", "export"], "login": [*wire["login"], *code]}
    manifest = Manifest.model_validate(wire | both)
    given = {"schedule": asked} if asked else {}
    wanted = request(direction=direction, timezone="Australia/Perth", **given)
    made = create(replace(case(), provider=Provider(manifest, revision=3)), wanted)
    elsewhere = create(replace(case(), provider=Provider(manifest, revision=3)), request(direction=direction))

    assert [(each.from_, each.to) for each in made.it.schedule.quiet] == quiet
    assert made.it.schedule.timezone == ("UTC" if asked else "Australia/Perth"), "by the customer's clock"
    assert elsewhere.it.schedule.timezone == "UTC"
