"""Logins by OAuth, walked through with the step machine at an authorization server that we did not write."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc.jwk import ECKey

from providers.egress import Guard
from providers.login import machine
from providers.login.oauth import leaving, server, tokens
from providers.login.oauth.client import Client
from providers.login.oauth.registered import registered
from providers.login.oauth.renewal import renew
from providers.login.outcomes import Answer, Asked, Authorized, Failed, Unreached, Waiting, aside
from providers.manifests import load
from providers.reach import Reach
from providers.recording import Recording, Tapped, names_of
from schemas.manifest import Manifest
from schemas.reasons import ChallengeKind, Reason
from tests.conformance.playing import played
from tests.oauth.conftest import CLIENT, KEY
from tests.oauth.walking import CALLBACK, Operator, agree, agree_to_code, folder_for_tokens, walk
from tests.peers.oidc_server import OidcServer

COMMAND = Path(sys.executable).with_name("paperbus")
LOGO = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>'


@dataclass
class Place:
    """A provider with a folder that tokens open."""

    url: str
    shown: list[str]
    authority: str
    operator: Operator
    reach: Reach

    def manifest(self, *login: dict[str, Any], **oauth: Any) -> Manifest:
        scopes = {"scopes": ["openid", "email", "files"], "optional_scopes": ["offline_access"]}
        return Manifest.model_validate(
            {
                "id": "acme",
                "name": "Acme",
                "summary": "Files",
                "categories": ["storage"],
                "directions": ["export"],
                "login": list(login) or [{"redirect": "oauth"}],
                "oauth": {
                    "issuer": self.authority,
                    "authorize_params": {"prompt": "consent"},
                    **scopes,
                    **oauth,
                },
                "driver": {"kind": "webdav", "settings": {"url": self.url}, "identity": "{account}"},
            }
        )

    async def there_and_back(self, manifest: Manifest, **how: str) -> Answer:
        """As the window does: to the provider with a browser, and back."""
        there = await registered(manifest, {}, self.reach)
        address, state, departure = leaving.depart(there, CALLBACK)
        back = await agree(address, **how)
        assert back["state"] == state
        return Answer({"back": leaving.came_back(back), "departure": departure.plain()})

    async def step(self, manifest: Manifest, asked: Asked, answer: Answer) -> Any:
        return await machine.step(manifest, asked.state, answer, self.reach, "en")


@pytest.fixture
async def place(authority: OidcServer) -> AsyncIterator[Place]:
    operator = Operator({"acme": Client("paperbus", CLIENT["client_secret"])})
    shown: list[str] = []
    async with (
        folder_for_tokens(shown) as url,
        Reach(Guard(["127.0.0.0/8"]), clients=operator) as reach,
    ):
        yield Place(url, shown, authority.issuer, operator, reach)


async def test_agreeing_at_the_provider_brings_tokens_and_the_name_of_the_account(place: Place) -> None:
    manifest = place.manifest()
    asked = machine.begin(manifest, {}, "en")

    done = await place.step(manifest, asked, await place.there_and_back(manifest))

    assert asked.challenge.kind is ChallengeKind.REDIRECT
    assert asked.challenge.window_only
    assert isinstance(done, Authorized)
    assert done.identity == "jane@firm.example"
    assert done.tokens is not None
    assert done.tokens["refresh_token"]
    assert place.shown == [done.tokens["access_token"]]
    assert "access_token" not in done.credentials
    assert not {"refresh_token", "access_token"} & done.known.keys()


async def test_a_renewal_rotates_the_refresh_token_and_the_old_one_is_then_refused(place: Place) -> None:
    manifest = place.manifest()
    done = await place.step(manifest, machine.begin(manifest, {}, "en"), await place.there_and_back(manifest))
    there = await registered(manifest, {}, place.reach)
    old = tokens.Tokens.of(done.tokens)

    new = await tokens.by_refresh_token(there, old)

    assert new.refresh_token != old.refresh_token
    assert new.access_token != old.access_token
    with pytest.raises(tokens.ProviderError) as refused:
        await tokens.by_refresh_token(there, old)
    assert refused.value.reason is Reason.CONSENT_EXPIRED


async def test_a_grant_that_was_given_back_renews_nothing(place: Place) -> None:
    manifest = place.manifest()
    done = await place.step(manifest, machine.begin(manifest, {}, "en"), await place.there_and_back(manifest))
    there = await registered(manifest, {}, place.reach)

    assert await tokens.revoke(there, tokens.Tokens.of(done.tokens))
    with pytest.raises(tokens.ProviderError) as refused:
        await tokens.by_refresh_token(there, tokens.Tokens.of(done.tokens))
    assert refused.value.reason is Reason.CONSENT_EXPIRED


async def test_a_customer_who_says_no_is_asked_again_and_told_why(place: Place) -> None:
    manifest = place.manifest()
    asked = machine.begin(manifest, {}, "en")

    again = await place.step(manifest, asked, await place.there_and_back(manifest, says="no"))

    assert isinstance(again, Asked)
    assert again.challenge.kind is ChallengeKind.REDIRECT
    assert again.error is not None
    assert again.error.reason is Reason.CANCELLED


async def test_a_scope_that_was_not_granted_is_named(place: Place) -> None:
    manifest = place.manifest(scopes=["openid", "files", "archive"])
    answer = await place.there_and_back(place.manifest())

    again = await place.step(manifest, machine.begin(manifest, {}, "en"), answer)

    assert isinstance(again, Asked)
    assert again.error is not None
    assert again.error.reason is Reason.PERMISSION_MISSING
    assert "archive" in again.error.message
    assert "files" not in again.error.message


@pytest.mark.parametrize(
    "changed",
    [
        {"departure": {"redirect_uri": "http://127.0.0.1:8112/oauth/callback/other"}},
        {"departure": {"verifier": "v" * 43}},
        {"back": {"code": "made-up"}},
    ],
    ids=["for another redirect address", "of another browser's verifier", "never issued"],
)
async def test_a_code_that_is_not_ours_is_not_exchanged(place: Place, changed: dict[str, Any]) -> None:
    manifest = place.manifest()
    answer = await place.there_and_back(manifest)
    fields = {name: {**members, **changed.get(name, {})} for name, members in answer.fields.items()}

    again = await place.step(manifest, machine.begin(manifest, {}, "en"), Answer(fields))

    assert isinstance(again, Asked)
    assert again.error is not None
    assert again.error.reason is Reason.SESSION_EXPIRED


@pytest.mark.parametrize("issuer", ["https://evil.example", None], ids=["of another server", "missing"])
async def test_an_answer_of_another_server_is_never_used(place: Place, issuer: str | None) -> None:
    manifest = place.manifest()
    answer = await place.there_and_back(manifest)
    back = {name: value for name, value in answer.fields["back"].items() if name != "iss"}
    fields = {**answer.fields, "back": {**back, **({"iss": issuer} if issuer else {})}}

    again = await place.step(manifest, machine.begin(manifest, {}, "en"), Answer(fields))

    assert isinstance(again, Asked)
    assert again.error is not None
    assert again.error.reason is Reason.PROVIDER_CHANGED


async def test_a_nonce_of_another_login_is_noticed(place: Place) -> None:
    manifest = place.manifest()
    answer = await place.there_and_back(manifest)
    fields = {**answer.fields, "departure": {**answer.fields["departure"], "nonce": "another"}}

    again = await place.step(manifest, machine.begin(manifest, {}, "en"), Answer(fields))

    assert isinstance(again, Asked)
    assert again.error is not None
    assert again.error.reason is Reason.PROVIDER_CHANGED


async def test_a_provider_that_no_operator_set_up_cannot_be_logged_in_to(place: Place) -> None:
    manifest = place.manifest()
    answer = await place.there_and_back(manifest)
    place.operator.known.clear()

    over = await place.step(manifest, machine.begin(manifest, {}, "en"), answer)

    assert isinstance(over, Failed)
    assert over.reason is Reason.NOT_SET_UP


async def test_a_client_that_the_provider_refuses_is_the_operators_to_mend(place: Place) -> None:
    manifest = place.manifest()
    answer = await place.there_and_back(manifest)
    place.operator.known["acme"] = Client("paperbus", "an old secret")

    over = await place.step(manifest, machine.begin(manifest, {}, "en"), answer)

    assert isinstance(over, Failed)
    assert over.reason is Reason.NOT_SET_UP


async def test_a_client_may_prove_itself_in_the_form(place: Place) -> None:
    place.operator.known["acme"] = Client("by-post", CLIENT["client_secret"])
    manifest = place.manifest(client_auth="post")

    done = await place.step(manifest, machine.begin(manifest, {}, "en"), await place.there_and_back(manifest))

    assert isinstance(done, Authorized)


async def test_a_client_may_prove_itself_by_its_key(place: Place) -> None:
    place.operator.known["acme"] = Client("by-key", key=KEY.as_dict(private=True))
    manifest = place.manifest(client_auth="private_key_jwt")
    done = await place.step(manifest, machine.begin(manifest, {}, "en"), await place.there_and_back(manifest))

    assert isinstance(done, Authorized), done
    stranger = ECKey.generate_key("P-256", {"kid": "ours", "alg": "ES256"})
    place.operator.known["acme"] = Client("by-key", key=stranger.as_dict(private=True))
    over = await place.step(manifest, machine.begin(manifest, {}, "en"), await place.there_and_back(manifest))
    assert isinstance(over, Failed)
    assert over.reason is Reason.NOT_SET_UP


async def test_a_token_by_the_clients_own_right_is_had_and_renewed_without_a_customer(place: Place) -> None:
    """The customer brings a client of their own; what it may do needs nobody's consent."""
    secret = {"name": "client_secret", "label": "Secret", "type": "password", "secret": True}
    fields = [{"name": "client_id", "label": "Client"}, secret]
    login = [{"ask": "credentials", "fields": fields}, {"grant": "client_credentials"}]
    manifest = place.manifest(
        *login, client="customer", scopes=["files"], optional_scopes=[], authorize_params={}
    )
    plain = manifest.model_copy(update={"driver": manifest.driver.model_copy(update={"identity": None})})
    asked = machine.begin(plain, {}, "en")
    typed = {"client_id": "paperbus", "client_secret": CLIENT["client_secret"]}

    wrong = await place.step(plain, asked, Answer({**typed, "client_secret": "wrong"}))
    done = await place.step(plain, asked, Answer(typed))

    assert isinstance(wrong, Asked)
    assert (wrong.error and wrong.error.reason, wrong.blamed) == (Reason.CREDENTIALS_WRONG, "client_secret")
    assert isinstance(done, Authorized), done
    assert done.tokens is not None
    assert place.shown == [done.tokens["access_token"]]
    newer = await renew(plain, typed, tokens.Tokens.of(done.tokens), place.reach)
    assert newer.access_token != done.tokens["access_token"]


