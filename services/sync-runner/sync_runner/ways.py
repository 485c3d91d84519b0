"""How documents of a run go, and the way into files. The way into letters is `mailing`'s.

What a batch is, and what an error means for the run, is `batches`'s.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from providers.content import Body, of_bytes
from providers.drivers import Driver
from sync_runner.destination import Destination
from sync_runner.handlers.runs import Claim, Result, Row
from sync_runner.names import Place, Rules, safe
from sync_runner.sending import Choices, Intend, Owners, Sender, put_ours
from sync_runner.sidecar import CSV_TYPE, as_csv, csv_name, described

Parcel = Sequence[tuple[Row, Body]]
"""Documents that go together, with their bytes."""


class Way(Protocol):
    """Brings documents to one open target. `lanes`: how many parcels at once."""

    lanes: int

    def planned(self, row: Row) -> Row:
        """The row as it is written down before anything is sent."""

    def parcels(self, rows: Sequence[Row]) -> Sequence[Sequence[Row]]:
        """Which rows go together."""

    async def look_up(self, row: Row) -> Result | None:
        """What became of a document that may have arrived by an earlier try; None: send it.

        Raises:
            ProviderError: as `carry`.
        """

    async def carry(self, parcel: Parcel) -> Sequence[Result]:
        """Bring a parcel there.

        Raises:
            ProviderError: none of it went.
            HalfSent, Superseded: as `sending.Sender.send`.
        """

    def settled(self) -> None:
        """What was sent so far is in the ledger by now."""

    async def close_part(self, claim: Claim, moved: Callable[[], Awaitable[Sequence[Row]]]) -> None:
        """Add what belongs to a part of a run as a whole."""


class Filing:
    """Into files: `sending.Sender`, the folders, and the CSV of each part."""

    def __init__(  # noqa: PLR0913, PLR0917 - what meets here
        self,
        driver: Driver,
        options: Mapping[str, Any],
        reached: str | None,
        remember: Callable[[str], Awaitable[None]],
        owners: Owners,
        intend: Intend,
    ) -> None:
        able = driver.capabilities
        self.lanes = able.concurrency
        self._driver = driver
        self._rules = Rules(able.forbidden_characters, able.max_name_bytes, able.case_sensitive)
        self._choices = Choices.of(options, self._rules)
        self._destination = Destination(driver, self._choices.naming.fixed, reached, remember)
        self._sender = Sender(driver, self._choices, self._destination, owners, intend)
        self.planned, self.look_up, self.settled = (
            self._sender.planned,
            self._sender.look_up,
            self._sender.settled,
        )

    def parcels(self, rows: Sequence[Row]) -> Sequence[Sequence[Row]]:
        """Each goes alone."""
        return [(row,) for row in rows]

    async def carry(self, parcel: Parcel) -> Sequence[Result]:
        """One document to its place."""
        return [await self._sender.send(row, body) for row, body in parcel]

    async def close_part(self, claim: Claim, moved: Callable[[], Awaitable[Sequence[Row]]]) -> None:
        """The CSV of what this part of the run moved; the same file again after a worker died."""
        if self._choices.sidecar != "csv" or not (rows := await moved()):
            return
        body = of_bytes(as_csv(described(row, row.target or "") for row in rows), CSV_TYPE)
        name = safe(csv_name(claim.started_at, claim.run_id, claim.part), self._rules)
        folder = self._choices.naming.fixed
        await self._destination.ensure(folder)
        await put_ours(self._driver, Place(folder, name), self._rules, body, over=True)
