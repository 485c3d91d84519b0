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

from providers import manifests
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
    """What came of it, by id. `manifests` travel as this JSON; folders that are as they were are in none."""

    manifests: dict[str, bytes] = field(default_factory=dict)
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
            _take(provider_id, manifests.whole(folder), came)
        except Broken as broken:
            came.broken[provider_id] = tuple(str(complaint) for complaint in broken.complaints)
        except Exception as error:  # noqa: BLE001 - no folder may keep the others from being read
            came.broken[provider_id] = (f"This provider cannot be read: {type(error).__name__}.",)
    return came


def _take(provider_id: str, whole: manifests.Whole, came: Read) -> None:
    came.manifests[provider_id] = whole.manifest.model_dump_json(by_alias=True).encode()
    came.files[provider_id] = File(whole.digest, whole.manifest.logo.file, whole.parents)
    came.logos[provider_id] = Logo(whole.media_type, hashlib.sha256(whole.logo).hexdigest(), whole.logo)


class _Parents:
    """Parents' files, read once for one lot of folders."""

    def __init__(self) -> None:
        self._read: dict[tuple[str, Path], bytes] = {}

    def of(self, name: str, folder: Path) -> bytes:
        if folder.name == name:  # it extends what is of its own name elsewhere
            return manifests.parent_of(name, folder)
        key = (name, folder.parent)
        if key not in self._read:
            self._read[key] = manifests.parent_of(name, folder)
        return self._read[key]
