"""Logs hold no secret, whichever way it comes in."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from kit import logs
from kit.tokens import new_sealing_key, new_signing_key, seal, sign

CANARY = "canary-5e1f"
JWT = sign(new_signing_key("k"), {"sub": CANARY})
JWE = seal({"a": 1}, new_sealing_key("k"), "t")


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    written = io.StringIO()
    monkeypatch.setattr("sys.stderr", written)
    before = logging.getLogger().handlers[:]
    logs.set_up("debug", "tests")
    yield written
    logging.getLogger().handlers[:] = before
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def test_a_line_is_a_json_object_with_its_ids(lines: io.StringIO) -> None:
    logs.logger("x").info("connection saved", connection_id="c-1", counts={"done": 2})

    entry = json.loads(lines.getvalue())
    assert (entry["event"], entry["connection_id"], entry["service"]) == ("connection saved", "c-1", "tests")
    assert (entry["level"], entry["counts"]) == ("info", {"done": 2})
    assert entry["timestamp"].endswith("Z")


@pytest.mark.parametrize(
    "members",
    [
        {"password": CANARY},
        {"fields": {"Password": CANARY, "nested": [{"api_key": CANARY}]}},
        {"headers": {"Authorization": CANARY}},
        {"credentials": [CANARY]},
        {"url": f"https://jane:{CANARY}@dav.example/"},
        {"url": f"https://x.example/?page=1&access_token={CANARY}"},
        {"said": f"Authorization: Bearer {CANARY}"},
        {"what": ValueError(f"-----BEGIN PRIVATE KEY-----\n{CANARY}\n-----END PRIVATE KEY-----")},
    ],
)
def test_secrets_are_taken_out_by_name_and_by_looks(lines: io.StringIO, members: dict[str, object]) -> None:
    logs.logger("x").info("it", **members)

    assert CANARY not in lines.getvalue()
    assert logs.REDACTED in lines.getvalue()


@pytest.mark.parametrize("token", [JWT, JWE], ids=["JWT", "JWE"])
def test_tokens_are_taken_out_of_texts_and_tracebacks(lines: io.StringIO, token: str) -> None:
    error = RuntimeError(f"refused {token}")
    logs.logger("x").error(f"failed with {token}", exc_info=error)
    logging.getLogger("some.library").warning("heard %s", token)

    assert token not in lines.getvalue()
    assert "RuntimeError" in lines.getvalue()
    assert len(lines.getvalue().splitlines()) == 2


def test_libraries_that_log_addresses_are_silent_below_warning(lines: io.StringIO) -> None:
    for name in logs.NOISY:
        logging.getLogger(name).info("GET https://x.example/?api_key=%s", CANARY)

    assert lines.getvalue() == ""