async def test_a_device_code_is_waited_for_until_it_was_typed(place: Place) -> None:
    server.forget()
    recording = Recording("acme")
    place.reach.http = Tapped(place.reach, recording.passed.append)
    manifest = place.manifest({"device": "oauth"})
    opened = machine.begin(manifest, {}, "en")

    begun = await place.step(manifest, opened, Answer({}))
    assert isinstance(begun, Asked)
    waiting = await place.step(manifest, begun, Answer({}, "poll"))
    assert isinstance(waiting, Waiting)
    shown = aside(begun.state)
    await agree_to_code(shown["link"], shown["code"])
    done = await place.step(manifest, Asked(waiting.state, begun.challenge), Answer({}, "poll"))

    assert isinstance(done, Authorized)
    assert done.identity == "jane@firm.example"
    assert opened.challenge.window_only
    assert shown["code"] not in f"{begun.challenge}"
    assert begun.challenge.poll_after == 5
    recording.answers = [{"fields": {}, "action": action} for action in ("answer", "poll", "poll")]
    recording.identity, recording.at = done.identity, place.reach.clock().isoformat()
    text = recording.text(names_of([{"identity": done.identity}], done.state))
    assert place.shown[0] not in text
    await assert_it_plays(manifest, Recording.of(text))


async def test_a_server_that_is_down_blames_nobody(place: Place) -> None:
    manifest = place.manifest()
    answer = await place.there_and_back(manifest)
    gone = place.manifest(issuer=None, token_url="http://127.0.0.1:9/token")

    down = await place.step(gone, machine.begin(manifest, {}, "en"), answer)

    assert isinstance(down, Unreached)


