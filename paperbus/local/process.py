"""One child process that never outlives its parent. Knows nothing of what the child does."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

TIED = Path(__file__).with_name("tied.py")


class Process:
    """A running program: its own session, so that Ctrl-C reaches the parent alone, and tied to the parent.

    Start it from a thread that lives as long as it should (on Linux the child goes when that thread does).
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        log: Path | None = None,
        environment: Mapping[str, str] | None = None,
        keep_open: Sequence[int] = (),
        folder: Path | None = None,
    ) -> None:
        self.command = tuple(command)
        output = log.open("ab") if log else None
        try:
            self._child = subprocess.Popen(  # noqa: S603  the command is ours
                [sys.executable, "-IS", str(TIED), str(os.getpid()), *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT if output else None,
                env=dict(environment) if environment is not None else None,
                pass_fds=tuple(keep_open),
                cwd=folder,
                start_new_session=True,
            )
        finally:
            if output:
                output.close()

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def ended(self) -> int | None:
        """The exit code once it has ended (negative: the signal), else None."""
        return self._child.poll()

    def signal(self, which: signal.Signals) -> None:
        if self.ended is None:
            self._child.send_signal(which)

    def kill(self) -> None:
        """End it at once, without a chance to tidy up, and wait until it is gone."""
        self.signal(signal.SIGKILL)
        self._child.wait()

    async def wait(self) -> int:
        while (code := self.ended) is None:  # noqa: ASYNC110  an event would tie it to one loop
            await asyncio.sleep(0.02)
        return code

    async def stop(self, grace: float) -> int:
        """Ask it to end, wait `grace` seconds, then kill it. The exit code."""
        self.signal(signal.SIGTERM)
        deadline = time.monotonic() + grace
        while self.ended is None and time.monotonic() < deadline:  # noqa: ASYNC110  as above
            await asyncio.sleep(0.02)
        if self.ended is None:
            self.kill()
        return self._child.wait()


def last_line(log: Path) -> str:
    """What a program said last, to be quoted in a sentence: at most 400 characters, without the full stop."""
    lines = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
    return lines[-1][:400].rstrip(".") if lines else "it said nothing"
