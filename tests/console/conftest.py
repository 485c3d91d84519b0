"""The running platform with its console, a browser, and an account with documents and somewhere to go."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from lacking import unavailable
from playwright.async_api import Browser
from servers import NoServer

from tests.console.stage import Stage, staged
from tests.window.browsing import CHROMIUM, MISSING, chromium


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    if CHROMIUM is None:
        pytest.skip(MISSING)
    try:
        with staged(tmp_path_factory.mktemp("console"), "127.0.0.61") as made:
            yield made
    except NoServer as error:
        unavailable(str(error))


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as started:
        yield started
