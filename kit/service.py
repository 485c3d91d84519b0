"""One process: its listeners, its edge, its loops; started in order, ended in under 10 s. No global state."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kit.settings import Settings

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Listener:
    """An ASGI application on a port of `PAPERBUS_LISTEN`."""

    app: Any
    port: int


Hook = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Loop:
    """Long work beside the edge, such as a scheduler or a worker. Cancelled to end; its failure ends the process.

    A loop that meets trouble of store or broker waits and goes on by itself.
    """

    name: str
    run: Hook


@dataclass(frozen=True, slots=True)
class Service:
    """What `build(settings)` returns. `start` hooks run in order, `stop` hooks in reverse order of need.

    Order: `start` hooks, loops, listeners. On SIGTERM or SIGINT: not ready, `stop` hooks, loops cancelled,
    listeners closed, `close` hooks.
    """

    name: str
    listeners: Sequence[Listener] = ()
    loops: Sequence[Loop] = ()
    start: Sequence[Hook] = ()
    stop: Sequence[Hook] = ()
    close: Sequence[Hook] = ()
    stuck: Sequence[Callable[[], str | None]] = field(default=())
    """Each a sentence where no progress is made, or None. All None is ready."""


async def run(service: Service, settings: Settings) -> None:
    """Run until SIGTERM, SIGINT or a failed loop.

    Raises:
        whatever a start hook or a loop raised.
    """
    raise NotImplementedError


def main(build: Callable[[Settings], Service]) -> None:
    """`python -m <service>`: read settings, set up logs, build, run. A wrong setting ends it with one sentence."""
    raise NotImplementedError
