"""Looking at folders of providers for what changed since the last look. It reads no file, stores nothing."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from providers.extends import FILE

SOME: Final = 50
"""After so many folders a look may rest."""

Rest = Callable[[float], None]
"""Told the seconds of CPU that some folders took, blocks for as long as others are to have their turn."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What one look found. Where a root could not be read, nothing can be said to be gone."""

    changed: list[str]
    there: set[str]
    unreadable: list[Path]


class Watch:
    """The folders of providers. A provider of a later root takes the place of one with the same id."""

    def __init__(self, roots: Sequence[Path]) -> None:
        self.roots = tuple(roots)
        self._signatures: dict[str, int] = {}

    def look(self, rest: Rest) -> Looked:
        """All folders, by the times and sizes of their files. Blocks: a second for 50,000, and the rests."""
        began = time.thread_time()
        changed: list[str] = []
        there: set[str] = set()
        unreadable: list[Path] = []
        for root in reversed(self.roots):
            try:
                for provider_id, signature in _signatures(root):
                    if provider_id in there:
                        continue
                    there.add(provider_id)
                    if len(there) % SOME == 0:
                        rest(time.thread_time() - began)
                        began = time.thread_time()
                    if self._signatures.get(provider_id) != signature:
                        self._signatures[provider_id] = signature
                        changed.append(provider_id)
            except OSError:
                unreadable.append(root)
        for gone in self._signatures.keys() - there:
            del self._signatures[gone]
        return Looked(changed, there, unreadable)

    def forget(self) -> None:
        """Take everything for changed at the next look."""
        self._signatures.clear()

    def folder(self, provider_id: str) -> Path:
        """Where a provider is: in the last root that has it."""
        for root in reversed(self.roots):
            if os.path.isfile(f"{root}/{provider_id}/{FILE}"):  # noqa: PTH113 - asked by the ten thousands
                return root / provider_id
            if root.name == provider_id and (root / FILE).is_file():
                return root
        return self.roots[0] / provider_id


def _signatures(root: Path) -> Iterator[tuple[str, int]]:
    """Each provider's id with a number that changes when its files do."""
    if (root / FILE).is_file():
        yield root.name, _signature(str(root)) or 0
        return
    with os.scandir(root) as entries:
        for entry in entries:
            if entry.name.startswith((".", "_")) or not entry.is_dir():
                continue
            if (signature := _signature(entry.path)) is not None:
                yield entry.name, signature


def _signature(folder: str) -> int | None:
    """None where there is no manifest."""
    found = False
    parts: list[tuple[str, int, int, int]] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                found = found or entry.name == FILE
                stat = entry.stat()
                parts.append((entry.name, stat.st_mtime_ns, stat.st_size, stat.st_ino))
    except FileNotFoundError:
        return None  # it went while we looked
    return hash((folder, *sorted(parts))) if found else None
