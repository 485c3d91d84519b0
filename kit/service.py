"""One process: its listeners, its edge, its loops; started in order, ended in under 10 s. No global state."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from kit import logs, traces
from kit.mongo import Unusable
from kit.settings import Settings, SettingsError
from kit.tokens import KeysRefused

if TYPE_CHECKING:
    import uvicorn

    from kit.edge import Edge

log = logs.logger(__name__)

PATIENCE = 4.0
"""Seconds for each of: what stops taking work, what runs, what is closed. Together under 10 s."""


class PortTaken(OSError):
    """Somebody else listens there."""


Hook: TypeAlias = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Listener:
    """An ASGI application on a port of `PAPERBUS_LISTEN`. Its own lifespan is not used."""

    app: Any
    port: int


@dataclass(frozen=True, slots=True)
class Loop:
    """Work beside the edge, such as a relay, a scheduler or workers. Ended by cancelling it.

    It waits out trouble of store and broker by itself; any other exception ends the process, loudly.
    """

    name: str
    run: Hook


@dataclass(frozen=True, slots=True)
class Service:
    """What `build(settings)` returns.

    Start: `start` hooks in order, `loops`, `edge`, `listeners`. End, at SIGTERM or SIGINT: `edge` and the
    `stop` hooks side by side (4 s), `loops` cancelled (4 s), `listeners` closed, `close` hooks in order.
    """

    name: str
    listeners: Sequence[Listener] = ()
    edge: Edge | None = None
    loops: Sequence[Loop] = ()
    start: Sequence[Hook] = ()
    stop: Sequence[Hook] = ()
    close: Sequence[Hook] = ()


@asynccontextmanager
async def running(service: Service, settings: Settings) -> AsyncIterator[asyncio.Event]:
    """The service runs while the block does. The event is set when a loop or listener failed.

    Raises:
        whatever a start hook, a loop or a listener raised (an `ExceptionGroup` where several did).
    """
    for hook in service.start:
        await hook()
    failed = asyncio.Event()
    tasks = [asyncio.create_task(_watched(loop.run(), failed), name=loop.name) for loop in service.loops]
    servers = [_server(listener, str(settings.paperbus_listen)) for listener in service.listeners]
    if service.edge is not None:
        await service.edge.start()
    listening = [asyncio.create_task(_watched(server.serve(), failed)) for server in servers]
    try:
        await _listening(servers, listening)
        log.info("ready", service=service.name, ports=[listener.port for listener in service.listeners])
        yield failed
    finally:
        await _end(service, tasks, servers, listening)
    for task in (*tasks, *listening):
        if not task.cancelled() and (error := task.exception()):
            raise error


async def run(service: Service, settings: Settings) -> None:
    """Run until SIGTERM, SIGINT or a failure.

    Raises:
        whatever a start hook, a loop or a listener raised.
    """
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, asked.set)
    try:
        async with running(service, settings) as failed:
            waits = [asyncio.create_task(event.wait()) for event in (asked, failed)]
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()
    finally:
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(name)


def main(build: Callable[[Settings], Service]) -> None:
    """`python -m <service>`: settings, logs, build, run. A wrong setting ends it with one sentence."""
    try:
        settings = Settings.load()
        logs.set_up(settings.paperbus_log)
        service = build(settings)
    except (SettingsError, KeysRefused) as wrong:
        sys.exit(str(wrong))
    logs.set_up(settings.paperbus_log, service.name)
    traces.set_up(service.name, settings.otel_exporter_otlp_endpoint)
    import uvloop

    try:
        uvloop.run(run(service, settings))
    except (Unusable, PortTaken) as cannot:
        sys.exit(str(cannot))


async def _watched(work: Awaitable[None], failed: asyncio.Event) -> None:
    try:
        await work
    except Exception:
        failed.set()
        raise


async def _listening(servers: Sequence[uvicorn.Server], tasks: Sequence[asyncio.Task[None]]) -> None:
    """Wait until every listener accepts, or one could not."""
    while not all(server.started for server in servers):
        if any(task.done() for task in tasks):
            return
        await asyncio.sleep(0.01)


async def _end(
    service: Service,
    tasks: Sequence[asyncio.Task[None]],
    servers: Sequence[uvicorn.Server],
    listening: Sequence[asyncio.Task[None]],
) -> None:
    hooks = [*([service.edge.stop] if service.edge else []), *service.stop]
    await _all_in_time([hook() for hook in hooks])
    for task in tasks:
        task.cancel()
    for server in servers:
        server.should_exit = True
    if tasks or listening:
        await asyncio.wait([*tasks, *listening], timeout=PATIENCE)
    for task in listening:
        task.cancel()
    for hook in service.close:
        await _all_in_time([hook()])


async def _all_in_time(work: Sequence[Awaitable[None]]) -> None:
    """Side by side; what fails or takes too long is logged and left."""
    for result in await asyncio.gather(
        *(asyncio.wait_for(one, PATIENCE) for one in work), return_exceptions=True
    ):
        if isinstance(result, Exception):
            log.warning("not ended cleanly", exc_info=result)


def _server(listener: Listener, host: str) -> uvicorn.Server:
    import uvicorn

    class Quiet(uvicorn.Server):
        """Leaves the signals to `run`."""

        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

        async def serve(self, sockets: list[Any] | None = None) -> None:
            try:
                await super().serve(sockets)
            except SystemExit:  # uvicorn's way to say that the port is taken
                raise PortTaken(f"{host}:{listener.port} is taken: stop what listens there.") from None

    config = uvicorn.Config(
        listener.app,
        host=host,
        port=listener.port,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        timeout_graceful_shutdown=2,
        proxy_headers=False,
    )
    return Quiet(config)
