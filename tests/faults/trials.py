"""How many trials there are, and by which dice: the usual ones, or what `make soak TRIALS=…` asks for."""

from __future__ import annotations

import os

ASKED = int(os.environ.get("FAULT_TRIALS", "0"))
SEED = os.environ.get("FAULT_SEED", "1")


def trials(usual: int) -> int:
    """As many as were asked for, else the usual number."""
    return ASKED or usual


def rounds(usual: int) -> int:
    """How often a test of so many trials is gone through."""
    return max(1, ASKED // usual)


def seconds(usual: int) -> int:
    """A test's time; 0 is without an end: how long the trials that somebody asked for take is theirs."""
    return 0 if ASKED else usual
