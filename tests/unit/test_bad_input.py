"""The page about bad input and faults names tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMED = re.findall(r"`(tests/[\w/.]+\.py)(?:::(\w+))?`", (ROOT / "docs/bad-input.md").read_text("utf-8"))


@pytest.mark.parametrize(("file", "test"), NAMED)
def test_a_test_that_is_named_is_there(file: str, test: str) -> None:
    text = (ROOT / file).read_text("utf-8")

    assert not test or re.search(rf"def {test}\b", text), f"{file} has no {test}"


def test_the_page_names_many() -> None:
    assert len(NAMED) > 50
