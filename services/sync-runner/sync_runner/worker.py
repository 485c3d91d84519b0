"""Workers: claim runs by lease, carry several out side by side, give them back when the process ends.

What a run does is `running`'s.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Collection

from kit.logs import logger
from schemas.reasons import Reason
from sync_runner.batches import GRACE
from sync_runner.handlers.runs import LEASE, Claim, Failure, Lost, Order
from sync_runner.running import Means, Run

SLOTS = 8
"""Runs that one process carries out at once."""
LOOK_EVERY = 1.0
"""Seconds between looks for a run that is ready, when nobody rang."""
RENEW_EVERY = LEASE.total_seconds() / 4
LAST_TRY = 1.0
"""Seconds for a renewal when a lease may soon run out."""
WIND_UP = 0.5
"""Seconds after `GRACE` to write down what became of the documents, and to give the run back."""
STUMBLES = 3
"""After so many errors of ours in a row a run is ended instead of tried anew."""

log = logger(__name__)


class Worker:
    """Carries out runs until it is stopped.

    Args:
        means: what every run needs.
        owner: unique per process.
        slots: how many runs at once. One account holds at most a quarter of them while others wait.
        renew_every: seconds between two renewals of a lease.
        lease: seconds that one lasts.
    """

    def __init__(
        self,
        means: Means,
        owner: str,
        slots: int = SLOTS,
        renew_every: float = RENEW_EVERY,
        lease: float = LEASE.total_seconds(),
    ) -> None:
        self._means = means
        self._runs = means.runs
        self._owner = owner
        self._slots = slots
        self._renew_every = renew_every
        self._safe = lease - renew_every
        self._rung = asyncio.Event()
        self._stopping = asyncio.Event()
        self._accounts: dict[asyncio.Task[None], str] = {}
        self._stumbles: Counter[str] = Counter()

    def ring(self) -> None:
        """Something may be ready: look now."""
        self._rung.set()

    async def run(self) -> None:
        """The loop. Trouble of the store is waited out."""
        while not self._stopping.is_set():
            self._rung.clear()
            try:
                claimed = len(self._accounts) < self._slots and await self._claimed()
            except Exception as error:  # noqa: BLE001 - the store's trouble, whatever it is
                log.warning("no run could be claimed", why=type(error).__name__)
                claimed = False
            if not claimed:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._rung.wait(), LOOK_EVERY)

    async def stop(self) -> None:
        """No new runs; those under way have `GRACE` seconds for their puts and are then given back."""
        self._stopping.set()
        self._rung.set()
        if self._accounts:
            await asyncio.wait(self._accounts, timeout=GRACE + WIND_UP)
        for task in self._accounts:
            task.cancel()
        await asyncio.gather(*self._accounts, return_exceptions=True)

    async def _claimed(self) -> bool:
        claim = await self._runs.claim(self._owner, self._crowded())
        if claim is None:
            return False
        task = asyncio.create_task(self._carry_out(claim))
        self._accounts[task] = claim.account
        task.add_done_callback(self._freed)
        return True

    def _freed(self, task: asyncio.Task[None]) -> None:
        self._accounts.pop(task, None)
        self._rung.set()

    def _crowded(self) -> Collection[str]:
        held = Counter(self._accounts.values())
        return [account for account, slots in held.items() if slots >= max(1, self._slots // 4)]

    async def _carry_out(self, claim: Claim) -> None:
        """One run with its heartbeat. Whatever happens to it, the others go on."""
        stop = asyncio.Event()
        run = Run(self._means, claim, stop)
        work = asyncio.create_task(run.carry_out())
        hearts = [
            asyncio.create_task(self._keep(run, stop, work)),
            asyncio.create_task(_forward(self._stopping, stop)),
        ]
        try:
            if await work:
                await self._after(run)
            self._stumbles.pop(claim.run_id, None)
        except Lost:
            log.info("another worker has the run", connection_id=claim.connection_id, run_id=claim.run_id)
        except asyncio.CancelledError:
            work.cancel()
            log.info("a run was broken off", connection_id=claim.connection_id, run_id=claim.run_id)
            if self._stopping.is_set():
                await self._runs.release(run.claim)
        except Exception:
            log.exception("a run stumbled", connection_id=claim.connection_id, run_id=claim.run_id)
            await self._stumbled(run)
        finally:
            for heart in hearts:
                heart.cancel()
            await asyncio.gather(*hearts, work, return_exceptions=True)

    async def _after(self, run: Run) -> None:
        """A run that was told to stop is ended, or given back when it is this process that ends."""
        if self._stopping.is_set() or not await self._runs.finish(run.claim):
            await self._runs.release(run.claim)

    async def _stumbled(self, run: Run) -> None:
        """An error of ours or of the store: tried anew a few times, then ended, so that it does not go on."""
        claim = run.claim
        self._stumbles[claim.run_id] += 1
        await asyncio.sleep(1)
        with contextlib.suppress(Exception):  # the lease ends by itself
            if self._stumbles[claim.run_id] < STUMBLES:
                await self._runs.release(claim)
                return
            message = "Something went wrong on our side. The operators can see it in the log."
            await self._runs.finish(claim, Failure(Reason.BUG, message))
            self._stumbles.pop(claim.run_id, None)

    async def _keep(self, run: Run, stop: asyncio.Event, work: asyncio.Task[bool]) -> None:
        """Renew the lease. Once it may have run out, or is lost, the work is broken off at once."""
        good_until = time.monotonic() + self._safe
        while True:
            await asyncio.sleep(self._renew_every)
            asked_at = time.monotonic()
            left = max(good_until - asked_at, LAST_TRY)  # a store that hangs must not outlast the lease
            try:
                if await asyncio.wait_for(self._runs.renew(run.claim), left) is Order.STOP:
                    stop.set()
                good_until = asked_at + self._safe
            except Lost:
                work.cancel()
                return
            except Exception as error:  # noqa: BLE001 - the store's trouble, whatever it is
                log.warning("a lease could not be renewed", run_id=run.claim.run_id, why=type(error).__name__)
                if time.monotonic() >= good_until:
                    work.cancel()
                    return


async def _forward(first: asyncio.Event, second: asyncio.Event) -> None:
    await first.wait()
    second.set()
