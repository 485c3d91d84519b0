"""Runs a service that kills or freezes itself: `python mortal.py POINT NTH kill|stop MODULE`.

Nothing of this is in the service: the method at the point is wrapped before the service starts. After a
freeze standard error tells `WOKE`, and of the write in `LATE` that the frozen task makes then, `TRIED …` and
`ANSWERED …`: what others begin after the waking is not late.
"""

from __future__ import annotations

import asyncio
import functools
import importlib
import os
import signal
import sys
from typing import Any

COMMON = {
    "a batch is read": ("kit.reading", "Reading", "take", "before"),
    "decided, not written": ("kit.mongo_aggregates", "MongoAggregates", "write", "before"),
    "written, not committed": ("kit.mongo_aggregates", "MongoAggregates", "write", "after"),
    "handled, not committed": ("kit.subscription", "Subscription", "_commit", "before"),
    "committed": ("kit.subscription", "Subscription", "_commit", "after"),
    "owed, not published": ("kit.relay", "Relay", "_send", "before"),
    "published, not cleared": ("kit.relay", "Relay", "_send", "after"),
    "cleared": ("kit.relay", "Relay", "_clear", "after"),
}
RUNS = ("sync_runner.store.runs", "MongoRuns")
POINTS = {
    "catalog": {
        "owed, not published": ("kit.relay", "FencedRelay", "_send", "before"),
        "published, not cleared": ("kit.relay", "FencedRelay", "_send", "after"),
        "cleared": ("kit.relay", "Relay", "_clear", "after"),
    },
    "connections": COMMON
    | {
        "a try is claimed": ("connections.store", "MongoTrying", "claim", "after"),
        "before the provider is asked": ("connections.handlers.tries", "Tries", "_outcome", "before"),
        "after the provider was asked": ("connections.handlers.tries", "Tries", "_outcome", "after"),
        "before a loan": ("connections.lending", "Lender", "lend", "before"),
        "after a loan": ("connections.lending", "Lender", "lend", "after"),
    },
    "sync-runner": COMMON
    | {
        "documents kept, rows not owed": ("sync_runner.store.documents", "MongoDocuments", "keep", "after"),
        "rows owed": ("sync_runner.store.documents", "MongoDocuments", "owe", "after"),
        "a run is claimed": (*RUNS, "claim", "after"),
        "rows taken": (*RUNS, "take_rows", "after"),
        "before the intent": (*RUNS, "intend", "before"),
        "after the intent": (*RUNS, "intend", "after"),
        "before a put": ("providers.drivers.webdav", "WebDav", "put", "before"),
        "after a put": ("providers.drivers.webdav", "WebDav", "put", "after"),
        "put, not recorded": (*RUNS, "record", "before"),
        "recorded": (*RUNS, "record", "after"),
        "before the end": (*RUNS, "finish", "before"),
        "after the end": (*RUNS, "finish", "after"),
    },
}
"""By service: what a point is called, and where it is: module, class, method, before or after it."""

LATE = {
    "catalog": ("kit.relay", "Relay", "_send"),
    "connections": ("connections.handlers.tries", "Tries", "_tell"),
    "sync-runner": ("sync_runner.store.rows", "Rows", "record"),
}
"""By service: what a worker writes late, when it was frozen beyond its lease."""
woken: asyncio.Task[Any] | None = None
"""What froze, once it woke."""


def wound(point: tuple[str, str, str, str], nth: int, which: signal.Signals) -> None:
    """Let the `nth` passing of the point hurt this process."""
    module, kind, method, when = point
    owner: Any = getattr(importlib.import_module(module), kind)
    whole = getattr(owner, method)
    passed = 0

    def pass_by() -> None:
        nonlocal passed
        global woken  # noqa: PLW0603 - this process is frozen once
        passed += 1
        if passed == nth:
            os.kill(os.getpid(), which)
            woken = asyncio.current_task()
            sys.stderr.write("WOKE\n")

    @functools.wraps(whole)
    async def mortal(*args: Any, **kwargs: Any) -> Any:
        if when == "before":
            pass_by()
        answer = await whole(*args, **kwargs)
        nothing_claimed = method == "claim" and answer is None
        if when == "after" and not nothing_claimed:
            pass_by()
        return answer

    setattr(owner, method, mortal)


def watch(module: str, kind: str, method: str) -> None:
    """Tell of what the task that froze writes once it has woken, and of what came of it."""
    owner: Any = getattr(importlib.import_module(module), kind)
    whole = getattr(owner, method)

    @functools.wraps(whole)
    async def watched(*args: Any) -> Any:
        if woken is None or asyncio.current_task() is not woken:
            return await whole(*args)
        sys.stderr.write(f"TRIED {_fence_of(args[-1])}\n")
        try:
            answer = await whole(*args)
        except BaseException as error:
            sys.stderr.write(f"ANSWERED {type(error).__name__}\n")
            raise
        sys.stderr.write(f"ANSWERED {len(answer) if isinstance(answer, set) else _fence_of(answer)}\n")
        return answer

    setattr(owner, method, watched)


def _fence_of(what: object) -> object:
    """The fence that an outcome was found under, or that a connection's login has now."""
    thing = getattr(what, "thing", what)
    return getattr(getattr(thing, "login", thing), "fence", None)


def main() -> None:
    name, nth, how, module = sys.argv[1:]
    service_name = module.replace("_", "-")
    point = POINTS[service_name][name]
    watch(*LATE[service_name])
    wound(point, int(nth), signal.SIGKILL if how == "kill" else signal.SIGSTOP)
    service = importlib.import_module(f"{module}.app")
    importlib.import_module("kit.service").main(service.build)


if __name__ == "__main__":
    main()
