"""The README shows the tables as they are."""

from pathlib import Path
from typing import Any

import pytest

from kit.transitions import Table, draw
from sync_runner.lifecycle import row, run, schedule

README = Path(__file__).parents[3] / "services" / "sync-runner" / "README.md"


@pytest.mark.parametrize("table", [schedule.TABLE, run.TABLE, row.TABLE], ids=["standing", "run", "row"])
def test_the_readme_shows_the_table_as_it_is(table: Table[Any]) -> None:
    assert draw(table) in README.read_text("utf-8")


def test_every_file_that_the_readme_names_is_there() -> None:
    package = README.parent / "sync_runner"
    table = README.read_text("utf-8").split("## Where is …?")[1]
    named = [part for part in table.split("`") if part.endswith((".py", "/"))]

    assert named
    assert [name for name in named if not (package / name).exists()] == []
