"""What lies in `deploy/` speaks of things that are there, and nothing is published that should not be."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
OURS = {"catalog", "connections", "sync-runner", "console"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    assert isinstance(found, dict)
    return found["services"]


def known_metrics() -> set[str]:
    import kit.metrics
    import sync_runner.fill

    assert kit.metrics.HEARD
    assert sync_runner.fill.FOUND
    return {
        name
        for metric in REGISTRY.collect()
        for name in (metric.name, f"{metric.name}_total", f"{metric.name}_bucket")
    }


@pytest.mark.parametrize("file", ["alerts.yml", "dashboard.json"])
def test_every_metric_that_is_watched_is_measured(file: str) -> None:
    watched = set(re.findall(r"\b(?:paperbus|process)_[a-z_]+", (DEPLOY / file).read_text()))

    assert watched
    assert watched <= known_metrics()


def test_every_event_that_is_watched_is_one() -> None:
    from schemas.topics import TOPICS

    events = {data.TYPE for topic in TOPICS for data in topic.types}
    text = (DEPLOY / "alerts.yml").read_text() + (DEPLOY / "dashboard.json").read_text()
    names = {
        f"paperbus.{before}{name}.v1"
        for before, group in re.findall(r"paperbus\.(\w*)\(([\w|]+)\)\.v1", text)
        for name in group.split("|")
    }

    assert names
    assert names <= events


def test_there_is_no_password_in_the_compose_file() -> None:
    text = (ROOT / "docker-compose.yml").read_text()

    for name in re.findall(r"\$\{((?:\w*PASSWORD|\w*KEY)\w*)[}:]", text):
        assert f"${{{name}:-" not in text, f"{name} has a default"
    assert not re.search(r"(?i)password: *[^$ {]", text)


def test_only_the_proxy_is_published_and_ours_run_without_rights(compose: dict[str, Any]) -> None:
    assert [name for name, service in compose.items() if "ports" in service] == ["proxy"]
    for name in OURS:
        service = compose[name]
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert service["restart"] == "unless-stopped"
        assert "healthcheck" in service
    for name in ("kafka", "mongo"):
        assert compose[name]["networks"] == ["bus"]
        assert compose[name]["volumes"]


def test_each_service_is_given_its_own_key_and_the_vault_s_keys_go_to_connections(
    compose: dict[str, Any],
) -> None:
    for name in OURS:
        settings = compose[name]["environment"]
        own = f"SERVICE_KEY_{name.upper().replace('-', '_')}"
        assert own in settings["PAPERBUS_SERVICE_KEY"]
        assert settings["MONGO_URL"].startswith(f"mongodb://{name}:")
        assert ("PAPERBUS_VAULT_KEYS" in settings) == (name == "connections")


def test_both_proxies_publish_the_two_pages_and_none_of_their_inner_paths() -> None:
    for name in ("Caddyfile", "nginx.conf"):
        text = (DEPLOY / name).read_text()
        assert set(re.findall(r"(?:console|connections|127\.0\.0\.1):(8\d{3})", text)) == {"8100", "8112"}
        for path in ("metrics", "openapi", "health"):
            assert path in text
