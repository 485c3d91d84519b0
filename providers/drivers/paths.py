"""Paths of the connection as drivers take them, and the names of unfinished uploads. Pure."""

from __future__ import annotations

import hashlib
import re

from providers.errors import ProviderError
from providers.words import words
from schemas.reasons import Reason

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def segments(path: str) -> list[str]:
    """The names along an absolute path; none for the root.

    Raises:
        ProviderError: `invalid` for a name that would leave its folder, or holds a control character.
    """
    names = [name for name in path.split("/") if name]
    for name in names:
        if name in (".", "..") or _CONTROL.search(name):
            raise ProviderError(
                "item_permanent",
                Reason.INVALID,
                words("bad_name"),
            )
    return names


def parent(path: str) -> str:
    """The folder that `path` lies in."""
    return "/" + "/".join(segments(path)[:-1])


def unfinished(path: str, sha256: str) -> str:
    """Where the bytes of `path` wait until they are whole: beside it, hidden, and the same at every try.

    A try that was cut off is thus overwritten by the next one and leaves nothing behind.
    """
    mark = hashlib.sha256(f"{path}\n{sha256}".encode()).hexdigest()[:20]
    above = parent(path)
    return f"{'' if above == '/' else above}/.{mark}.part"
