"""The folders that documents go to: made when a run first needs them, and the chosen one never again.

A customer who moved it away is told, instead of finding a second one.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from providers.drivers import Driver
from providers.errors import ProviderError
from schemas.reasons import Reason

KNOWN_FOLDERS = 2000


class Destination:
    """The folders of one connection at its open target.

    Args:
        driver: the target.
        chosen: the folder's part before its first placeholder.
        reached: what the connection's files went below before, if anything.
        remember: writes down that `chosen` is there now.
    """

    def __init__(
        self, driver: Driver, chosen: str, reached: str | None, remember: Callable[[str], Awaitable[None]]
    ) -> None:
        self._driver = driver
        self._chosen = chosen
        self._reached = reached
        self._remember = remember
        self._known: OrderedDict[str, None] = OrderedDict()
        self._making = asyncio.Lock()

    async def ensure(self, folder: str) -> None:
        """`folder`, which lies in the chosen one, is there afterwards.

        Raises:
            ProviderError: `destination_missing` where the chosen one was there once and is gone.
        """
        if folder in self._known:
            return
        async with self._making:
            if folder in self._known:
                return
            if self._chosen not in self._known:
                await self._ensure_chosen()
            if folder not in self._known:
                await self._driver.make_folder(folder)
                self._note(folder)

    async def again(self, folder: str) -> None:
        """As `ensure`, after the target said that a folder is missing."""
        self._known.clear()
        await self.ensure(folder)

    async def _ensure_chosen(self) -> None:
        if not await self._driver.folder_exists(self._chosen):
            if self._reached is not None and _within(self._chosen, self._reached):
                raise gone(self._reached)
            await self._driver.make_folder(self._chosen)
        if self._reached != self._chosen:
            await self._remember(self._chosen)
            self._reached = self._chosen
        self._note(self._chosen)

    def _note(self, folder: str) -> None:
        self._known[folder] = None
        while len(self._known) > KNOWN_FOLDERS:
            self._known.popitem(last=False)


def _within(folder: str, above: str) -> bool:
    """Whether `folder` is `above`, or lies in it. The root is no folder that could go away."""
    return above != "/" and (folder + "/").startswith(above + "/")


def gone(folder: str) -> ProviderError:
    """The chosen folder was there once and is not any more."""
    return ProviderError(
        "config",
        Reason.DESTINATION_MISSING,
        f"The folder {folder} is no longer there. Put it back, or choose another one.",
        field="folder",
    )
