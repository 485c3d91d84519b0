"""The login window, walked through by a browser without JavaScript."""

import re
from dataclasses import replace

import pytest

from schemas.connections import Image
from schemas.reasons import SessionResult
from tests.unit.window.conftest import PLATFORM, Stage
from tests.unit.window.fakes import PASSWORD

RIGHT = {"url": "https://cloud.example.org", "username": "jane", "password": PASSWORD}
WRONG = RIGHT | {"password": "wr0ng-canary"}


async def test_opening_an_address_binds_nothing_and_says_who_would_be_connected(stage: Stage) -> None:
    one, two = stage.browser(), stage.browser()
    address = await stage.address()

    first, second = await one.go(address), await two.go(address)

    assert "Connect Nextcloud to ACME GmbH" in first.text
    assert (first.status_code, second.status_code) == (200, 200)
    assert "password" not in first.text.replace("Nextcloud", "")
    assert all(window.browser is None for window in stage.windows.kept.values())


async def test_a_login_ends_at_the_platform_with_a_proof(stage: Stage) -> None:
    browser = await stage.opened()
    await browser.send(**RIGHT)

    assert browser.sent_to is not None
    assert str(browser.sent_to).startswith(f"{PLATFORM}/back?tab=2&connection_id=")
    assert browser.sent_to.params["result"] == "authorized"
    assert browser.sent_to.params["state"] == "s-1"
    assert len(browser.sent_to.params["proof"]) == 43
    assert stage.login.answers[0].fields == RIGHT


async def test_a_second_step_is_asked_on_the_same_address(stage: Stage) -> None:
    stage.login.confirms = True
    browser = await stage.opened()
    page = await browser.send(**RIGHT)

    assert "SHA256:uNiVztksCsDhcc0u9e8BrqXVjGpW4Ow7KZ3qD4lWYVE" in page.text
    await browser.send(accept="true")
    assert browser.sent_to is not None
    assert browser.sent_to.params["result"] == "authorized"


async def test_what_is_missing_is_said_beside_its_field_and_what_was_typed_stays(stage: Stage) -> None:
    browser = await stage.opened()
    page = await browser.send(url="https://cloud.example.org", password=PASSWORD)

    assert page.status_code == 422
    assert 'value="https://cloud.example.org"' in page.text
    assert re.search(r'id="field-username"[^>]* aria-invalid="true"', page.text, re.DOTALL)
    assert "is missing" in page.text
    assert PASSWORD not in page.text
    assert stage.login.answers == []


async def test_a_wrong_password_asks_again_with_what_was_typed_but_the_secret(stage: Stage) -> None:
    browser = await stage.opened()
    page = await browser.send(**WRONG)

    beside = r'id="field-password-error">.*Nextcloud does not know this user name with this password'
    assert re.search(beside, page.text)
    assert "2 tries left" in page.text
    assert 'value="jane"' in page.text
    assert "wr0ng-canary" not in page.text
    assert all("password" not in window.typed for window in stage.windows.kept.values())


async def test_a_page_says_how_long_is_left_what_is_stored_and_what_is_not(stage: Stage) -> None:
    stage.login.confirms = True
    browser = await stage.opened()
    stage.clock.move(minutes=10)
    assert browser.page is not None
    page = await browser.go(str(browser.page.url))

    assert re.search(r"Time left: <b[^>]*>20:00</b>", page.text)
    assert "Stored encrypted, to move documents for you" in page.text
    assert "What is secret is never shown again" in page.text
    page = await browser.send(**RIGHT)
    assert "Stored encrypted" not in page.text  # a confirmation leaves nothing


async def test_too_many_wrong_answers_end_at_the_platform_as_failed(stage: Stage) -> None:
    browser = await stage.opened()
    for _ in range(3):
        await browser.send(**WRONG)

    assert browser.sent_to is not None
    assert browser.sent_to.params["result"] == "failed"
    assert "proof" not in browser.sent_to.params


async def test_cancelling_ends_at_the_platform(stage: Stage) -> None:
    browser = await stage.opened()
    await browser.send(_button="cancel")

    assert browser.sent_to is not None
    assert browser.sent_to.params["result"] == "cancelled"


async def test_a_waiting_page_goes_on_by_itself_without_a_script(stage: Stage) -> None:
    stage.login.works_at_once = False
    browser = await stage.opened()
    page = await browser.send(**RIGHT)

    assert '<noscript><meta http-equiv="refresh" content="2"></noscript>' in page.text
    assert 'role="status"' in page.text
    watch = re.search(r'data-watch="([^"]+)" data-at="([^"]+)"', page.text)
    assert watch is not None
    assert (await browser.http.get(watch[1])).json() == {"at": watch[2]}
    stage.login.work()
    assert (await browser.http.get(watch[1])).json() != {"at": watch[2]}
    await browser.go(str(page.url))
    assert browser.sent_to is not None


async def test_a_login_can_be_cancelled_while_the_provider_is_asked(stage: Stage) -> None:
    stage.login.works_at_once = False
    browser = await stage.opened()
    await browser.send(**RIGHT)
    await browser.send(_button="cancel")

    assert browser.sent_to is not None
    assert browser.sent_to.params["result"] == "cancelled"


