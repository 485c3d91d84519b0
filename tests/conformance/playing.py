"""Playing a recorded login: the machine as ever, its provider's answers from the recording. No assertions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from providers.egress import Guard
from providers.login.machine import begin, step
from providers.login.oauth import server
from providers.login.outcomes import Answer, Asked, Outcome, Waiting
from providers.reach import Reach, utc_now
from providers.recording import RecordedClients, Recording, Replayed
from schemas.manifest import Manifest


async def played(
    manifest: Manifest, recording: Recording, at: datetime | None = None
) -> tuple[Outcome, Replayed]:
    """How the login ends, and what was not asked for; `at`: by another clock than the recording's."""
    then = at or (datetime.fromisoformat(recording.at) if recording.at else utc_now())

    async def anywhere(host: str, port: int) -> Sequence[str]:
        return ["198.18.0.1"]

    server.forget()
    guard = Guard(["198.18.0.0/15", "127.0.0.0/8"], anywhere)
    async with Reach(guard, clock=lambda: then, clients=RecordedClients()) as reach:
        reach.http = replayed = Replayed(reach, recording.passed)
        came: Outcome = begin(manifest, {}, "en")
        for answer in recording.answers:
            if not isinstance(came, Asked | Waiting):
                break
            came = await step(manifest, came.state, Answer(answer["fields"], answer["action"]), reach, "en")
        return came, replayed
