"""One document to its place at the target: looked up first where it may be there, put, told what a taken name
means. Which documents, and what an error means for the run, is `batches`'s.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakValueDictionary

from providers.content import Body, of_bytes
from providers.drivers import Driver, Receipt
from providers.errors import ProviderError
from schemas.patterns import Facts
from schemas.reasons import Reason, RowStatus
from sync_runner.clashes import Action, At, Clash, decide
from sync_runner.destination import Destination
from sync_runner.handlers.runs import Result, Row
from sync_runner.names import Naming, Place, Rules, key, safe
from sync_runner.sidecar import JSON_TYPE, Sidecar, as_json, beside, described
from sync_runner.walk import Walks

MOST_TRIES = 5
"""How often a name that changes under our hands is looked at again."""
MOST_REMEMBERED = 5000


@dataclass(frozen=True, slots=True)
class Choices:
    """What the customer chose, read.

    Raises (on `of`):
        WrongPattern: the folder's or the file name's pattern cannot be used.
    """

    naming: Naming
    clash: Clash
    sidecar: Sidecar

    @classmethod
    def of(cls, options: Mapping[str, Any], rules: Rules) -> Choices:
        naming = Naming.of(options.get("folder") or "/", options.get("filename") or "{filename}", rules)
        return cls(naming, options.get("clash") or "skip_same", options.get("sidecar") or "none")


Owners = Callable[[Collection[str]], Awaitable[Mapping[str, str]]]
"""Which document of ours has each of these targets."""
Intend = Callable[[Row], Awaitable[bool]]
"""Write down where a document is about to be put; False where it is no longer ours to put."""


class HalfSent(ProviderError):
    """The document is at `target`; what belongs beside it did not go, for the reason of `error`."""

    def __init__(self, error: ProviderError, target: str) -> None:
        super().__init__(error.kind, error.reason, error.message, retry_after=error.retry_after)
        self.target = target


class Superseded(Exception):
    """The row is somebody else's by now: nothing is put, nothing recorded."""


