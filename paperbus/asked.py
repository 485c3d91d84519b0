"""Runs a coroutine until it ends or somebody asks for the end: SIGTERM, Ctrl-C. No other signal."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any


def until_asked(work: Coroutine[Any, Any, None]) -> bool:
    """Cancels `work` when asked, and waits for what it does to end in order. Whether it ended by itself."""
    return asyncio.run(_guarded(work))


async def _guarded(work: Coroutine[Any, Any, None]) -> bool:
    task = asyncio.ensure_future(work)
    asked = asyncio.Event()

    def ask() -> None:
        if not asked.is_set():
            asked.set()
            task.cancel()

    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, ask)
    try:
        await task
    except asyncio.CancelledError:
        if not asked.is_set():
            raise
        return False
    return True
