"""`paperbus provider try`: a login in the terminal, a document moved, a recording that is played again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from paperbus.commands.provider import provider
from providers.egress import Guard
from providers.login.machine import begin, step
from providers.login.outcomes import Answer, Asked, Authorized, Outcome
from providers.manifests import load
from providers.reach import Reach
from providers.recording import Recording, Replayed
from tests.peers.portal.app import Portal
from tests.peers.portal.serving import served

FOLDER = Path(__file__).parent / "portal" / "billing-portal"
CANARY = "c4n4ry pass word"


@pytest.fixture
def record(tmp_path: Path) -> Path:
    return tmp_path / "login.json"


def test_a_login_is_walked_a_document_moved_and_no_secret_shown(
    record: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAPERBUS_PRIVATE_NETWORKS", "127.0.0.0/8")
    portal = Portal()
    account = portal.has("jane-doe", "question", "company", password=CANARY)
    with served(portal) as url:
        typed = f"{url}\njane-doe\nn0t-it\n{url}\njane-doe\n{CANARY}\nrex\n2\n"
        ran = CliRunner().invoke(provider, ["try", str(FOLDER), "--record", str(record)], input=typed)

    assert ran.exit_code == 0, ran.output
    assert "did not accept this" in ran.output
    assert "What was your first pet called?" in ran.output
    assert f"POST {url}/login → 303" in ran.output
    assert "Logged in as jane-doe." in ran.output
    assert portal.files.files["paperbus-test.txt"].startswith(b"This is a test")
    for secret in (CANARY, account.app_password):
        assert secret not in ran.output
        assert secret not in record.read_text("utf-8")
    assert "jane-doe" not in record.read_text("utf-8")
    assert url not in record.read_text("utf-8")


async def test_a_recording_is_played_again_without_a_provider() -> None:
    """The recording beside the manifest: the conformance suite goes through each of them like this."""
    recording = Recording.of((FOLDER / "recordings" / "question.json").read_text("utf-8"))
    assert json.loads(recording.text({}))["provider"] == "billing-portal"

    came, reach = await played(recording)
    assert isinstance(came, Authorized)
    assert came.identity == recording.identity
    assert reach.left == []


async def played(recording: Recording) -> tuple[Outcome, Replayed]:
    manifest = load(FOLDER)

    async def anywhere(host: str, port: int) -> Sequence[str]:
        return ["198.18.0.1"]

    async with Reach(Guard(["198.18.0.0/15"], anywhere)) as reach:
        reach.http = replayed = Replayed(reach, recording.passed)
        came: Outcome = begin(manifest, {}, "en")
        for answer in recording.answers:
            assert isinstance(came, Asked)
            came = await step(manifest, came.state, Answer(answer["fields"], answer["action"]), reach, "en")
        return came, replayed