async def test_an_expired_login_ends_at_the_platform_as_expired(stage: Stage) -> None:
    browser = await stage.opened()
    stage.clock.move(minutes=31)
    await browser.send(**RIGHT)

    assert browser.sent_to is not None
    assert browser.sent_to.params["result"] == "expired"


async def test_two_tabs_answer_once(stage: Stage) -> None:
    stage.login.works_at_once = False
    browser = await stage.opened()
    first = browser.page
    await browser.send(**RIGHT)
    browser.page = first
    page = await browser.send(**RIGHT)

    assert len(stage.login.answers) == 1
    assert "Connecting Nextcloud" in page.text


async def test_the_back_button_after_the_end_shows_what_is_so_and_leads_on(stage: Stage) -> None:
    browser = await stage.opened()
    form = browser.page
    await browser.send(**RIGHT)
    old_proof = browser.sent_to and browser.sent_to.params["proof"]
    assert form is not None
    page = await browser.go(str(form.url))

    assert "Nextcloud is connected" in page.text
    await browser.send()
    assert browser.sent_to is not None
    assert browser.sent_to.params["proof"] not in (old_proof, "")


async def test_the_address_leads_its_own_browser_back_to_the_window(stage: Stage) -> None:
    browser = stage.browser()
    address = await stage.address()
    await browser.go(address)
    await browser.send()
    page = await browser.go(address)

    assert "Log in to Nextcloud" in page.text


@pytest.mark.parametrize(
    ("minutes", "status", "text"),
    [(4.99, 200, "Connect Nextcloud to"), (5, 410, "This address has run out")],
)
async def test_an_address_opens_for_five_minutes(
    stage: Stage, minutes: float, status: int, text: str
) -> None:
    address = await stage.address()
    stage.clock.move(minutes=minutes)
    page = await stage.browser().go(address)

    assert (page.status_code, text in page.text) == (status, True)


async def test_a_page_left_open_too_long_binds_nothing_any_more(stage: Stage) -> None:
    browser = stage.browser()
    await browser.go(await stage.address())
    stage.clock.move(minutes=6)
    page = await browser.send()

    assert page.status_code == 410
    assert all(window.browser is None for window in stage.windows.kept.values())


async def test_a_newer_address_voids_an_unopened_older_one_but_no_opened_one(stage: Stage) -> None:
    opened = await stage.opened()
    stage.clock.move(seconds=1)
    unopened = await stage.address()
    stage.clock.move(seconds=1)
    newest = await stage.address()

    assert (await stage.browser().go(unopened)).status_code == 410
    assert (await stage.browser().go(newest)).status_code == 200
    await opened.send(**RIGHT)
    assert opened.sent_to is not None


async def test_a_picture_and_its_sound_are_for_the_browser_of_their_login_while_they_are_asked(
    stage: Stage,
) -> None:
    browser = await stage.opened()
    asked = stage.login.begin()
    picture = {"media_type": "image/png", "data": "iVBORw=="}
    sound = {"media_type": "audio/wav", "data": "UklGRg=="}
    challenge = asked.challenge.model_copy(update={"image": Image(**picture)})  # type: ignore[union-attr]
    shown = replace(asked, challenge=challenge, aside={"audio": sound})
    paths = [f"{browser.page.url.path}/{what}/{challenge.challenge_id}" for what in ("picture", "sound")]  # type: ignore[union-attr]
    of_another = shown.challenge.model_copy(update={"challenge_id": "another"})  # type: ignore[union-attr]

    for login, status in (
        (shown, 200),
        (replace(shown, challenge=of_another), 404),
        (replace(shown, browser="of another"), 404),
    ):
        stage.login.login = login
        assert [(await browser.http.get(path)).status_code for path in paths] == [status, status]


async def test_a_login_that_was_taken_over_ends_as_cancelled(stage: Stage) -> None:
    browser = await stage.opened()
    stage.login.end(SessionResult.CANCELLED)
    stage.login.begin()
    await browser.send(**RIGHT)

    assert browser.sent_to is not None
    assert browser.sent_to.params["result"] == "cancelled"
    assert stage.login.answers == []


@pytest.mark.parametrize(
    "path", ["/", "/w/nothing", "/window/nothing", "/window/nothing/state", "/static/no.css"]
)
async def test_an_unknown_address_is_a_page_with_a_way_on(stage: Stage, path: str) -> None:
    page = await stage.browser().go(path)

    assert page.status_code == 404
    assert page.headers["cache-control"] == "no-store"


async def test_a_form_that_is_too_large_is_refused(stage: Stage) -> None:
    browser = await stage.opened()
    page = await browser.send(**RIGHT | {"username": "x" * 300_000})

    assert page.status_code == 413
    assert stage.login.answers == []


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("fr", "Connecter Nextcloud à ACME GmbH"),
        ("de-AT", "Nextcloud mit ACME GmbH verbinden"),
        ("es", "Connect "),
    ],
)
async def test_the_window_speaks_the_language_that_the_platform_says(
    stage: Stage, locale: str, words: str
) -> None:
    page = await stage.browser().go(await stage.address(locale=locale))

    assert words in page.text


async def test_what_the_platform_calls_its_account_is_shown_as_text(stage: Stage) -> None:
    page = await stage.browser().go(await stage.address(account_label="<script>alert(1)</script>"))

    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert(1)" in page.text
