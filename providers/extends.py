"""`extends:`, `fields:` and `also:`: a manifest made whole from what it takes over. It validates nothing.

`extends: NAME` takes over what NAME says and this manifest does not. NAME is a folder beside it, a provider
of our catalogue, or a preset. Who a provider is (`OWN`) is never taken over. `fields: {NAME: {…}}` changes
fields that were taken over. Mappings are joined; anything else is replaced, save that `also: {…}` puts what
it holds before the lists that were taken over.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from providers.marked import Broken, Complaint, Marked, read

FILE: Final = "manifest.yaml"
CATALOGUE: Final = Path(__file__).parent / "catalogue"
PRESETS: Final = Path(__file__).parent / "presets"
OWN: Final = frozenset({"id", "name", "summary", "aliases", "countries", "website", "docs", "logo"})
"""What says who a provider is."""
_AUTHORING: Final = frozenset({"extends", "fields", "also"})
_DEEPEST: Final = 5


@dataclass(frozen=True, slots=True)
class Resolved:
    """A manifest's members, whole. `parents` are the names and files it extends, nearest first."""

    members: dict[str, Any]
    parents: tuple[tuple[str, bytes], ...]
    own: Marked

    def complaint(self, path: Sequence[int | str], message: str) -> Complaint:
        """About the member at `path`: at its place in this file, or at `extends` where it was taken over."""
        if not path or path[0] in self.own.members or path[0] not in self.members:
            return Complaint(*self.own.place(path), message)
        if changed := self._change(path):
            return Complaint(*self.own.place(changed), message)
        return Complaint(*self.own.place(["extends"]), f"What is extended does not fit: {message}")

    def takes_over(self, name: str) -> bool:
        """Whether this member is, word for word, what is extended says."""
        value = self.members.get(name)
        return value is not None and value is inherited(self.chain).get(name)

    @property
    def chain(self) -> tuple[bytes, ...]:
        """What is extended, nearest first. The same files say the same."""
        return tuple(raw for _, raw in self.parents)

    def _change(self, path: Sequence[int | str]) -> list[int | str]:
        """The place in `fields` that speaks about the field at `path`, if any does."""
        value: Any = self.members
        changes = self.own.members.get("fields", {})
        for position, part in enumerate(path):
            value = _below(value, part)
            if isinstance(value, dict) and value.get("name") in changes:
                return ["fields", value["name"], *path[position + 1 :]]
        return []


def parent_file(name: str, folder: Path) -> str | None:
    """The file of what the manifest in `folder` calls `name`."""
    safe = os.path.basename(name)  # noqa: PTH119 - asked thousands of times: a Path each would take longer
    places = (f"{folder.parent}/{safe}/{FILE}", f"{CATALOGUE}/{safe}/{FILE}", f"{PRESETS}/{safe}.yaml")
    own = f"{folder}/{FILE}"
    return next((path for path in places if path != own and os.path.isfile(path)), None)  # noqa: PTH113 - as above


ParentBytes = Callable[[str, Path], bytes | None]
"""The file of what the manifest in a folder extends by a name; None where there is none that can be read."""


def parent_bytes(name: str, folder: Path) -> bytes | None:
    """See `ParentBytes`. Whoever reads many folders remembers what it gave."""
    path = parent_file(name, folder)
    try:
        return None if path is None else Path(path).read_bytes()
    except OSError:
        return None


def resolve(own: Marked, folder: Path, parent: ParentBytes = parent_bytes) -> Resolved:
    """The manifest in `folder`, whole.

    Raises:
        Broken: what it extends is not there, is broken itself, or goes in a circle; so is a field that it
            changes.
    """
    chain = tuple(_parents(own, folder, parent))
    members = inherited(tuple(raw for _, raw in chain))
    changes = own.members.get("fields", {})
    if not isinstance(changes, dict) or not all(isinstance(change, dict) for change in changes.values()):
        raise Broken([Complaint(*own.place(["fields"]), "`fields` holds changes by a field's name.")])
    if changes and (strangers := changes.keys() - set(_names(members))):
        said = [(own.place(["fields", name]), name) for name in sorted(strangers)]
        raise Broken(
            [Complaint(*at, f"What is extended has no field `{name}` to change.") for at, name in said]
        )
    return Resolved(_over(own.members, members), chain, own)


def _parents(own: Marked, folder: Path, parent: ParentBytes) -> Iterator[tuple[str, bytes]]:
    """What is extended, nearest first: names and files."""
    at = own.place(["extends"])
    name = own.members.get("extends")
    for _ in range(_DEEPEST):
        if name is None:
            return
        raw = parent(name, folder) if isinstance(name, str) else None
        if raw is None:
            why = "in a circle" if name == folder.name else "to what is not there"
            raise Broken([Complaint(*at, f"`extends` leads {why}: there is no provider or preset `{name}`.")])
        try:
            members = _read(raw).members
        except Broken as broken:
            said = f"`{name}` cannot be extended, it is broken itself at {broken.complaints[0]}"
            raise Broken([Complaint(*at, said)]) from None
        yield str(name), raw
        name = members.get("extends")
    if name is not None:
        raise Broken([Complaint(*at, f"`extends` leads in a circle, or over more than {_DEEPEST}.")])


@lru_cache(maxsize=64)
def _read(raw: bytes) -> Marked:
    """What is extended are the same few files again and again."""
    return read(raw)


@lru_cache(maxsize=64)
def inherited(chain: tuple[bytes, ...]) -> Mapping[str, Any]:
    """What the files of a chain, nearest first, say together. Never to be changed: it is kept."""
    members: dict[str, Any] = {}
    for raw in reversed(chain):
        said = {name: value for name, value in _read(raw).members.items() if name not in OWN}
        members = _over(said, members)
    return members


def _over(members: Mapping[str, Any], inherited: Mapping[str, Any]) -> dict[str, Any]:
    said = {name: value for name, value in members.items() if name not in _AUTHORING}
    changes = members.get("fields")
    changed = _changed(inherited, changes) if isinstance(changes, dict) else inherited
    return _joined(said, _added(changed, members.get("also")))


def _added(value: Any, also: Any) -> Any:
    """What is taken over, with more before its lists."""
    if isinstance(also, list):
        return [*also, *(value if isinstance(value, list) else ())]
    if not isinstance(also, dict):
        return value
    members = value if isinstance(value, Mapping) else {}
    return {**members, **{name: _added(members.get(name), more) for name, more in also.items()}}


def _joined(mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    both = {**theirs, **mine}
    for name in mine.keys() & theirs.keys():
        if isinstance(mine[name], dict) and isinstance(theirs[name], dict):
            both[name] = _joined(mine[name], theirs[name])
    return both


def _changed(value: Any, changes: Mapping[str, Any]) -> Any:
    if isinstance(value, Mapping):
        changed = {name: _changed(below, changes) for name, below in value.items()}
        change = changes.get(str(value.get("name")))
        return {**changed, **change} if isinstance(change, dict) else changed
    return [_changed(item, changes) for item in value] if isinstance(value, list) else value


def _names(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "name" in value:
            yield str(value["name"])
        for below in value.values():
            yield from _names(below)
    elif isinstance(value, list):
        for item in value:
            yield from _names(item)


def _below(value: Any, part: int | str) -> Any:
    """One step down; a part that is not there, such as the name of a union's choice, stays where it is."""
    if isinstance(value, dict):
        below = value.get(str(part), value)
        return below if isinstance(below, dict | list) else value
    return value[part] if isinstance(value, list) and isinstance(part, int) and part < len(value) else value
