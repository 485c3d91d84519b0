"""The running platform, and an outsider who knows nothing but the contract.

Whatever a test is about: each event that the outsider heard meanwhile is held to what is published.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
from lacking import unavailable
from outsider import Json, Outsider
from running import Running, running
from servers import NoServer
from targets import Target, rclone_webdav

from tests.sentences import says_what_to_do

PUBLISHED = Path(__file__).parents[2] / "schemas/published/events"


@pytest.fixture(scope="session")
def services() -> Iterator[Running]:
    try:
        with running("127.0.0.7") as services:
            yield services
    except NoServer as error:
        unavailable(str(error))


@pytest.fixture
def outsider(services: Running) -> Iterator[Outsider]:
    one = Outsider(
        services.kafka,
        services.platform_key,
        services.url("connections"),
        services.url("sync-runner"),
        services.environment["PAPERBUS_SERVICE_KEYS"],
    )
    with one.listening():
        yield one
    keeps_the_contract(one)


def keeps_the_contract(outsider: Outsider) -> None:
    """Its key and header, its published schema, one content for one id, numbers that rise (CONTRACT §3)."""
    assert outsider.odd == []
    refused = [it["data"]["message"] for _, it in list(outsider.heard) if "RequestRefused" in it["type"]]
    assert [message for message in refused if not says_what_to_do(message)] == []
    contents: dict[tuple[str, str], Json] = {}
    last: dict[tuple[str, str], str] = {}
    mine = [one for one in list(outsider.heard) if one[1].get("accountid") == outsider.account]
    for topic, event in mine:
        fits(event)
        known = contents.setdefault((event["source"], event["id"]), event)
        assert known == event, "one id, two contents"
        if known is event and "sequence" in event:
            place = (topic, event["subject"])
            assert last.get(place, "") <= event["sequence"], f"{event['type']} comes out of order"
            last[place] = event["sequence"]


def fits(event: Json) -> None:
    schema = json.loads((PUBLISHED / f"{event['type']}.json").read_text("utf-8"))
    jsonschema.Draft202012Validator(schema).validate(event)


@pytest.fixture
def webdav(tmp_path: Path) -> Iterator[Target]:
    with rclone_webdav(tmp_path / "target") as target:
        yield target
