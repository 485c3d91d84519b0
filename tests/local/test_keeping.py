"""What is said of a service that ended."""

from __future__ import annotations

from paperbus.keeping import ending


def test_a_service_that_was_killed_is_not_explained_by_the_last_line_of_its_log() -> None:
    assert ending("catalog", -9, "GET /health (its log is x).") == "catalog was killed (SIGKILL)."
    assert ending("catalog", 1, "no disk (its log is x).") == "catalog ended (1): no disk (its log is x)."
