"""One process: its listeners, its edge, its loops; started in order, ended in under 10 s. No global state."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from kit import logs, traces
from kit.mongo import Unusable
from kit.settings import Settings, SettingsError, strangers
from kit.tokens import KeysRefused

if TYPE_CHECKING:
    import uvicorn

    from kit.edge import Edge

log = logs.logger(__name__)

STOP = 4.5
"""Seconds for edge, stop hooks and listeners, side by side: 4 for what is under way, then giving back."""
LOOPS = 1.0
"""Seconds for the loops, once cancelled."""
CLOSE = 0.5
"""Seconds for the close hooks together."""
AT_ONCE = 0.25
"""Seconds for what has nothing to save: a start that is given up, threads when all else has ended.

The whole end takes under 7 s, after which `paperbus up` kills.
"""


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

    Start: `start` hooks in order, `loops`, `edge`, `listeners`. End, at SIGTERM or SIGINT, even during the
    start: `edge`, `stop` hooks and `listeners` side by side, `loops` cancelled, `close` hooks in order; each
    within its time, and whatever the start had come to.
    """

    name: str
    listeners: Sequence[Listener] = ()
    edge: Edge | None = None
    loops: Sequence[Loop] = ()
    start: Sequence[Hook] = ()
    stop: Sequence[Hook] = ()
    close: Sequence[Hook] = ()


@asynccontextmanager
async def running(
    service: Service, settings: Settings, over: asyncio.Event | None = None
) -> AsyncIterator[asyncio.Event]:
    """The service runs while the block does.

    `over` is set when a loop or a listener failed; whoever gives it may set it too, even during the start,
    which is given up then.

    Raises:
        whatever a start hook, a loop or a listener raised (the first of them).
    """
    process = _Process(service, settings, over or asyncio.Event())
    try:
        await _unless(process.over, process.start())
        yield process.over
    finally:
        await process.end()
    process.fail()


async def run(service: Service, settings: Settings) -> None:
    """Run until SIGTERM, SIGINT or a failure.

    Raises:
        whatever a start hook, a loop or a listener raised.
    """
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, over.set)
    try:
        async with running(service, settings, over):
            await over.wait()
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
    for unknown in strangers(os.environ):
        log.warning(unknown)
    traces.set_up(service.name, settings.otel_exporter_otlp_endpoint)
    import uvloop

    gc.collect()
    gc.freeze()  # what is imported stays; to look through it again and again is half the work of a batch
    try:
        uvloop.run(_run_and_leave(service, settings))
    except (Unusable, PortTaken) as cannot:
        sys.exit(str(cannot))


async def _run_and_leave(service: Service, settings: Settings) -> None:
    """Run; afterwards no thread that waits for a store that is away holds the process."""
    code = 1
    try:
        await run(service, settings)
        code = 0
    finally:
        leaving = threading.Timer(AT_ONCE, _leave, (code,))
        leaving.daemon = True
        leaving.start()


def _leave(code: int) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


class _Process:
    """A service's parts as they were started."""

    def __init__(self, service: Service, settings: Settings, over: asyncio.Event) -> None:
        self.over = over
        self._service = service
        self._servers = [_server(listener, settings) for listener in service.listeners]
        self._loops: list[asyncio.Task[None]] = []
        self._listening: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Start all; returns once every listener accepts."""
        for hook in self._service.start:
            await hook()
        self._loops = [
            asyncio.create_task(self._watched(one.run()), name=one.name) for one in self._service.loops
        ]
        if self._service.edge is not None:
            await self._service.edge.start()
        self._listening = [asyncio.create_task(self._watched(server.serve())) for server in self._servers]
        while not all(server.started for server in self._servers):  # noqa: ASYNC110 - uvicorn sets no event
            await asyncio.sleep(0.01)
        ports = [listener.port for listener in self._service.listeners]
        log.info("ready", service=self._service.name, ports=ports)

    async def end(self) -> None:
        """End what was started, in its time."""
        edge = [self._service.edge.stop] if self._service.edge else []
        stops = [_in_time(hook, STOP) for hook in (*edge, *self._service.stop)]
        for server in self._servers:
            server.should_exit = True
        await asyncio.gather(*stops, _ended(self._listening, STOP))
        for loop in self._loops:
            loop.cancel()
        await _ended(self._loops, LOOPS)
        await _in_time(self._close, CLOSE)

    def fail(self) -> None:
        """Raises what ended a loop or a listener."""
        for task in (*self._loops, *self._listening):
            if task.done() and not task.cancelled() and (error := task.exception()):
                raise error

    async def _close(self) -> None:
        for hook in self._service.close:
            await _in_time(hook, CLOSE)

    async def _watched(self, work: Awaitable[None]) -> None:
        try:
            await work
        except Exception:
            self.over.set()
            raise


async def _unless(over: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
    """Do `work`, but give it up as soon as it is over."""
    working, ending = asyncio.create_task(work), asyncio.create_task(over.wait())
    try:
        await asyncio.wait((working, ending), return_when=asyncio.FIRST_COMPLETED)
    finally:
        ending.cancel()
        working.cancel()
        await _ended([working], AT_ONCE)
    if working.done() and not working.cancelled():
        working.result()


async def _ended(tasks: Sequence[asyncio.Future[None]], seconds: float) -> None:
    """Wait until they have; what takes longer is left."""
    if tasks:
        await asyncio.wait(tasks, timeout=seconds)


async def _in_time(hook: Hook, seconds: float) -> None:
    """What fails or takes too long is logged and left, even where it does not heed being cancelled."""
    task = asyncio.ensure_future(hook())
    await _ended([task], seconds)
    if not task.done():
        task.cancel()
        log.warning("not ended in time", seconds=seconds)
    elif not task.cancelled() and (error := task.exception()):
        log.warning("not ended cleanly", exc_info=error)


def _server(listener: Listener, settings: Settings) -> uvicorn.Server:
    import uvicorn

    host = str(settings.paperbus_listen)
    proxies = [str(network) for network in settings.paperbus_trusted_proxies]

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
        timeout_graceful_shutdown=4,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies,
    )
    return Quiet(config)
