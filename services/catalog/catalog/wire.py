"""A manifest as it is kept and travels: JSON that is not taken apart, and beside it what lists show. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple, Self

from schemas.manifest import Manifest

SHOWN: Final = {
    "id", "name", "summary", "aliases", "categories", "countries", "directions", "oauth",
}  # fmt: skip
"""The members that lists and the search need."""


class Wire(NamedTuple):
    """A manifest that was checked when it was read: to take its JSON apart costs more than all else.

    `head` holds those of its members that are in `SHOWN`.
    """

    json: bytes
    head: Mapping[str, Any]

    @classmethod
    def of(cls, manifest: Manifest) -> Self:
        """This manifest."""
        head = manifest.model_dump(mode="json", by_alias=True, include=SHOWN)
        return cls(manifest.model_dump_json(by_alias=True).encode(), head)

    def says_the_same(self, other: Wire) -> bool:
        """Whether they mean the same, whatever their order and what an older release left out."""
        return self.json == other.json or self.manifest() == other.manifest()

    def manifest(self) -> Manifest:
        """The whole."""
        return Manifest.model_validate_json(self.json)
