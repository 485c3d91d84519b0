"""The portal on a port of loopback, in a thread of its own."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from tests.peers.portal.app import Portal


@contextmanager
def served(portal: Portal) -> Iterator[str]:
    """Its address while it is served."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(portal.app(), log_level="warning", access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(10)
