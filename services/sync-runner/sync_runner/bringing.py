"""Things fetched from a source, several at once, and written down lot by lot. How much is one lot is here.

Which things are new, and when a listing is through, is `importing`'s.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from providers.errors import ProviderError
from providers.sources import Source
from schemas.manifest import Limits
from sync_runner.handlers.imports import Known
from sync_runner.handlers.runs import SLICE_ROWS, SLICE_TIME, Claim
from sync_runner.parcels import Errand, Fetching, Parcel
from sync_runner.storing import Storing

if TYPE_CHECKING:
    from sync_runner.importing import Warehouse

LOT_BYTES = 8 * 1024 * 1024
LOT_THINGS = 200
LOT_ROWS = 500
"""What is fetched is written down after so much of it."""


class Bringing:
    """See `importing.Importing` for the arguments. `brought` counts rows."""

    def __init__(  # noqa: PLR0913 - what meets here
        self,
        warehouse: Warehouse,
        claim: Callable[[], Claim],
        source: Source,
        *,
        limits: Limits,
        stop: asyncio.Event,
        now: Callable[[], datetime],
    ) -> None:
        self._contents = warehouse.contents
        self._fetching = Fetching(source, warehouse.inspector, limits)
        self._storing = Storing(warehouse, claim, source, now)
        self._lanes = max(1, min(limits.concurrency, source.ability.concurrency))
        self._stop = stop
        self._failure: ProviderError | None = None
        self._ready: list[Parcel] = []
        self._bytes = self._rows = 0
        self._writing = asyncio.Lock()
        self.brought = 0

    async def has(self, row: Known) -> bool:
        """Whether the bytes of a row are still here."""
        return row.content_id is not None and await self._contents.has(row.content_id)

    async def bring(self, errands: Sequence[Errand]) -> Sequence[Errand]:
        """Fetch them and write down what came. Returns those left: told to stop, or a part is full.

        Raises:
            ProviderError: the source gives nothing more now. What came is written down nevertheless.
        """
        queue, until = list(reversed(errands)), time.monotonic() + SLICE_TIME.total_seconds()
        enough = self.brought + SLICE_ROWS
        try:
            async with asyncio.TaskGroup() as lanes:
                for _ in range(min(self._lanes, len(errands))):
                    lanes.create_task(self._lane(queue, enough, until))
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from None
        finally:
            ready, self._ready = self._ready, []
            self._bytes = self._rows = 0
            for parcel in ready:
                parcel.close()
        if self._failure is not None:
            raise self._failure
        return queue[::-1]

    async def _lane(self, queue: list[Errand], enough: int, until: float) -> None:
        while queue and not self._stop.is_set() and self._failure is None and time.monotonic() < until:
            if self.brought + self._rows >= enough:
                break
            parcel = await self._fetching.fetched(queue.pop())
            if self._fetching.blames_the_source(parcel) and self._failure is None:
                self._failure = parcel.error
            self._ready.append(parcel)
            self._bytes, self._rows = self._bytes + parcel.size, self._rows + parcel.rows
            if self._is_a_lot():
                await self._write()
        await self._write()

    def _is_a_lot(self) -> bool:
        return len(self._ready) >= LOT_THINGS or self._bytes >= LOT_BYTES or self._rows >= LOT_ROWS

    async def _write(self) -> None:
        async with self._writing:
            parcels, self._ready = self._ready, []
            self._bytes = self._rows = 0
            if not parcels:
                return
            try:
                self.brought += await self._storing.write(parcels)
            finally:
                for parcel in parcels:
                    parcel.close()
