"""Logs: structlog, one JSON object a line (words on a terminal), secrets taken out. It writes none itself."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

REDACTED = "[redacted]"
NOISY = ("httpx", "httpcore", "aiokafka", "asyncssh", "aiohttp.access", "pymongo", "faststream", "asyncio")
"""httpx logs addresses with their query, asyncssh names users: WARNING and above only."""
SECRET_NAMES = re.compile(
    r"passw|passphrase|secret|token|authorization|cookie|credential|private_key|api_?key|sealed|proof|^code$|^key$",
    re.IGNORECASE,
)
SECRET_VALUES = (
    re.compile(r"\beyJ[\w-]{8,}(?:\.[\w-]*){2,4}"),  # JWT, JWE
    re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{6,}"),
    re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"),  # user:password in an address
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)", re.DOTALL),
    re.compile(r"(?i)(?<=[?&])[\w-]*(?:token|key|secret|code|password|signature|proof)=[^&\s]+"),
)


def set_up(level: str = "info", service: str = "") -> None:
    """Once per process, by `kit.service.main` and the command. Also takes in what libraries log."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]
    words = sys.stderr.isatty()
    renderer = (
        structlog.dev.ConsoleRenderer() if words else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.clear_contextvars()
    if service:
        structlog.contextvars.bind_contextvars(service=service)


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger: `log.info("connection saved", connection_id=…)`."""
    bound: structlog.stdlib.BoundLogger = structlog.get_logger(name)
    return bound


def redact(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Take secrets out of an entry: members by their names, text by its looks. The last step."""
    for name, value in event.items():
        event[name] = _clean(name, value)
    return event


def clean_text(text: str) -> str:
    """`text` without what looks like a secret."""
    for pattern in SECRET_VALUES:
        text = pattern.sub(REDACTED, text)
    return text


def _clean(name: str, value: object) -> object:
    if value is not None and SECRET_NAMES.search(name):
        return REDACTED
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, Mapping):
        return {key: _clean(str(key), member) for key, member in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean("", member) for member in value]
    if isinstance(value, bool | int | float | None):
        return value
    return clean_text(str(value))
