"""Whoever lures, steals, guesses or forges attaches nothing to anybody's account."""

import re

import pytest

from connections.window.windows import wrong_return_url
from kit.http import Problem
from tests.unit.window.conftest import PLATFORM, PUBLIC, Browser, Stage
from tests.unit.window.fakes import ACCOUNT, CONNECTION, PASSWORD

RIGHT = {"url": "https://cloud.example.org", "username": "jane", "password": PASSWORD}


async def proof_of(browser: Browser) -> str:
    await browser.send(**RIGHT)
    assert browser.sent_to is not None
    return browser.sent_to.params["proof"]


async def test_a_victim_lured_into_an_attackers_window_connects_nothing_to_the_attacker(stage: Stage) -> None:
    """The attacker sends the address to a victim, who logs in; the platform finds the victim signed in as
    another account, and that account's token completes nothing.
    """
    victim = await stage.opened(account_label="Mallory Ltd")
    proof = await proof_of(victim)

    with pytest.raises(Problem) as refused:
        await stage.desk.complete(CONNECTION, "victims-own-account", "victim", proof)
    assert refused.value.status == 404
    assert stage.login.completed == []


async def test_an_attacker_who_completes_without_the_victims_proof_is_refused(stage: Stage) -> None:
    victim = await stage.opened()
    await proof_of(victim)

    for guess in ("", "x" * 43, victim.http.cookies["__Host-paperbus-window"]):
        with pytest.raises(Problem) as refused:
            await stage.desk.complete(CONNECTION, ACCOUNT, "mallory", guess)
        assert refused.value.status == 400
    assert stage.login.completed == []


async def test_a_login_without_its_proof_counts_for_nothing(stage: Stage) -> None:
    await proof_of(await stage.opened())

    assert stage.login.login is not None
    assert stage.login.login.state == "verified"
    assert stage.login.completed == []


async def test_the_platform_completes_once(stage: Stage) -> None:
    proof = await proof_of(await stage.opened())
    done = await stage.desk.complete(CONNECTION.upper(), ACCOUNT, "jane", proof)

    assert stage.login.completed == [(CONNECTION, done.session_id, "jane")]
    with pytest.raises(Problem) as refused:
        await stage.desk.complete(CONNECTION, ACCOUNT, "jane", proof)
    assert refused.value.status == 409


async def test_a_proof_lasts_five_minutes_and_only_the_newest_counts(stage: Stage) -> None:
    browser = await stage.opened()
    form = browser.page
    old = await proof_of(browser)
    assert form is not None
    await browser.go(str(form.url))
    await browser.send()
    assert browser.sent_to is not None
    stage.clock.move(minutes=5)

    for proof, status in ((old, 400), (browser.sent_to.params["proof"], 410)):
        with pytest.raises(Problem) as refused:
            await stage.desk.complete(CONNECTION, ACCOUNT, "jane", proof)
        assert refused.value.status == status


async def test_a_crash_between_completing_and_remembering_it_does_no_harm(stage: Stage) -> None:
    proof = await proof_of(await stage.opened())
    login = stage.login.login
    assert login is not None
    assert login.browser is not None
    await stage.login.complete(CONNECTION, login.session_id, login.browser, "jane")
    await stage.desk.complete(CONNECTION, ACCOUNT, "jane", proof)

    assert len(stage.login.completed) == 1


async def test_the_proof_of_a_login_that_was_taken_over_is_refused(stage: Stage) -> None:
    proof = await proof_of(await stage.opened())
    stage.login.begin()

    with pytest.raises(Problem) as refused:
        await stage.desk.complete(CONNECTION, ACCOUNT, "jane", proof)
    assert (refused.value.status, refused.value.reason) == (409, "superseded")


async def test_an_opened_address_opens_nowhere_else(stage: Stage) -> None:
    address = await stage.address()
    first, second = stage.browser(), stage.browser()
    await first.go(address)
    await first.send()
    stolen = await second.go(address)
    window = await second.go(str(first.page and first.page.url))

    assert stolen.status_code == 410
    assert window.status_code == 403
    assert "Log in to Nextcloud" not in stolen.text + window.text


async def test_of_two_browsers_that_press_the_button_one_is_bound(stage: Stage) -> None:
    address = await stage.address()
    first, second = stage.browser(), stage.browser()
    await first.go(address)
    await second.go(address)
    await first.send()
    late = await second.send()

    assert late.status_code == 410


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 303),
        ({"origin": "null"}, 303),
        ({"origin": PUBLIC, "sec-fetch-site": "same-origin"}, 303),
        ({"origin": "https://evil.example"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site", "origin": "null"}, 403),
        ({"sec-fetch-site": "none"}, 403),
    ],
)
async def test_a_form_counts_only_from_our_own_page(
    stage: Stage, headers: dict[str, str], status: int
) -> None:
    browser = await stage.opened()
    assert browser.page is not None
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', browser.page.text))
    answer = await browser.http.post(str(browser.page.url), data=hidden | RIGHT, headers=headers)

    assert answer.status_code == status
    assert len(stage.login.answers) == (status == 303)


