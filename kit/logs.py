"""Logs: structlog, one JSON object a line (words on a terminal), ids bound, secrets taken out. No log is written here."""

from __future__ import annotations

from typing import Any


def set_up(level: str = "info", service: str = "") -> None:
    """Once per process, by `kit.service.main` and the command. Silences the libraries' own chatter."""
    raise NotImplementedError


def logger(name: str) -> Any:
    """A structlog logger: `log.info("sentence or name", connection_id=…)`."""
    raise NotImplementedError
