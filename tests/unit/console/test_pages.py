"""What the console's pages show and ask, with made-up services around it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.responses import JSONResponse

from tests.unit.console.room import (
    ID,
    NASTY,
    WINDOW,
    Room,
    caused,
    connection,
    problem,
    provider,
    refusal,
    room,
    row,
    saved,
    standing,
)

MESSAGE = {"message": NASTY}
ONE = f"/v1/connections/{ID}"


@pytest.fixture
async def visit() -> AsyncIterator[Room]:
    async with room() as made:
        await made.enter()
        yield made


READING = (
    "/", "/add", "/add/export", "/add/import", "/add/export/webdav", "/suggest?name=x",
    "/suggested?status=new", f"/accounts/{ID}", f"/accounts/{ID}/documents", f"/accounts/{ID}/runs",
    f"/accounts/{ID}/history", f"/accounts/{ID}/settings", f"/accounts/{ID}/remove",
    f"/accounts/{ID}/back?result=authorized",
)  # fmt: skip


@pytest.mark.parametrize("path", READING)
@pytest.mark.parametrize("language", ["en", "fr", "de"])
async def test_every_page_is_there_in_every_language_and_shut_to_others(
    visit: Room, path: str, language: str
) -> None:
    page = await visit.http.get(path, headers={"Accept-Language": language})
    visit.http.cookies.clear()
    shut = await visit.http.get(path)

    assert (page.status_code, shut.status_code) == (200, 401)
    assert f'<html lang="{language}">' in page.text
    assert "unsafe" not in page.headers["content-security-policy"]
    assert " style=" not in page.text


async def test_names_errors_and_file_names_are_shown_as_text(visit: Room) -> None:
    hostile = connection(
        "attention", name=NASTY, identity=NASTY, title=NASTY, message=NASTY, action="reauthenticate"
    )
    visit.says |= {
        "/v1/connections": {"items": [hostile]},
        ONE: hostile,
        "/v1/providers": {"items": [provider(name=NASTY, summary=NASTY)], "next": None},
        "/v1/providers/webdav": provider(name=NASTY, summary=NASTY),
        f"{ONE}/options": {"items": [{"name": "x", "label": NASTY, "help": NASTY, "default": NASTY}]},
        f"{ONE}/documents": {"items": [row(1, filename=NASTY, message=NASTY, target=NASTY)], "next": None},
        f"{ONE}/timeline": {
            "items": [
                {
                    "at": "2026-11-22T15:00:00Z",
                    "what": "RequestRefused",
                    "actor": NASTY,
                    "data": {"message": NASTY},
                }
            ],
            "next": None,
        },
        "/v1/preview": {"waiting": 1, "more": False, "paths": [NASTY]},
    }
    for path in (*READING, f"/add/export?query={NASTY}", f"/suggest?name={NASTY}", f"/accounts/{ID}/preview"):
        page = await visit.http.get(path)
        assert page.status_code == 200, path
        assert "<script>alert" not in page.text, path


@pytest.mark.parametrize(
    ("status", "changed", "words"),
    [
        ("active", {}, "Up to date"),
        ("active", {"paused": True}, "Paused"),
        ("connecting", {}, "Login not finished"),
        ("configuring", {}, "Not saved yet"),
        ("attention", {"title": "Password wrong", "action": "reauthenticate"}, "Log in again"),
        ("attention", {"title": "Folder gone", "action": "change_options"}, "Choose another folder"),
    ],
)
async def test_a_state_is_said_in_words_with_what_mends_it(
    visit: Room, status: str, changed: dict[str, Any], words: str
) -> None:
    visit.says["/v1/connections"] = {"items": [connection(status, **changed)]}

    assert words in (await visit.http.get("/")).text


async def test_problems_come_first(visit: Room) -> None:
    fine, broken = connection(name="Fine"), connection("attention", name="Broken", title="Folder gone")
    visit.says["/v1/connections"] = {"items": [fine, {**broken, "id": ID.replace("7", "8")}]}
    page = (await visit.http.get("/")).text

    assert page.index("Broken") < page.index("Fine")


@pytest.mark.parametrize(("away", "status"), [("sync-runner", 200), ("catalog", 200), ("connections", 503)])
async def test_with_a_service_down_the_list_says_what_it_knows(visit: Room, away: str, status: int) -> None:
    visit.away.add(away)
    page = await visit.http.get("/")

    assert page.status_code == status
    assert ("Books" in page.text) == (status == 200)
    assert ("data-again" in page.text) == (status != 200)


async def test_without_sync_runner_nothing_is_claimed_about_runs_and_documents(visit: Room) -> None:
    visit.away.add("sync-runner")
    pages = [(await visit.http.get(path)).text for path in ("/", f"/accounts/{ID}", f"/accounts/{ID}/runs")]

    assert all("cannot be shown right now" in page for page in pages)
    assert not any(words in page for page in pages for words in ("Up to date", "Nothing has run", "0 done"))


async def test_without_connections_any_replica_shows_the_list_as_it_was_told_last_to_its_own_account(
    visit: Room,
) -> None:
    await visit.http.get("/")
    visit.away.add("connections")
    page = await visit.http.get("/")
    await visit.enter(account="other")
    other = await visit.http.get("/")

    assert (page.status_code, other.status_code) == (200, 503)
    assert "as we knew it last" in page.text
    assert "Books" in page.text
    assert "Books" not in other.text
    kept = visit.lists.lines["acme"][0]
    assert not {"options", "challenge", "filters"} & kept.keys()


async def test_a_run_that_could_not_go_on_says_why_and_when_it_is_tried_again(visit: Room) -> None:
    told = standing(failed=4)
    told["run"] = {"id": "r", "status": "waiting", "started_at": None, "counts": {}}
    told["run"]["not_before"] = "2026-11-22T16:05:00.000Z"
    told["last"] = {"finished_at": "2026-11-22T15:59:00.000Z", "message": "The server does not answer."}
    visit.says["runner /v1/connections"] = {"items": [told], "next": None}
    page = (await visit.http.get("/")).text

    assert "Could not go on" in page
    assert "The server does not answer. It is tried again by itself: Sun 22 Nov, 16:05." in page
    assert f'action="/accounts/{ID}/run"' in page
    assert "Starts in a moment" not in page


async def test_what_is_pending_is_the_same_in_the_list_on_the_page_and_among_the_documents(
    visit: Room,
) -> None:
    told = standing(pending=5, sending=1, failed=2, unknown=10_000)
    visit.says |= {"runner /v1/connections": {"items": [told], "next": None}, f"runner {ONE}": told}
    listed, page = (await visit.http.get("/")).text, (await visit.http.get(f"/accounts/{ID}")).text
    await visit.http.get(f"/accounts/{ID}/documents?status=open")

    assert '8 <span class="word">pending' in listed
    assert "<span>Pending</span><strong>8</strong>" in page
    assert listed.count("10,000+") == page.count("10,000+") == 1
    assert visit.statuses[-1] == ["pending", "sending", "failed"]


async def test_without_connections_an_account_is_shown_as_it_was_known_last_and_only_looked_at(
    visit: Room,
) -> None:
    await visit.http.get("/")
    visit.away.add("connections")
    page, documents, runs, history = [
        await visit.http.get(f"/accounts/{ID}{tab}") for tab in ("", "/documents", "/runs", "/history")
    ]
    unknown = await visit.http.get(f"/accounts/{ID.replace('7', '8')}")

    assert {one.status_code for one in (page, documents, runs, history)} == {200}
    assert all("as we knew it last" in one.text for one in (page, documents, runs, history))
    assert "Every day at 02:30, Paris time" in page.text
    assert "R-1.pdf" in documents.text
    assert "The history cannot be shown right now" in history.text
    assert not any(f'action="/accounts/{ID}/{change}"' in page.text for change in CHANGES)
    assert f"/accounts/{ID}/settings" not in page.text
    assert unknown.status_code == 503


@pytest.mark.parametrize(
    ("it", "words"),
    [
        (connection(), "Tried again by itself"),
        (connection(paused=True), "Tried again once it is resumed"),
        (connection("attention"), "Tried again once it works again"),
        (connection("removed"), "Not tried again"),
    ],
)
async def test_a_failed_document_says_truthfully_when_it_is_tried_again(
    visit: Room, it: dict[str, Any], words: str
) -> None:
    visit.says |= {ONE: it, f"{ONE}/documents": {"items": [row(1, "failed")], "next": None}}
    page = (await visit.http.get(f"/accounts/{ID}/documents")).text
    goes = it["status"] in ("active", "attention") and not it["paused"]

    assert re.findall(r"<span>([^<]*ried again[^<]*)</span>", page) == [words]
    assert ('action="retry"' in page) == goes


@pytest.mark.parametrize("change", ["run", "retry"])
async def test_nothing_is_asked_of_a_paused_account_and_why_is_said(visit: Room, change: str) -> None:
    visit.says[ONE] = connection(paused=True)
    answer = await visit.post(f"/accounts/{ID}/{change}")
    page = await visit.http.get(answer.headers["location"])

    assert "It is paused. Resume it first." in page.text
    assert visit.published == []


@pytest.mark.parametrize(
    ("reason", "action", "way", "words"),
    [
        ("quota_full", "visit_provider", "run", "Try again"),
        ("action_on_site", "visit_provider", "relogin", "Log in again"),
        ("credentials_wrong", "reauthenticate", "relogin", "Log in again"),
    ],
)
async def test_each_trouble_has_the_button_that_mends_it(
    visit: Room, reason: str, action: str, way: str, words: str
) -> None:
    troubled = connection("attention", title="No", reason=reason, action=action)
    visit.says["/v1/connections"] = {"items": [troubled], "next": None}
    page = (await visit.http.get("/")).text

    assert f'action="/accounts/{ID}/{way}"' in page
    assert f">{words}</button>" in page


async def test_another_accounts_pages_do_not_exist(visit: Room) -> None:
    await visit.enter(account="other")
    pages = [await visit.http.get(path) for path in READING if "accounts" in path]
    changed = await visit.post(f"/accounts/{ID}/pause")

    assert {page.status_code for page in (*pages, changed)} == {404}
    assert visit.published == []


@pytest.mark.parametrize("id_", ["x", "../../v1/providers", "7f1c0a52", "%2e%2e"])
async def test_an_id_that_is_none_is_nowhere(visit: Room, id_: str) -> None:
    assert (await visit.http.get(f"/accounts/{id_}")).status_code == 404
    assert [path for path, _ in visit.asked if "accounts" in path] == []


CHANGES = ("pause", "resume", "run", "retry", "remove", "relogin", "window", "options", "settings")


@pytest.mark.parametrize("change", CHANGES)
async def test_who_may_only_look_changes_nothing(visit: Room, change: str) -> None:
    await visit.enter(role="member")
    page = await visit.http.get(f"/accounts/{ID}")
    answer = await visit.post(f"/accounts/{ID}/{change}")

    assert answer.status_code == 403
    assert visit.published == []
    assert "Pause" not in page.text


@pytest.mark.parametrize("change", CHANGES)
async def test_a_foreign_form_changes_nothing(visit: Room, change: str) -> None:
    token = await visit.form_token()
    path = f"/accounts/{ID}/{change}"
    forged = await visit.http.post(path, data={"_form": "x"})
    foreign = await visit.http.post(path, data={"_form": token}, headers={"sec-fetch-site": "cross-site"})
    elsewhere = await visit.http.post(path, data={"_form": token}, headers={"origin": "https://evil.example"})

    assert {forged.status_code, foreign.status_code, elsewhere.status_code} == {403}
    assert visit.published == []


async def test_a_connection_is_asked_for_with_its_interval(visit: Room) -> None:
    visit.answer = saved
    form = {"connection_id": ID, "rhythm": "weekly", "weekdays": ["mo", "fr"], "at": "06:15"}
    asked = await visit.post("/add/export/webdav", **form, timezone="Europe/Paris")
    [event] = visit.published

    assert (asked.status_code, asked.headers["location"]) == (303, f"/accounts/{ID}/login")
    assert (event["type"], event["accountid"], event["actor"]) == (
        "paperbus.ConnectionRequested.v1",
        "acme",
        "jane",
    )
    assert event["data"]["schedule"] == {
        "at": "06:15", "on": ["mo", "fr"], "timezone": "Europe/Paris", "quiet": [],
    }  # fmt: skip
    assert (event["subject"], event["data"]["direction"]) == (ID, "export")


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"rhythm": "daily", "at": "25:00"}, "Give a time of day"),
        ({"rhythm": "weekly", "at": "02:30"}, "Choose at least one day"),
        ({"rhythm": "monthly", "at": "02:30", "monthdays": "32"}, "Give days from 1 to 31"),
        ({"rhythm": "cron", "cron": "nonsense"}, "Give a cron expression"),
        ({"rhythm": "days", "days": "²"}, "This interval cannot be used"),
        ({"rhythm": "daily", "at": "02:30", "timezone": "Mars/Base"}, "Choose a time zone"),
        ({"rhythm": "daily", "at": "02:30", "quiet_from": "22:00"}, "Give both times"),
    ],
)
async def test_a_wrong_interval_is_said_beside_its_field(
    visit: Room, form: dict[str, str], words: str
) -> None:
    answer = await visit.post("/add/export/webdav", **form)

    assert answer.status_code == 422
    assert words in answer.text
    assert visit.published == []


async def test_every_quiet_period_is_shown_and_room_for_one_more(visit: Room) -> None:
    night, weekend = {"from": "22:00", "to": "06:00"}, {"from": "12:00", "to": "14:00", "on": ["sa", "su"]}
    visit.says[ONE] = connection(schedule={"every": "PT1H", "timezone": "UTC", "quiet": [night, weekend]})
    page = (await visit.http.get(f"/accounts/{ID}/settings")).text

    assert page.count('name="quiet_from"') == page.count('name="quiet_on"') == 3
    assert 'name="quiet_from" type="time" value="12:00"' in page
    assert "Begins on Saturday and Sunday only." in page


async def test_a_refusal_is_shown_beside_the_field_it_is_about(visit: Room) -> None:
    visit.says[ONE] = connection("configuring")
    wrong = {"field": "options.filename", "code": "slash", "message": "A file name holds no slash."}
    visit.answer = lambda event: refusal(event, "invalid", wrong)
    answer = await visit.post(
        f"/accounts/{ID}/options", filename="a/b", folder="/In", name="Mine", start="all"
    )

    assert answer.status_code == 422
    assert '<p class="error" id="field-filename-error">' in answer.text
    assert "A file name holds no slash." in answer.text
    assert 'value="a/b"' in answer.text
    assert 'value="Mine"' in answer.text


async def test_options_are_saved_with_the_start_and_a_run_at_once(visit: Room) -> None:
    visit.says[ONE] = connection("configuring")
    visit.answer = lambda event: saved(event) if "Options" in event["type"] else None
    form = {
        "folder": "/In",
        "filename": "{stem}{ext}",
        "name": "Mine",
        "start": "day",
        "start_day": "2026-01-31",
    }
    answer = await visit.post(f"/accounts/{ID}/options", **form, export_now="true", rhythm="manual")
    submitted, due = visit.published

    assert answer.headers["location"] == "/?said=saved_now"
    assert submitted["data"]["options"] == {"folder": "/In", "filename": "{stem}{ext}"}
    assert (submitted["data"]["start"], submitted["data"]["schedule"]["every"]) == ("2026-01-31", "manual")
    assert (due["type"], due["data"]["reason"]) == ("paperbus.ExportDue.v1", "manual")


async def test_a_second_click_on_save_changes_nothing(visit: Room) -> None:
    answer = await visit.post(f"/accounts/{ID}/options", folder="/Other")

    assert answer.headers["location"] == f"/accounts/{ID}"
    assert visit.published == []


async def test_who_comes_later_sees_what_changed(visit: Room) -> None:
    visit.answer = lambda event: refusal(event, "revision_conflict")
    visit.says[ONE] = connection(name="Newer", options={"folder": "/Newer"}, revision=4)
    form = {"name": "Mine", "folder": "/Mine", "expected_revision": "3", "rhythm": "daily", "at": "02:30"}
    answer = await visit.post(f"/accounts/{ID}/settings", **form, timezone="Europe/Paris")

    assert answer.status_code == 422
    assert visit.published[0]["data"]["expected_revision"] == 3
    assert "is now: Newer" in answer.text
    assert "is now: /Newer" in answer.text
    assert 'name="expected_revision" value="4"' in answer.text
    assert 'value="/Mine"' in answer.text


async def test_a_revision_that_no_page_of_ours_said_is_taken_for_the_first(visit: Room) -> None:
    visit.says[ONE] = connection(revision=4)
    form = {"name": "Mine", "folder": "/Mine", "rhythm": "daily", "at": "02:30"}
    await visit.post(f"/accounts/{ID}/settings", **form, expected_revision="²")

    assert visit.published[0]["data"]["expected_revision"] == 1


async def test_an_event_that_never_comes_is_said_to_be_missing(visit: Room) -> None:
    answer = await visit.post(f"/accounts/{ID}/pause")
    page = await visit.http.get(answer.headers["location"])

    assert "there is no answer yet" in page.text


async def test_without_a_bus_nothing_is_changed_and_said_so(visit: Room) -> None:
    visit.away.add("bus")
    answer = await visit.post(f"/accounts/{ID}/pause")

    assert answer.status_code == 503
    assert "It is not done yet" in answer.text


async def test_the_login_window_is_asked_for_in_this_session_alone(visit: Room) -> None:
    visit.says[f"{ONE}/window"] = {"url": f"{WINDOW}/w/ticket"}
    visit.says[f"{ONE}/window/complete"] = {}
    opened = await visit.post(f"/accounts/{ID}/window")
    wanted = dict(visit.asked)[f"{ONE}/window"]
    back = {"result": "authorized", "proof": "p", "connection_id": ID}
    own = await visit.http.get(f"/accounts/{ID}/return", params={**back, "state": wanted["state"]})
    completed = [path for path, _ in visit.asked if path.endswith("/complete")]
    await visit.enter()
    other = await visit.http.get(f"/accounts/{ID}/return", params={**back, "state": wanted["state"]})

    assert opened.headers["location"] == f"{WINDOW}/w/ticket"
    assert wanted["return_url"].endswith(f"/accounts/{ID}/return")
    assert own.headers["location"].endswith("result=authorized")
    assert other.headers["location"].endswith("result=failed")
    assert completed == [path for path, _ in visit.asked if path.endswith("/complete")]


async def test_a_login_that_ran_out_is_asked_for_anew(visit: Room) -> None:
    visit.says[f"{ONE}/window"] = problem(409, "No login is open.", reason="not_yet")

    def begins(event: dict[str, Any]) -> Any:
        visit.says[f"{ONE}/window"] = {"url": f"{WINDOW}/w/fresh"}
        return saved(event)

    visit.answer = begins
    opened = await visit.post(f"/accounts/{ID}/window")

    assert opened.headers["location"] == f"{WINDOW}/w/fresh"
    assert visit.published[0]["type"] == "paperbus.ReauthenticationRequested.v1"


async def test_a_proof_and_a_token_are_in_no_address_that_stays(visit: Room) -> None:
    answer = await visit.http.get(f"/accounts/{ID}/return", params={"result": "failed", "proof": "secret"})

    assert "secret" not in answer.headers["location"]


async def test_retrying_names_documents_or_all_that_were_refused(visit: Room) -> None:
    await visit.post(f"/accounts/{ID}/retry", document_id="d1")
    await visit.post(f"/accounts/{ID}/retry")
    one, every = (event["data"] for event in visit.published)

    assert (one["document_ids"], "statuses" in one) == (["d1"], False)
    assert every["statuses"] == ["rejected"]


async def test_a_ledger_is_filtered_and_downloaded_whole_without_formulas(visit: Room) -> None:
    pages = [{"items": [row(1, filename="=cmd()")], "next": "c2"}, {"items": [row(2)], "next": None}]
    visit.says[f"{ONE}/documents"] = pages[1]
    await visit.http.get(f"/accounts/{ID}/documents", params={"status": "rejected", "query": "R-1"})
    asked = dict(visit.asked)[f"{ONE}/documents"]
    visit.says[f"{ONE}/documents"] = pages[0] | {"next": None}
    file = await visit.http.get(f"/accounts/{ID}/documents.csv")

    assert (asked["status"], asked["query"]) == ("rejected", "R-1")
    assert file.headers["content-disposition"].startswith("attachment")
    assert "'=cmd()" in file.text
    assert file.text.startswith("\ufeffdocument_id,")


async def test_a_suggestion_is_passed_on_and_what_is_there_already_is_said(visit: Room) -> None:
    visit.says["/v1/suggestions"] = JSONResponse({"status": "known", "provider_id": "webdav"})
    form = {"name": "WebDAV", "url": "https://x.example", "direction": "export"}
    answer = await visit.post("/suggest", **form)
    page = await visit.http.get(answer.headers["location"])

    assert "WebDAV is there already" in page.text
    assert dict(visit.asked)["/v1/suggestions"]["name"] == "WebDAV"


async def test_a_provider_that_is_not_set_up_is_shown_as_such(visit: Room) -> None:
    unset = provider(available=False)
    visit.says |= {"/v1/providers": {"items": [unset], "next": None}, "/v1/providers/webdav": unset}
    page = (await visit.http.get("/add/export")).text

    assert "Not set up here yet" in page
    assert 'href="/add/export/webdav"' not in page


async def test_live_choices_and_their_troubles_reach_the_page(visit: Room) -> None:
    path = f"{ONE}/options/folder/choices"
    visit.says[path] = {"items": [{"value": f"/{n}", "label": str(n)} for n in range(10_000)]}
    many = await visit.http.get(f"/accounts/{ID}/choices/folder")
    visit.says[path] = problem(409, "Log in again first.", reason="credentials_wrong")
    refused = await visit.http.get(f"/accounts/{ID}/choices/folder")

    assert len(many.json()["items"]) == 10_000
    assert (refused.status_code, refused.json()["message"]) == (409, "Log in again first.")


async def test_sixty_options_are_shown_and_sent(visit: Room) -> None:
    fields = [{"name": f"o{n}", "label": f"O {n}", "default": "x"} for n in range(60)]
    visit.says |= {ONE: connection("configuring"), f"{ONE}/options": {"items": fields}}
    visit.answer = saved
    page = (await visit.http.get(f"/accounts/{ID}/options")).text
    answer = await visit.post(f"/accounts/{ID}/options", **{f"o{n}": "y" for n in range(60)})

    assert page.count('id="field-o') >= 60
    assert answer.status_code == 303
    assert len(visit.published[0]["data"]["options"]) == 60


async def test_a_language_is_chosen_and_leads_back_to_our_own_pages_alone(visit: Room) -> None:
    chosen = await visit.post("/language", language="de", back="/add")
    page = await visit.http.get("/add")
    away = await visit.post("/language", language="de", back="//evil.example")

    assert chosen.headers["location"] == "/add"
    assert '<html lang="de">' in page.text
    assert away.headers["location"] == "/"


async def test_pages_hear_of_their_own_account_and_waiting_requests_of_their_own_answer(visit: Room) -> None:
    event = caused(saved({}), {"id": "cause", "subject": ID, "accountid": "acme"})
    with (
        visit.hub.listening("acme") as ours,
        visit.hub.listening("other") as theirs,
        visit.hub.awaiting("cause") as answer,
    ):
        visit.hub.heard(event)
        about = await asyncio.wait_for(ours.next(), 30)

        assert about == {ID}
        assert answer.result() is event
        assert not theirs.news.is_set()
    assert visit.hub.open == 0


async def test_counts_and_times_are_said_in_words(visit: Room) -> None:
    told = standing(done=12_345, pending=2, rejected=1)
    told["last"] = {"finished_at": datetime(2026, 11, 22, 15, 55, tzinfo=UTC).isoformat()}
    visit.says["runner /v1/connections"] = {"items": [told]}
    visit.http.cookies.set("paperbus-zone", "Europe/Paris")
    page = (await visit.http.get("/", headers={"Accept-Language": "fr"})).text

    assert "il y a 5 minutes" in page
    assert "12\u202f345" in page
    assert "lun. 23 nov., 02:30" in page


async def test_a_logo_comes_through_us_sandboxed(visit: Room) -> None:
    headers = {"etag": '"1"', "content-security-policy": "sandbox"}
    visit.says["/v1/providers/webdav/logo"] = httpx_logo(headers)
    logo = await visit.http.get("/logos/webdav")

    assert logo.headers["content-security-policy"] == "sandbox"
    assert (await visit.http.get("/logos/..%2fx")).status_code == 404


def httpx_logo(headers: dict[str, str]) -> JSONResponse:
    return JSONResponse({}, headers=headers, media_type="image/svg+xml")
