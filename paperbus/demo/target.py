"""The demo's target: a real WebDAV server that we did not write (`rclone serve webdav`), on loopback."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from paperbus.local.errors import DidNotStart
from paperbus.local.folder import free_port
from paperbus.local.process import Process, last_line

_RCLONE = str(Path(sys.executable).parent / "rclone")
PATIENCE = 15.0
"""Seconds that the server may take to answer."""


@dataclass(frozen=True)
class Target:
    """A WebDAV account: where it is, how to log in, and the folder that it keeps its files in."""

    url: str
    username: str
    password: str = field(repr=False)
    folder: Path

    @property
    def login(self) -> dict[str, object]:
        """What the provider `webdav` asks for."""
        return {"url": self.url, "username": self.username, "password": self.password}

    def files(self) -> dict[str, bytes]:
        """What arrived, by path below the folder."""
        return {
            path.relative_to(self.folder).as_posix(): path.read_bytes()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file()
        }


@asynccontextmanager
async def webdav(folder: Path) -> AsyncIterator[Target]:
    """The server, for as long as the block lasts; `folder` is made and stays.

    Raises:
        DidNotStart: see `answering`.
    """
    folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - one folder, at the start
    port = free_port()
    target = Target(f"http://127.0.0.1:{port}", "jane", secrets.token_urlsafe(12), folder)
    apart = ["--config=", f"--cache-dir={folder.parent / 'cache'}"]  # nothing in the user's home
    log = folder.parent / "webdav.log"
    process = Process(
        [_RCLONE, "serve", "webdav", str(folder), f"--addr=127.0.0.1:{port}", *apart],
        log=log,
        environment={**os.environ, "RCLONE_USER": target.username, "RCLONE_PASS": target.password},
    )
    try:
        await answering(process, port, "The demo's WebDAV server", log)
        yield target
    finally:
        await process.stop(2)


async def answering(process: Process, port: int, name: str, log: Path) -> None:
    """Waits until somebody listens.

    Raises:
        DidNotStart: it ended, or nobody listened within `PATIENCE`; the text has the last line of its log.
    """
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.ended is None:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
            continue
        writer.close()
        return
    silent = f"nothing answered on port {port} in {PATIENCE:.0f} s"
    raise DidNotStart(name, silent if process.ended is None else last_line(log), log)
