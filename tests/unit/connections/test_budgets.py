"""What failed logins are counted against: one account at one host, however both are written."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from connections.budgets import budgets
from schemas.manifest import Manifest
from tests.unit.connections.builders import MANIFEST

MAILBOX = Manifest.model_validate(
    {
        **MANIFEST.wire(),
        "login": [
            {
                "ask": "credentials",
                "fields": [
                    {"name": "host", "label": "Server", "required": True, "destination": True},
                    {"name": "port", "label": "Port", "type": "integer", "destination": True},
                    {"name": "username", "label": "User", "required": True},
                    {"name": "password", "label": "P", "type": "password", "required": True, "secret": True},
                ],
            }
        ],
    }
)
AT = {"host": "imap.bücher.example", "port": 993, "username": "jane"}


def key(manifest: Manifest, values: Mapping[str, object]) -> str:
    return budgets(manifest, "acme", values)[0].key


@pytest.mark.parametrize(
    "other",
    [
        {"host": "imap.bücher.example..."},
        {"host": "IMAP.xn--bcher-kva.example."},
        {"port": 143},
        {"username": " JANE "},
        {"username": "ｊａｎｅ"},
    ],
)
def test_another_way_to_write_a_host_is_no_other_count(other: dict[str, object]) -> None:
    assert key(MAILBOX, AT) == key(MAILBOX, {**AT, **other})


def test_another_host_is_another_count() -> None:
    assert key(MAILBOX, AT) != key(MAILBOX, {**AT, "host": "imap.else.example"})


def test_an_address_counts_by_its_host() -> None:
    there = {"url": "https://dav.example/a", "username": "jane"}

    assert key(MANIFEST, there) == key(MANIFEST, {**there, "url": "https://DAV.example.:443/b"})
    assert key(MANIFEST, there) != key(MANIFEST, {**there, "url": "https://[dav"})
