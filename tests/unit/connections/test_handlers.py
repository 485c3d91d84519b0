"""Handlers and the login worker, over stores in memory: what is written and what is said."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from pymongo.errors import AutoReconnect

from connections.lifecycle.things import Connection, LoginState, Status
from kit.endings import DONE, NotNow, Refused
from providers.login import outcomes
from schemas.catalog import ProviderPublished, ProviderRetired
from schemas.connections import (
    AuthChallengeAnswerSubmitted,
    ConnectionOptionsSubmitted,
    ReauthenticationRequested,
    Trouble,
)
from schemas.reasons import Reason
from tests.unit.connections.builders import BROWSER, ID, MANIFEST, NOW, failed, request
from tests.unit.connections.room import CANARY, FIELDS, Room, heard


@pytest.fixture
def room() -> Room:
    return Room()


async def test_a_request_and_its_first_challenge_are_one_write(room: Room) -> None:
    assert await room.ask(request()) == [DONE]

    assert room.things.documents[ID]["v"] == 1
    assert room.said() == ["AuthChallengeIssued"]


async def test_the_same_request_under_a_new_event_id_does_no_harm(room: Room) -> None:
    await room.ask(request(), request())
    assert await room.ask(request()) == [DONE]

    assert room.said() == ["AuthChallengeIssued"]


async def test_another_accounts_connection_does_not_exist_for_it(room: Room) -> None:
    await room.ask(request())
    (ending,) = await room.ask(ReauthenticationRequested(connection_id=ID), account="another")

    assert isinstance(ending, Refused)
    assert ending.reason is Reason.UNKNOWN_CONNECTION
    assert room.said() == ["AuthChallengeIssued"]


async def test_an_unknown_provider_is_refused_once_the_catalog_is_read_to_its_end(room: Room) -> None:
    room.read_to_the_end = False
    (ending,) = await room.ask(request(provider_id="none"))
    assert isinstance(ending, NotNow)

    room.read_to_the_end = True
    (ending,) = await room.ask(request(provider_id="none"))
    assert isinstance(ending, Refused)
    assert ending.reason is Reason.UNKNOWN_PROVIDER


async def test_a_retired_provider_takes_no_new_connection_and_ends_onboardings(room: Room) -> None:
    await room.ask(request())
    retired = ProviderRetired(provider_id="webdav", revision=2)
    await room.facts.of_providers([heard(retired, "catalog.events", account=None)])

    assert room.said() == ["AuthChallengeIssued", "AuthSessionEnded", "ConnectionRejected"]
    (ending,) = await room.ask(request(connection_id=str(uuid4())))
    assert isinstance(ending, Refused)
    assert ending.reason is Reason.PROVIDER_RETIRED


async def test_a_provider_known_by_its_end_alone_is_refused_as_retired(room: Room) -> None:
    retired = ProviderRetired(provider_id="gone", revision=2)
    await room.facts.of_providers([heard(retired, "catalog.events", account=None)])
    (ending,) = await room.ask(request(provider_id="gone"))

    assert isinstance(ending, Refused)
    assert ending.reason is Reason.PROVIDER_RETIRED


async def test_an_answer_is_sealed_until_it_is_tried_and_gone_afterwards(room: Room) -> None:
    await room.ask(request())
    await room.logins.answer(await room.an_answer())

    assert (await room.it()).login.state is LoginState.TRYING
    assert CANARY not in repr(room.things.documents)
    assert await room.trying.due(NOW, 10) == [ID]
    await room.tries.look(ID)
    assert room.answers[0].fields == FIELDS
    it = await room.it()
    assert (it.status, it.login.given) == (Status.CONFIGURING, None)
    assert CANARY not in repr(room.things.documents) + repr(room.things.owed)
    assert room.said()[1:] == ["AuthChallengeAnswered", "AuthSessionEnded", "ConnectionAuthorized"]


async def test_the_same_answer_again_is_taken_once(room: Room) -> None:
    await room.ask(request())
    answer = await room.an_answer()
    await room.logins.answer(answer)
    await room.logins.answer(answer)

    assert room.said() == ["AuthChallengeIssued", "AuthChallengeAnswered"]


async def test_fields_that_break_their_rules_cost_nothing_and_are_told_by_name(room: Room) -> None:
    await room.ask(request())
    wrong = await room.an_answer(fields={"url": "ftp://x", "username": "jane", "password": CANARY})
    with pytest.raises(Refused) as refused:
        await room.logins.answer(wrong)

    assert [(error.field, error.code) for error in refused.value.errors] == [("url", "url")]
    assert CANARY not in repr(refused.value.errors) + str(refused.value)
    assert (await room.it()).login.state is LoginState.OPEN


async def test_an_answer_of_another_account_finds_no_connection(room: Room) -> None:
    await room.ask(request())
    with pytest.raises(Refused) as refused:
        await room.logins.answer(await room.an_answer(account="another"))
    assert refused.value.reason is Reason.UNKNOWN_CONNECTION


async def test_a_sealed_answer_that_does_not_open_is_refused_by_event(room: Room) -> None:
    await room.ask(request())
    room.opened = Refused(Reason.INVALID, "It does not open.")
    submitted = AuthChallengeAnswerSubmitted(connection_id=ID, challenge_id="x", sealed="…")
    assert await room.logins.handle([heard(submitted, "connections.answers")], room) == [DONE]

    assert room.data("RequestRefused")["reason"] == "invalid"
    assert (await room.it()).login.state is LoginState.OPEN


@pytest.mark.parametrize("claimed", ["somebody-else", None])
async def test_a_sealed_answer_was_given_by_whom_its_token_says(room: Room, claimed: str | None) -> None:
    await room.ask(request())
    room.opened = await room.an_answer(actor="user-1")
    submitted = AuthChallengeAnswerSubmitted(
        connection_id=ID, challenge_id=room.opened.challenge_id, sealed="…"
    )
    assert await room.logins.handle([heard(submitted, "connections.answers", actor=claimed)], room) == [DONE]

    assert room.said()[-1] == "AuthChallengeAnswered"
    assert json.loads(room.things.owed[-1].value)["actor"] == "user-1"


async def test_who_sent_what_does_not_open_is_not_known(room: Room) -> None:
    await room.ask(request())
    room.opened = Refused(Reason.INVALID, "It does not open.")
    submitted = AuthChallengeAnswerSubmitted(connection_id=ID, challenge_id="x", sealed="…")
    await room.logins.handle([heard(submitted, "connections.answers", actor="somebody-else")], room)

    assert "actor" not in json.loads(room.things.owed[-1].value)


async def test_an_outage_asks_anew_and_a_bug_ends_the_session_without_a_secret(room: Room) -> None:
    await room.ask(request())
    room.outcome = outcomes.Unreached(Trouble(reason=Reason.PROVIDER_DOWN, message="It is down."))
    await room.logins.answer(await room.an_answer())
    await room.tries.look(ID)
    assert room.data("AuthChallengeIssued")["error"]["reason"] == "provider_down"

    room.outcome = ValueError(CANARY)
    await room.logins.answer(await room.an_answer())
    await room.tries.look(ID)
    assert room.data("AuthSessionEnded")["reason"] == "bug"
    assert CANARY not in repr(room.things.owed)


async def test_a_try_that_cannot_be_counted_is_not_made_and_is_no_bug(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise AutoReconnect("primary stepped down")

    await room.ask(request())
    await room.logins.answer(await room.an_answer())
    monkeypatch.setattr(room.gate, "spend", away)
    with pytest.raises(NotNow):
        await room.tries.look(ID)

    assert room.answers == []
    assert "AuthSessionEnded" not in room.said()


async def test_what_the_provider_said_counts_though_the_store_of_counts_is_away(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise AutoReconnect("primary stepped down")

    await room.ask(request())
    await room.logins.answer(await room.an_answer())
    monkeypatch.setattr(room.gate, "settle", away)
    await room.tries.look(ID)

    assert "ConnectionAuthorized" in room.said()


async def test_two_workers_try_an_answer_once(room: Room) -> None:
    await room.ask(request())
    await room.logins.answer(await room.an_answer())
    assert await room.trying.claim(ID) == 1

    await room.tries.look(ID)
    assert room.answers == []


async def test_a_worker_that_died_is_found_after_its_lease(room: Room) -> None:
    await room.ask(request())
    room.outcome = KeyboardInterrupt()  # type: ignore[assignment]  # a death in the middle of a step
    await room.logins.answer(await room.an_answer())
    with pytest.raises(KeyboardInterrupt):
        await _die(room)

    assert await room.trying.due(room.clock.at, 10) == []
    room.clock.on(32)
    assert await room.trying.due(room.clock.at, 10) == [ID]
    await room.tries.look(ID)
    assert room.data("AuthChallengeIssued")["error"]["reason"] == "interrupted"
    assert len(room.answers) == 1


async def _die(room: Room) -> None:
    async def dies(_: object, __: object, answer: outcomes.Answer, ___: object) -> outcomes.Outcome:
        room.answers.append(answer)
        raise KeyboardInterrupt

    room.counting._step = dies
    await room.tries.look(ID)


async def test_time_passes_in_the_worker(room: Room) -> None:
    await room.ask(request())
    room.clock.on(30 * 60)
    await room.tries.look(ID)
    assert room.said()[1:] == ["AuthChallengeExpired", "AuthSessionEnded"]

    room.clock.at = NOW + timedelta(days=7)
    assert await room.trying.due(room.clock.at, 10) == [ID]
    await room.tries.look(ID)
    assert room.said()[-1] == "ConnectionRejected"


async def test_the_window_sees_the_login_and_only_the_proof_completes_it(room: Room) -> None:
    await room.ask(request(answer_by="window"))
    await room.logins.answer(await room.an_answer(browser=BROWSER))
    await room.tries.look(ID)
    seen = await room.logins.look(ID)
    assert seen is not None
    assert seen.login is not None
    assert (seen.login.state, seen.provider_name.en) == ("verified", "WebDAV")

    await room.logins.complete(ID, seen.login.session_id, BROWSER, "user-1")
    await room.logins.complete(ID, seen.login.session_id, BROWSER, "user-1")
    assert room.said().count("ConnectionAuthorized") == 1


async def test_facts_about_what_is_not_ours_are_done(room: Room) -> None:
    failure = failed(Connection.model_construct(id=ID, credentials_revision=1))
    assert await room.facts.of_runs([heard(failure, "syncs.events")]) == [DONE]
    published = ProviderPublished(provider_id="webdav", revision=1, manifest=MANIFEST)
    assert await room.facts.of_providers([heard(published, "catalog.events", account=None)]) == [DONE]


async def test_a_refused_request_to_a_known_connection_is_told_in_its_turn(room: Room) -> None:
    endings = await room.ask(request(), ConnectionOptionsSubmitted(connection_id=ID, options={}))

    assert endings == [DONE, DONE]
    assert room.said() == ["AuthChallengeIssued", "RequestRefused"]
    assert room.data("RequestRefused")["reason"] == "not_yet"


async def test_two_requests_for_one_id_in_one_batch_do_not_mix(room: Room) -> None:
    other = MANIFEST.model_copy(
        update={"id": "other", "name": MANIFEST.name.model_copy(update={"en": "Other"})}
    )
    await room.providers.publish([(other, 1)])
    again = ReauthenticationRequested(connection_id=ID)
    assert await room.ask(request(), request(provider_id="other"), again) == [DONE, DONE, DONE]

    it = await room.it()
    assert (it.provider_id, it.name) == ("webdav", "WebDAV")
    assert room.data("RequestRefused")["reason"] == "exists"
    assert room.data("AuthChallengeIssued")["title"] == "Log in to WebDAV"
    assert it.login.sessions == 2


async def test_a_second_connection_to_the_same_account_is_noticed_before_the_save(room: Room) -> None:
    other = str(uuid4())
    await room.ask(request())
    first = await room.an_answer()
    await room.logins.answer(first)
    await room.tries.look(ID)
    assert "same_as" not in room.data("ConnectionAuthorized")
    await room.ask(ConnectionOptionsSubmitted(connection_id=ID, options={"folder": "/"}))
    await room.ask(request(connection_id=other))
    challenge = (await room.things.read([other]))[other].thing.login.challenge
    assert challenge is not None
    await room.logins.answer(replace(first, connection_id=other, challenge_id=challenge.challenge_id))
    await room.tries.look(other)

    assert room.data("ConnectionAuthorized")["same_as"] == [ID]
