"""A login that is data alone, at a portal that knows nothing of it: each kind of proof in its order."""

from __future__ import annotations

import base64
import io
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pyotp
import pytest
import zxingcpp
from PIL import Image

from providers.egress import Guard
from providers.login.machine import begin, step
from providers.login.outcomes import Answer, Asked, Authorized, Failed, Outcome, Unreached, Waiting, aside
from providers.manifests import load
from providers.reach import Reach
from schemas.reasons import ChallengeKind, Reason
from tests.peers.portal.app import Account, Portal, Session
from tests.peers.portal.serving import served

MANIFEST = load(Path(__file__).parent / "portal" / "billing-portal")
PORTAL = Portal()
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with served(PORTAL) as address:
        yield address


@pytest.fixture
async def reach() -> AsyncIterator[Reach]:
    async with Reach(Guard(["127.0.0.0/8"])) as made:
        yield made


class Walk:
    """One customer's login."""

    def __init__(self, url: str, reach: Reach, account: Account) -> None:
        self.reach, self.account = reach, account
        self.now: Outcome = begin(MANIFEST, {}, "en")
        self.first = {"url": url, "username": account.name, "pin": account.password}

    async def password(self, **other: str) -> Asked:
        return await self.says(**{**self.first, **other})

    async def says(self, action: str = "answer", **fields: object) -> Asked:
        """Answer, and what is asked then."""
        came = await self.ends(action, **fields)
        assert isinstance(came, Asked), came
        return came

    async def ends(self, action: str = "answer", **fields: object) -> Outcome:
        assert isinstance(self.now, Asked)
        came = await step(MANIFEST, self.now.state, Answer(fields, action), self.reach, "en")
        if isinstance(came, Asked):
            self.now = came
        return came


async def test_a_password_then_a_code_that_was_sent_again(url: str, reach: Reach) -> None:
    account = PORTAL.has("jane", "sms")
    walk = Walk(url, reach, account)
    code = await walk.password()

    assert (code.challenge.kind, code.challenge.resends) == (ChallengeKind.CODE_SENT, True)
    assert code.challenge.medium is not None
    assert (code.challenge.medium.type, code.challenge.medium.label) == ("sms", "+33 6 •• •• •• 12")
    wrong = await walk.says(sms_code="000000x")
    assert wrong.error is not None
    assert (wrong.error.reason, wrong.blamed) == (Reason.CREDENTIALS_WRONG, "sms_code")
    again = await walk.says("resend")
    assert (again.error, len(account.outbox)) == (None, 2)
    older = await walk.says(sms_code=account.outbox[0])
    assert older.error is not None
    ended = await walk.ends(sms_code=account.outbox[1])
    assert isinstance(ended, Authorized)
    assert ended.identity == "jane"
    assert ended.credentials["password"] == account.app_password
    assert "pin" not in ended.credentials


async def test_each_kind_of_proof_in_the_portals_own_order(url: str, reach: Reach) -> None:
    account = PORTAL.has(
        "many",
        *("captcha", "device", "sms", "question", "totp", "grid", "terms", "company"),
        password="pass word",
    )
    walk = Walk(url, reach, account)

    captcha = await walk.password()
    assert captcha.challenge.kind is ChallengeKind.CAPTCHA_IMAGE
    assert captcha.challenge.image is not None
    assert captcha.challenge.image.media_type == "image/png"
    assert aside(captcha.state)["audio"]["media_type"] == "audio/wav"
    wrong = await walk.says(letters="nope")
    assert wrong.error is not None
    assert wrong.challenge.image != captcha.challenge.image
    device = await walk.says(letters=_session(account).captcha)
    assert device.challenge.kind is ChallengeKind.SELECT
    assert [choice.label for choice in device.challenge.fields[0].choices or ()] == [
        "Phone ending in 12",
        "j•••@firm.example",
    ]
    code = await walk.says(device="mail")
    assert code.challenge.medium is not None
    assert code.challenge.medium.label == "j•••@firm.example"
    question = await walk.says(sms_code=account.outbox[-1])
    assert (question.challenge.kind, question.challenge.message) == (
        ChallengeKind.QUESTION,
        "What was your first pet called?",
    )
    totp = await walk.says(answer="Rex")
    assert totp.challenge.kind is ChallengeKind.CODE_OFFLINE
    card = await walk.says(totp_code=pyotp.TOTP(account.totp_secret).now())
    assert card.challenge.kind is ChallengeKind.CODE_OFFLINE
    assert "B4" in (card.challenge.message or "")
    other = await walk.says(card_code="B4")
    assert (other.error and other.error.reason, other.blamed) == (Reason.CREDENTIALS_WRONG, "card_code")
    terms = await walk.says(card_code="7q2")
    assert terms.challenge.kind is ChallengeKind.ACTION_ON_SITE
    not_yet = await walk.says()
    assert not_yet.error is not None
    assert not_yet.error.reason is Reason.ACTION_ON_SITE
    account.terms = True
    company = await walk.says()
    assert company.challenge.kind is ChallengeKind.SELECT
    ended = await walk.ends(company="200")
    assert isinstance(ended, Authorized)
    assert (ended.identity, ended.known["company"]) == ("many", "200")


