"""A document that the HTTP stack sent twice by itself, and that met with itself. No protocol here."""

from __future__ import annotations

from providers.content import Body
from providers.drivers import Driver
from providers.http import Answer


async def met_itself(driver: Driver, answer: Answer, path: str, body: Body) -> bool:
    """Whether the conflict that `answer` tells of is with the same bytes, sent by us a moment before."""
    return answer.resent and await driver.same_bytes(path, body.size, body.sha256)
