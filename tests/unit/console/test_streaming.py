"""An open page is told of its account for as long as its session holds, however much there is to tell."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import Any

import pytest

from console import streaming
from console.live import Hub
from console.sessions import Session
from console.streaming import Streaming
from tests.unit.console.room import NOW, MemorySessions


async def test_a_page_that_always_has_news_is_over_with_its_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "CHECKED_EVERY", 0.02)
    hub, sessions = Hub(), MemorySessions()
    session = Session("s", "acme", "jane", "admin", NOW, NOW)
    await sessions.add(session)

    async def listen() -> list[Any]:
        response = await Streaming(hub, sessions, lambda: NOW).events(Visit(session))  # type: ignore[arg-type]
        return [one.event async for one in response.body_iterator]  # type: ignore[attr-defined]

    page = asyncio.create_task(listen())
    async with asyncio.timeout(30):
        for number in count():
            if page.done():
                break
            if number == 20:
                await sessions.end("s")
            hub.lost()
            await asyncio.sleep(0.002)

        told = await page
    assert (told[0], told[-1]) == ("hello", "over")
    assert "news" in told
    assert hub.open == 0


class Visit:
    """As much of a visit as the stream looks at."""

    def __init__(self, session: Session) -> None:
        self.session = session
