"""Many documents through one open target: intended, sent side by side, recorded. Which run they are of, and
whether it goes on, is `running`'s.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

from kit.logs import logger
from providers.errors import ProviderError
from schemas.manifest import Limits
from schemas.reasons import Reason, RowStatus
from sync_runner.content import Content, Contents
from sync_runner.handlers.runs import Claim, Result, Row, Runs
from sync_runner.outcomes import Streak, broken, half_sent, of_row, untouched
from sync_runner.pace import Pace
from sync_runner.recording import Recorder
from sync_runner.sending import HalfSent, Superseded
from sync_runner.ways import Way

GRACE = 3.5
"""Seconds that puts under way have when everything is to stop: less than the service gives its workers."""
RESTS = 3
"""How often a document is tried again after a short rest that the provider asked for."""

Step = Callable[[Sequence[Row]], Awaitable[Sequence[Result]]]
"""What is done with documents that go together; nothing where there is nothing to record yet."""

log = logger(__name__)


class Batches:
    """Carries out batches of one claim at one open target.

    Args:
        runs: the store.
        claim: the claim as it is now; it changes with every slice.
        recorder: what writes results down.
        way: how documents get there.
        contents: where the bytes are.
        limits: what the provider bears.
        lanes: how many parcels at once.
        stop: set when nothing more may be put.
        fresh: whether what was lent may still be used.
    """

    def __init__(  # noqa: PLR0913 - what meets here
        self,
        runs: Runs,
        claim: Callable[[], Claim],
        recorder: Recorder,
        way: Way,
        contents: Contents,
        *,
        limits: Limits,
        lanes: int,
        stop: asyncio.Event,
        fresh: Callable[[], bool],
    ) -> None:
        self._runs = runs
        self._claim = claim
        self._recorder = recorder
        self._way = way
        self._contents = contents
        self._limits = limits
        self._lanes = max(1, lanes)
        self._stop = stop
        self._fresh = fresh
        self._streak = Streak()
        self._failure: ProviderError | None = None
        self._nearly_through = asyncio.Event()
        self._pace = Pace(limits.requests_per_second)

    @property
    def goes_on(self) -> bool:
        """Whether more may be sent to this target now."""
        return not self._stop.is_set() and self._failure is None and self._fresh()

    async def nearly_through(self) -> None:
        """Returns once the last documents of a `carry_out` are under way, or none of them goes any more."""
        await self._nearly_through.wait()

    async def intend(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Write down that these are about to be sent; those that are ours to send."""
        return await self._runs.intend(self._claim(), [self._way.planned(row) for row in rows])

    async def carry_out(self, ours: Sequence[Row]) -> int:
        """Bring documents, that were intended, to the target; how many were tried.

        Raises:
            ProviderError: the target takes nothing more now. What became of each is told to the recorder.
        """
        self._unclear: list[tuple[Row, ProviderError]] = []
        self._went = self._tried = 0
        self._nearly_through.clear()
        self._absent = [row for row in ours if not row.in_doubt]
        try:
            await self._side_by_side(iter([(row,) for row in ours if row.in_doubt]), self._look_up)
            await self._side_by_side(self._counted(self._way.parcels(self._absent)), self._send)
        finally:
            self._nearly_through.set()
        self._recorder.add(of_row(row, error, others_went=self._went > 0) for row, error in self._unclear)
        if self._failure is None and self._went == 0:
            self._failure = self._streak.suspect
        if self._failure is not None:
            raise self._failure
        return self._tried

    async def settle(self, back: Sequence[Row]) -> None:
        """Write down what became of all so far, and that these, that were intended, are not sent now."""
        self._recorder.add(map(untouched, back))
        await self._recorder.settle()
        self._way.settled()

    def _counted(self, parcels: Sequence[Sequence[Row]]) -> Iterator[Sequence[Row]]:
        """These; when there are no more than lanes, it is nearly through."""
        for left, parcel in zip(range(len(parcels), 0, -1), parcels, strict=True):
            if left <= self._lanes:
                self._nearly_through.set()
            yield parcel

    async def _side_by_side(self, queue: Iterator[Sequence[Row]], step: Step) -> None:
        """Some parcels at once, each by `step`."""
        lanes = [asyncio.create_task(self._lane(queue, step)) for _ in range(self._lanes)]
        try:
            await self._until_done(lanes)
        finally:
            for lane in lanes:
                lane.cancel()

    async def _until_done(self, lanes: Sequence[asyncio.Task[None]]) -> None:
        """All lanes to their end; once told to stop, for `GRACE` at most. What is cut off stays `sending`."""
        stopping: asyncio.Future[Any] = asyncio.ensure_future(self._stop.wait())
        working: asyncio.Future[Any] = asyncio.gather(*lanes)
        try:
            await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                await asyncio.wait({working}, timeout=GRACE)
            if working.done():
                await working
            else:
                log.info("puts were cut off", connection_id=self._claim().connection_id)
                working.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await working
        finally:
            stopping.cancel()
            working.cancel()

    async def _lane(self, queue: Iterator[Sequence[Row]], step: Step) -> None:
        for parcel in queue:
            if not self.goes_on:
                self._recorder.add(map(untouched, parcel))
                continue
            self._tried += len(parcel)
            self._recorder.add(await self._one(parcel, step))

    async def _look_up(self, rows: Sequence[Row]) -> Sequence[Result]:
        found = []
        for row in rows:
            if (result := await self._way.look_up(row)) is None:
                self._absent.append(row)
            else:
                found.append(result)
        return found

    async def _send(self, rows: Sequence[Row]) -> Sequence[Result]:
        most = self._limits.max_bytes
        heavy = [row for row in rows if most is not None and row.size > most]
        message = f"The provider takes documents of at most {most} bytes. Please hand this one in otherwise."
        results = [
            Result(row.id, RowStatus.REJECTED, reason=Reason.DOCUMENT_REFUSED, message=message)
            for row in heavy
        ]
        parcel = [(row, self._contents.body(self._content(row))) for row in rows if row not in heavy]
        if parcel:
            results += await self._way.carry(parcel)
            self._went += len(parcel)
            self._streak.went()
        return results

    async def _one(self, rows: Sequence[Row], step: Step) -> Sequence[Result]:
        for left in reversed(range(RESTS + 1)):
            await self._pace.turn()
            if self._stop.is_set():
                return [untouched(row) for row in rows]
            try:
                return await self._step(rows, step)
            except ProviderError as error:
                if not (left and _wants_a_rest(error) and self._pace.rest(error.retry_after)):
                    return self._did_not_go(rows, error)
        return ()

    async def _step(self, rows: Sequence[Row], step: Step) -> Sequence[Result]:
        try:
            return await step(rows)
        except Superseded:
            return ()
        except ProviderError:
            raise
        except Exception:
            for row in rows:
                log.exception(
                    "a document could not be sent", row_id=row.id, connection_id=self._claim().connection_id
                )
            return [broken(row) for row in rows]

    def _did_not_go(self, rows: Sequence[Row], error: ProviderError) -> Sequence[Result]:
        if error.kind == "item_permanent":
            self._went += error.reason is not Reason.CONTENT_CHANGED
        if self._streak.met(error) and self._failure is None:
            self._failure = error
        if isinstance(error, HalfSent):
            return [half_sent(row, error.target, error) for row in rows]
        if error.reason is Reason.PERMISSION_MISSING:
            # Whether it is about this document or about all shows when the others went, or did not.
            self._unclear += [(row, error) for row in rows]
            return ()
        return [of_row(row, error, others_went=False) for row in rows]

    def _content(self, row: Row) -> Content:
        return Content(
            account=self._claim().account,
            document_id=row.document_id,
            content_url=row.content_url,
            size=row.size,
            sha256=row.sha256,
            media_type=row.media_type,
        )


def _wants_a_rest(error: ProviderError) -> bool:
    """The provider asks for a pause, and nothing of the document has been sent."""
    return error.kind == "rate_limited" and not isinstance(error, HalfSent)
