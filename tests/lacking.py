"""What a test does without its real server, and which of that CI forgives."""

import pytest

REAL = ("servers", "targets", "browser", "faults")  # markers of tests that need real programs


def unavailable(why: str) -> None:
    """Skip the test with its reason; in CI that is a failure, see `pytest_runtest_makereport`."""
    pytest.skip(why)


def lacks(why: str, marks: set[str]) -> bool:
    """Whether a test was skipped for want of a real program, and not of what that program can do."""
    return not marks.isdisjoint(REAL) and "by capability:" not in why
