"""Where a secret is after it went every way that it can go: nowhere to be read. And a death in a try."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.connections.conftest import CANARY, Platform, Silent, credentials, dumped

pytestmark = [
    pytest.mark.servers,
    # The platform signs with EdDSA, as the contract has it; joserfc prefers its newer name.
    pytest.mark.filterwarnings("ignore:EdDSA is deprecated"),
]


async def _topics(kafka: str) -> bytes:
    """Every byte in every topic."""
    from aiokafka import AIOKafkaConsumer

    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, auto_offset_reset="earliest")
    await consumer.start()
    try:
        names = [name for name in await consumer.topics() if not name.startswith("__")]
        consumer.subscribe(names)
        found = b""
        while batch := await consumer.getmany(timeout_ms=2000):
            for messages in batch.values():
                found += b"".join(
                    (m.key or b"") + (m.value or b"") + repr(m.headers).encode() for m in messages
                )
        return found
    finally:
        await consumer.stop()


@pytest.mark.timeout(300)
def test_a_worker_killed_in_a_try_is_an_interruption_and_no_secret_is_left_anywhere(
    platform: Platform, rclone_webdav: Any, silent: Silent
) -> None:
    it = platform.outsider
    wrong = platform.next(platform.request(), credentials(rclone_webdav, password=f"{CANARY}-wrong"))
    assert wrong["error"]["reason"] == "credentials_wrong"
    malformed = it.answer(wrong, {"url": f"{CANARY}-url", "password": f"{CANARY}-field", CANARY: "x"})
    assert it.refused(malformed)["reason"] == "invalid"

    challenge = platform.request()
    connection = challenge["connection_id"]
    it.answer(challenge, credentials(rclone_webdav, url=silent.url, password=f"{CANARY}-trying"))
    it.wait("AuthChallengeAnswered", connection)
    assert silent.asked.wait(30)
    platform.services.kill("connections")
    assert CANARY not in dumped(platform.services.mongo)
    platform.services.start("connections")
    platform.services.ready("connections")
    again = it.wait("AuthChallengeIssued", connection, lambda data: data["error"] is not None, seconds=60)[
        "data"
    ]
    assert (again["error"]["reason"], again["attempts_left"]) == ("interrupted", 2)
    it.answer(again, credentials(rclone_webdav))
    it.wait("ConnectionAuthorized", connection)

    dead = it.say(
        "connections.answers", "Nonsense", {"connection_id": connection, "sealed": f"{CANARY}-dead"}
    )
    assert dead
    kept = dumped(platform.services.mongo)
    assert connection in kept
    assert CANARY not in kept
    assert rclone_webdav.password not in kept
    assert CANARY not in platform.services.logs()
    published = asyncio.run(_topics(platform.services.kafka))
    assert connection.encode() in published
    ours = published.replace(json.dumps(f"{CANARY}-dead").encode(), b"")
    assert CANARY.encode() not in ours
    assert rclone_webdav.password.encode() not in ours
