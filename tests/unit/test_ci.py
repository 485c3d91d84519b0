"""What CI forgives: a skip for what a real server cannot do, and none for a server that is not there."""

import subprocess
import sys
from pathlib import Path

import pytest
from lacking import lacks

TEST = """
import pytest

@pytest.mark.targets
def test_one() -> None:
    pytest.skip("vsftpd is not there")
"""


@pytest.mark.parametrize(
    ("why", "mark"),
    [
        ("vsftpd is not installed: apt-get install vsftpd", "targets"),
        ("there is no MongoDB here", "servers"),
        ("there is no chromium", "browser"),
        ("this needs root", "faults"),
    ],
)
def test_a_real_program_that_is_missing_is_a_lack(why: str, mark: str) -> None:
    assert lacks(why, {"asyncio", mark})


@pytest.mark.parametrize(
    ("why", "mark"),
    [("by capability: this server lets everybody in", "targets"), ("only on Linux", "asyncio")],
)
def test_what_a_server_cannot_do_and_what_needs_none_is_no_lack(why: str, mark: str) -> None:
    assert not lacks(why, {mark})


def test_a_run_in_ci_whose_real_test_is_skipped_ends_red(tmp_path: Path) -> None:
    (tmp_path / "test_one.py").write_text(TEST)
    alone = ["-n0", "-p", "conftest", "-c", "/dev/null", "--rootdir", str(tmp_path)]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *alone, str(tmp_path / "test_one.py")],
        env={"PATH": "", "CI": "true", "PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == pytest.ExitCode.TESTS_FAILED, run.stdout + run.stderr
    assert "CI must not skip this" in run.stdout
    assert "vsftpd is not there" in run.stdout