async def test_a_login_at_the_providers_page_is_tried_in_the_terminal_and_what_was_recorded_is_played(
    place: Place, tmp_path: Path
) -> None:
    manifest = {**place.manifest().wire(), "directions": ["import"]}
    folder, record = tmp_path / "acme", tmp_path / "login.json"
    folder.mkdir()
    (folder / "manifest.yaml").write_text(json.dumps(manifest), "utf-8")
    (folder / "logo.svg").write_text(LOGO, "utf-8")
    ran = await asyncio.create_subprocess_exec(
        COMMAND, "provider", "try", str(folder), "--redirect-uri", CALLBACK, "--record", str(record),
        stdin=PIPE, stdout=PIPE, stderr=STDOUT, start_new_session=True,
        env={**os.environ, "PAPERBUS_PRIVATE_NETWORKS": "127.0.0.0/8"},
    )  # fmt: skip
    assert ran.stdin is not None
    assert ran.stdout is not None
    ran.stdin.write(f"paperbus\n{CLIENT['client_secret']}\n".encode())
    shown = ""
    while f"{place.authority}/auth?" not in shown.rpartition("\n")[0]:
        shown += (await ran.stdout.readline()).decode() or pytest.fail(shown)
    address = next(line for line in shown.split("\n") if line.startswith(f"{place.authority}/auth?"))
    back = await walk(address)
    told, _ = await ran.communicate(f"{back}\n".encode())

    assert "Logged in as jane@firm.example." in told.decode()
    text = record.read_text("utf-8")
    code, token = parse_qs(urlsplit(back).query)["code"][0], place.shown[0]
    for secret in (code, token, str(CLIENT["client_secret"])):
        assert secret not in shown.partition("Client id")[2] + told.decode()
        assert secret not in text
    assert "jane" not in text
    await assert_it_plays(load(folder), Recording.of(text))


async def assert_it_plays(manifest: Manifest, recording: Recording) -> None:
    """With every check of OpenID Connect, by the recording's own clock."""
    done, replayed = await played(manifest, recording)

    assert isinstance(done, Authorized), done
    assert done.identity == recording.identity == "recorded-identity"
    assert replayed.left == []
    later, _ = await played(manifest, recording, datetime.fromisoformat(recording.at) + timedelta(days=1))
    assert isinstance(later, Asked), "an ID token that is over was taken"
    assert later.error is not None
    assert later.error.reason is Reason.PROVIDER_CHANGED
