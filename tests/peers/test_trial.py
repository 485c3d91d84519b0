"""`paperbus provider try`: a login in the terminal, a document moved, and what was recorded."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from paperbus.commands.provider import provider
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
