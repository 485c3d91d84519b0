"""What the console's pages show, with made-up services around it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.unit.console.room import CHANGES, ID, NASTY, Room, connection, provider, row, standing

ONE = f"/v1/connections/{ID}"


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


@pytest.mark.parametrize(("status", "step"), [("connecting", "login"), ("configuring", "options")])
async def test_an_unfinished_onboarding_is_taken_up_from_the_list_where_it_was_left(
    visit: Room, status: str, step: str
) -> None:
    left = connection(status)
    visit.says |= {"/v1/connections": {"items": [left], "next": None}, ONE: left}
    listed = (await visit.http.get("/")).text
    opened = await visit.http.get(f"/accounts/{ID}")
    page = await visit.http.get(f"/accounts/{ID}/{step}")

    assert re.search(rf'href="/accounts/{ID}/{step}"[^>]*>Continue<', listed)
    assert opened.headers["location"] == f"/accounts/{ID}/{step}"
    assert page.status_code == 200


async def test_removing_says_what_becomes_of_the_login_and_of_what_was_delivered(visit: Room) -> None:
    page = (await visit.http.get(f"/accounts/{ID}/remove")).text

    assert "what is stored of the login is destroyed at once" in page
    assert "3 documents that were delivered stay where they are." in page
    assert "Its list of documents stays readable." in page
    assert visit.published == [], "nothing is removed by looking"


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


async def test_a_provider_that_is_not_set_up_is_shown_as_such(visit: Room) -> None:
    unset = provider(available=False)
    visit.says |= {"/v1/providers": {"items": [unset], "next": None}, "/v1/providers/webdav": unset}
    page = (await visit.http.get("/add/export")).text

    assert "Not set up here yet" in page
    assert 'href="/add/export/webdav"' not in page


async def test_the_providers_that_an_account_used_last_stand_first_each_once_and_go_away_while_searching(
    visit: Room,
) -> None:
    used = ["dropbox", "webdav", "dropbox", "inbox", "closed", "s3", "sftp", "ftp"]
    visit.says["/v1/connections"] = {
        "items": [connection(id=f"{ID[:-1]}{n}", provider_id=one) for n, one in enumerate(used)],
        "next": None,
    }
    for one in used:
        changed = {"inbox": {"directions": ["import"]}, "closed": {"available": False}}.get(one, {})
        visit.says[f"/v1/providers/{one}"] = provider(id=one, name=one.title(), **changed)
    browsing = (await visit.http.get("/add/export")).text
    recent, every = browsing.split("Recently used", 1)[1].split("All providers", 1)

    assert re.findall(r'href="/add/export/(\w+)"', recent) == ["dropbox", "webdav", "s3", "sftp"]
    assert re.findall(r'href="/add/export/(\w+)"', every) == ["webdav"]
    assert "Recently used" not in (await visit.http.get("/add/export?query=drop")).text


async def test_the_best_are_shown_while_one_types_and_the_rest_by_a_click(visit: Room) -> None:
    for asked in ("", "?query=cloud", "?query=cloud&cursor=there", "?category=storage"):
        await visit.http.get(f"/add/export{asked}")

    limits = [asked["limit"] for path, asked in visit.asked if path == "/v1/providers"]
    assert limits == ["24", "12", "24", "24"]


async def test_counts_and_times_are_said_in_words(visit: Room) -> None:
    told = standing(done=12_345, pending=2, rejected=1)
    told["last"] = {"finished_at": datetime(2026, 11, 22, 15, 55, tzinfo=UTC).isoformat()}
    visit.says["runner /v1/connections"] = {"items": [told]}
    visit.http.cookies.set("paperbus-zone", "Europe/Paris")
    page = (await visit.http.get("/", headers={"Accept-Language": "fr"})).text

    assert "il y a 5 minutes" in page
    assert "12\u202f345" in page
    assert "lun. 23 nov., 02:30" in page
