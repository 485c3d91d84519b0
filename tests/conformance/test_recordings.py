"""Every login that was recorded beside a manifest is walked again, without its provider."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from providers.login.outcomes import Authorized
from providers.manifests import CATALOGUE, load
from providers.recording import Recording
from tests.conformance.playing import played

PORTAL = Path(__file__).parents[1] / "peers" / "portal"
RECORDINGS = sorted(file for root in (CATALOGUE, PORTAL) for file in root.glob("*/recordings/*.json"))


@pytest.mark.parametrize("file", RECORDINGS, ids=lambda file: f"{file.parents[1].name} {file.stem}")
async def test_a_recorded_login_goes_as_it_went(file: Path) -> None:
    folder, recording = file.parents[1], Recording.of(file.read_text("utf-8"))
    assert json.loads(recording.text({}))["provider"] == folder.name

    came, replayed = await played(load(folder), recording)

    assert isinstance(came, Authorized), came
    assert came.identity == recording.identity
    assert replayed.left == []


def test_there_is_one_to_play() -> None:
    assert RECORDINGS
