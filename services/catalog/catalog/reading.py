"""Reading folders of providers, many at once. It knows files only; what they mean is decided elsewhere.

`changed` is for a thread; `read` parses, in a process of its own, so that the service goes on answering.
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
    """What came of it, by id."""

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


def changed(folders: Sequence[tuple[str, Path]], known: Mapping[str, File]) -> list[str]:
    """The ids of those that are not, by hash, as they were when they were `known`. It parses nothing."""
    parents = _Parents()

    def as_known(folder: Path, file: File) -> bool:
        try:
            return manifests.digest(folder, file.logo, file.parents, parents.of) == file.digest
        except ValueError:  # a name that no file can have: to read it says so
            return False

    return [
        provider_id
        for provider_id, folder in folders
        if (file := known.get(provider_id)) is None or not as_known(folder, file)
    ]


def read(folders: Sequence[tuple[str, Path]]) -> Read:
    """Read these folders. Whatever one does wrong is its own."""
    came, parents = Read(), _Parents()
    for provider_id, folder in folders:
        try:
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
        self._read: dict[tuple[str, str], bytes | None] = {}

    def of(self, name: str, folder: Path) -> bytes | None:
        beside, own = os.path.split(folder)  # a Path's parent takes longer than to read the file
        if own == name:  # it extends what is of its own name elsewhere
            return parent_bytes(name, folder)
        key = (name, beside)
        if key not in self._read:
            self._read[key] = parent_bytes(name, folder)
        return self._read[key]
