"""From folders to providers: what changed is read, checked and recorded. It decides nothing about providers.

One replica does this at a time, the one that holds the relay's lease: two releases side by side would
otherwise publish against each other.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol

from catalog import reading
from catalog.handlers import record
from catalog.lifecycle import ManifestGone, ManifestRead, Message
from catalog.mirror import Mirror
from catalog.store import CatalogStore
from catalog.watch import Looked, Watch
from kit.leases import Leases
from kit.logs import logger
from kit.trouble import is_trouble

log = logger(__name__)

BATCH: Final = 250
COMPARED: Final = 1000
"""So many folders at a time are compared with what was read last."""
MANY: Final = 200
"""More folders than these are read in a process of its own."""
SHARE: Final = 50
"""Looking takes at most one part in so many of the time: 50 s for 50,000 folders, and a moment for ours."""
PAUSE: Final = 2.0
TELL_EVERY: Final = 5.0


class Topic(Protocol):
    """What the topic and the store know of each other."""

    async def compare(self) -> None:
        """Bring them together: what either has lost is put back."""

    async def settle(self) -> None:
        """Note that everything is published."""


class Loader:
    """Looks at the folders, again and again. A manifest that breaks keeps its last good revision."""

    def __init__(self, watch: Watch, store: CatalogStore, mirror: Mirror, duty: Leases, topic: Topic) -> None:
        """The topic is compared whenever the duty comes to this replica."""
        self._watch = watch
        self._store = store
        self._mirror = mirror
        self._duty = duty
        self._topic = topic
        self._held = False
        self._settled = False
        self._missing: set[str] = set()
        self._unreadable: set[Path] = set()
        self.looked = False
        self.published = False
        self.done, self.of = 0, 0

    async def run(self) -> None:
        """Look, as long as the service runs and the duty is ours. Trouble of the store is waited out."""
        while True:
            pause = 0.2
            try:
                if not self._duty.held():
                    self._held = False
                elif not self._held:
                    await self._topic.compare()
                    await self._mirror.refresh()
                    self._held, pause = True, 0.0
                else:
                    await self.look()
                    await self._settle()
                    pause = PAUSE
            except Exception as error:
                if not is_trouble(error):
                    raise
                log.warning("looking at the folders waits", error=type(error).__name__)
                self._watch.forget()
                pause = 1.0
            await asyncio.sleep(pause if self.published else min(pause, 0.2))

    async def _settle(self) -> None:
        if not self._settled and await self._store.nothing_owed():
            await self._topic.settle()
            self._settled = self.published = True

    def stuck(self) -> str | None:
        """A sentence until every provider is read and published; None from then on."""
        if self.published or (not self._duty.held() and len(self._mirror.index)):
            return None
        if self.looked:
            return "The providers are read; not all of them are published yet."
        return f"The manifests are being read: {self.done} of {self.of}."

    async def look(self) -> None:
        """One look at everything; what changed is read and recorded."""
        looked = await asyncio.to_thread(self._watch.look, _leisurely if self.published else _at_once)
        if not self._duty.held():  # it went to another replica meanwhile: what was seen is its to take
            self._watch.forget()
            return
        self._tell_unreadable(looked.unreadable)
        changed = set(looked.changed)
        if self.looked and changed:
            changed |= await self._store.extending(changed) & looked.there
        await self._take(await self._differing(sorted(changed)))
        await self._retire(looked)
        self.looked = True

    async def _differing(self, ids: Sequence[str]) -> list[str]:
        """Those whose files are not, by hash, what was read last."""
        differing: list[str] = []
        for lot in _lots(ids, COMPARED):
            known = await self._store.files(lot)
            differing += await asyncio.to_thread(reading.changed, self._folders(lot), known)
        return differing

    async def _take(self, ids: Sequence[str]) -> None:
        self.done, self.of, told, changed = 0, len(ids), time.monotonic(), 0
        lots = _lots(ids, BATCH)
        with _readers(len(ids)) as pool:
            coming = asyncio.create_task(self._read(pool, lots[0])) if lots else None
            for after in (*lots[1:], None):
                if coming is None:
                    break
                read = await coming
                # The next lot is read while this one is recorded.
                coming = asyncio.create_task(self._read(pool, after)) if after else None
                changed += await self._keep(read)
                self.done = min(self.done + BATCH, self.of)
                if time.monotonic() - told > TELL_EVERY:
                    told = time.monotonic()
                    log.info("reading manifests", done=self.done, of=self.of)
        if changed:
            log.info("providers changed", changed=changed, looked_at=self.of)
            await self._mirror.refresh()

    async def _read(self, pool: Executor, ids: Sequence[str]) -> reading.Read:
        return await asyncio.get_running_loop().run_in_executor(pool, reading.read, self._folders(ids))

    def _folders(self, ids: Sequence[str]) -> list[tuple[str, Path]]:
        return [(provider_id, self._watch.folder(provider_id)) for provider_id in ids]

    async def _keep(self, read: reading.Read) -> int:
        """Record what was read. Returns how many providers changed."""
        now = self._store.providers.now()
        messages: dict[str, Message] = {
            provider_id: ManifestRead(manifest, now) for provider_id, manifest in read.manifests.items()
        }
        recorded = await record(self._store.providers, messages)
        for left in recorded.left:
            del read.files[left]
        await self._store.keep_files(read.files, read.logos)
        for provider_id, complaints in read.broken.items():
            kept = "its last good revision stays" if provider_id in self._mirror.index else "left out"
            for complaint in complaints:
                log.warning("manifest is wrong", provider_id=provider_id, at=complaint, kept=kept)
        self._settled = self._settled and not recorded.changed
        return len(recorded.changed)

    async def _retire(self, looked: Looked) -> None:
        """Retire what is gone in two looks in a row: an editor may replace a file by way of none at all."""
        missing = set() if looked.unreadable else self._mirror.index.ids() - looked.there
        gone = sorted(missing & self._missing)
        self._missing = missing
        for some in (gone[start : start + BATCH] for start in range(0, len(gone), BATCH)):
            now = self._store.providers.now()
            await self._store.forget_files(some)
            await record(self._store.providers, dict.fromkeys(some, ManifestGone(now)))
            self._settled = False
            log.info("providers retired", provider_ids=some[:20], retired=len(some))
        if gone:
            await self._mirror.refresh()

    def _tell_unreadable(self, roots: Sequence[Path]) -> None:
        for root in set(roots) - self._unreadable:
            log.error("folder of providers cannot be read; nothing is retired meanwhile", folder=str(root))
        self._unreadable = set(roots)


def _at_once(_: float) -> None:
    """Until all is published: that is waited for."""


def _leisurely(took: float) -> None:
    """From then on: whoever searches meanwhile waits for some folders, not for all."""
    time.sleep(took * (SHARE - 1))


def _lots(ids: Sequence[str], most: int) -> list[Sequence[str]]:
    return [ids[start : start + most] for start in range(0, len(ids), most)]


@contextmanager
def _readers(count: int) -> Iterator[Executor]:
    """Who reads so many folders: a thread, or for many a process, which gives its memory back."""
    if count <= MANY:
        with ThreadPoolExecutor(1) as thread:
            yield thread
        return
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    with ProcessPoolExecutor(1, get_context("spawn"), reading.begin) as process:
        yield process
