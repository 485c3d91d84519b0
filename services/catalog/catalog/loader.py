"""From folders to providers: what changed is read, checked and recorded. It decides nothing about providers.

One replica does this at a time, the one that holds the relay's lease: two releases side by side would
otherwise publish against each other.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from catalog.handlers import record
from catalog.lifecycle import ManifestGone, ManifestRead, Message
from catalog.mirror import Mirror
from catalog.store import CatalogStore, File, Logo
from catalog.watch import Looked, Watch
from kit.leases import Leases
from kit.logs import logger
from kit.trouble import is_trouble
from providers import manifests
from providers.manifests import Broken

log = logger(__name__)

BATCH: Final = 500
SHARE: Final = 20
"""Looking takes at most one part in so many of the time."""
LEAST_PAUSE: Final = 2.0
TELL_EVERY: Final = 5.0


@dataclass(slots=True)
class Read:
    """What came of reading some folders."""

    messages: dict[str, Message] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    logos: dict[str, Logo] = field(default_factory=dict)


class Loader:
    """Looks at the folders, again and again. A manifest that breaks keeps its last good revision."""

    def __init__(
        self,
        watch: Watch,
        store: CatalogStore,
        mirror: Mirror,
        duty: Leases,
        compare: Callable[[], Awaitable[None]],
    ) -> None:
        """`compare` brings store and topic together; it is called whenever the duty comes to this replica."""
        self._watch = watch
        self._store = store
        self._mirror = mirror
        self._duty = duty
        self._compare = compare
        self._held = False
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
                    await self._compare()
                    await self._mirror.refresh()
                    self._held = True
                else:
                    pause = await self.look()
                    self.published = self.published or await self._store.nothing_owed()
            except Exception as error:
                if not is_trouble(error):
                    raise
                log.warning("looking at the folders waits", error=type(error).__name__)
                self._watch.forget()
                pause = 1.0
            await asyncio.sleep(pause if self.published else min(pause, 0.2))

    def stuck(self) -> str | None:
        """A sentence until every provider is read and published; None from then on."""
        if self.published or (not self._duty.held() and len(self._mirror.index)):
            return None
        if self.looked:
            return "The providers are read; not all of them are published yet."
        return f"The manifests are being read: {self.done} of {self.of}."

    async def look(self) -> float:
        """One look at everything. Returns the seconds until the next is due."""
        began = time.monotonic()
        looked = await asyncio.to_thread(self._watch.look)
        took = time.monotonic() - began
        self._tell_unreadable(looked.unreadable)
        changed = set(looked.changed)
        if self.looked and changed:
            changed |= await self._store.extending(changed) & looked.there
        await self._take(sorted(changed))
        await self._retire(looked)
        self.looked = True
        return max(LEAST_PAUSE, took * SHARE)

    async def _take(self, ids: Sequence[str]) -> None:
        self.done, self.of, told, changed = 0, len(ids), time.monotonic(), 0
        for some in (ids[start : start + BATCH] for start in range(0, len(ids), BATCH)):
            known = await self._store.files(some)
            read = await asyncio.to_thread(self._read, some, known, self._store.providers.now())
            recorded = await record(self._store.providers, read.messages)
            for left in recorded.left:
                del read.files[left]
            await self._store.keep_files(read.files, read.logos)
            changed += len(recorded.changed)
            self.done += len(some)
            if time.monotonic() - told > TELL_EVERY:
                told = time.monotonic()
                log.info("reading manifests", done=self.done, of=self.of)
        if changed:
            log.info("providers changed", changed=changed, looked_at=self.of)
            await self._mirror.refresh()

    def _read(self, ids: Sequence[str], known: dict[str, File], now: datetime) -> Read:
        read = Read()
        for provider_id in ids:
            folder, file = self._watch.folder(provider_id), known.get(provider_id)
            if file and manifests.digest(folder, file.logo, file.parents) == file.digest:
                continue
            try:
                whole = manifests.whole(folder)
            except Broken as broken:
                kept = "its last good revision stays" if provider_id in self._mirror.index else "left out"
                for complaint in broken.complaints:
                    log.warning("manifest is wrong", provider_id=provider_id, at=str(complaint), kept=kept)
                continue
            logo = whole.manifest.logo.file
            digest = manifests.digest(folder, logo, whole.parents)
            read.messages[provider_id] = ManifestRead(whole.manifest, now)
            read.files[provider_id] = File(digest, logo, whole.parents)
            read.logos[provider_id] = Logo(
                whole.media_type, hashlib.sha256(whole.logo).hexdigest(), whole.logo
            )
        return read

    async def _retire(self, looked: Looked) -> None:
        """Retire what is gone in two looks in a row: an editor may replace a file by way of none at all."""
        missing = set() if looked.unreadable else self._mirror.index.ids() - looked.there
        gone = sorted(missing & self._missing)
        self._missing = missing
        for some in (gone[start : start + BATCH] for start in range(0, len(gone), BATCH)):
            now = self._store.providers.now()
            await self._store.forget_files(some)
            await record(self._store.providers, dict.fromkeys(some, ManifestGone(now)))
            log.info("providers retired", provider_ids=some[:20], retired=len(some))
        if gone:
            await self._mirror.refresh()

    def _tell_unreadable(self, roots: Sequence[Path]) -> None:
        for root in set(roots) - self._unreadable:
            log.error("folder of providers cannot be read; nothing is retired meanwhile", folder=str(root))
        self._unreadable = set(roots)