class Sender:
    """Puts documents to one open target, many at once.

    Args:
        driver: the target, open.
        choices: names, clash rule and sidecar.
        destination: makes the folders.
        owners: see `Owners`.
        intend: see `Intend`; called again whenever a document gets another name than was intended.
    """

    def __init__(
        self, driver: Driver, choices: Choices, destination: Destination, owners: Owners, intend: Intend
    ) -> None:
        self._driver = driver
        self._choices = choices
        self._rules = choices.naming.rules
        self._destination = destination
        self._owners = owners
        self._intend = intend
        self._walks = Walks(driver, self._rules)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._taken: set[str] = set()
        self._mine: dict[str, str] = {}

    def planned(self, row: Row) -> Row:
        """The row with the target that it is to get: the one it had, where it may be there already."""
        if row.target is not None and row.in_doubt:
            return row
        return replace(row, target=self._place(row).path)

    async def look_up(self, row: Row) -> Result | None:
        """What became of a document that may have arrived by an earlier try; None: it is not there, send it.

        Done for all such documents before anything is put, so that none is taken for somebody else's.

        Raises:
            ProviderError, HalfSent: as `send`.
        """
        if row.target and await self._driver.same_bytes(row.target, row.size, row.sha256):
            self._mine[key(row.target, self._rules)] = row.document_id
            return await self._complete(row, row.target, None)
        return None if row.gone is None else Result(row.id, RowStatus.SKIPPED, reason=row.gone)

    async def send(self, row: Row, body: Body) -> Result:
        """Bring one document to its place, that is not there by an earlier try.

        Raises:
            ProviderError: it did not go.
            HalfSent: the document is there, its sidecar did not go.
            Superseded: another worker has the row.
        """
        return await self._complete(row, *await self._sent(row, body))

    async def _complete(self, row: Row, path: str, receipt: Receipt | None) -> Result:
        """With its sidecar, where one is wanted."""
        version = receipt.version if receipt else None
        result = Result(row.id, RowStatus.DONE, path, row.sha256, version)
        if self._choices.sidecar != "json":
            return result
        try:
            await self._put_sidecar(row, path)
        except ProviderError as error:
            if error.kind != "item_permanent":
                raise HalfSent(error, path) from None
            return replace(result, reason=error.reason, message=f"Its sidecar did not go: {error.message}")
        return result

    def settled(self) -> None:
        """What was sent so far is in the ledger by now."""
        self._mine.clear()
        if len(self._taken) > MOST_REMEMBERED:
            self._taken.clear()

    async def _sent(self, row: Row, body: Body) -> tuple[str, Receipt | None]:
        place = self._place(row)
        await self._destination.ensure(place.folder)
        step = self._first_step(place, row)
        while True:
            path = place.step(step, self._rules)
            if path != row.target:
                row = replace(row, target=path)
                if not await self._intend(row):
                    raise Superseded
            action, receipt = await self._try(row, path, body)
            if action is not Action.NUMBER:
                self._mine[key(path, self._rules)] = row.document_id
                return path, receipt
            step = await self._next(place, step, row)

    def _first_step(self, place: Place, row: Row) -> int:
        """The name that an earlier try went to: what was sent then may still arrive there."""
        earlier = place.step_of(row.target, self._rules) if row.in_doubt and row.target else None
        return earlier or 1

    async def _try(self, row: Row, path: str, body: Body) -> tuple[Action, Receipt | None]:
        """Put at one name. `DONE` with what became of it, or `NUMBER`: take the next name."""
        async with self._turn(path):
            for _ in range(MOST_TRIES):
                if receipt := await self._created(path, body):
                    return Action.DONE, receipt
                found, version = await self._look(row, path, body)
                action = decide(self._choices.clash, found)
                if action is Action.REJECT:
                    raise _taken(path)
                if action is Action.PUT:
                    self._taken.discard(key(path, self._rules))
                elif action is not Action.REPLACE:
                    return action, None
                elif receipt := await self._replaced(path, body, version):
                    return Action.DONE, receipt
            raise _restless(path)

    async def _created(self, path: str, body: Body) -> Receipt | None:
        """Put where nothing is; None where the name is taken, or was before."""
        name = key(path, self._rules)
        if name in self._taken:
            return None
        try:
            return await self._put(path, body)
        except ProviderError as error:
            if error.kind != "conflict":
                raise
            self._taken.add(name)
            return None

    async def _put(self, path: str, body: Body) -> Receipt:
        """As the driver does; a folder of the pattern that went away meanwhile is made again, once."""
        try:
            return await self._driver.put(path, body)
        except ProviderError as error:
            if error.reason is not Reason.DESTINATION_MISSING:
                raise
            await self._destination.again(path.rpartition("/")[0] or "/")
        try:
            return await self._driver.put(path, body)
        except ProviderError as error:
            if error.reason is not Reason.DESTINATION_MISSING:
                raise
            # The folder is there, so it is the name that the target does not take.
            raise ProviderError("item_permanent", Reason.DOCUMENT_REFUSED, error.message) from None

    async def _look(self, row: Row, path: str, body: Body) -> tuple[At, str | None]:
        found = await self._driver.find(path)
        if found is None:
            return At.NOTHING, None
        same = await self._walks.same(path, found, row.size, row.sha256)
        if self._choices.clash == "replace" and await self._another_of_ours(row, path):
            return (At.OURS_SAME if same else At.OURS_OTHER), found.version
        if same and row.in_doubt:
            return At.OUR_TRY, found.version
        if row.in_doubt and await self._walks.cut(path, found, body):
            return At.OUR_HALF, found.version
        return (At.SAME if same else At.OTHER), found.version

    async def _another_of_ours(self, row: Row, path: str) -> bool:
        owner = self._mine.get(key(path, self._rules)) or (await self._owners([path])).get(path)
        return owner not in (None, row.document_id)

    async def _replaced(self, path: str, body: Body, version: str | None) -> Receipt | None:
        try:
            return await self._driver.replace(path, body, version)
        except ProviderError as error:
            if error.kind != "conflict":
                raise
            return None

    async def _next(self, place: Place, step: int, row: Row) -> int:
        """The next step worth trying. What is known as taken is skipped."""
        if self._choices.clash == "replace":
            return step + 1
        compare = self._choices.clash == "skip_same"
        return await self._walks.next_step(place, step, row.size, row.sha256 if compare else None)

    def _place(self, row: Row) -> Place:
        return self._choices.naming.place(Facts(row.document_id, row.filename, row.metadata))

    def _turn(self, path: str) -> asyncio.Lock:
        """One put at a name at a time: not every target refuses the second of two writers."""
        return self._turns.setdefault(key(path, self._rules), asyncio.Lock())

    async def _put_sidecar(self, row: Row, path: str) -> None:
        """The JSON beside a document."""
        folder = path.rpartition("/")[0] or "/"
        place = Place(folder, safe(beside(path), self._rules))
        body = of_bytes(as_json(described(row, path)), JSON_TYPE)
        again = self._choices.clash == "replace" or row.in_doubt
        await put_ours(self._driver, place, self._rules, body, over=again)


async def put_ours(driver: Driver, place: Place, rules: Rules, body: Body, *, over: bool) -> str:
    """Put a file of our own making: the same bytes are left, others are written `over`, or numbered.

    Raises:
        ProviderError: it did not go.
    """
    for step in range(1, 100):
        path = place.step(step, rules)
        try:
            await driver.put(path, body)
        except ProviderError as error:
            if error.kind != "conflict":
                raise
        else:
            return path
        if await driver.same_bytes(path, body.size, body.sha256):
            return path
        if over:
            found = await driver.find(path)
            await driver.replace(path, body, found.version if found else None)
            return path
    raise _restless(place.path)


def _taken(path: str) -> ProviderError:
    return ProviderError(
        "item_permanent", Reason.EXISTS, f"There is another file at {path} already; it was left as it is."
    )


def _restless(path: str) -> ProviderError:
    return ProviderError(
        "transient", Reason.PROVIDER_DOWN, f"The file at {path} kept changing while it was to be written."
    )
