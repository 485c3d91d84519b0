"""docs/drivers.md says of every service that documents go to what its limits make of the promise."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from providers.manifests import CATALOGUE, load
from schemas.manifest import Manifest

PAGE = (Path(__file__).parents[3] / "docs/drivers.md").read_text("utf-8")
TOLD = PAGE.partition("## What each service promises")[2]
ROWS = re.findall(r"^\|([^|]+)\|([^|]+)\|[^|]+\|$", TOLD, re.MULTILINE)
SAYING = {"atomic_put", "create_only", "conditional", "case_sensitive", "forbidden_characters", "rename"}
"""The settings that change what a driver promises."""
EXPORTS = [
    manifest
    for path in sorted(CATALOGUE.glob("*/manifest.yaml"))
    if "export" in (manifest := load(path.parent)).directions
]


@pytest.mark.parametrize("manifest", EXPORTS, ids=lambda manifest: manifest.id)
def test_a_service_is_told_of_once_with_the_driver_as_it_is_set_up(manifest: Manifest) -> None:
    told = [driver for services, driver in ROWS if f"`{manifest.id}`" in services]

    assert len(told) == 1, f"docs/drivers.md tells of {manifest.id} {len(told)} times: once it should be"
    said = {manifest.driver.kind} | SAYING & set(manifest.driver.settings)
    assert set(re.findall(r"`(\w+)`", told[0])) == said


def test_no_service_is_told_of_that_is_not_in_the_catalogue() -> None:
    named = {name for services, _ in ROWS for name in re.findall(r"`([\w-]+)`", services)}

    assert named == {manifest.id for manifest in EXPORTS}
