"""Has connections do something to its own stores, in a process of its own: only its code opens the vault.

The process gets the settings of this one, and what the running `paperbus up` made where they say nothing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from kit.settings import Settings
from paperbus import keys
from paperbus.errors import Stopped
from paperbus.services import VAULT
from paperbus.where import with_databases


def operate(call: str, *given: str, typed: str = "") -> Iterator[dict[str, Any]]:
    """What `python -m connections.operating` says, line by line, as it says it.

    Args:
        call: one of its calls, such as `keys-rotate`.
        given: what the call is about; never a secret.
        typed: what it reads on its standard input.

    Raises:
        Stopped: with its own sentence.
    """
    command = [sys.executable, "-m", "connections.operating", call, *given]
    process = subprocess.Popen(  # noqa: S603 - our own module, and a provider's id
        command,
        env=_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process as running:
        if running.stdin is None or running.stdout is None or running.stderr is None:
            raise Stopped("connections could not be asked.")
        running.stdin.write(typed)
        running.stdin.close()
        for line in running.stdout:
            if line.startswith("{"):
                yield json.loads(line)
        said = running.stderr.read().strip().splitlines()
        if running.wait() != 0:
            raise Stopped(said[-1] if said else "connections did not do it, and did not say why.")


def _environment() -> dict[str, str]:
    settings = Settings.load()
    found = dict(os.environ)
    if settings.mongo_url is None:
        found["MONGO_URL"] = with_databases(settings)
    if settings.paperbus_vault_keys is None:
        if settings.mongo_url is not None:
            raise Stopped("PAPERBUS_VAULT_KEYS is missing: set it as connections has it.")
        found[VAULT[0]] = str(keys.vault_keys(settings.paperbus_data))
    return found
