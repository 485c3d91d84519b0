"""Past taken names: what a run knows of `name.pdf`, `name (2).pdf` … It decides nothing.

The n-th document of a name costs one or two looks, not n.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from providers.content import Body, begins_with
from providers.drivers import Driver, Found
from sync_runner.names import Place, Rules, key

MOST_REMEMBERED = 5000


@dataclass(slots=True)
class _Walk:
    """The steps up to `reached` are taken; `sizes` says by what, so that bytes are compared rarely."""

    reached: int = 1
    sizes: dict[int, list[int]] = field(default_factory=dict)


class Walks:
    """What was met at taken names of one target."""

    def __init__(self, driver: Driver, rules: Rules) -> None:
        self._driver = driver
        self._rules = rules
        self._walks: dict[str, _Walk] = {}

    async def same(self, path: str, found: Found, size: int, sha256: str) -> bool:
        """Whether what was found has these bytes."""
        if found.size != size:
            return False
        if found.sha256 is not None:
            return found.sha256.lower() == sha256.lower()
        return await self._driver.same_bytes(path, size, sha256)

    async def cut(self, path: str, found: Found, body: Body) -> bool:
        """Whether what was found is a beginning of this body: what a cut upload leaves where it is seen."""
        if self._driver.capabilities.atomic_put or found.is_folder or found.size >= body.size:
            return False
        return await self._driver.same_bytes(path, found.size, await begins_with(body, found.size))

    async def next_step(self, place: Place, step: int, size: int, sha256: str | None) -> int:
        """The step to try after `step`: the first with these bytes (none where `sha256` is None), or free."""
        walk = self._walk(key(place.path, self._rules))
        for known in walk.sizes.get(size, ()):
            if known > step and sha256 is not None:
                path = place.step(known, self._rules)
                if await self._driver.same_bytes(path, size, sha256):
                    return known
        step = max(step, walk.reached) + 1
        while (found := await self._driver.find(place.step(step, self._rules))) is not None:
            walk.reached = step
            walk.sizes.setdefault(found.size, []).append(step)
            if sha256 is not None and await self.same(place.step(step, self._rules), found, size, sha256):
                return step
            step += 1
        return step

    def _walk(self, base: str) -> _Walk:
        if len(self._walks) >= MOST_REMEMBERED:
            self._walks.clear()
        return self._walks.setdefault(base, _Walk())
