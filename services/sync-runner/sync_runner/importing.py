"""One claimed import at its open source: page after page, until the listing is through and nothing is left.

The order is the promise: bytes are kept, then rows are written, then the cursor moves on, then an event is
owed, and only then is anything done at the source. Whoever is killed in between finds all of it again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from kit.logs import logger
from providers.errors import ProviderError
from providers.sources import Action, Afterwards, Item, Page, Source
from schemas.manifest import Limits
from schemas.reasons import Reason, RowStatus
from sync_runner.arriving import MAIL, since_of
from sync_runner.bringing import Bringing
from sync_runner.firstly import First, without
from sync_runner.handlers.imports import Contents, Imports, Known, Thing
from sync_runner.handlers.runs import SLICE_ROWS, SLICE_TIME, Claim, Runs
from sync_runner.inspecting import Inspector
from sync_runner.parcels import Errand, item_of, thing_of

BATCH = 100
"""Rows that are worked on again at once."""
SWEEP = 500
"""Rows that are looked for at the source at once."""

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Warehouse:
    """What every import needs beside what every run needs."""

    imports: Imports
    contents: Contents
    inspector: Inspector
    kept_for: timedelta
    """How long bytes are kept for a platform that says nothing."""


class Importing:
    """Carries out the claim of an import while what was lent is good.

    Args:
        runs: the store of runs.
        warehouse: where documents come in.
        claim: ours, kept alive by the caller; the newest is in `claim`.
        source: open.
        limits: what the provider bears.
        stop: set when nothing more may be done.
        fresh: whether what was lent may still be used.
        now: the time of day in UTC.
    """

    def __init__(  # noqa: PLR0913 - what meets here
        self,
        runs: Runs,
        warehouse: Warehouse,
        claim: Claim,
        source: Source,
        *,
        limits: Limits,
        stop: asyncio.Event,
        fresh: Callable[[], bool],
        now: Callable[[], datetime],
    ) -> None:
        self._runs = runs
        self._imports = warehouse.imports
        self.claim = claim
        self._source = source
        self._stop = stop
        self._fresh = fresh
        self._now = now
        self._since = since_of(claim.since, claim.options.get("since"))
        self._afterwards = afterwards_of(claim.options)
        self._bringing = Bringing(warehouse, lambda: self.claim, source, limits=limits, stop=stop, now=now)
        self._listed_from_start = not claim.cursor
        self._met: set[str] = set()
        self._began, self._before = time.monotonic(), 0

    async def carry_out(self) -> bool:
        """False: the run has ended, or went to the back of the queue. True: it is ours and goes on elsewhere.

        Raises:
            ProviderError: the source gives nothing more now.
            Lost: another worker has the run.
        """
        while not self._stop.is_set() and self._fresh():
            selection = await self._runs.prepared(self.claim)
            if jobs := await self._imports.take(self.claim, selection, BATCH):
                errands = await self._worked(jobs)
                if not await self._bring(errands):
                    return False
            elif self.claim.lists:
                if not await self._page():
                    return False
            elif await self._runs.finish(self.claim) or not await self._pass_on():
                return False
            if self._slice_is_full() and not await self._pass_on():
                return False
        return True

    def _slice_is_full(self) -> bool:
        late = time.monotonic() - self._began > SLICE_TIME.total_seconds()
        return late or self._bringing.brought - self._before >= SLICE_ROWS

    async def _pass_on(self) -> bool:
        claim = await self._runs.pass_on(self.claim)
        if claim is None:
            return False
        self.claim = claim
        self._began, self._before = time.monotonic(), self._bringing.brought
        return True

    async def _bring(self, errands: Sequence[Errand]) -> bool:
        """Fetch them, telling of each part that is full. False: the run went to the back of the queue."""
        while (errands := await self._bringing.bring(errands)) and not self._stop.is_set():
            if not await self._pass_on():
                return False
        return True

    async def _page(self) -> bool:
        """Take in one page; the cursor moves only once all of it is in the ledger. False as `_bring`."""
        first = First.of(self.claim.cursor, self.claim.options, self._now())
        page = await self._source.page(without(self.claim.cursor), self._since)
        _leads_on(page, self.claim)
        items: Sequence[Item] = [item for item in page.items if self._counts(item)]
        cursor = page.cursor
        if first is not None:
            items, first = first.taking(items)
            cursor = first.on(cursor)
        things = [thing_of(item) for item in items]
        if self._source.ability.lists_all:
            self._met.update(item.id for item in page.items)
        if not await self._bring(await self._new(things)):
            return False
        if self._stop.is_set():
            return True
        if page.last and (page.fewer or (self._source.ability.lists_all and self._listed_from_start)):
            await self._note_gone()
        self.claim = await self._runs.listed(self.claim, cursor, through=page.last)
        return True

    def _counts(self, item: Item) -> bool:
        return self._since is None or item.received_at is None or item.received_at >= self._since

    async def _new(self, things: Sequence[Thing]) -> list[Errand]:
        """Which of these are new or changed. What was only renamed is noted as such."""
        known = await self._imports.known(self.claim, [thing.id for thing in things])
        strangers = [t for t in things if t.id not in known and t.lasting_id is not None]
        lasting = await self._imports.lasting(self.claim, [str(thing.lasting_id) for thing in strangers])
        errands: list[Errand] = []
        for thing in things:
            rows = known.get(thing.id) or lasting.get(thing.lasting_id or "", ())
            if not rows:
                errands.append(Errand(thing))
            elif all(row.thing.tag != thing.tag for row in rows):
                errands.append(Errand(thing, tuple(rows)))
            elif again := _elsewhere(rows, thing):
                await self._imports.seen(self.claim, again, thing)
        return errands

    async def _note_gone(self) -> None:
        """Rows whose things were not in a whole listing, and are really not there any more, are marked."""
        after = ""
        while rows := await self._imports.present(self.claim, after, SWEEP):
            after = rows[-1].thing.id
            missing = [row for row in rows if row.thing.id not in self._met]
            if not missing:
                continue
            items = {row.thing.id: item_of(row.thing) for row in missing}
            gone = set(await self._source.gone(list(items.values())))
            await self._imports.gone(
                self.claim, [row for row in missing if row.thing.id in gone], self._now()
            )

    async def _worked(self, jobs: Sequence[Known]) -> Sequence[Errand]:
        """Rows that are open: settled at the source, told of again, or returned to be fetched again."""
        settling = [job for job in jobs if job.settles and job.status is RowStatus.DONE]
        for rows in _by_thing(settling):
            await self._settle(rows)
        errands: list[Errand] = []
        for rows in _by_thing([job for job in jobs if job not in settling]):
            if all([row.content_id is not None and await self._bringing.has(row) for row in rows]):
                await self._imports.offer_again(self.claim, rows)
            else:
                errands.append(Errand(rows[0].thing, tuple(rows), again=True))
        return errands

    async def _settle(self, rows: Sequence[Known]) -> None:
        """What was asked for at the source, now that its documents are safe and told of."""
        if self._afterwards.action == "nothing":
            await self._imports.settled(self.claim, rows, None)
            return
        try:
            now_called = await self._source.settle(item_of(rows[0].thing), self._afterwards)
        except ProviderError as error:
            await self._imports.unsettled(self.claim, rows, error.message)
            if error.kind != "item_permanent":
                raise
            return
        await self._imports.settled(self.claim, rows, now_called)


def afterwards_of(options: Mapping[str, Any]) -> Afterwards:
    """What the customer asked for. Deleting is asked for in words of its own, or not done.

    Raises:
        ProviderError: `invalid` where those words are missing.
    """
    action: Action = options.get("afterwards") or "nothing"
    if action == "delete" and not options.get("delete_words"):
        message = "Files are deleted only if that is asked for in words; write delete in the options."
        raise ProviderError("config", Reason.INVALID, message, field="delete_words")
    return Afterwards(action, str(options.get("label" if action == "label" else "move_to") or ""))


def _elsewhere(rows: Sequence[Known], thing: Thing) -> Sequence[Known]:
    """Those that are to know where their thing is now: it has another name or number, or has come back."""
    if thing.media_type == MAIL:  # others may bear its Message-ID
        own = [row for row in rows if row.thing.tag == thing.tag]
        return [row for row in own if row.gone or row.thing.reference != thing.reference]
    return rows if any(row.gone or row.thing.id != thing.id for row in rows) else ()


def _by_thing(rows: Sequence[Known]) -> Iterator[list[Known]]:
    """Those of one thing as it was: two mails may bear one Message-ID."""
    groups: dict[tuple[str, str], list[Known]] = {}
    for row in rows:
        groups.setdefault((row.thing.id, row.thing.tag), []).append(row)
    yield from groups.values()


def _leads_on(page: Page, claim: Claim) -> None:
    """A listing that stands still would go on for ever."""
    if not page.last and page.cursor == without(claim.cursor):
        raise ProviderError(
            "transient", Reason.PROVIDER_CHANGED, "The source repeats a page of its list again and again."
        )
