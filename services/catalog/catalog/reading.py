"""Reading folders of providers, many at once: in a process of its own, so that the service goes on answering.

It knows files only; what they mean is decided elsewhere.
"""

from __future__ import annotations

import gc
import hashlib
import os
import signal
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing import parent_process
from pathlib import Path

from catalog.wire import Wire
from providers import manifests
from providers.extends import parent_bytes
from providers.manifests import Broken


@dataclass(frozen=True, slots=True)
class File:
    """What was read last of a provider's folder. `digest` is that of `providers.manifests.digest`."""

    digest: str
    logo: str
    parents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Logo:
    """A logo as it is served."""

    media_type: str
    sha256: str
    data: bytes


@dataclass(slots=True)
class Read:
    """What came of it, by id. Folders that are as they were are in none of them."""

    manifests: dict[str, Wire] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    logos: dict[str, Logo] = field(default_factory=dict)
    broken: dict[str, tuple[str, ...]] = field(default_factory=dict)


def begin() -> None:
    """At the start of a process that reads: Ctrl-C is its parent's business, and it does not outlive it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    gc.freeze()  # what is imported stays


def _end_with_parent() -> None:
    if (parent := parent_process()) is not None:
        parent.join()
        os._exit(1)


def read(folders: Sequence[tuple[str, Path]], known: Mapping[str, File]) -> Read:
    """Read those of these folders that changed since `known`. Whatever one does wrong is its own."""
    came, parents = Read(), _Parents()
    for provider_id, folder in folders:
        try:
            file = known.get(provider_id)
            if file and manifests.digest(folder, file.logo, file.parents, parents.of) == file.digest:
                continue
            _take(provider_id, manifests.whole(folder, parents.of), came)
        except Broken as broken:
            came.broken[provider_id] = tuple(str(complaint) for complaint in broken.complaints)
        except Exception as error:  # noqa: BLE001 - no folder may keep the others from being read
            came.broken[provider_id] = (f"This provider cannot be read: {type(error).__name__}.",)
    return came


def _take(provider_id: str, whole: manifests.Whole, came: Read) -> None:
    came.manifests[provider_id] = Wire.of(whole.manifest)
    came.files[provider_id] = File(whole.digest, whole.manifest.logo.file, whole.parents)
    came.logos[provider_id] = Logo(whole.media_type, hashlib.sha256(whole.logo).hexdigest(), whole.logo)


class _Parents:
    """Parents' files, read once for one lot of folders."""

    def __init__(self) -> None:
        self._read: dict[tuple[str, Path], bytes | None] = {}

    def of(self, name: str, folder: Path) -> bytes | None:
        if folder.name == name:  # it extends what is of its own name elsewhere
            return parent_bytes(name, folder)
        key = (name, folder.parent)
        if key not in self._read:
            self._read[key] = parent_bytes(name, folder)
        return self._read[key]
