"""The data folder of one server: its lock, its disk space, its ports. Starts nothing."""

import asyncio
import contextlib
import errno
import fcntl
import os
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self, TextIO

import psutil

from paperbus.local.errors import FolderInUse, NoSpace, PortTaken

LOOPBACK = "127.0.0.1"


class FolderLock:
    """Held by whoever runs a server on a folder; released by the kernel when the last holder is gone.

    The server inherits the open file, so the lock also covers a server that outlives a killed parent for the
    second that it takes to shut down: the next start waits for it.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file

    @classmethod
    async def take(cls, folder: Path, patience: float = 15.0) -> Self:
        """Raises FolderInUse if a living process holds it, or a dying one after `patience` seconds."""
        file = (folder / "lock").open("a+")
        deadline = time.monotonic() + patience
        while not _locked(file):
            holder = _holder(folder / "lock")
            if (holder and psutil.pid_exists(holder)) or time.monotonic() > deadline:
                file.close()
                raise FolderInUse(folder, holder)
            await asyncio.sleep(0.05)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        return cls(file)

    @property
    def descriptor(self) -> int:
        return self._file.fileno()

    def release(self) -> None:
        self._file.close()


def _locked(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(lock: Path) -> int | None:
    text = lock.read_text().strip()
    return int(text) if text.isdigit() else None


def make_folder(folder: Path, needed: int) -> None:
    """Make `folder`, and see that `needed` bytes are free. Raises NoSpace."""
    with space_for(folder, needed):
        folder.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(folder).free < needed:
        raise NoSpace(folder, needed)


@contextlib.contextmanager
def space_for(folder: Path, needed: int) -> Iterator[None]:
    """A full disk inside this block is NoSpace."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoSpace(folder, needed) from error
        raise


def free_port(address: str = LOOPBACK) -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])


def require_port(port: int, advice: str, address: str = LOOPBACK) -> None:
    """Raises PortTaken, naming the program that listens there where that can be seen, and `advice`."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise PortTaken(address, port, _listener(port), advice) from None


def _listener(port: int) -> str | None:
    with contextlib.suppress(psutil.Error):
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,)
            if listens and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
    return None


def answers(port: int, address: str = LOOPBACK) -> bool:
    """Whether something on this machine accepts connections there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((address, port)) == 0
