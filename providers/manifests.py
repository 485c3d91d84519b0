"""Manifests as files: read whole, checked line by line. It publishes and stores nothing.

A provider is a folder with `manifest.yaml` and a logo. Errors: `Broken`, with one complaint for each thing
that is wrong.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from providers.extends import CATALOGUE, FILE, ParentBytes, Resolved, inherited, parent_bytes, resolve
from providers.logos import LOGO_BYTES, LogoRefused, media_type_of
from providers.marked import Broken, Complaint, read
from providers.rules import Fault, faults, schema_faults
from schemas.base import Model
from schemas.manifest import Manifest, Options
from schemas.sources import RestSource

__all__ = ["CATALOGUE", "FILE", "Broken", "Complaint", "Whole", "check", "digest", "folders", "load", "whole"]


_PIECE: Final = 65_536
_LARGE: Final[Mapping[str, type[Model]]] = {"options": Options, "source": RestSource}


@dataclass(frozen=True, slots=True)
class Whole:
    """One provider as its files say it. `parents` are the names it extends, nearest first."""

    manifest: Manifest
    logo: bytes
    media_type: str
    parents: tuple[str, ...]
    digest: str


def folders(root: Path) -> Iterator[Path]:
    """The folders of providers in `root`, by name; `root` itself where it is one.

    Raises:
        OSError: it is not there or cannot be read.
    """
    if (root / FILE).is_file():
        yield root
        return
    for path in sorted(root.iterdir()):
        if (path / FILE).is_file():
            yield path


def load(folder: Path) -> Manifest:
    """The manifest of one provider, whole.

    Raises:
        Broken: with everything that is wrong, by line and column.
    """
    return whole(folder.resolve()).manifest


def check(path: Path) -> list[Complaint]:
    """What is wrong with a provider: its folder, or the manifest in it. Nothing wrong is an empty list."""
    if not path.exists():
        return [Complaint(1, 1, "There is nothing of this name.")]
    if path.is_file() and path.name != FILE:
        return [Complaint(1, 1, f"A manifest is called {FILE}, in a folder of its own named as its `id`.")]
    try:
        whole((path if path.is_dir() else path.parent).resolve())
    except Broken as broken:
        return list(broken.complaints)
    return []


def whole(folder: Path, parent: ParentBytes = parent_bytes) -> Whole:
    """A provider with its logo. The folder's name, as it is given, is the provider's id.

    Raises:
        Broken: as `load`.
    """
    try:
        raw = (folder / FILE).read_bytes()
    except OSError:
        raise Broken([Complaint(1, 1, f"There is no {FILE} here that can be read.")]) from None
    resolved = resolve(read(raw), folder, parent)
    manifest, found = _validated({**resolved.members, **_checked(resolved)})
    logo, media_type = b"", ""
    if manifest is not None:
        found += faults(manifest, folder.name)
        try:
            logo, media_type = _logo(folder, manifest.logo.file)
        except LogoRefused as refused:
            found.append((("logo",), str(refused)))
    if manifest is None or found:
        raise Broken(sorted({resolved.complaint(path, message) for path, message in found}))
    parents = [parent for _, parent in resolved.parents]
    names = tuple(name for name, _ in resolved.parents)
    return Whole(manifest, logo, media_type, names, _digest(raw, logo, *parents))


def digest(folder: Path, logo: str, parents: Sequence[str], parent: ParentBytes = parent_bytes) -> str:
    """SHA-256 of all that `whole` would read, and of the manifest's schema: the same means nothing changed.

    `logo` and `parents` are those it had when it was read. A file that is gone counts as empty.
    """
    own = (_content(f"{folder}/{name}") for name in (FILE, os.path.basename(logo)))  # noqa: PTH119 - as below
    return _digest(*own, *(parent(name, folder) or b"" for name in parents))


def _checked(resolved: Resolved) -> dict[str, Model]:
    """The large members that are taken over as they are: checked once for all that do so.

    Those that do not pass are left to the check of the whole, which says where.
    """
    taken = {name: _taken_over(resolved.chain, name) for name in _LARGE if resolved.takes_over(name)}
    return {name: checked for name, checked in taken.items() if checked is not None}


@lru_cache(maxsize=64)
def _taken_over(chain: tuple[bytes, ...], name: str) -> Model | None:
    try:
        return _LARGE[name].model_validate(inherited(chain)[name], extra="forbid")
    except ValidationError:
        return None


def _validated(members: Mapping[str, Any]) -> tuple[Manifest | None, list[Fault]]:
    """The manifest, and what the schema finds. Members that are not known hide nothing else that is wrong."""
    try:
        return Manifest.model_validate(members, extra="forbid"), []
    except ValidationError as invalid:
        found = schema_faults(invalid)
    try:
        return Manifest.model_validate(members), found
    except ValidationError:
        return None, found


def _content(path: str) -> bytes:
    try:
        file = os.open(path, os.O_RDONLY)  # read by the ten thousands: `open` takes three times as long
    except OSError:
        return b""
    try:
        return b"".join(iter(partial(os.read, file, _PIECE), b""))
    except OSError:
        return b""
    finally:
        os.close(file)


def _digest(*contents: bytes) -> str:
    hashed = hashlib.sha256(_schema())
    for content in contents:
        hashed.update(len(content).to_bytes(8, "big") + content)
    return hashed.hexdigest()


@cache
def _schema() -> bytes:
    schema = json.dumps(Manifest.model_json_schema(), sort_keys=True).encode()
    return hashlib.sha256(schema).digest()


def _logo(folder: Path, name: str) -> tuple[bytes, str]:
    try:
        if os.path.basename(name) != name:  # noqa: PTH119 - asked by the ten thousands
            raise FileNotFoundError(name)
        with open(f"{folder}/{name}", "rb") as file:  # noqa: PTH123 - as above
            logo = file.read(LOGO_BYTES + 1)
    except OSError:
        raise LogoRefused(f"There is no logo `{name}` beside the manifest that can be read.") from None
    if len(logo) > LOGO_BYTES:
        raise LogoRefused(f"The logo is larger than {LOGO_BYTES // 1024} KB.")
    return logo, media_type_of(logo)
