"""Every login that was recorded beside a manifest is walked again, without its provider."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from providers.egress import Guard
from providers.login.machine import begin, step
from providers.login.outcomes import Answer, Asked, Authorized, Outcome
from providers.manifests import CATALOGUE, load
from providers.reach import Reach
from providers.recording import Recording, Replayed

PORTAL = Path(__file__).parents[1] / "peers" / "portal"
RECORDINGS = sorted(file for root in (CATALOGUE, PORTAL) for file in root.glob("*/recordings/*.json"))


async def played(folder: Path, recording: Recording) -> tuple[Outcome, Replayed]:
    manifest = load(folder)

    async def anywhere(host: str, port: int) -> Sequence[str]:
        return ["198.18.0.1"]

    async with Reach(Guard(["198.18.0.0/15"], anywhere)) as reach:
        reach.http = replayed = Replayed(reach, recording.passed)
        came: Outcome = begin(manifest, {}, "en")
        for answer in recording.answers:
            assert isinstance(came, Asked), came
            came = await step(manifest, came.state, Answer(answer["fields"], answer["action"]), reach, "en")
        return came, replayed


@pytest.mark.parametrize("file", RECORDINGS, ids=lambda file: f"{file.parents[1].name} {file.stem}")
async def test_a_recorded_login_goes_as_it_went(file: Path) -> None:
    folder, recording = file.parents[1], Recording.of(file.read_text("utf-8"))
    assert json.loads(recording.text({}))["provider"] == folder.name

    came, replayed = await played(folder, recording)

    assert isinstance(came, Authorized), came
    assert came.identity == recording.identity
    assert replayed.left == []


def test_there_is_one_to_play() -> None:
    assert RECORDINGS
