"""SSH keyboard-interactive at OpenSSH with PAM: a password, then a code; runs answer by a stored secret."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from providers.drivers import open_driver
from providers.egress import Guard
from providers.errors import ProviderError
from providers.login.machine import begin, step
from providers.login.outcomes import Answer, Asked, Authorized
from providers.reach import Reach
from schemas.manifest import Manifest
from schemas.reasons import ChallengeKind, Reason
from tests.peers.pam_sshd import PASSWORD, SECRET, PamServer, missing, pam_sshd

pytestmark = [pytest.mark.targets, pytest.mark.skipif(missing() is not None, reason=str(missing()))]
MANIFEST = Manifest.model_validate(
    {
        "id": "subject",
        "name": "Subject",
        "summary": "Under test.",
        "categories": ["storage"],
        "directions": ["export"],
        "login": [
            {
                "ask": "credentials",
                "fields": [
                    {"name": "host", "label": "Host", "destination": True},
                    {"name": "port", "label": "Port", "type": "integer", "destination": True},
                    {"name": "username", "label": "User"},
                    {"name": "password", "label": "Password", "type": "password", "secret": True},
                ],
            },
            {"confirm": "host_key"},
            {"prompts": "keyboard_interactive"},
        ],
        "driver": {"kind": "sftp", "settings": {"interactive": True}},
    }
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PamServer]:
    with pam_sshd(tmp_path_factory.mktemp("pam")) as made:
        yield made


@pytest.fixture
async def reach() -> AsyncIterator[Reach]:
    async with Reach(Guard(["127.0.0.0/8"])) as made:
        yield made


def fresh_code() -> str:
    """One that the server has not seen: each counts once."""
    totp, seen = pyotp.TOTP(SECRET), fresh_code.__dict__.setdefault("seen", set())
    while (code := totp.now()) in seen:
        time.sleep(0.5)
    seen.add(code)
    return code


async def asked(server: PamServer, reach: Reach, password: str = PASSWORD) -> Asked:
    """As far as the server's question."""
    typed = {"host": server.host, "port": server.port, "username": server.username, "password": password}
    shown = await step(MANIFEST, begin(MANIFEST, {}, "en").state, Answer(typed), reach, "en")
    assert isinstance(shown, Asked)
    assert shown.challenge.kind is ChallengeKind.CONFIRM
    came = await step(MANIFEST, shown.state, Answer({"accept": True}), reach, "en")
    assert isinstance(came, Asked), came
    return came


async def test_a_password_then_the_servers_own_question(server: PamServer, reach: Reach) -> None:
    question = await asked(server, reach)
    assert question.challenge.kind is ChallengeKind.CODE_OFFLINE
    assert question.challenge.fields[0].label == "Verification code"
    wrong = await step(MANIFEST, question.state, Answer({"answer": "000000"}), reach, "en")
    assert isinstance(wrong, Asked)
    assert (wrong.error and wrong.error.reason, wrong.blamed) == (Reason.CREDENTIALS_WRONG, "answer")
    right = {"answer": fresh_code(), "totp_secret": SECRET}
    ended = await step(MANIFEST, wrong.state, Answer(right), reach, "en")

    assert isinstance(ended, Authorized), ended
    assert ended.identity == f"root@{server.host}"
    assert "totp_secret" not in ended.known
    with pytest.raises(ProviderError) as met:
        async with open_driver(MANIFEST, {**ended.credentials, "totp_secret": None}, {}, reach):
            pass
    assert met.value.reason is Reason.CHALLENGE_NEEDED

    later = lambda: datetime.now(UTC) + timedelta(seconds=30)  # noqa: E731 - each code counts once
    async with (
        Reach(Guard(["127.0.0.0/8"]), clock=later) as alone,
        open_driver(MANIFEST, ended.credentials, {}, alone) as driver,
    ):
        await driver.check()


async def test_a_wrong_password_is_asked_again_and_never_the_code(server: PamServer, reach: Reach) -> None:
    again = await asked(server, reach, "wrong")
    assert again.challenge.kind is ChallengeKind.CREDENTIALS
    assert again.error is not None
    assert again.error.reason is Reason.CREDENTIALS_WRONG
