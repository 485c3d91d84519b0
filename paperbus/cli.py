"""The command `paperbus`. Each call is a module of its own, loaded when it is used, so that help is quick."""

from __future__ import annotations

import errno
import logging
import sys

import click

from paperbus.errors import Stopped
from paperbus.lazily import Lazily

COMMANDS = {
    "admin": "For operators: look, mend, replay.",
    "databases": "Make MongoDB's replica set and users.",
    "demo": "Start everything, and show a first export.",
    "keys": "Make the keys and passwords of a deployment.",
    "link": "A fresh link to the console.",
    "provider": "Check, list and start manifests of providers.",
    "send": "Publish one event, validated.",
    "token": "A token for the HTTP interfaces.",
    "topics": "Make the topics, and check those that are there.",
    "up": "Start what is not configured, and all services.",
}
"""Each is a click command of that name in `paperbus.commands.<name>`."""


@click.group(
    cls=Lazily,
    package="paperbus.commands",
    helps=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="paperbus")
def paperbus() -> None:
    """Moves business documents between a platform and the accounts its customers already use."""


def main() -> None:
    """The entry point. What can be mended is one sentence on standard error, and exit code 1."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what it complains of, we say in one sentence
    try:
        paperbus(prog_name="paperbus")
    except Exception as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            sys.exit(f"The disk is full ({error.filename or 'while writing'}): make room, then start again.")
        if not isinstance(error, _sentences()):
            raise
        sys.exit(str(error))


def _sentences() -> tuple[type[Exception], ...]:
    """The errors whose text is meant for whoever typed the command."""
    from kit.mongo import Unusable
    from kit.settings import SettingsError
    from kit.tokens import KeysRefused

    return Stopped, SettingsError, KeysRefused, Unusable


if __name__ == "__main__":
    main()
