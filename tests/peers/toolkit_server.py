"""Another authorization server that we did not write: `django-oauth-toolkit` from PyPI, in a process."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from paperbus.local.folder import LOOPBACK, free_port
from paperbus.local.process import TIED
from tests.peers.oidc_server import OidcServer

HERE = Path(__file__).parent / "toolkit"


@contextlib.contextmanager
def toolkit_server(
    clients: Sequence[Mapping[str, Any]],
    scopes: Sequence[str] = (),
    access_seconds: int = 3600,
    grace: int = 0,
) -> Iterator[OidcServer]:
    """One that knows `clients` (RFC 7591 members) and `scopes`, and rotates refresh tokens.

    `grace`: seconds for which a refresh token that was exchanged still works.
    """
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="toolkit-") as folder:
        given = {
            "port": port,
            "folder": folder,
            "clients": list(clients),
            "scopes": list(scopes),
            "access_seconds": access_seconds,
            "grace": grace,
        }
        tied = [sys.executable, "-IS", str(TIED), str(os.getpid())]
        process = subprocess.Popen(
            [*tied, sys.executable, str(HERE / "serve.py"), json.dumps(given)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=HERE,
        )
        try:
            if not any(line.strip() == "ready" for line in process.stdout or ()):
                raise RuntimeError(
                    "django-oauth-toolkit did not start; run tests/peers/toolkit/serve.py to see why."
                )
            yield OidcServer(f"http://{LOOPBACK}:{port}", process)
        finally:
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
