"""What the console asks for as events, and what it says of the answers."""

from __future__ import annotations

import pytest
from starlette.responses import JSONResponse

from tests.unit.console.room import ID, Room, connection, problem, refusal, row, saved

ONE = f"/v1/connections/{ID}"


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
