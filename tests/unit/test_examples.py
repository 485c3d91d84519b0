"""What is written for others needs nothing of ours, and is as short as it is said to be."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOR_OTHERS = [*sorted((ROOT / "examples").glob("*.py")), ROOT / "tests" / "outsider.py"]
OURS = {"schemas", "kit", "providers", "web", "catalog", "connections", "sync_runner", "console", "paperbus"}


@pytest.mark.parametrize("file", FOR_OTHERS, ids=lambda file: file.name)
def test_what_is_written_for_others_imports_nothing_of_ours(file: Path) -> None:
    imported = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").partition(".")[0])

    assert imported
    assert not imported & OURS


@pytest.mark.parametrize("name", ["producer.py", "consumer.py"])
def test_a_producer_and_a_consumer_take_30_lines_each(name: str) -> None:
    text = (ROOT / "examples" / name).read_text("utf-8")
    opening = ast.parse(text).body[0]
    code = [
        line
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip() and not opening.lineno <= number <= (opening.end_lineno or 0)
    ]

    assert len(code) <= 30
