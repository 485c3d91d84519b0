"""`make setup` with a stand-in for pip: what is said before and meanwhile, what a failure leaves behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PINS = """\
# The services: fetches about 12 MB. Written by `make lock`.
one==1.0 \\
    --hash=sha256:00
two[extra]==2.0 \\
    --hash=sha256:00
"""
PYTHON = """\
#!/bin/sh
case "$*" in
    *"pip --version"* | *--editable*) exit 0 ;;
    *local.prove*) echo proven; exit 0 ;;
esac
cd "$(dirname "$0")"
. ./pip
"""
"""The `.venv/bin/python` of a checkout: what `pip install` does is in the file beside it."""
WELL = "echo Collecting one; echo 'Collecting two[extra]'; echo 'Installing collected packages: one, two'"


class Checkout:
    """A copy of what `make setup` needs, without the network."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.local, binaries = root / "paperbus/local", root / ".venv/bin"
        self.local.mkdir(parents=True)
        binaries.mkdir(parents=True)
        for name in ("prepare.py", "kafka.jars"):
            shutil.copy(ROOT / "paperbus/local" / name, self.local)
        (root / "pyproject.toml").write_text("")
        self.pins = root / "requirements-local.txt"
        self.pins.write_text(PINS)
        (binaries / "python").write_text(PYTHON)
        (binaries / "python").chmod(0o700)
        self.pip = binaries / "pip"

    def start(self, pip: str) -> subprocess.Popen[str]:
        self.pip.write_text(pip)
        return subprocess.Popen(
            [sys.executable, str(self.local / "prepare.py")],
            env=os.environ | {"XDG_CACHE_HOME": str(self.root / "cache")},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            # Whoever runs the tests in the background ignores Ctrl-C, and what they start with them.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - it takes no lock
        )

    def set_up(self, pip: str) -> tuple[int, str, str]:
        """Exit code, what it said, what it complained of."""
        process = self.start(pip)
        said, complained = process.communicate(timeout=60)
        return process.returncode, said, complained


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_what_is_fetched_and_how_large_is_said_first_then_each_package(checkout: Checkout) -> None:
    code, said, _ = checkout.set_up(WELL)
    first, *rest = said.splitlines()

    assert code == 0
    assert first.startswith("Fetching 2 Python packages (about 12 MB, MongoDB and Java among them)")
    assert "Kafka's jars (45 MB)" in first
    assert rest == ["  1 of 2: one", "  2 of 2: two[extra]", "  installing them", "proven", "Ready."]


def test_what_is_set_up_is_not_fetched_again_until_something_is_pinned_anew(checkout: Checkout) -> None:
    checkout.set_up(WELL)

    assert checkout.set_up("exit 1") == (0, "", "")

    checkout.pins.write_text(PINS.replace("1.0", "1.1"))
    assert checkout.set_up("exit 1")[0] == 1


REFUSED = "WARNING: Retrying (Retry(total=1)) after connection broken by 'NewConnectionError'"
NOT_FOUND = "ERROR: No matching distribution found for one==1.0"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((REFUSED, NOT_FOUND), "The package registry does not answer: check the network"),
        ((NOT_FOUND,), "run `docker compose up` instead."),
        (("OSError: [Errno 28] No space left on device",), "The disk is full: make room"),
        (("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES",), "A package is not the one that was pinned"),
        (("ERROR: something else",), "The packages could not be installed."),
    ],
)
def test_what_goes_wrong_is_one_sentence_and_the_next_start_goes_on(
    checkout: Checkout, words: tuple[str, ...], sentence: str
) -> None:
    talk = "".join(f'echo "{word}" >&2; ' for word in words)
    code, said, complained = checkout.set_up(f"{talk} exit 1")

    assert code == 1
    assert "Ready" not in said
    assert sentence in complained
    assert complained.count("\n") == 1
    assert words[0] in (checkout.root / ".venv/setup.log").read_text()

    assert checkout.set_up(WELL)[1].endswith("Ready.\n")


def test_ctrl_c_is_one_sentence_too(checkout: Checkout) -> None:
    process = checkout.start("echo Collecting one; exec sleep 60")
    assert process.stdout is not None
    while "1 of 2" not in (line := process.stdout.readline()):
        assert line, "it ended by itself"
    os.killpg(process.pid, signal.SIGINT)
    _, complained = process.communicate(timeout=60)

    assert process.returncode == 1
    assert complained == "Stopped: start again to go on; what arrived is kept.\n"


def test_nothing_is_written_outside_the_environment_and_the_cache(checkout: Checkout) -> None:
    before = {path.name for path in checkout.root.iterdir()}
    checkout.set_up('test "$PIP_CACHE_DIR" = "$XDG_CACHE_HOME/paperbus/pip" || exit 1')

    assert (checkout.root / ".venv/stamp-requirements-local").exists()
    assert {path.name for path in checkout.root.iterdir()} - before <= {"cache"}
