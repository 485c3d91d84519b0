"""One claimed run, from borrowing to its end: at the target, slice by slice.

Which run is claimed is `worker`'s; what its end means (retry, attention) is the lifecycle's.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, cast

from providers.drivers import Driver, open_driver
from providers.errors import ProviderError
from providers.outbox import Outbox, is_outbox
from providers.reach import Reach
from providers.sources import Source, open_source
from schemas.manifest import Manifest
from schemas.patterns import WrongPattern
from schemas.reasons import Reason
from sync_runner.batches import Batches
from sync_runner.borrowing import Borrow, Loan, NotLent
from sync_runner.content import Contents
from sync_runner.handlers.runs import SLICE_ROWS, SLICE_TIME, Claim, Failure, Row, Runs
from sync_runner.importing import Importing, Warehouse
from sync_runner.mailing import Mailing
from sync_runner.outcomes import TOKEN_ENDED, of_loan, of_run
from sync_runner.recording import Recorder
from sync_runner.ways import Filing, Way

BATCH = 250
"""Documents that are intended and recorded together."""
ASK_AGAIN = 5.0
"""Seconds after which a loan is asked for again when `connections` is not there."""
ASK_FOR = 60.0
"""Seconds for which that goes on."""
NOTHING_TRIED = 0.2
"""Seconds to wait when every row went to somebody else meanwhile."""

Manifests = Callable[[str, int], Awaitable[Manifest | None]]
"""The manifest of a provider that a connection was made with (id, revision); None where nobody knows it."""
Borrowing = Callable[[str, str, str, int], Borrow]
"""What borrows for a run (account, connection, run, fence): `borrowing.Lender.for_run`."""
Values = Mapping[str, Any]
OpenTarget = Callable[[Manifest, Values, Values, Reach], AbstractAsyncContextManager[Driver]]
"""`providers.drivers.open_driver`."""
OpenSource = Callable[[Manifest, Values, Values, Reach], AbstractAsyncContextManager[Source]]
"""`providers.sources.open_source`."""


@dataclass(frozen=True, slots=True)
class Means:
    """What every run needs. `reach` leads to targets, `contents` to the platform."""

    runs: Runs
    borrowing: Borrowing
    manifests: Manifests
    catalog_read: Callable[[], Awaitable[bool]]
    """Waits (≤ 5 s) until `catalog.events` is read to where it ends at the call, and says whether it is."""
    contents: Contents
    reach: Reach
    open_target: OpenTarget = open_driver
    warehouse: Warehouse | None = None
    """Where imports come in."""
    open_source: OpenSource = open_source


class Run:
    """Carries out one claim.

    Args:
        means: see `Means`.
        claim: ours, kept alive by the caller.
        stop: set when nothing more may be put.
    """

    def __init__(self, means: Means, claim: Claim, stop: asyncio.Event) -> None:
        self._means = means
        self._runs = means.runs
        self.claim = claim
        self._stop = stop
        self._loan: Loan | None = None
        self._borrow = means.borrowing(claim.account, claim.connection_id, claim.run_id, claim.fence)

    async def carry_out(self) -> bool:
        """Until the run has ended or went to the back of the queue. True: it is ours still, `stop` is set.

        Raises:
            Lost: another worker has it.
        """
        try:
            return await (self._imported() if self.claim.direction == "import" else self._moved())
        except NotLent as refused:
            await self._runs.finish(self.claim, of_loan(refused))
        except WrongPattern as wrong:
            await self._runs.finish(self.claim, Failure(Reason.INVALID, str(wrong)))
        except ProviderError as error:
            await self._runs.finish(self.claim, await self._why(error))
        return False

    async def _why(self, error: ProviderError) -> Failure:
        """Why the run ends. Where its provider ended a token early, there is a newer one for the next try."""
        loan = self._loan
        token = loan.credentials.get("access_token") if loan else None
        if error.kind == "auth" and token is not None:
            try:
                newer = await self._borrow(token)
            except NotLent as refused:
                return of_loan(refused)
            if newer.credentials.get("access_token") != token:
                return TOKEN_ENDED
        return of_run(error, loan.credentials_revision if loan else None)

    async def _moved(self) -> bool:
        while not self._stop.is_set():
            rows = await self._runs.take_rows(self.claim, BATCH)
            if rows and not await self._at_target(rows):
                return False
            if not rows and not await self._more():
                return False
        return True

    async def _imported(self) -> bool:
        """The way in: until the run has ended; what was lent is borrowed anew where it runs out."""
        warehouse = self._means.warehouse
        if warehouse is None:
            raise ProviderError("config", Reason.NOT_SET_UP, "Imports are not set up here.")
        while not self._stop.is_set():
            loan = self._loan = await self._borrowed()
            manifest = await self._manifest(loan)
            options, reach = self.claim.options, self._means.reach
            async with self._means.open_source(manifest, loan.credentials, options, reach) as source:
                importing = Importing(
                    self._runs,
                    warehouse,
                    self.claim,
                    source,
                    limits=manifest.limits,
                    stop=self._stop,
                    fresh=partial(self._fresh, loan),
                    now=reach.clock,
                )
                try:
                    if not await importing.carry_out():
                        return False
                finally:
                    self.claim = importing.claim
        return True

    async def _more(self) -> bool:
        """Whether the run goes on: what it did so far is told of before more is taken."""
        if await self._runs.finish(self.claim):
            return False
        claim = await self._runs.pass_on(self.claim)
        self.claim = claim or self.claim
        return claim is not None

    async def _at_target(self, rows: Sequence[Row]) -> bool:
        """Move these and what comes after them while the loan is good. False: the run is no longer ours."""
        loan = self._loan = await self._borrowed()
        manifest = await self._manifest(loan)
        options, reach = self.claim.options, self._means.reach
        async with (
            self._means.open_target(manifest, loan.credentials, options, reach) as driver,
            Recorder(self._runs, lambda: self.claim) as recorder,
        ):
            fresh = partial(self._fresh, loan)
            slices = Slices(self, self._means, manifest, driver, recorder, self._stop, fresh)
            return await slices.carry_out(rows)

    async def _manifest(self, loan: Loan) -> Manifest:
        """How to reach the provider; it is not given up before all that the catalog said was read."""
        known = await self._means.manifests(loan.provider_id, loan.provider_revision)
        if known is None:
            if not await self._means.catalog_read():
                message = "This provider is not known yet: the catalog is still being read."
                raise ProviderError("transient", Reason.INTERRUPTED, message)
            known = await self._means.manifests(loan.provider_id, loan.provider_revision)
        if known is None:
            raise ProviderError("config", Reason.PROVIDER_RETIRED, "This provider is not offered any more.")
        return known

    def _fresh(self, loan: Loan) -> bool:
        return loan.fresh(self._means.reach.clock())

    async def _borrowed(self) -> Loan:
        """What this run needs to log in. Where `connections` is away for a moment, it is asked again."""
        until = time.monotonic() + ASK_FOR
        while True:
            try:
                return await self._borrow()
            except NotLent as refused:
                wait = refused.wait or ASK_AGAIN
                if not refused.later or self._stop.is_set() or time.monotonic() + wait > until:
                    raise
            await asyncio.sleep(wait)


class Slices:
    """The documents of one run at one open target, while what was lent is good."""

    def __init__(  # noqa: PLR0913, PLR0917 - what meets here
        self,
        run: Run,
        means: Means,
        manifest: Manifest,
        driver: Driver,
        recorder: Recorder,
        stop: asyncio.Event,
        fresh: Callable[[], bool],
    ) -> None:
        self._run = run
        self._runs = means.runs
        self._stop = stop
        self._way = self._way_to(driver, manifest)
        self._batches = Batches(
            means.runs,
            lambda: run.claim,
            recorder,
            self._way,
            means.contents,
            limits=manifest.limits,
            lanes=min(self._way.lanes, manifest.limits.concurrency),
            stop=stop,
            fresh=fresh,
        )

    def _way_to(self, driver: Driver, manifest: Manifest) -> Way:
        claim = self._run.claim
        if is_outbox(manifest):
            return Mailing(cast(Outbox, driver), claim.options, self._intend)
        return Filing(driver, claim.options, claim.destination, self._reached, self._owners, self._intend)

    async def carry_out(self, rows: Sequence[Row]) -> bool:
        """False where the run went to the back of the queue; True where it goes on elsewhere or is done.

        Raises:
            ProviderError: the target takes nothing more.
        """
        moved, began, ours = 0, time.monotonic(), await self._batches.intend(rows)
        while ours := ours or await self._next(SLICE_ROWS - moved):
            tried, ours = await self._and_next(ours, SLICE_ROWS - moved - len(ours))
            moved += tried
            if not self._batches.goes_on:
                break
            if moved >= SLICE_ROWS or time.monotonic() - began > SLICE_TIME.total_seconds():
                await self._batches.settle(ours)
                await self._close_part()
                claim = await self._runs.pass_on(self._run.claim)
                if claim is None:
                    return False
                self._run.claim, moved, began, ours = claim, 0, time.monotonic(), ()
        await self._batches.settle(ours)
        if self._batches.goes_on:
            await self._close_part()
        return True

    async def _next(self, most: int) -> Sequence[Row]:
        """The next documents, intended; none where none are left, or none may go any more."""
        while most > 0 and self._batches.goes_on:
            if not (rows := await self._runs.take_rows(self._run.claim, min(BATCH, most))):
                break
            if ours := await self._batches.intend(rows):
                return ours
            await asyncio.sleep(NOTHING_TRIED)
        return ()

    async def _and_next(self, ours: Sequence[Row], room: int) -> tuple[int, Sequence[Row]]:
        """Bring these there, how many were tried; and the next ones, intended before these are through."""

        async def following() -> Sequence[Row]:
            await self._batches.nearly_through()
            return await self._next(room)

        taking = asyncio.create_task(following())
        try:
            tried = await self._batches.carry_out(ours)
        except ProviderError:
            await self._batches.settle(await taking)
            raise
        except BaseException:
            taking.cancel()
            raise
        return tried, await taking

    async def _close_part(self) -> None:
        await self._way.close_part(self._run.claim, lambda: self._runs.moved(self._run.claim))

    async def _reached(self, folder: str) -> None:
        await self._runs.reached(self._run.claim, folder)
        self._run.claim = replace(self._run.claim, destination=folder)

    async def _owners(self, targets: Collection[str]) -> Mapping[str, str]:
        return await self._runs.owners(self._run.claim, targets)

    async def _intend(self, row: Row) -> bool:
        return bool(await self._runs.intend(self._run.claim, [row]))
