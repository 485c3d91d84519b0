"""Results on their way into the ledger, beside the lanes that make them: no lane waits for the store. What a
result is, is `outcomes`'s.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

from schemas.reasons import RowStatus
from sync_runner.handlers.runs import Claim, Result, Runs

RECORD_EVERY = 0.2
"""Seconds between two writes; a result that comes alone is written down at once."""


class Recorder:
    """Writes results down at once, and together those that come meanwhile. Open while documents move.

    Args:
        runs: the store.
        claim: the claim as it is now.
    """

    def __init__(self, runs: Runs, claim: Callable[[], Claim]) -> None:
        self._runs = runs
        self._claim = claim
        self._results: list[Result] = []
        self._some = asyncio.Event()
        self._writing = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._keep_writing())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):  # `add` and `settle` tell of it
                await self._task

    def add(self, results: Iterable[Result]) -> None:
        """Have these written down. Raises what an earlier write failed with: nothing more may be sent."""
        if self._task is not None and self._task.done():
            self._task.result()
        self._results += results
        self._some.set()

    async def settle(self) -> None:
        """Returns once everything so far is written down."""
        await self._write()
        self.add(())

    async def _keep_writing(self) -> None:
        while True:
            await self._some.wait()
            await self._write()
            await asyncio.sleep(RECORD_EVERY)

    async def _write(self) -> None:
        async with self._writing:
            results, self._results = self._results, []
            self._some.clear()
            if not results:
                return
            lost = set(await self._runs.record(self._claim(), results))
        for result in results:
            # We wrote, and were too late: whoever put that name last must look whether theirs is still there.
            if result.row_id in lost and result.status is RowStatus.DONE and result.target is not None:
                await self._runs.doubt(self._claim(), result.target)
