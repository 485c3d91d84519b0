"""The README's diagrams are drawn from the tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from connections.lifecycle.connection import CONNECTION
from connections.lifecycle.login import LOGIN
from connections.lifecycle.renewal import RENEWAL
from kit.transitions import draw

README = Path(__file__).parents[3] / "services" / "connections" / "README.md"


@pytest.mark.parametrize("table", [CONNECTION, LOGIN, RENEWAL], ids=["connection", "login", "renewal"])
def test_the_readme_shows_the_table_as_it_is(table: object) -> None:
    assert draw(table) in README.read_text("utf-8")  # type: ignore[arg-type]  # any of the tables