async def test_an_approval_is_looked_for_until_it_is_there_or_refused(url: str, reach: Reach) -> None:
    account = PORTAL.has("app", "app")
    walk = Walk(url, reach, account)
    asked = await walk.password()

    assert asked.challenge.kind is ChallengeKind.APPROVE_ELSEWHERE
    assert (asked.challenge.window_only, asked.challenge.poll_after) == (True, 2)
    number = aside(asked.state)["code"]
    assert number == _session(account).number
    assert number not in repr(asked.challenge)
    waiting = await walk.ends("poll")
    assert isinstance(waiting, Waiting)
    account.approved = False
    refused = await walk.ends("poll")
    assert isinstance(refused, Failed)
    assert refused.reason is Reason.CANCELLED
    account.approved = True
    assert isinstance(await walk.ends("poll"), Authorized)


@pytest.mark.parametrize("given", [SECRET, "jbsw y3dp-ehpk 3pxp JBSWY3DPEHPK3PXP", "otpauth", "QR"])
async def test_a_stored_secret_of_an_app_answers_later_logins_by_itself(
    url: str, reach: Reach, given: str
) -> None:
    account = PORTAL.has("totp", "totp")
    address = f"otpauth://totp/Portal:jane?secret={SECRET}&issuer=Portal"
    given = {"otpauth": address, "QR": qr_picture(address)}.get(given, given)
    walk = Walk(url, reach, account)
    await walk.password()
    wrong = await walk.says(totp_code="000000", totp_secret="no secret!")
    assert (wrong.blamed, wrong.challenge.kind) == ("totp_secret", ChallengeKind.CODE_OFFLINE)
    ended = await walk.ends(totp_code=pyotp.TOTP(account.totp_secret).now(), totp_secret=given)
    assert isinstance(ended, Authorized)
    kept = ended.credentials["totp_secret"]
    assert kept == f"otpauth://totp/?secret={SECRET}&digits=6&period=30&algorithm=SHA1"
    assert "totp_secret" not in ended.known


async def test_what_a_portal_says_is_told_apart(url: str, reach: Reach) -> None:
    account = PORTAL.has("told")
    wrong = await Walk(url, reach, account).password(pin="wrong")
    assert (wrong.error and wrong.error.reason, wrong.blamed) == (Reason.CREDENTIALS_WRONG, "pin")
    account.locked = True
    locked = await Walk(url, reach, account).password()
    assert locked.error is not None
    assert locked.error.reason is Reason.LOCKED
    account.locked, PORTAL.down = False, True
    down = await Walk(url, reach, account).ends(**Walk(url, reach, account).first)
    PORTAL.down, PORTAL.slow_down = False, True
    slow = await Walk(url, reach, account).ends(**Walk(url, reach, account).first)
    PORTAL.slow_down = False
    assert isinstance(down, Unreached)
    assert isinstance(slow, Unreached)
    assert (slow.error.reason, slow.retry_after) == (Reason.RATE_LIMITED, 7)


async def test_a_portal_that_forgets_the_session_is_asked_from_the_start(url: str, reach: Reach) -> None:
    account = PORTAL.has("forgotten", "sms")
    walk = Walk(url, reach, account)
    await walk.password()
    PORTAL.sessions.clear()
    again = await walk.says(sms_code="123456")

    assert again.challenge.kind is ChallengeKind.CREDENTIALS
    assert again.error is not None
    assert again.error.reason is Reason.SESSION_EXPIRED


@pytest.mark.parametrize(
    "picture",
    [
        b"",
        b"<html>no picture</html>",
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        b"\x89PNG\r\n\x1a\n" + bytes(2000),
        b"\x89PNG\r\n\x1a\n" + bytes(20_000_000),
    ],
    ids=["empty", "html", "svg", "broken", "20 MB"],
)
async def test_what_is_no_picture_is_never_shown(url: str, reach: Reach, picture: bytes) -> None:
    account = PORTAL.has("artist", "captcha")
    PORTAL.captcha_says = picture
    try:
        came = await Walk(url, reach, account).ends(**Walk(url, reach, account).first)
    finally:
        PORTAL.captcha_says = None
    assert isinstance(came, Asked)
    assert came.error is not None
    assert (came.error.reason, came.challenge.image) == (Reason.PROVIDER_CHANGED, None)


async def test_another_address_gets_no_cookie_and_no_secret_of_the_first(url: str, reach: Reach) -> None:
    account = PORTAL.has("mover", "sms")
    walk = Walk(url, reach, account)
    code = await walk.password()
    assert code.state["cookies"]
    PORTAL.sessions.clear()
    await walk.says(sms_code="1")
    with served(Portal()) as elsewhere:
        moved = await walk.password(url=elsewhere)
    assert moved.error is not None
    assert all(url not in kept[0] for kept in moved.state["cookies"])


def _session(account: Account) -> Session:
    return [one for one in PORTAL.sessions.values() if one.account is account][-1]


def qr_picture(text: str) -> str:
    """A picture of a QR code, as a page would upload it."""
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode)
    out = io.BytesIO()
    drawn = memoryview(zxingcpp.write_barcode_to_image(code, scale=4))  # type: ignore[arg-type]  # it is a buffer
    height, width = drawn.shape or (0, 0)
    Image.frombytes("L", (width, height), drawn.tobytes()).save(out, "PNG")
    return f"data:image/png;base64,{base64.b64encode(out.getvalue()).decode()}"
