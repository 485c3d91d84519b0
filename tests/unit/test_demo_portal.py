"""The demo's portal can be logged in to by its manifest alone, with the code that it shows."""

from __future__ import annotations

import re
from pathlib import Path

from paperbus.demo.portal import PROVIDER, portal
from paperbus.demo.target import webdav
from providers.egress import Guard
from providers.login.machine import begin, step
from providers.login.outcomes import Answer, Asked, Authorized
from providers.manifests import load
from providers.reach import Reach
from schemas.reasons import ChallengeKind


async def test_a_code_is_asked_for_and_the_right_one_opens_the_files(tmp_path: Path) -> None:
    async with (
        webdav(tmp_path / "files") as files,
        portal(files, tmp_path) as url,
        Reach(Guard(["127.0.0.0/8"])) as reach,
    ):
        manifest = load(tmp_path / PROVIDER)
        first = begin(manifest, {}, "en")
        assert isinstance(first, Asked)
        who = Answer({"url": url, "login": "jane", "pin": "anything"}, "answer")
        asked = await step(manifest, first.state, who, reach, "en")
        assert isinstance(asked, Asked)
        assert asked.challenge.kind is ChallengeKind.CODE_SENT
        assert asked.challenge.medium is not None
        code = re.search(r"demo: (\d{6})", asked.challenge.medium.label)
        assert code is not None
        wrong = await step(manifest, asked.state, Answer({"sms_code": "no"}, "answer"), reach, "en")
        assert isinstance(wrong, Asked)
        came = await step(manifest, wrong.state, Answer({"sms_code": code[1]}, "answer"), reach, "en")

    assert isinstance(came, Authorized)
    assert came.credentials["password"] == files.password
    assert came.identity == "jane@demo-portal"