@pytest.mark.parametrize("token", ["", "0" * 64, "é" * 10])
async def test_a_form_without_its_token_does_nothing(stage: Stage, token: str) -> None:
    browser = await stage.opened()
    page = await browser.send(**RIGHT, _form=token)

    assert page.status_code == 403
    assert stage.login.answers == []


async def test_another_sites_button_binds_no_browser(stage: Stage) -> None:
    """Without the cookie of our own page, and without its token, a form posted across sites binds nobody."""
    address = await stage.address()
    page = await stage.browser().http.post(address, data={"_form": "x"})

    assert page.status_code == 403
    assert all(window.browser is None for window in stage.windows.kept.values())


async def test_pages_may_load_nothing_foreign_and_are_neither_framed_nor_kept(stage: Stage) -> None:
    browser = await stage.opened()
    assert browser.page is not None
    headers = browser.page.headers

    assert headers["content-security-policy"] == (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; media-src 'self'; "
        f"connect-src 'self'; form-action 'self' {PLATFORM}; frame-ancestors 'none'; base-uri 'none'"
    )
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-frame-options"] == "DENY"
    assert headers["strict-transport-security"]
    assert not re.search(r"<style|<script>|\son\w+=|style=|javascript:", browser.page.text)
    assert not re.search(r'(src|href)="(?!/static/|/window/|#)', browser.page.text)


async def test_the_cookie_is_for_this_host_alone_and_no_script_reads_it(stage: Stage) -> None:
    page = await stage.browser().go(await stage.address())
    cookie = page.headers["set-cookie"]

    assert cookie.startswith("__Host-paperbus-window=")
    for part in ("HttpOnly", "Secure", "Path=/", "SameSite=lax"):
        assert part in cookie
    assert "Domain" not in cookie


async def test_what_is_refused_is_not_kept(stage: Stage) -> None:
    """An address may hold a password: only what was taken as an answer is remembered."""
    browser = await stage.opened()
    page = await browser.send(url=f"https://jane:{PASSWORD}@cloud.example.org", username="")

    assert page.status_code == 422
    assert PASSWORD not in repr(stage.windows.kept)


async def test_no_secret_is_stored_with_a_window(stage: Stage) -> None:
    address = await stage.address()
    browser = stage.browser()
    await browser.go(address)
    await browser.send()
    proof = await proof_of(browser)
    stored = repr(stage.windows.kept)

    for secret in (
        PASSWORD,
        proof,
        address.rsplit("/", 1)[1],
        browser.http.cookies["__Host-paperbus-window"],
    ):
        assert secret not in stored


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/back",
        "https://app.platform.example.evil.example/",
        "https://app.platform.example@evil.example/",
        "https://jane@app.platform.example/",
        "https://:x@app.platform.example/",
        "https://app.platform.example:8443/",
        "http://app.platform.example/",
        "https://app.platform.example/#there",
        "https://app.platform.example/#",
        "//app.platform.example/",
        "/back",
        "javascript:alert(1)",
        "https:\\\\app.platform.example\\",
        "https://app.platform.example\\@evil.example/",
        "https://аpp.platform.example/",
        "https://[::1/",
        "https://app.platform.example/\r\nSet-Cookie: a=b",
        "https://app.platform.example/a b",
        "\thttps://app.platform.example/",
        "https://app.platform.example:99999999/",
        "",
    ],
)
def test_browsers_are_sent_back_to_allowed_origins_only(url: str) -> None:
    assert wrong_return_url(url, [PLATFORM]) is not None


@pytest.mark.parametrize("url", [PLATFORM, f"{PLATFORM}/a?b=c", "HTTPS://App.Platform.example:443/x"])
def test_an_allowed_origin_may_be_written_in_any_way(url: str) -> None:
    assert wrong_return_url(url, [PLATFORM]) is None


async def test_what_the_platform_put_into_its_address_stays_but_not_what_is_ours(stage: Stage) -> None:
    browser = await stage.opened(return_url=f"{PLATFORM}/?a=1&proof=forged&result=authorized&state=s-0&b=")
    await browser.send(_button="cancel")

    assert browser.sent_to is not None
    assert browser.sent_to.params.multi_items() == [
        ("a", "1"),
        ("b", ""),
        ("connection_id", CONNECTION),
        ("result", "cancelled"),
        ("state", "s-1"),
    ]
